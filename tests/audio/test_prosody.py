import numpy as np
import pytest

from evp.audio import prosody as module
from evp.audio.prosody import prosody
from evp.clock import SAMPLES_PER_FRAME, frames_for_samples
from tiny import tone


def voice(seconds: float, hertz: float, level: float = 0.3) -> np.ndarray:
    """A buzz (samples,) with ten harmonics and a peak of about ``level``."""
    harmonics = [tone(seconds, n * hertz, level / n**1.5) for n in range(1, 11) if n * hertz < 7000]
    return np.sum(harmonics, axis=0).astype(np.float32)


def noise(seconds: float, level: float) -> np.ndarray:
    return (level * np.random.default_rng(0).standard_normal(round(seconds * 16_000))).astype(np.float32)


@pytest.mark.parametrize("sound", [tone, voice])
@pytest.mark.parametrize("hertz", [75, 110, 180, 263, 440])
def test_pitch_is_found(sound: type, hertz: float):
    reference = 150.0
    found = prosody(np.concatenate([sound(3, reference), sound(1, hertz)]))
    np.testing.assert_allclose(found.pitch[2:73], 0, atol=0.1)
    np.testing.assert_allclose(found.pitch[77:-2], 12 * np.log2(hertz / reference), atol=0.4)


def test_pitch_does_not_depend_on_level_or_offset():
    sound = np.concatenate([voice(1, 120), voice(0.5, 180)])
    for changed in (0.1 * sound, sound + 0.2):
        np.testing.assert_allclose(prosody(changed).pitch, prosody(sound).pitch, atol=1e-5)


def test_level_is_in_decibels_below_the_loudest():
    found = prosody(np.concatenate([tone(1, 200, 0.5), tone(1, 200, 0.05), tone(1, 200, 0.25)]))
    for first, expected in ((2, 0.0), (27, -20.0), (52, -6.02)):
        np.testing.assert_allclose(found.loudness[first : first + 20], expected, atol=0.3)


def test_frame_is_measured_around_its_middle():
    sound = np.zeros(20 * SAMPLES_PER_FRAME, np.float32)
    sound[10 * SAMPLES_PER_FRAME : 11 * SAMPLES_PER_FRAME] = tone(0.04, 200)
    loudness = prosody(sound).loudness
    assert loudness.argmax() == 10
    assert loudness[9] == pytest.approx(loudness[11], abs=1)
    np.testing.assert_allclose(loudness[[8, 12]], loudness[0], atol=1e-3)


def test_silence_and_noise_have_no_pitch():
    assert not prosody(np.zeros(16_000, np.float32)).pitch.any()
    assert not prosody(noise(1, 0.1)).pitch.any()
    paused = prosody(np.concatenate([voice(1, 120), noise(1, 1e-3), voice(1, 240)])).pitch
    assert not paused[28:48].any()


def test_hum_far_below_the_voice_has_no_pitch_wherever_it_is():
    pitch = prosody(np.concatenate([voice(2, 120), voice(1, 100, 0.002), voice(1, 150, 0.03)])).pitch
    assert not pitch[53:72].any()
    assert pitch[78:98].all()  # what is only soft has one


def test_loudness_of_silence_is_finite_and_far_below():
    found = prosody(np.concatenate([tone(1), np.zeros(16_000, np.float32)]))
    assert -110 < found.loudness[-1] < -80
    assert np.isfinite(prosody(np.zeros(5000, np.float32)).loudness).all()


@pytest.mark.parametrize("block", [1, 7, 40])
def test_blocks_do_not_matter(monkeypatch: pytest.MonkeyPatch, block: int):
    sound = np.concatenate([voice(1, 120), noise(0.6, 1e-4), voice(1.01, 100, 0.002), voice(0.5, 220)])
    whole = prosody(sound)
    monkeypatch.setattr(module, "_BLOCK_FRAMES", block)
    in_blocks = prosody(sound)
    np.testing.assert_allclose(in_blocks.loudness, whole.loudness, atol=1e-4)
    np.testing.assert_allclose(in_blocks.pitch, whole.pitch, atol=1e-4)


@pytest.mark.parametrize("samples", [0, 1, 639, 640, 641, 5000])
def test_two_numbers_for_every_frame(samples: int):
    found = prosody(tone(1)[:samples])
    for values in (found.loudness, found.pitch):
        assert values.shape == (frames_for_samples(samples),)
        assert values.dtype == np.float32
        assert np.isfinite(values).all()


def test_half_precision_says_the_same():
    sound = np.concatenate([voice(1, 120), voice(1, 180, 0.03)])
    half, full = prosody(sound.astype(np.float16)), prosody(sound)
    np.testing.assert_allclose(half.loudness, full.loudness, atol=0.05)
    np.testing.assert_allclose(half.pitch, full.pitch, atol=0.05)
