"""The square crop around a face: where the renderer works. Boxes are whole pixels, so pasting back loses nothing."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from evp.face.pose import Pose
from evp.smoothing import smooth_in_time

CROP = 256
"""Pixels of the square crop that the renderer's network works on and that training corpora hold."""

SIZE_HEIGHTS = 1.45
"""Side of the crop in face heights."""
CENTRE = np.array([[[0.0, 0.30, 0.0]]])
"""Centre of the crop in the head frame."""
_SMOOTH_FRAMES = 5.0


@dataclass(frozen=True)
class Box:
    """A square of whole pixels in a picture; it may reach over the picture's border."""

    left: int
    top: int
    size: int

    def cut(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The crop (size, size, 3); what lies outside the picture repeats its border."""
        height, width = picture.shape[:2]
        inside = picture[max(self.top, 0) : self.top + self.size, max(self.left, 0) : self.left + self.size]
        if inside.shape[:2] == (self.size, self.size):
            return np.ascontiguousarray(inside)
        above, before = max(-self.top, 0), max(-self.left, 0)
        below = max(self.top + self.size - height, 0)
        after = max(self.left + self.size - width, 0)
        return cv2.copyMakeBorder(inside, above, below, before, after, cv2.BORDER_REPLICATE)

    def paste(self, picture: NDArray[np.uint8], crop: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """A copy of the picture with the crop in its place."""
        height, width = picture.shape[:2]
        top, left = max(self.top, 0), max(self.left, 0)
        bottom, right = min(self.top + self.size, height), min(self.left + self.size, width)
        whole = picture.copy()
        whole[top:bottom, left:right] = crop[
            top - self.top : bottom - self.top, left - self.left : right - self.left
        ]
        return whole

    def points(self, picture_points: NDArray[np.floating]) -> NDArray[np.float32]:
        """Points (..., 2 or 3) of the picture in pixels of the crop."""
        moved = np.array(picture_points, np.float32)
        moved[..., 0] -= self.left
        moved[..., 1] -= self.top
        return moved

    def picture_points(self, points: NDArray[np.floating]) -> NDArray[np.float32]:
        """Points (..., 2 or 3) of the crop in pixels of the picture: the inverse of :meth:`points`."""
        moved = np.array(points, np.float32)
        moved[..., 0] += self.left
        moved[..., 1] += self.top
        return moved


def scaled_points(points: NDArray[np.float32], scale: float) -> NDArray[np.float32]:
    """Points in a crop that was resized by ``scale``: pixel centres sit at half units (x, y), depth has no offset."""
    moved = points * np.float32(scale)
    moved[..., :2] += np.float32((scale - 1) / 2)
    return moved


def resized(picture: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """A square picture at another size, without aliasing: a small step, then one by a whole factor, which is fast."""
    factor = max(1, picture.shape[0] // size)
    near = cv2.resize(picture, (factor * size,) * 2, interpolation=cv2.INTER_LINEAR)
    return cv2.resize(near, (size, size), interpolation=cv2.INTER_AREA) if factor > 1 else near


def face_boxes(pose: Pose) -> list[Box]:
    """One box per frame of a continuous shot; position and size move smoothly."""
    centre = smooth_in_time(pose.project(CENTRE)[:, 0, :2], _SMOOTH_FRAMES)
    size = smooth_in_time(pose.scale, 5 * _SMOOTH_FRAMES) * SIZE_HEIGHTS
    sides = np.maximum(16, 2 * np.round(size / 2)).astype(int)
    corners = np.round(centre - sides[:, None] / 2).astype(int)
    return [Box(int(x), int(y), int(side)) for (x, y), side in zip(corners, sides, strict=True)]
