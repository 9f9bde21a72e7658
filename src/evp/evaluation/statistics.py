"""How sure a mean is."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

RESAMPLES = 2000
SHARE = 0.95


class Mean(NamedTuple):
    """A mean over clips, and where it lies with a probability of 95 %; NaN where there is nothing to tell."""

    mean: float
    low: float
    high: float
    clips: int


def bootstrap(values: Sequence[float], seed: int = 0) -> Mean:
    """The mean of the values that are numbers, and its percentile bootstrap interval over clips (Efron 1979).

    One clip gives no interval.
    """
    known = np.array([value for value in values if np.isfinite(value)], np.float64)
    if len(known) < 2:
        return Mean(float(known[0]) if len(known) else float("nan"), float("nan"), float("nan"), len(known))
    drawn = np.random.default_rng(seed).integers(len(known), size=(RESAMPLES, len(known)))
    low, high = np.quantile(known[drawn].mean(axis=1), [(1 - SHARE) / 2, (1 + SHARE) / 2])
    return Mean(float(known.mean()), float(low), float(high), len(known))
