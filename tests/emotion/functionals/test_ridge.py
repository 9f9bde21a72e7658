import numpy as np
import pytest
from scipy.optimize import minimize

from evp.emotion.functionals.ridge import Ridge, RidgeConfig, fit_ridge, likeliest_weights, likelihood

CONFIG = RidgeConfig(4)


def said(count: int, random: np.random.Generator, voice: float = 0.3) -> tuple:
    """Measurements of three classes, each of which raises another one of four, in six voices."""
    classes = np.arange(count) % 3
    speakers = np.arange(count) // 3 % 6
    measured = random.normal(size=(count, 4)) * 0.3
    measured[np.arange(count), classes] += 1
    measured += voice * np.random.default_rng(1).normal(size=(6, 4))[speakers]
    return measured * [1, 10, 0.1, 1] + 5, classes, [f"voice {number}" for number in speakers]


def test_scores_are_those_of_ridge_regression_on_standardised_measurements() -> None:
    measured, classes, speakers = said(60, np.random.default_rng(0))
    ridge = fit_ridge(measured, classes, speakers, 3, RidgeConfig(4, ridges=(0.3,)))
    standard = (measured - measured.mean(axis=0)) / measured.std(axis=0)
    wanted = np.eye(3)[classes] - 1 / 3
    rows = np.concatenate([standard, np.sqrt(60 * 0.3) * np.eye(4)])
    weights, *_ = np.linalg.lstsq(rows, np.concatenate([wanted, np.zeros((4, 3))]), rcond=None)
    found, expected = ridge.scores(measured), standard @ weights
    np.testing.assert_allclose(found / found.std(), expected / expected.std(), atol=1e-3)


def test_no_measurement_counts_further_than_the_largest() -> None:
    ridge = Ridge(np.zeros(2), np.array([1.0, 10]), 4.0, np.eye(2))
    np.testing.assert_allclose(ridge.scores(np.array([[100.0, -20]])), [[4, -2]])


def test_strangers_are_recognised_and_their_probabilities_are_as_sure_as_they_are_right() -> None:
    random = np.random.default_rng(0)
    measured, classes, speakers = said(600, random)
    known = np.isin(speakers, ["voice 4", "voice 5"], invert=True)
    told = [speaker for speaker, own in zip(speakers, known, strict=True) if own]
    ridge = fit_ridge(measured[known], classes[known], told, 3, CONFIG)
    scores, right = ridge.scores(measured[~known]), classes[~known]
    assert np.mean(scores.argmax(axis=1) == right) > 0.8
    best = likeliest_weights(scores[None], right)[0]
    assert 0.5 < best < 2
    assert likelihood(scores, right) > np.log(1 / 3) / 2


def test_what_suits_speakers_left_out_is_chosen() -> None:
    """The voices differ by more than the classes: only much ridge keeps what they share."""
    measured, classes, speakers = said(300, np.random.default_rng(0), voice=2)

    def fitted(*ridges: float) -> np.ndarray:
        config = RidgeConfig(4, ridges=ridges)
        return fit_ridge(measured, classes, speakers, 3, config).weights

    np.testing.assert_array_equal(fitted(1e-3, 30.0), fitted(30.0))
    assert not np.allclose(fitted(1e-3), fitted(30.0))


def test_a_single_speaker_is_enough() -> None:
    measured, classes, _ = said(60, np.random.default_rng(0))
    scores = fit_ridge(measured, classes, ["anna"] * 60, 3, CONFIG).scores(measured)
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
