"""How close made pictures come to real ones, and how steady they are."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from evp.face.layouts import FACE_OVAL, LIPS_OUTER

_SSIM_WINDOW = 7
_MOUTH_MARGIN = 0.15
_STILL_SKIN = (
    (109, 10, 338, 337, 336, 9, 107, 108),  # forehead
    (117, 118, 101, 36, 205, 187, 123),  # cheeks
    (346, 347, 330, 266, 425, 411, 352),
)
_SEAM_SCALES = np.arange(0.7, 1.26, 0.05)
"""Sizes, of the outline of the face, at which a seam is looked for."""
_SEAM_WIDTH = 0.06
"""Distance, of the way from the middle of the face to its outline, over which a step of colour is measured."""


def _box(points: NDArray[np.floating], margin: float, shape: tuple[int, ...]) -> tuple[slice, slice]:
    low, high = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
    low, high = np.floor(low - margin * (high - low)), np.ceil(high + margin * (high - low)) + 1
    limits = np.array([shape[1], shape[0]])
    (left, top), (right, bottom) = np.clip(low, 0, limits).astype(int), np.clip(high, 0, limits).astype(int)
    return slice(int(top), int(bottom)), slice(int(left), int(right))


def face_box(landmarks: NDArray[np.floating], shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Rows and columns of the box around all landmarks (478, >=2), pixels, in a picture of this shape."""
    return _box(landmarks, 0.0, shape)


def mouth_box(landmarks: NDArray[np.floating], shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Rows and columns of the box around the outer lips, 15 % wider on every side."""
    return _box(landmarks[list(LIPS_OUTER)], _MOUTH_MARGIN, shape)


def psnr(made: NDArray[np.uint8], true: NDArray[np.uint8]) -> float:
    """Peak signal-to-noise ratio in decibels of pictures (H, W, 3)."""
    error = np.mean((made.astype(np.float64) - true.astype(np.float64)) ** 2)
    return float(10 * np.log10(255**2 / max(error, 1e-10)))


def ssim(made: NDArray[np.uint8], true: NDArray[np.uint8]) -> float:
    """Structural similarity of pictures (H, W, 3), mean over channels (Wang et al. 2004; uniform windows of 7)."""
    x, y = made.astype(np.float64), true.astype(np.float64)
    window = (_SSIM_WINDOW, _SSIM_WINDOW)
    mx, my = cv2.blur(x, window), cv2.blur(y, window)
    unbiased = _SSIM_WINDOW**2 / (_SSIM_WINDOW**2 - 1)
    vx = unbiased * (cv2.blur(x * x, window) - mx * mx)
    vy = unbiased * (cv2.blur(y * y, window) - my * my)
    covariance = unbiased * (cv2.blur(x * y, window) - mx * my)
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    values = ((2 * mx * my + c1) * (2 * covariance + c2)) / ((mx**2 + my**2 + c1) * (vx + vy + c2))
    edge = _SSIM_WINDOW // 2
    return float(values[edge:-edge, edge:-edge].mean())


def flicker(pictures: Sequence[NDArray[np.uint8]], regions: Sequence[NDArray[np.bool_]]) -> float:
    """Mean absolute second difference in time of pictures (H, W, 3), in levels, where all three regions are true."""
    values = []
    for t in range(1, len(pictures) - 1):
        where = regions[t - 1] & regions[t] & regions[t + 1]
        if where.any():
            a, b, c = (pictures[k][where].astype(np.float32) for k in (t - 1, t, t + 1))
            values.append(float(np.abs(a - 2 * b + c).mean()))
    return float(np.mean(values)) if values else 0.0


def still_skin(landmarks: NDArray[np.floating], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """(H, W) forehead and cheeks: skin that speech hardly moves, in a picture of this shape."""
    canvas = np.zeros(shape[:2], np.uint8)
    for numbers in _STILL_SKIN:
        cv2.fillPoly(canvas, [np.round(landmarks[list(numbers), :2]).astype(np.int32)], 1)
    return canvas.astype(bool)


def sharpness(picture: NDArray[np.uint8]) -> float:
    """Root mean square of the Laplacian of the brightness of a picture (H, W, 3), in levels: fine detail."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float64)
    return float(np.sqrt(np.mean(cv2.Laplacian(grey, cv2.CV_64F) ** 2)))


def outline_steps(picture: NDArray[np.floating], landmarks: NDArray[np.floating]) -> NDArray[np.float64]:
    """Mean step of brightness, in levels, across the outline of the face at several sizes: (sizes,), not signed.

    ``picture`` (H, W, 3) is a mean over time, so that what moves is blurred and what stays, as a seam does, is seen.
    """
    grey = cv2.cvtColor(picture.astype(np.float32), cv2.COLOR_RGB2GRAY)
    outline = landmarks[list(FACE_OVAL), :2].astype(np.float32)
    middle = outline.mean(axis=0)

    def ring(size: float) -> NDArray[np.float32]:
        points = middle + size * (outline - middle)
        return np.asarray(cv2.remap(grey, points[:, :1], points[:, 1:], cv2.INTER_LINEAR))[:, 0]

    steps = [ring(size + _SEAM_WIDTH / 2) - ring(size - _SEAM_WIDTH / 2) for size in _SEAM_SCALES]
    return np.abs(np.array(steps, np.float64)).mean(axis=1)
