"""Smoothing over time that delays nothing, transitions without a corner, and motion that is never too fast."""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray


def smooth_in_time(values: NDArray[np.floating], frames: float) -> NDArray[np.float64]:
    """Zero-lag Gaussian smoothing along the first axis; ``frames`` is its standard deviation."""
    reach = int(np.ceil(3 * frames))
    if reach == 0 or len(values) < 2:
        return np.asarray(values, np.float64)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / frames) ** 2)
    kernel /= kernel.sum()
    padded = np.pad(values.astype(np.float64), [(reach, reach)] + [(0, 0)] * (values.ndim - 1), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, len(kernel), axis=0)
    return windows @ kernel


def smooth_step(
    values: NDArray[np.floating] | float, start: float = 0.0, end: float = 1.0
) -> NDArray[np.float64]:
    """0 up to ``start``, 1 from ``end`` on, and a cubic in between that leaves and arrives without a corner."""
    part = np.clip((np.asarray(values, np.float64) - start) / (end - start), 0, 1)
    return part * part * (3 - 2 * part)


def no_faster(values: NDArray[np.floating], most: float, reach: int) -> NDArray[np.float64]:
    """The highest curve below ``values`` (F,) that changes by at most ``most`` a frame; lows stay as low.

    It is exact where no value lies more than ``most`` x (``reach`` + 1) above one of its ``reach`` neighbours.
    """
    padded = np.pad(values.astype(np.float64), reach, constant_values=np.inf)
    cones = [padded[n : n + len(values)] + most * abs(n - reach) for n in range(2 * reach + 1)]
    return np.min(cones, axis=0)


def with_neighbours(
    blocks: Iterable[NDArray[np.floating]], reach: int
) -> Iterator[tuple[NDArray[np.floating], slice]]:
    """Blocks (F, ...) of a long sequence -> blocks and the part of each that is new: all frames once, in their order.

    Around what is new there are ``reach`` frames more, as far as the sequence has them.
    """
    known, done = None, 0
    for block in blocks:
        known = block if known is None else np.concatenate([known, block])
        ready = len(known) - reach
        if ready > done:
            yield known, slice(done, ready)
            known, done = known[max(ready - reach, 0) :], min(ready, reach)
    if known is not None and done < len(known):
        yield known, slice(done, len(known))
