"""Dynamic time warping: two recordings of the same sentence brought to the same timing. Needs the ``train`` extra."""

import numpy as np
from numpy.typing import NDArray


def retimed(reference: NDArray[np.floating], other: NDArray[np.floating]) -> NDArray[np.floating]:
    """The rows of ``other`` (M, columns) in the timing of ``reference`` (N, columns): a new array (N, columns)."""
    return other[matching_rows(reference, other)]


def matching_rows(reference: NDArray[np.floating], other: NDArray[np.floating]) -> NDArray[np.int64]:
    """For every row of ``reference`` (N, columns) the row of ``other`` (M, columns) that says the same: (N,), rising.

    Where several rows of ``other`` match one of ``reference``, it is the middle one. The mean row of each recording is
    taken off before they are compared: a voice and a room are not timing. Raises ValueError when one has no rows.
    """
    path = warping_path(reference - reference.mean(axis=0), other - other.mean(axis=0))
    first = np.searchsorted(path[:, 0], np.arange(len(reference)), side="left")
    last = np.searchsorted(path[:, 0], np.arange(len(reference)), side="right") - 1
    return (path[first, 1] + path[last, 1]) // 2


def warping_path(reference: NDArray[np.floating], other: NDArray[np.floating]) -> NDArray[np.int64]:
    """Pairs of rows (steps, 2) from (0, 0) to both last rows whose squared distances have the smallest sum.

    Both are (rows, columns) of two or more columns. Neither half of the pairs ever falls; each step moves one row on in
    the one, in the other, or in both. Raises ValueError when one of them has no rows.
    """
    if not len(reference) or not len(other):
        raise ValueError("there is nothing to align: one recording has no rows")
    from dtaidistance import dtw

    rows, others = (np.ascontiguousarray(sequence, np.float64) for sequence in (reference, other))
    return np.array(dtw.warping_path_fast(rows, others, use_ndim=True), np.int64)
