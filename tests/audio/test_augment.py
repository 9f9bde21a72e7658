import numpy as np
import pytest

from evp.audio.augment import AugmentConfig, _stretched, changed_voice, masked, with_noise
from evp.audio.mel import BANDS, log_mel

OFF = AugmentConfig(1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)


@pytest.fixture
def rows() -> np.ndarray:
    sound = np.random.default_rng(0).standard_normal(8000) * np.hanning(8000)
    return log_mel(sound) + 2.0


def test_same_generator_same_voice(rows: np.ndarray) -> None:
    voices = [
        changed_voice(rows, AugmentConfig(untouched=0), np.random.default_rng(seed)) for seed in (1, 1, 2)
    ]
    np.testing.assert_array_equal(voices[0], voices[1])
    assert np.abs(voices[0] - voices[2]).mean() > 0.1


def test_shape_and_finite_for_many_seeds(rows: np.ndarray) -> None:
    for seed in range(30):
        changed = changed_voice(rows, AugmentConfig(), np.random.default_rng(seed))
        assert changed.shape == rows.shape and np.isfinite(changed).all()


def test_formants_move_up() -> None:
    bump = np.exp(-(((np.arange(BANDS) - 20) / 3) ** 2))[None]
    assert _stretched(bump, 1.15).argmax() > 20 > _stretched(bump, 1 / 1.15).argmax()


def test_noise_lies_below_the_speech() -> None:
    silence = np.full((400, BANDS), -40.0)
    noise = with_noise(silence, 20, np.random.default_rng(0))
    assert 10 * np.log10(np.exp(noise).mean()) == pytest.approx(-20, abs=0.5)


def test_masked_bands_are_blanked_in_a_copy(rows: np.ndarray) -> None:
    before = rows.copy()
    random = np.random.default_rng(3)
    blanked = [masked(rows, AugmentConfig(masked_bands=8), random) for _ in range(20)]
    np.testing.assert_array_equal(rows, before)
    assert max((row != rows).any(axis=0).sum() for row in blanked) in range(5, 9)
    np.testing.assert_array_equal(masked(rows, OFF, random), rows)
