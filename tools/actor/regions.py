"""Where things are on the face: lips, hairline, beard, wrinkle lines, as functions of a point of the neutral head.

Points are (..., 3) centimetres in the mesh's axes; every mask is 0..1. The lines hang on the classic
68 landmarks, so they follow the identity.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.ndimage import map_coordinates
from scipy.spatial import cKDTree

Array = NDArray[np.float32]


def smoothstep(low: float, high: float, x: Array) -> Array:
    """0 below `low`, 1 above `high` (or the other way round), smooth between."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def noise(points: Array, size: float, seed: int) -> Array:
    """Smooth noise of about -1..1 whose blobs are `size` centimetres wide."""
    lattice = np.random.default_rng(seed).uniform(-1, 1, (32, 32, 32)).astype(np.float32)
    at = np.moveaxis(points / size, -1, 0).reshape(3, -1)
    return (
        map_coordinates(lattice, at, order=2, mode="grid-wrap").reshape(points.shape[:-1]).astype(np.float32)
    )


def spline(knots: Array, count: int = 200) -> Array:
    """A smooth curve (count, axes) through the knots (knots, axes)."""
    along = np.r_[0, np.cumsum(np.linalg.norm(np.diff(knots, axis=0), axis=1))]
    return CubicSpline(along, knots)(np.linspace(0, along[-1], count)).astype(np.float32)


@dataclass(frozen=True)
class Regions:
    """The geography of one person's face."""

    landmarks: Array
    """(68, 3) landmarks of the neutral mesh"""

    def blob(self, points: Array, centre: Array, radii: tuple[float, float]) -> Array:
        """A soft spot on the front of the face: radii across and up."""
        d = ((points[..., 0] - centre[0]) / radii[0]) ** 2 + ((points[..., 1] - centre[1]) / radii[1]) ** 2
        return (np.exp(-d) * smoothstep(-6, -3, points[..., 2] - centre[2])).astype(np.float32)

    def both(self, points: Array, left: Array, radii: tuple[float, float]) -> Array:
        """The same soft spot on both sides."""
        return self.blob(points, left, radii) + self.blob(points, left * [-1, 1, 1], radii)

    def line(self, points: Array, knots: Array) -> tuple[Array, Array]:
        """Distance to a curve through knots (knots, 2) in the frontal plane, and the place along it, 0..1."""
        curve = spline(np.asarray(knots, np.float32))
        distance, index = cKDTree(curve).query(points[..., :2].reshape(-1, 2), workers=1)
        shape = points.shape[:-1]
        return distance.reshape(shape).astype(np.float32), (index / (len(curve) - 1)).reshape(shape).astype(
            np.float32
        )

    def lips(self, points: Array, soft: float = 0.07) -> Array:
        """The red of the lips."""
        upper, lower = self.landmarks[48:55], self.landmarks[[54, 55, 56, 57, 58, 59, 48]]
        outline = np.concatenate([spline(upper[:, :2]), spline(lower[:, :2])[1:]])
        middle = (self.landmarks[48, :2] + self.landmarks[54, :2]) / 2
        angle = np.arctan2(*(outline - middle).T[::-1])
        reach = np.linalg.norm(outline - middle, axis=1)
        order = np.argsort(angle)
        off = points[..., :2] - middle
        edge = np.interp(np.arctan2(off[..., 1], off[..., 0]), angle[order], reach[order], period=2 * np.pi)
        inside = smoothstep(soft, -soft, np.linalg.norm(off, axis=-1) - edge)
        return np.asarray(inside * smoothstep(8.2, 9.0, points[..., 2]), np.float32)

    def azimuth(self, points: Array) -> Array:
        """Degrees around the skull: 0 at the front, 90 above the ears, 180 behind."""
        return np.degrees(np.arctan2(np.abs(points[..., 0]), points[..., 2] - 1.0)).astype(np.float32)

    def scalp(self, points: Array, soft: float = 0.6) -> Array:
        """Where hair grows: density, falling off over `soft` centimetres at the hairline."""
        brow = self.landmarks[19:25, 1].mean()
        degrees = (0, 18, 32, 42, 50, 57, 63, 68, 74, 80, 86, 92, 104, 116, 130, 150, 180)
        above_brow = (
            4.75,
            4.7,
            4.6,
            4.05,
            3.0,
            1.7,
            0.3,
            -2.6,
            -5.2,
            -5.2,
            -3.0,
            -0.9,
            -0.9,
            -5.5,
            -8.5,
            -9.6,
            -10.2,
        )
        wobble = 0.35 * noise(points, 1.3, 11) + 0.22 * noise(points, 0.45, 12)
        hairline = brow + np.interp(self.azimuth(points), degrees, above_brow)
        inner = points[..., 1] - hairline + wobble
        return smoothstep(-soft / 2, soft / 2, inner.astype(np.float32))

    def beard(self, points: Array) -> Array:
        """Where stubble grows: jaw, chin, upper lip."""
        lm = self.landmarks
        az = self.azimuth(points)
        mouth = lm[[48, 54]].mean(0)
        cheek_line = np.interp(
            az, (0, 12, 22, 35, 55, 75, 95), np.array((-1.4, -1.6, -2.2, -1.9, -0.6, 1.6, 2.5))
        )
        y = points[..., 1]
        below = smoothstep(1.3, -1.9, y - (mouth[1] + 1.5 + cheek_line) + 0.5 * noise(points, 0.9, 13))
        above_neck = smoothstep(lm[8, 1] - 3.6, lm[8, 1] - 1.2, y)
        moustache = self.blob(points, (lm[33] + lm[51]) / 2, (2.4, 0.75))
        side = smoothstep(100, 84, az)
        grow = (
            np.clip(np.maximum(below * above_neck, 0.85 * moustache), 0, 1)
            * side
            * (1 - self.lips(points, 0.15))
        )
        bare = self.both(points, mouth + np.array([1.9, -1.5, 0]), (0.8, 0.6)) + self.blob(
            points, lm[33], (0.35, 0.9)
        )
        return np.asarray(
            grow * np.clip(1 - 0.55 * bare, 0, 1) * smoothstep(-1.5, 2.5, points[..., 2]), np.float32
        )
