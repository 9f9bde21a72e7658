"""Piecewise-affine warping by the face mesh: where in a source frame the pixel of a new frame comes from.

All coordinates are pixels of a crop (x right, y down). The mesh is closed by a ring around the face, which moves
with the head but not with the expression, and by the border of the crop, which does not move: every pixel of
the crop lies in a triangle, and the warp is continuous.
"""

from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from evp.face.basis import FaceBasis
from evp.face.layouts import FACE_OVAL, LIP_INNER_LOWER, LIP_INNER_UPPER, MESH_POINTS
from evp.render.region import Region

RING_SCALE = 1.35
"""The ring is the neutral face's outline, this much larger about its centre."""

_TORN = 6.0
"""Pixels between the places of neighbours, of a network-sized picture, from which on they are torn apart."""
_BEYOND = 1.0
"""Pixels that a pixel may be taken from beyond its triangle in the source: thin triangles have no say farther out."""


def ring(neutral_outline: NDArray[np.floating]) -> NDArray[np.floating]:
    """Ring points (..., R, 2) around the outline (..., R, 2) of the neutral face in the picture."""
    centre = neutral_outline.mean(axis=-2, keepdims=True)
    return centre + RING_SCALE * (neutral_outline - centre)


@cache
def _border(size: int) -> NDArray[np.float32]:
    """(12, 2) points on the border of a crop, clockwise from the top left, slightly outside."""
    low, high = -0.02 * size, 1.02 * size
    third = np.linspace(low, high, 4)[:-1]
    back = low + high - third
    return np.concatenate([
        np.stack([third, np.full(3, low)], axis=1), np.stack([np.full(3, high), third], axis=1),
        np.stack([back, np.full(3, high)], axis=1), np.stack([np.full(3, low), back], axis=1),
    ]).astype(np.float32)  # fmt: skip


def _between(
    outer: list[int], inner: list[int], angles: tuple[NDArray, NDArray]
) -> list[tuple[int, int, int]]:
    """Triangles of the band between two closed outlines, both listed by rising angle around the centre."""
    band = []
    i = j = 0
    outer_angles, inner_angles = (np.append(a, a[0] + 2 * np.pi) for a in angles)
    while i < len(outer) or j < len(inner):
        o, n = outer[i % len(outer)], inner[j % len(inner)]
        if j == len(inner) or (i < len(outer) and outer_angles[i + 1] < inner_angles[j + 1]):
            band.append((o, outer[(i + 1) % len(outer)], n))
            i += 1
        else:
            band.append((o, inner[(j + 1) % len(inner)], n))
            j += 1
    return band


def _turned(points: NDArray[np.floating], numbers: list[int]) -> tuple[list[int], NDArray[np.float64]]:
    """Point numbers and their angles around the centre of all, sorted by angle."""
    own = points[numbers]
    centre = (points[numbers].max(axis=0) + points[numbers].min(axis=0)) / 2
    angle = np.arctan2(own[:, 1] - centre[1], own[:, 0] - centre[0])
    order = np.argsort(angle)
    return [numbers[k] for k in order], angle[order]


@dataclass(frozen=True)
class WarpMesh:
    """Triangles over mesh points, ring points and border points, in this order; the mouth is closed by a strip."""

    triangles: NDArray[np.int32]
    strip: int
    """Number of the first triangle of the strip: all from here on lie inside the mouth."""

    @cached_property
    def lips_shut(self) -> NDArray[np.int32]:
        """``triangles`` with those of the strip shrunk to the edge of the lip on which they have a side."""
        upper, lower = (np.arange(self.triangles.max() + 1) for _ in range(2))
        upper[list(LIP_INNER_LOWER)] = LIP_INNER_UPPER
        lower[list(LIP_INNER_UPPER)] = LIP_INNER_LOWER
        strip = self.triangles[self.strip :]
        hanging = np.isin(strip, LIP_INNER_UPPER).sum(axis=1, keepdims=True) > 1
        return np.concatenate([self.triangles[: self.strip], np.where(hanging, upper[strip], lower[strip])])

    @staticmethod
    def build(basis: FaceBasis) -> "WarpMesh":
        """The triangulation for a basis; the same for everybody and every crop size."""
        lips = []
        for i in range(len(LIP_INNER_UPPER) - 1):
            a, b = LIP_INNER_UPPER[i : i + 2]
            c, d = LIP_INNER_LOWER[i : i + 2]
            lips += [t for t in ((a, b, d), (a, d, c)) if len(set(t)) == 3]
        mean = basis.mean[:, :2]
        oval = list(FACE_OVAL)
        layout = np.concatenate(
            [mean, ring(mean[oval]), _border(1) * 3 - 1.2 + np.array([0, 0.286], np.float32)]
        )
        outline, outline_angles = _turned(layout, oval)
        around = list(range(MESH_POINTS, MESH_POINTS + len(oval)))
        around, around_angles = _turned(layout, around)
        corner = list(range(MESH_POINTS + len(oval), len(layout)))
        corner, corner_angles = _turned(layout, corner)
        bands = _between(around, outline, (around_angles, outline_angles))
        bands += _between(corner, around, (corner_angles, around_angles))
        triangles = np.concatenate([bands, basis.triangles, lips]).astype(np.int32)
        return WarpMesh(triangles, len(triangles) - len(lips))

    def vertices(
        self, landmarks: NDArray[np.floating], outline: NDArray[np.floating], size: int
    ) -> NDArray[np.float32]:
        """All vertices (V, 3) of one frame in a crop of ``size`` pixels; ring and border lie behind the face.

        ``landmarks`` (478, 3) and ``outline`` (36, >=2), the neutral face's outline under the frame's pose, are in
        crop pixels.
        """
        flat = np.concatenate([ring(outline[:, :2]), _border(size)])
        behind = np.full((len(flat), 1), landmarks[:, 2].max() + 1)
        return np.concatenate([landmarks, np.concatenate([flat, behind], axis=1)]).astype(np.float32)


@dataclass(frozen=True)
class Raster:
    """The mesh drawn once for a new frame; any number of sources can then be warped to it."""

    mesh: WarpMesh
    vertices: NDArray[np.float32]
    size: int
    number: NDArray[np.int32]
    """(size, size) the number of the triangle at every pixel."""

    @staticmethod
    def draw(mesh: WarpMesh, vertices: NDArray[np.float32], size: int) -> "Raster":
        """Draw vertices (V, 3) of the new frame, near triangles over far ones.

        A triangle gets the pixels whose centres lie in it, row by row: neighbours leave no gap and share no pixel.
        """
        order = np.argsort(-vertices[mesh.triangles, 2].mean(axis=1), kind="stable")
        corners = vertices[mesh.triangles[order], :2].astype(np.float64)
        down = np.argsort(corners[:, :, 1], axis=1, kind="stable")
        x, y = np.take_along_axis(corners, down[:, :, None], axis=1).transpose(2, 1, 0)
        first, middle, last = np.clip(np.ceil(y), 0, size).astype(np.intp)
        of, row = _runs(first, last)
        # of the three sides from top to bottom, the long one and one of the others cross a row
        (long_x, upper_x, lower_x), slopes = zip(
            *(_line(x, y, *ends) for ends in ((0, 2), (0, 1), (1, 2))), strict=True
        )
        short = np.where(row < middle[of], of, of + len(order))
        one = long_x[of] + row * slopes[0][of]
        other = np.concatenate([upper_x, lower_x])[short] + row * np.concatenate(slopes[1:])[short]
        begin, end = (
            np.clip(np.ceil(side(one, other)), 0, size).astype(np.intp) for side in (np.minimum, np.maximum)
        )
        span, column = _runs(begin, end)
        number = np.zeros((size, size), np.int32)
        number.reshape(-1)[(row * size)[span] + column] = order.astype(np.int32)[of[span]]
        return Raster(mesh, vertices, size, number)

    def field(
        self,
        vertices: NDArray[np.float32],
        step: int = 1,
        region: Region | None = None,
        lips_shut: bool = False,
    ) -> "Field":
        """Where the pixels of the new frame come from in a source frame with ``vertices`` (V, >=2).

        The source's vertices are in pixels of a crop of the same size as the one drawn. With a ``step``, which must
        divide the size, only every so many pixels are looked up: enough for what is smooth. With a ``region``, only
        its places are found, and at its border they are rough. With ``lips_shut``, what lies between the new frame's
        lips comes from the edges of the source's lips, never from inside its mouth.
        """
        part = (region or Region.whole(self.size)).resized(self.size // step)
        at = np.arange(0, self.size, step, dtype=np.float32) + np.float32((step - 1) / 2)
        numbers = self.number[::step, ::step][part.index]
        there = np.zeros(len(self.mesh.triangles), bool)
        there[numbers] = True
        place_of = np.cumsum(there) - 1
        triangles = np.flatnonzero(there)
        theirs = vertices[(self.mesh.lips_shut if lips_shut else self.mesh.triangles)[triangles], :2]
        found = np.take(self._affine(theirs, triangles), place_of[numbers], axis=0)
        a, b, e, c, d, f, left, top, right, bottom = np.moveaxis(found, -1, 0)
        x, y = at[None, part.columns], at[part.rows, None]
        # slivers leave single wild pixels
        from_x = cv2.medianBlur(np.clip(a * x + b * y + e, left, right), 3)
        from_y = cv2.medianBlur(np.clip(c * x + d * y + f, top, bottom), 3)
        return Field(from_x, from_y, self.size, part)

    def _affine(self, theirs: NDArray[np.float32], triangles: NDArray[np.intp]) -> NDArray[np.float32]:
        """(T, 10): the affine map of ``triangles`` (T,) to corners (T, 3, 2), and the bounds of where it may lead."""
        rows = np.empty((len(triangles), 10), np.float32)
        parts = theirs[:, :, :, None] * self._shares[triangles][:, :, None]
        rows[:, :6] = (parts[:, 0] + parts[:, 1] + parts[:, 2]).reshape(-1, 6)
        first, second, third = theirs[:, 0], theirs[:, 1], theirs[:, 2]
        rows[:, 6:8] = np.minimum(np.minimum(first, second), third) - _BEYOND
        rows[:, 8:] = np.maximum(np.maximum(first, second), third) + _BEYOND
        return rows

    @cached_property
    def _shares(self) -> NDArray[np.float64]:
        """(T, 3, 3) what (x, y, 1) in the new frame gives as share of every corner: barycentric coordinates."""
        (x0, y0), (x1, y1), (x2, y2) = (
            self.vertices[self.mesh.triangles, :2].astype(np.float64).transpose(1, 2, 0)
        )
        det = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
        det = np.where(np.abs(det) < 1e-3, np.where(det < 0, -1e-3, 1e-3), det)
        second = np.stack([y2 - y0, x0 - x2, x2 * y0 - x0 * y2]) / det
        third = np.stack([y0 - y1, x1 - x0, x0 * y1 - x1 * y0]) / det
        first = np.stack([0 * det, 0 * det, 0 * det + 1]) - second - third
        return np.ascontiguousarray(np.stack([first, second, third]).transpose(2, 0, 1))


def _line(
    x: NDArray[np.float64], y: NDArray[np.float64], start: int, end: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The lines x = a + b y, a and b (T,), through two of the corners, x and y (3, T)."""
    fall = y[end] - y[start]
    slope = (x[end] - x[start]) / np.where(fall > 0, fall, 1)
    return x[start] - y[start] * slope, slope


def _runs(first: NDArray[np.intp], last: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """All whole numbers from ``first`` (N,) to before ``last`` (N,), one run after the other; and whose run it is."""
    lengths = np.maximum(last - first, 0)
    of = np.repeat(np.arange(len(first)), lengths)
    return of, np.arange(len(of)) - np.repeat(np.cumsum(lengths) - lengths - first, lengths)


@dataclass(frozen=True)
class Field:
    """The place in a source frame of every pixel of a new frame; it serves pictures of any resolution."""

    x: NDArray[np.float32]
    """(rows, columns) of the region: pixels of a source crop of ``size`` pixels."""
    y: NDArray[np.float32]
    size: int
    region: Region
    """Where in the new frame the places are, counted in steps; around it nothing is known."""

    def sample(
        self, picture: NDArray[np.uint8], size: int, region: Region | None = None
    ) -> NDArray[np.uint8]:
        """The source ``picture`` (S, S, 3), of any size, warped into a new picture (size, size, 3), or a region of it.

        The ``region`` is one of a picture of ``size``.
        """
        scale = np.float32(picture.shape[0] / self.size)
        cut = (region or Region.whole(size)).index
        x, y = (self._enlarged((place + 0.5) * scale - 0.5, size)[cut] for place in (self.x, self.y))
        return cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)

    def _enlarged(self, place: NDArray[np.float32], size: int) -> NDArray[np.float32]:
        """Places for every pixel of a picture of ``size``; where they are torn apart nothing lies in between."""
        place = self._spread(place)
        if self.region.size == size:
            return place
        smooth = cv2.resize(place, (size, size), interpolation=cv2.INTER_LINEAR)
        if self._torn.any():
            box = Region.around(self._torn).resized(size)
            nearest = np.ix_(
                *(np.arange(side.start, side.stop) * len(place) // size for side in (box.rows, box.columns))
            )
            np.copyto(smooth[box.index], place[nearest], where=self._torn[nearest].astype(bool))
        return smooth

    def _spread(self, values: NDArray[Any]) -> NDArray[Any]:
        """Values of the region in their place in the whole frame, its border repeated around it."""
        rows, columns, size = self.region.rows, self.region.columns, self.region.size
        around = rows.start, size - rows.stop, columns.start, size - columns.stop
        return cv2.copyMakeBorder(values, *around, cv2.BORDER_REPLICATE)

    @cached_property
    def _torn(self) -> NDArray[np.uint8]:
        """1 where neighbours come from far apart, as where closed lips meet, else 0, in the whole frame."""
        kernel = np.ones((3, 3), np.uint8)
        spans = [cv2.morphologyEx(place, cv2.MORPH_GRADIENT, kernel) for place in (self.x, self.y)]
        torn = np.zeros((self.region.size,) * 2, np.uint8)
        limit = _TORN * self.size / self.region.size
        torn[self.region.index] = cv2.max(*spans) > limit
        return torn
