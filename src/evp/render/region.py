"""The rectangle of a square picture in which something happens: the rest need not be computed."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Region:
    """Whole pixels of a square picture with ``size`` pixels a side."""

    rows: slice
    columns: slice
    size: int

    @staticmethod
    def whole(size: int) -> "Region":
        """All of a picture."""
        return Region(slice(0, size), slice(0, size), size)

    @staticmethod
    def around(mask: NDArray[np.uint8]) -> "Region":
        """The smallest region that holds every pixel of a ``mask`` (size, size) that is not 0; never empty."""
        left, top, width, height = cv2.boundingRect(mask)
        return Region(slice(top, top + max(height, 1)), slice(left, left + max(width, 1)), mask.shape[0])

    def grown(self, margin: int) -> "Region":
        """With ``margin`` more pixels on every side, as far as the picture goes."""
        return self._moved(lambda first: max(first - margin, 0), lambda last: min(last + margin, self.size))

    def stepped(self, step: int) -> "Region":
        """Grown to multiples of ``step``, which must divide the size."""
        return self._moved(lambda first: first // step * step, lambda last: -(-last // step) * step)

    def resized(self, size: int) -> "Region":
        """What shows the same in the picture at another size."""
        scale = size / self.size
        moved = self._moved(lambda first: math.floor(first * scale), lambda last: math.ceil(last * scale))
        return Region(moved.rows, moved.columns, size)

    @property
    def index(self) -> tuple[slice, slice]:
        """Cuts the region out of an array (size, size, ...)."""
        return self.rows, self.columns

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.rows.stop - self.rows.start, self.columns.stop - self.columns.start

    def faded(self, width: int) -> NDArray[np.float32]:
        """(rows, columns) 1 in the middle, falling to nearly 0 over ``width`` pixels at every border."""
        down, across = (
            np.minimum(1, np.minimum(at + 1, count - at) / (width + 1))
            for count in self.shape
            for at in [np.arange(count)]
        )
        return np.asarray(np.outer(down, across), np.float32)

    def _moved(self, first: Callable[[int], int], last: Callable[[int], int]) -> "Region":
        rows, columns = (slice(first(s.start), last(s.stop)) for s in (self.rows, self.columns))
        return Region(rows, columns, self.size)
