"""The inside of the mouth: the upper teeth stay with the skull, the lower ones and the tongue move with the jaw.

Warped by the lips like skin, teeth grow and shrink with every opening. Here lips are a window: a pixel inside
them is taken from where the skull of the source has it, further down from where its jaw has it. Only what the
source's own lips hide is stretched from what they show.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from evp.face.layouts import (
    LIP_INNER_LOWER,
    LIP_INNER_UPPER,
    LIPS_INNER,
    LOWER_LIP_INNER,
    MOUTH_CORNER_LEFT,
    MOUTH_CORNER_RIGHT,
    UPPER_LIP_INNER,
)
from evp.face.pose import fit_pose
from evp.render.warp import Field
from evp.smoothing import smooth_in_time, smooth_step

_JAW = (152, 175, 199, 200)
"""Points of the chin, which go with the jaw and little with the lips."""
_ANCHORS = [MOUTH_CORNER_LEFT, MOUTH_CORNER_RIGHT, UPPER_LIP_INNER, LOWER_LIP_INNER, *_JAW]
_SKULL_UNTIL, _JAW_FROM = 0.45, 0.8
"""Parts of the way from the upper to the lower lip: above the first all goes with the skull, below the second with the
jaw."""
_DARK, _DEEP = 240, 2.0
"""How far, of 255, the gap between teeth is `THROAT`, and from how many pixels beyond either row of teeth on."""
_NARROW, _APART = 3.0, 5.5
"""Pixels that teeth may part farther than in the source without a gap, and from which on it counts fully: a thin line
would lie in the wrong place."""
_ROWS, _COLUMNS, _UNTIL = 12, 16, 0.85
"""Places at which a source's mouth is looked at, from lip to lip and from corner to corner, and how far down: the lower
lip's edge is found no better."""
_DARKER, _BRIGHT_AGAIN = (0.3, 0.5), (0.3, 0.6)
"""By which part a gap is darker than what is above it, and which part of that what is below it is brighter: from where
on that counts, and fully."""
_EVEN = 2.5
"""Standard deviation, in places along the mouth, of what is smoothed: neighbours are alike."""
_OPEN_JAW = 6.5, 9.0
"""Pixels of a dropped jaw from which on, and from which on surely, teeth have parted: small pictures do not tell."""
_SINKING = 3.0
"""How much faster than teeth part from there on the lower ones sink behind the lip: what the source shows below its
upper teeth is seldom lower teeth, and is stretched."""
THROAT = (40, 16, 14)
"""Red, green and blue behind the teeth."""
_MEETING, _DOUBT = 0.65, 0.1
"""Part of the way from the upper to the lower lip where teeth meet if nothing else is seen; and how sure a sight weighs
as much."""
_BEYOND = 1.0
"""Pixels beyond the lips' inner edge that may be taken: it is found no better, and is drawn soft."""
_UNSURE = 1.0
"""Pixels that lips may seem to move against skull and jaw without having moved: tracking is no better."""


def through_lips(
    field: Field,
    inner: NDArray[np.uint8],
    made: NDArray[np.floating],
    source: NDArray[np.floating],
    bite: "Bite",
) -> tuple[Field, NDArray[np.uint8]]:
    """``field``, but with teeth that keep their size where ``inner`` (size, size) is not 0; and how dark it is there.

    The field has no step, and all of ``inner`` lies in its region.

    ``made`` and ``source`` (478, 3) are the landmarks of the new face and of the source, pixels of crops of the
    field's size, and ``bite`` is the source's. The darkness (size, size), 0..255, is that of the gap between teeth
    that part farther than in the source, where the source shows nothing below them.
    """
    dark = np.zeros_like(inner)
    pixels = cv2.findNonZero(inner)
    if pixels is None:
        return field, dark
    columns, rows = pixels[:, 0].T
    here, there = _Gap.of(made), _Gap.of(source)
    pose = fit_pose(made, source[None])
    skull, shift = pose.scale[0] * pose.rotation[0, :2], pose.shift[0, :2]
    apart = source[_ANCHORS, :2] - (made[_ANCHORS] @ skull.T + shift)
    held = np.clip(apart[:3].mean(axis=0), -_UNSURE, _UNSURE)
    jaw = apart[4:].mean(axis=0) - held
    jaw += np.clip(apart[3] - held - jaw, -_UNSURE, _UNSURE)
    shift = shift + held + made[list(LIPS_INNER), 2].mean() * skull[:, 2]
    points = np.stack([columns, rows], axis=1).astype(np.float64)
    share = here.share(points)

    def in_source(pixels: NDArray[np.floating], lowered: float = 0.0) -> tuple[NDArray[np.floating], ...]:
        return there.along(pixels @ skull[:, :2].T + (shift + lowered * jaw))

    x, high = in_source(points)
    ends, _ = in_source(here.corners())
    x = there.within(x, ends)
    upper, lower = there.edges(x)
    _, top = in_source(here.upper(points))
    _, bottom = in_source(here.lower(points), 1.0)
    _, low = in_source(points, 1.0)
    shown, meeting = bite.at(x / max(there.above[-1, 0], 1e-6))
    between = upper + meeting * (lower - upper)
    nearer = high + smooth_step(share, _SKULL_UNTIL, _JAW_FROM) * (low - high)
    y = np.where(low > high, nearer, np.minimum(high, np.maximum(low, between)))
    y += np.maximum(upper - top, 0) * (1 - share) ** 2 - np.maximum(bottom - lower, 0) * share**2
    at = there.place(x, np.clip(y, upper - _BEYOND, np.maximum(lower, upper) + _BEYOND))
    places = field.x.copy(), field.y.copy()
    for place, coordinate in zip(places, at.T, strict=True):
        place[rows - field.region.rows.start, columns - field.region.columns.start] = coordinate
    gap = high - low
    parted = np.minimum(high - between, _SINKING * (gap - _NARROW) - (high - between))
    gaping = smooth_step(gap, _NARROW, _APART) * (1 - shown)
    dark[rows, columns] = _DARK * gaping * np.clip(parted / _DEEP, 0, 1)
    return replace(field, x=places[0], y=places[1]), dark


@dataclass(frozen=True)
class Bite:
    """Where teeth part in a picture of a mouth, at places from corner to corner."""

    shown: NDArray[np.float64]
    """(C,) how surely, 0..1, lower teeth or a tongue are seen below the upper ones."""
    meeting: NDArray[np.float64]
    """(C,) where the gap is that parts them, or would be: part of the way from the upper to the lower lip."""

    @staticmethod
    def of(picture: NDArray[np.uint8], landmarks: NDArray[np.floating], dropped: float) -> "Bite":
        """Teeth have parted where a picture (S, S, 3) is dark and bright below, or the jaw has ``dropped``, pixels."""
        mouth = _Gap.of(landmarks)
        along = (np.arange(_COLUMNS) + 0.5) / _COLUMNS * mouth.above[-1, 0]
        upper, lower = mouth.edges(along)
        down = (np.arange(_ROWS)[:, None] + 0.5) / _ROWS * _UNTIL
        across = upper + down * np.maximum(lower - upper, 0)
        at = mouth.place(np.broadcast_to(along, across.shape).ravel(), across.ravel()).astype(np.float32)
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        seen = cv2.remap(grey, at[:, 0], at[:, 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        light = seen.reshape(across.shape).astype(np.float64)
        above = np.maximum(np.maximum.accumulate(light), 1)
        under = np.maximum.accumulate(light[::-1])[::-1]
        gap = smooth_step(1 - light / above, *_DARKER) * smooth_step(
            (under - light) / np.maximum(above - light, 1), *_BRIGHT_AGAIN
        )
        weight = (gap**2).sum(axis=0)
        found = (gap**2 * down).sum(axis=0)
        meeting = (smooth_in_time(found, _EVEN) + _MEETING * _DOUBT) / (
            smooth_in_time(weight, _EVEN) + _DOUBT
        )
        shown = np.maximum(smooth_in_time(gap.max(axis=0), _EVEN), smooth_step(dropped, *_OPEN_JAW))
        return Bite(shown, meeting)

    def at(self, along: NDArray[np.floating]) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
        """``shown`` and ``meeting`` at places (N,), 0..1 from the left corner to the right one."""
        places = (np.arange(len(self.shown)) + 0.5) / len(self.shown)
        return np.interp(along, places, self.shown), np.interp(along, places, self.meeting)


@dataclass(frozen=True)
class _Gap:
    """The opening between the lips, in coordinates along and across the line between the corners of the mouth."""

    corner: NDArray[np.float64]
    axes: NDArray[np.float64]
    """(2, 2) unit vectors along and across, in rows."""
    above: NDArray[np.float64]
    """(11, 2) inner edge of the upper lip, along rising."""
    below: NDArray[np.float64]

    @staticmethod
    def of(landmarks: NDArray[np.floating]) -> "_Gap":
        flat = np.asarray(landmarks[:, :2], np.float64)
        left, right = flat[LIP_INNER_UPPER[0]], flat[LIP_INNER_UPPER[-1]]
        along = (right - left) / max(float(np.linalg.norm(right - left)), 1e-6)
        axes = np.stack([along, np.array([-along[1], along[0]])])
        above, below = ((flat[list(edge)] - left) @ axes.T for edge in (LIP_INNER_UPPER, LIP_INNER_LOWER))
        for edge in (above, below):
            edge[:, 0] = np.maximum.accumulate(edge[:, 0])
        return _Gap(left, axes, above, below)

    def along(self, points: NDArray[np.floating]) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
        """Pixels (N, 2) -> how far along and across."""
        local = (points - self.corner) @ self.axes.T
        return local[:, 0], local[:, 1]

    def place(self, along: NDArray[np.floating], across: NDArray[np.floating]) -> NDArray[np.floating]:
        """The inverse: pixels (N, 2)."""
        return np.stack([along, across], axis=1) @ self.axes + self.corner

    def edges(self, along: NDArray[np.floating]) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
        """Across, at both lips."""
        upper, lower = (np.interp(along, edge[:, 0], edge[:, 1]) for edge in (self.above, self.below))
        return upper, lower

    def share(self, points: NDArray[np.floating]) -> NDArray[np.floating]:
        """How far down between the lips pixels (N, 2) lie: 0 at the upper, 1 at the lower."""
        along, across = self.along(points)
        upper, lower = self.edges(along)
        return np.clip((across - upper) / np.maximum(lower - upper, 1e-3), 0, 1)

    def upper(self, points: NDArray[np.floating]) -> NDArray[np.floating]:
        """(N, 2) the pixels of the upper lip's edge above or below pixels (N, 2)."""
        along, _ = self.along(points)
        return self.place(along, self.edges(along)[0])

    def lower(self, points: NDArray[np.floating]) -> NDArray[np.floating]:
        """The same for the lower lip."""
        along, _ = self.along(points)
        return self.place(along, self.edges(along)[1])

    def corners(self) -> NDArray[np.floating]:
        """(2, 2) pixels of the left and the right end of the opening."""
        return self.place(*self.above[[0, -1]].T)

    def within(self, along: NDArray[np.floating], ends: NDArray[np.floating]) -> NDArray[np.floating]:
        """``along``, of a mouth with these two ``ends``, shrunk about the middle so as not to pass the corners."""
        middle = self.above[-1, 0] / 2
        reach = max(float(np.abs(ends - middle).max()), 1e-6)
        shrunk = middle + (along - middle) * min(1.0, middle / reach)
        return np.clip(shrunk, -_BEYOND, 2 * middle + _BEYOND)
