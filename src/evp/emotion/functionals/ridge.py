"""Which emotion functionals tell of, fitted in closed form: kernel ridge regression on landmarks (Nystroem's method).

A thousand recordings of two dozen people are too few for dense layers, which grow sure of what they know by heart. A
kernel method of little freedom is less sure and carries over better to people never met.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evp.emotion.dataset import group_speakers

FOLDS = 3
"""Groups of speakers on whom, each left out in turn, width and ridge are chosen."""
ROUNDS = 4
"""Of k-means, from which the landmarks come."""
STEPS = 40
"""Of Newton's method, from which weights of scores come."""
FAINT = 1e-3
"""How much weights are wished to be small."""
LEAST = 1e-6
"""Keeps what is divided by, or inverted, from zero."""


@dataclass(frozen=True)
class FunctionalsConfig:
    """How the ridge is fitted; kernel and ridge are chosen among what is offered by speakers left out."""

    size: int
    """Numbers of the code, at least one for each class."""
    windows: int = 24_000
    """Windows that are drawn for it, before any speaker is left out."""
    as_recorded: float = 0.5
    """Share of them that are as heard in the recordings; voice, room and microphone of the others are changed."""
    landmarks: int = 400
    """Means of functionals, from which distances are measured."""
    sharpnesses: tuple[float, ...] = (0.25, 0.5, 1.0)
    """Of the Gaussian kernel, relative to the number of functionals."""
    ridges: tuple[float, ...] = (0.1, 0.3, 1.0, 3.0)
    """Penalty of large weights."""
    largest: float = 4.0
    """Standard deviations beyond which a functional counts no further."""
    seed: int = 0
    """Start of the landmarks."""


@dataclass(frozen=True)
class Ridge:
    """From functionals to scores of classes, in natural logarithms of odds."""

    centre: NDArray[np.floating]
    """(I,) mean of the functionals."""
    scale: NDArray[np.floating]
    """(I,) their standard deviations."""
    largest: float
    landmarks: NDArray[np.floating]
    """(M, I), standardised."""
    sharpness: float
    """A landmark at distance d counts exp(-sharpness d^2)."""
    weights: NDArray[np.floating]
    """(M, L)."""

    def scores(self, functionals: NDArray[np.floating]) -> NDArray[np.floating]:
        """(N, I) -> (N, L)."""
        standard = np.clip((functionals - self.centre) / self.scale, -self.largest, self.largest)
        return np.exp(-self.sharpness * squared_distances(standard, self.landmarks)) @ self.weights


def fit_ridge(
    functionals: NDArray[np.floating],
    classes: NDArray[np.integer],
    speakers: Sequence[str],
    count: int,
    config: FunctionalsConfig,
) -> Ridge:
    """The ridge for N windows with ``functionals`` (N, I) of ``count`` classes, all drawn about as often as each other.

    Sharpness, ridge and size of the scores are those with which speakers left out are heard best: the likelihood of
    their classes is largest.
    """
    functionals = functionals.astype(np.float64)
    centre, scale = functionals.mean(axis=0), functionals.std(axis=0) + LEAST
    standard = np.clip((functionals - centre) / scale, -config.largest, config.largest)
    landmarks = centres(standard, config.landmarks, np.random.default_rng(config.seed))
    wanted = np.eye(count)[classes] - 1 / count
    names = list(speakers) if len(set(speakers)) > 1 else [str(number) for number in range(len(classes))]
    strange = [np.isin(names, list(group)) for group in group_speakers(names, min(FOLDS, len(set(names))))]

    found: list[tuple[float, Ridge]] = []
    for sharpness in np.array(config.sharpnesses) / functionals.shape[1]:
        near = np.exp(-sharpness * squared_distances(standard, landmarks))
        among = np.exp(-sharpness * squared_distances(landmarks, landmarks)) + LEAST * np.eye(len(landmarks))
        squares = [near[held].T @ near[held] for held in strange]
        products = [near[held].T @ wanted[held] for held in strange]
        square, product = sum(squares), sum(products)
        for ridge in config.ridges:
            scores = np.empty_like(wanted)
            for held, own_square, own_product in zip(strange, squares, products, strict=True):
                known = np.linalg.solve(square - own_square + ridge * among, product - own_product)
                scores[held] = near[held] @ known
            size = likeliest_weights(scores[None], classes)[0]
            weights = size * np.linalg.solve(square + ridge * among, product)
            fitted = Ridge(centre, scale, config.largest, landmarks, float(sharpness), weights)
            found.append((likelihood(size * scores, classes), fitted))
    return max(found, key=lambda rated: rated[0])[1]


def centres(points: NDArray[np.floating], count: int, random: np.random.Generator) -> NDArray[np.floating]:
    """At most ``count`` means of neighbouring points (N, I), by k-means: (count, I)."""
    chosen = points[random.permutation(len(points))[:count]]
    for _ in range(ROUNDS):
        nearest = squared_distances(points, chosen).argmin(axis=1)
        for number in np.unique(nearest):
            chosen[number] = points[nearest == number].mean(axis=0)
    return chosen


def squared_distances(points: NDArray[np.floating], others: NDArray[np.floating]) -> NDArray[np.floating]:
    """Of every point (N, I) from all others (M, I): (N, M)."""
    lengths = (points**2).sum(axis=1)[:, None] + (others**2).sum(axis=1)
    return lengths - 2 * points @ others.T


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
