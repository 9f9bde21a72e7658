import numpy as np

from evp.audio.loudness import measure, normalised
from evp.audio.mel import BANDS, log_mel
from evp.motion.features import AROUND_ROWS, FEATURES, LOWEST, against_speech, motion_features
from tiny import voice


def noise(seconds: float, level: float) -> np.ndarray:
    samples = np.random.default_rng(0).standard_normal(round(16000 * seconds))
    return (level * samples).astype(np.float32)


def test_the_first_half_are_energies_over_the_noise_and_the_second_against_the_mean_speech() -> None:
    sound = voice(2, 120) + noise(2, 1e-3)
    rows, loudness = log_mel(sound), measure(sound)
    features = motion_features(rows, loudness)
    assert features.shape == (len(rows), FEATURES) and features.dtype == np.float32
    np.testing.assert_array_equal(features[:, :BANDS], normalised(rows, loudness))
    loud = normalised(rows, loudness).mean(axis=1) > 1
    assert 0.2 < loud.mean() < 0.8
    expected = np.maximum(rows - loudness.timbre, LOWEST)
    np.testing.assert_allclose(features[loud, BANDS:], expected[loud], atol=1e-5)


def test_where_only_noise_is_there_is_silence() -> None:
    for seconds in (1.0, 10.0):
        hiss = noise(seconds, 0.01)
        assert against_speech(log_mel(hiss), measure(hiss)).max() < LOWEST + 1
    sound = np.concatenate([voice(2, 120), np.zeros(16000, np.float32), voice(2, 120)]) + noise(5, 1e-3)
    heard = against_speech(log_mel(sound), measure(sound))
    assert heard[200 + 2 * AROUND_ROWS : 300 - 2 * AROUND_ROWS].max() < LOWEST + 1
    assert heard.max() > -1


def test_what_leads_to_a_sound_is_heard_too() -> None:
    sound = np.concatenate([np.zeros(16000, np.float32), voice(2, 120)]) + noise(3, 1e-4)
    heard = against_speech(log_mel(sound), measure(sound)).max(axis=1) > LOWEST
    first = int(np.flatnonzero(heard)[0])
    loud = int(np.flatnonzero(normalised(log_mel(sound), measure(sound)).mean(axis=1) > 1)[0])
    assert AROUND_ROWS - 4 <= loud - first <= AROUND_ROWS + 4
