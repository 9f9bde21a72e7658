import numpy as np
import pytest

from evp.audio.mel import log_mel, log_mel_blocks
from evp.motion.features import QUIETEST_LEVEL, level_of, normalised, recording_level


def burst(loudness: float, seconds_of_silence: int = 0) -> np.ndarray:
    noise = loudness * np.random.default_rng(0).standard_normal(16_000)
    return np.concatenate([noise, np.zeros(16_000 * seconds_of_silence)]).astype(np.float32)


def test_level_follows_loudness_and_ignores_silence() -> None:
    level = recording_level(burst(0.01))
    assert recording_level(burst(0.1)) == pytest.approx(level + np.log(100), abs=0.01)
    assert recording_level(burst(0.01, seconds_of_silence=3)) == pytest.approx(level, abs=0.05)


def test_level_of_silence_and_of_nothing_is_the_quietest() -> None:
    assert (
        recording_level(np.zeros(1000, np.float32))
        == recording_level(np.zeros(0, np.float32))
        == QUIETEST_LEVEL
    )


def test_blocks_do_not_matter() -> None:
    sound = burst(0.1, 1)
    assert level_of(log_mel_blocks(sound, 7)) == pytest.approx(recording_level(sound), abs=1e-6)


def test_features_are_the_same_for_loud_and_soft_and_zero_for_silence() -> None:
    features = [normalised(log_mel(x), recording_level(x)) for x in (burst(0.01, 1), burst(0.1, 1))]
    np.testing.assert_allclose(features[0][:100], features[1][:100], atol=0.02)
    assert np.abs(features[1][110:]).max() < 0.05
