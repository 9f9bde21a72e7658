"""Canny's edges as scikit-image finds them with its defaults, which vid2vid's networks were trained on."""

import cv2
import numpy as np
from numpy.typing import NDArray

_SIGMA = 1.0
_REACH = 4
"""Pixels at which the Gaussian is cut off."""
_LOW, _HIGH = 0.1, 0.2
"""Gradients (Sobel's, of values 0..1) that continue and that begin an edge."""


def canny(grey: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where the edges of a picture (H, W) are: equal to ``skimage.feature.canny(grey)``."""
    smooth = _smoothed(grey / 255.0)
    down = cv2.Sobel(smooth, cv2.CV_64F, 0, 1, borderType=cv2.BORDER_REFLECT)
    right = cv2.Sobel(smooth, cv2.CV_64F, 1, 0, borderType=cv2.BORDER_REFLECT)
    strength = np.sqrt(down**2 + right**2)
    thin = _ridges(strength, down, right) & (strength >= _LOW)
    _, label = cv2.connectedComponents(thin.astype(np.uint8), connectivity=8)
    begun = np.unique(label[thin & (strength >= _HIGH)])
    return thin & np.isin(label, begun)


def _smoothed(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Gaussian smoothing that takes nothing from outside of the picture."""
    offsets = np.arange(-_REACH, _REACH + 1)
    kernel = np.exp(-0.5 * (offsets / _SIGMA) ** 2)
    kernel /= kernel.sum()

    def smooth(picture: NDArray[np.float64]) -> NDArray[np.float64]:
        return cv2.sepFilter2D(picture, cv2.CV_64F, kernel, kernel, borderType=cv2.BORDER_CONSTANT)

    return smooth(values) / (smooth(np.ones_like(values)) + np.finfo(np.float64).eps)


def _ridges(
    strength: NDArray[np.float64], down: NDArray[np.float64], right: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Pixels, none at the border, whose gradient is at least as strong as a step before and a step behind it."""
    steep, same = np.abs(down) >= np.abs(right), down * right >= 0
    most = np.maximum(np.abs(down), np.abs(right))
    share = np.minimum(np.abs(down), np.abs(right)) / np.where(most == 0, 1, most)
    padded = np.pad(strength, 1)
    height, width = strength.shape

    def neighbour(rows: int, columns: int) -> NDArray[np.float64]:
        return padded[1 + rows : 1 + rows + height, 1 + columns : 1 + columns + width]

    ridge = np.ones(strength.shape, bool)
    for way in (1, -1):
        straight = np.where(steep, neighbour(way, 0), neighbour(0, way))
        across = np.where(steep, neighbour(way, -way), neighbour(-way, way))
        diagonal = np.where(same, neighbour(way, way), across)
        ridge &= share * diagonal + (1 - share) * straight <= strength
    inside = np.zeros_like(ridge)
    inside[1:-1, 1:-1] = True
    return ridge & inside
