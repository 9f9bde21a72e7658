import numpy as np
import pytest

from evp.audio.loudness import measure, normalised
from evp.audio.mel import log_mel
from evp.audio.mfcc import mfcc
from evp.audio.windows import windows
from evp.clock import frames_for_samples
from evp.emotion.windows import EARS, ENERGIES, MELODY, MFCC, Ear, audible, ear_for
from tiny import tone, voice

every_ear = pytest.mark.parametrize("ear", EARS.values(), ids=EARS)


@every_ear
def test_a_window_for_every_begun_hop(ear: Ear) -> None:
    hop = 160 * ear.hop
    assert [ear.count(samples) for samples in (0, 1, hop, hop + 1)] == [0, 1, 1, 2]


@every_ear
def test_windows_are_the_rows_around_their_middle(ear: Ear) -> None:
    first, last = ear.rows_for(2, 5)
    windows = ear.cut(np.arange(first, last, dtype=float)[:, None])
    middles = 100 * ear.times(5)[2:]
    assert windows.shape == (3, ear.rows, 1)
    np.testing.assert_allclose(windows[:, :, 0].mean(axis=1) + 0.5, middles)


@every_ear
def test_windows_do_not_depend_on_where_they_are_cut(ear: Ear) -> None:
    waveform = voice(1.7, 150)
    loudness, count = measure(waveform), ear.count(len(waveform))
    whole, speech = ear.windows(waveform, loudness, 0, count)
    assert whole.shape == (count, ear.rows, ear.columns) and speech.shape == (count,)
    some, own_speech = ear.windows(waveform, loudness, 1, 3)
    np.testing.assert_allclose(some, whole[1:3], atol=1e-5)
    np.testing.assert_array_equal(own_speech, speech[1:3])


@every_ear
def test_voiced_is_about_the_middle_hop(ear: Ear) -> None:
    first, last = ear.rows_for(0, 3)
    energies = np.zeros((last - first, 4))
    energies[ear.hop - first : 2 * ear.hop - first] = 3
    np.testing.assert_array_equal(ear.voiced(energies), [False, True, False])


def test_windows_of_mfcc_are_the_papers() -> None:
    waveform = voice(1.03, 150)
    heard, _ = MFCC.windows(waveform, measure(waveform), 0, MFCC.count(len(waveform)))
    frames = frames_for_samples(len(waveform))
    np.testing.assert_allclose(heard, windows(mfcc(waveform), frames), atol=1e-5)
    np.testing.assert_allclose(MFCC.times(frames), (np.arange(frames) + 0.5) / 25)


def test_energies_are_the_melody_without_its_pitches() -> None:
    waveform = voice(2, 150)
    alone, melody = (ear.windows(waveform, measure(waveform), 0, 5) for ear in (ENERGIES, MELODY))
    np.testing.assert_array_equal(alone[0], melody[0][..., :64])
    np.testing.assert_array_equal(alone[1], melody[1])


def test_weights_say_how_they_hear() -> None:
    assert ear_for({"features": "energies"}) is ENERGIES
    assert ear_for({"features": "mfcc"}) is MFCC
    assert ear_for({}) is MELODY  # the packaged ones


@pytest.mark.parametrize("level", [1e-3, 0.1])
def test_steady_noise_is_not_audible_and_syllables_in_it_are(level: float) -> None:
    noise = level * np.random.default_rng(0).standard_normal(32000).astype(np.float32)
    assert not audible(normalised(log_mel(noise), measure(noise))).any()
    syllables = np.sign(tone(2, 150)) * (tone(2, 2) > 0)
    speech = np.concatenate([noise, noise + 9 * level * syllables])
    heard = audible(normalised(log_mel(speech), measure(speech)))
    assert not heard[:195].any() and heard[205:220].all() and not heard[230:245].any()
