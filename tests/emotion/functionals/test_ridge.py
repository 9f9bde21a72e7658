import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.spatial.distance import cdist

from evp.emotion.functionals.ridge import (
    FunctionalsConfig,
    centres,
    fit_ridge,
    likeliest_weights,
    likelihood,
    squared_distances,
)

CONFIG = FunctionalsConfig(4, landmarks=30)


def said(count: int, random: np.random.Generator, voice: float = 0.3) -> tuple:
    """Functionals of three classes that lie on a line, the middle one between the others, in six voices."""
    classes = np.arange(count) % 3
    speakers = np.arange(count) // 3 % 6
    functionals = random.normal(size=(count, 4)) * 0.3
    functionals[:, 1] += classes
    functionals += voice * np.random.default_rng(1).normal(size=(6, 4))[speakers]
    return functionals * [1, 10, 0.1, 1] + 5, classes, [f"voice {number}" for number in speakers]


def test_distances_are_those_of_a_plain_measurement() -> None:
    random = np.random.default_rng(0)
    points, others = random.normal(size=(7, 5)), random.normal(size=(3, 5))
    np.testing.assert_allclose(squared_distances(points, others), cdist(points, others) ** 2, rtol=1e-12)


def test_centres_are_means_of_neighbours() -> None:
    random = np.random.default_rng(0)
    places = 100.0 * np.arange(3)[:, None]
    points = np.repeat(places, 20, axis=0) + random.normal(size=(60, 1))
    found = centres(points, 12, random)
    near = np.abs(found - places.T).min(axis=1)
    assert found.shape == (12, 1) and near.max() < 3
    assert len(centres(points[:5], 12, random)) == 5


def test_as_many_landmarks_as_windows_make_kernel_ridge_regression() -> None:
    functionals, classes, speakers = said(60, np.random.default_rng(0))
    config = FunctionalsConfig(4, landmarks=60, sharpnesses=(0.5,), ridges=(0.3,))
    ridge = fit_ridge(functionals, classes, speakers, 3, config)
    standard = (functionals - functionals.mean(axis=0)) / functionals.std(axis=0)
    kernel = np.exp(-0.5 / 4 * cdist(standard, standard) ** 2)
    expected = kernel @ np.linalg.solve(kernel + 0.3 * np.eye(60), np.eye(3)[classes] - 1 / 3)
    found = ridge.scores(functionals)
    np.testing.assert_allclose(found / found.std(), expected / expected.std(), atol=1e-3)


def test_strangers_are_recognised_and_their_probabilities_are_as_sure_as_they_are_right() -> None:
    random = np.random.default_rng(0)
    functionals, classes, speakers = said(600, random)
    known = np.isin(speakers, ["voice 4", "voice 5"], invert=True)
    told = [speaker for speaker, own in zip(speakers, known, strict=True) if own]
    ridge = fit_ridge(functionals[known], classes[known], told, 3, CONFIG)
    scores, right = ridge.scores(functionals[~known]), classes[~known]
    assert np.mean(scores.argmax(axis=1) == right) > 0.8
    best = likeliest_weights(scores[None], right)[0]
    assert 0.5 < best < 2
    assert likelihood(scores, right) > np.log(1 / 3) / 2


def test_what_suits_speakers_left_out_is_chosen() -> None:
    """The voices differ by more than the classes: only much ridge keeps what they share."""
    functionals, classes, speakers = said(300, np.random.default_rng(0), voice=2)

    def fitted(*ridges: float) -> np.ndarray:
        config = FunctionalsConfig(4, landmarks=100, sharpnesses=(1.0,), ridges=ridges)
        return fit_ridge(functionals, classes, speakers, 3, config).weights

    np.testing.assert_array_equal(fitted(1e-3, 30.0), fitted(30.0))
    assert not np.allclose(fitted(1e-3), fitted(30.0))


def test_a_single_speaker_is_enough() -> None:
    functionals, classes, _ = said(60, np.random.default_rng(0))
    scores = fit_ridge(functionals, classes, ["anna"] * 60, 3, CONFIG).scores(functionals)
    assert np.mean(scores.argmax(axis=1) == classes) > 0.8


def test_likeliest_weights_are_those_of_a_general_method() -> None:
    random = np.random.default_rng(0)
    scores = random.normal(size=(2, 500, 3)) * np.array([0.2, 5])[:, None, None]
    chances = np.exp(np.tensordot([4, 0.1], scores, 1))
    chances /= chances.sum(axis=1, keepdims=True)
    classes = np.array([random.choice(3, p=own) for own in chances])

    def unlikely(weights: np.ndarray) -> float:
        return -likelihood(np.tensordot(weights, scores, 1), classes)

    found = likeliest_weights(scores, classes)
    expected = minimize(unlikely, [1, 1], method="Nelder-Mead").x
    np.testing.assert_allclose(found, expected, rtol=0.02)


def test_weights_stay_finite_where_nothing_is_mistaken_and_positive_where_nothing_is_told() -> None:
    classes = np.arange(30) % 3
    right, random = np.eye(3)[classes], np.random.default_rng(0).normal(size=(30, 3))
    weights = likeliest_weights(np.stack([right, random, -right]), classes)
    assert np.isfinite(weights).all() and (weights > 0).all() and weights[0] > 3
    assert weights[2] < 1e-3


def test_every_class_counts_alike() -> None:
    scores, classes = np.log([[0.9, 0.1], [0.9, 0.1], [0.9, 0.1], [0.5, 0.5]]), np.array([0, 0, 0, 1])
    assert likelihood(scores, classes) == pytest.approx((np.log(0.9) + np.log(0.5)) / 2)
