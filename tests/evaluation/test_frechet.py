import numpy as np
import pytest
from scipy.linalg import sqrtm

from evp.evaluation.frechet import frechet_distance


def textbook(a: np.ndarray, b: np.ndarray) -> float:
    first, second = np.cov(a.T), np.cov(b.T)
    apart = a.mean(0) - b.mean(0)
    return float(apart @ apart + np.trace(first + second - 2 * sqrtm(first @ second).real))


def test_distance_is_that_of_the_formula():
    random = np.random.default_rng(0)
    a, b = random.normal(0, 1, (300, 6)), random.normal(0.3, 2, (200, 6)) @ random.normal(size=(6, 6))
    assert frechet_distance(a, b) == pytest.approx(textbook(a, b), rel=1e-9)


def test_a_shifted_copy_is_as_far_as_the_square_of_its_shift():
    a = np.random.default_rng(0).normal(size=(50, 200)).astype(np.float32)
    shift = np.zeros(200)
    shift[3] = 4
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-6)
    assert frechet_distance(a + shift, a) == pytest.approx(16, rel=1e-6)


def test_a_copy_twice_as_large_differs_by_its_spread():
    a = np.random.default_rng(0).normal(size=(400, 5))
    a -= a.mean(axis=0)
    assert frechet_distance(2 * a, a) == pytest.approx(a.var(axis=0, ddof=1).sum())


def test_one_picture_is_no_distribution():
    with pytest.raises(ValueError):
        frechet_distance(np.zeros((1, 3)), np.zeros((5, 3)))
