"""The rectangle of a square picture in which something happens: the rest need not be computed."""

import math
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
        return Region(
            *(slice(max(s.start - margin, 0), min(s.stop + margin, self.size)) for s in self._sides),
            self.size,
        )

    def stepped(self, step: int) -> "Region":
        """Grown to multiples of ``step``, which must divide the size."""
        return Region(
            *(slice(s.start // step * step, -(-s.stop // step) * step) for s in self._sides), self.size
        )

    def resized(self, size: int) -> "Region":
        """What shows the same in the picture at another size."""
        scale = size / self.size
        return Region(
            *(slice(math.floor(s.start * scale), math.ceil(s.stop * scale)) for s in self._sides), size
        )

    @property
    def index(self) -> tuple[slice, slice]:
        """Cuts the region out of an array (size, size, ...)."""
        return self.rows, self.columns

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.rows.stop - self.rows.start, self.columns.stop - self.columns.start

    @property
    def _sides(self) -> tuple[slice, slice]:
        return self.rows, self.columns
