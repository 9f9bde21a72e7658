import numpy as np
import pytest

from evp.audio.loudness import QUIETEST_LEVEL, RANGE, SCALE, loudness_of, measure, normalised
from evp.audio.mel import log_mel, log_mel_blocks


def burst(loudness: float, seconds_of_silence: int = 0) -> np.ndarray:
    noise = loudness * np.random.default_rng(0).standard_normal(16_000)
    return np.concatenate([noise, np.zeros(16_000 * seconds_of_silence)]).astype(np.float32)


def test_level_follows_loudness_and_ignores_silence() -> None:
    level = measure(burst(0.01)).level
    assert measure(burst(0.1)).level == pytest.approx(level + np.log(100), abs=0.01)
    assert measure(burst(0.01, seconds_of_silence=3)).level == pytest.approx(level, abs=0.05)


def test_level_of_silence_and_of_nothing_is_the_quietest() -> None:
    assert [measure(np.zeros(samples, np.float32)).level for samples in (0, 1000)] == [QUIETEST_LEVEL] * 2


def test_blocks_do_not_matter() -> None:
    sound = burst(0.1, 1)
    assert loudness_of(log_mel_blocks(sound, 40)).level == pytest.approx(measure(sound).level, abs=1e-6)
    np.testing.assert_allclose(loudness_of(log_mel_blocks(sound, 40)).noise, measure(sound).noise, atol=1e-4)


def test_features_are_the_same_for_loud_and_soft_and_zero_for_silence() -> None:
    features = [normalised(log_mel(x), measure(x)) for x in (burst(0.01, 1), burst(0.1, 1))]
    np.testing.assert_allclose(features[0][:100], features[1][:100], atol=0.02)
    assert np.abs(features[1][110:]).max() < 0.05


def test_steady_noise_is_taken_for_silence_and_speech_stands_out() -> None:
    noise = 0.01 * np.random.default_rng(1).standard_normal(48_000)
    noise[16_000:20_000] += burst(0.1)[:4000]
    features = normalised(log_mel(noise), measure(noise))
    assert features[110:120].mean() > 0.7 * RANGE / SCALE > 3 * features[200:].mean()


def test_noise_alone_is_not_amplified_into_speech() -> None:
    assert normalised(log_mel(burst(0.1)), measure(burst(0.1)))[5:95].mean() < 0.25 * RANGE / SCALE
