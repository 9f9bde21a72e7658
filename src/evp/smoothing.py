"""Smoothing over time that delays nothing, and transitions without a corner."""

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
