"""Which emotion the measurements of a window tell of, fitted in closed form: linear ridge regression.

A thousand recordings of two dozen people are too few for more freedom: dense layers grow sure of what they know by
heart, and a kernel on landmarks has to be large before it carries over as well to people never met.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evp.emotion.dataset import group_speakers

FOLDS = 3
"""Groups of speakers on whom, each left out in turn, the ridge is chosen."""
STEPS = 40
"""Of Newton's method, from which weights of scores come."""
FAINT = 1e-3
"""How much weights are wished to be small."""
LEAST = 1e-6
"""Keeps what is divided by, or inverted, from zero."""


@dataclass(frozen=True)
class RidgeConfig:
    """How the ridge is fitted; it is chosen among what is offered by speakers left out."""

    size: int
    """Numbers of the code, at least one for each class."""
    as_recorded: float = 0.5
    """Share of the windows that are as recorded; voice, room and microphone of the others are changed."""
    ridges: tuple[float, ...] = (0.03, 0.1, 0.3)
    """Penalty of large weights, a window."""
    largest: float = 4.0
    """Standard deviations beyond which a measurement counts no further."""


@dataclass(frozen=True)
class Ridge:
    """From measurements to scores of classes, in natural logarithms of odds."""

    centre: NDArray[np.floating]
    """(I,) mean of the measurements."""
    scale: NDArray[np.floating]
    """(I,) their standard deviations."""
    largest: float
    weights: NDArray[np.floating]
    """(I, L)."""

    def scores(self, measured: NDArray[np.floating]) -> NDArray[np.floating]:
        """(N, I) -> (N, L)."""
        standard = np.clip((measured - self.centre) / self.scale, -self.largest, self.largest)
        return np.asarray(standard @ self.weights)


def fit_ridge(
    measured: NDArray[np.floating],
    classes: NDArray[np.integer],
    speakers: Sequence[str],
    count: int,
    config: RidgeConfig,
) -> Ridge:
    """The ridge for N windows of which I numbers are ``measured`` (N, I), of ``count`` classes.

    All classes are drawn about as often as each other. Ridge and size of the scores are those with which speakers left
    out are heard best: the likelihood of their classes is largest.
    """
    measured = measured.astype(np.float64)
    centre, scale = measured.mean(axis=0), measured.std(axis=0) + LEAST
    standard = np.clip((measured - centre) / scale, -config.largest, config.largest)
    wanted = np.eye(count)[classes] - 1 / count
    names = list(speakers) if len(set(speakers)) > 1 else [str(number) for number in range(len(classes))]
    strange = [np.isin(names, list(group)) for group in group_speakers(names, min(FOLDS, len(set(names))))]
    squares = [standard[held].T @ standard[held] for held in strange]
    products = [standard[held].T @ wanted[held] for held in strange]
    square, product = sum(squares), sum(products)

    found: list[tuple[float, Ridge]] = []
    for ridge in config.ridges:
        penalty = ridge * np.eye(len(centre))
        scores = np.empty_like(wanted)
        for held, own_square, own_product in zip(strange, squares, products, strict=True):
            known = square - own_square + np.sum(~held) * penalty
            scores[held] = standard[held] @ np.linalg.solve(known, product - own_product)
        size = likeliest_weights(scores[None], classes)[0]
        weights = size * np.linalg.solve(square + len(wanted) * penalty, product)
        found.append((likelihood(size * scores, classes), Ridge(centre, scale, config.largest, weights)))
    return max(found, key=lambda rated: rated[0])[1]


def likelihood(scores: NDArray[np.floating], classes: NDArray[np.integer]) -> float:
    """Mean natural logarithm of the probability of the true class, for scores (N, L) in logarithms of odds.

    Every class counts alike.
    """
    told = _log_probabilities(scores)[np.arange(len(classes)), classes]
    return float(np.sum(_balance(classes) * told))


def likeliest_weights(scores: NDArray[np.floating], classes: NDArray[np.integer]) -> NDArray[np.floating]:
    """The positive weights (M,) of M scores (M, N, L) whose sum makes the true classes (N,) likeliest.

    So scores of different making add up to probabilities that are as sure as they may be. Newton's method, weight by
    weight; none more than doubles or halves at once. A faint wish for small weights ends it where nothing is mistaken.
    """
    size = scores.std(axis=(1, 2)) + LEAST
    scores, balance, places = scores / size[:, None, None], _balance(classes), np.arange(len(classes))
    weights = np.ones(len(scores))
    for _ in range(STEPS):
        for number, own in enumerate(scores):
            probable = np.exp(_log_probabilities(np.tensordot(weights, scores, 1)))
            away = own - (probable * own).sum(axis=1, keepdims=True)
            uphill = balance @ away[places, classes] - FAINT * weights[number]
            curved = balance @ (probable * away**2).sum(axis=1) + FAINT
            low, high = weights[number] / 2, weights[number] * 2
            weights[number] = np.clip(weights[number] + uphill / curved, low, high)
    return weights / size


def _balance(classes: NDArray[np.integer]) -> NDArray[np.floating]:
    """What everyone of N counts, so that classes count alike: (N,), sum 1."""
    rare = 1 / np.bincount(classes)[classes]
    return rare / rare.sum()


def _log_probabilities(scores: NDArray[np.floating]) -> NDArray[np.floating]:
    scores = scores - scores.max(axis=-1, keepdims=True)
    return scores - np.log(np.exp(scores).sum(axis=-1, keepdims=True))
