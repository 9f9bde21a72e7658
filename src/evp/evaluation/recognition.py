"""How often a class is recognised, however many examples of it there are."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def confusion(truth: Sequence[str], named: Sequence[str | None], labels: Sequence[str]) -> NDArray[np.int64]:
    """How often a true label (row) got each name (column): (L, L + 1); the last column counts those without a name.

    Raises ValueError when a label or a name is not one of ``labels``.
    """
    columns = [*labels, None]
    matrix = np.zeros((len(labels), len(columns)), np.int64)
    for true, name in zip(truth, named, strict=True):
        matrix[labels.index(true), columns.index(name)] += 1
    return matrix


def average_recall(matrix: NDArray[np.integer]) -> float:
    """Unweighted average recall, 0..1, of a confusion matrix: the mean over the classes that occur."""
    occurring = matrix[matrix.sum(axis=1) > 0]
    right = matrix.diagonal()[matrix.sum(axis=1) > 0]
    return float(np.mean(right / occurring.sum(axis=1)))
