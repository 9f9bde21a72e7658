"""What the rendering network sees, made from one frame's landmarks and three pictures.

The same function serves training, fine-tuning, evaluation and running, so they cannot drift apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, reduce

import cv2
import numpy as np
from numpy.typing import NDArray

from evp.face.crop import CROP, resized, scaled_points
from evp.face.layouts import (
    BROW_LEFT_LOWER,
    BROW_LEFT_UPPER,
    BROW_RIGHT_LOWER,
    BROW_RIGHT_UPPER,
    CHIN,
    EYE_LEFT,
    EYE_RIGHT,
    FACE_OVAL,
    HAIRLINE,
    IRIS_LEFT,
    IRIS_RIGHT,
    JAW,
    LIPS_INNER,
    LIPS_OUTER,
    NOSE_BASE,
    NOSE_BRIDGE,
)  # fmt: skip
from evp.render.mouth import THROAT, Bite, through_lips
from evp.render.region import Region
from evp.render.warp import Field, Raster, WarpMesh

INPUT_CHANNELS = 11
"""Warped picture (3), mouth source (3), mask, edges of face and brows and nose, of eyes, of lips, inner mouth."""

_MASK_MARGIN = 0.015
"""How far the part to be made reaches over the face's outline, of the crop's side."""

_FACE_CURVES = ((JAW, False), (BROW_LEFT_UPPER, False), (BROW_LEFT_LOWER, False), (BROW_RIGHT_UPPER, False),
                (BROW_RIGHT_LOWER, False), (NOSE_BRIDGE, False), (NOSE_BASE, False))  # fmt: skip
_EYE_CURVES = ((EYE_LEFT, True), (EYE_RIGHT, True), (IRIS_LEFT[1:], True), (IRIS_RIGHT[1:], True))
_LIP_CURVES = ((LIPS_OUTER, True), (LIPS_INNER, True))
_SHIFT = 4
_MASK_PLANE = 6
_MOST_INSIDE = np.float32(0.08 * 255)
"""Most, of 255, that the network changes inside the mouth: teeth are the person's own, and a mouth that opens wider
than any that the network has met leads it astray."""
_NETWORK_STEP = 16
"""The network halves the picture four times."""
_MOUTH_MARGIN = 16
"""Pixels around the lips that the network sees, and less and less corrects, where all skin is the frame's own."""
_FIELD_MARGIN = 3
"""Pixels around a region in which places are found as well: their border is rough, and they are interpolated."""


@dataclass(frozen=True)
class View:
    """A picture of the face in a square crop, with the mesh in the crop's pixels."""

    picture: NDArray[np.uint8]
    """(S, S, 3) RGB."""
    landmarks: NDArray[np.float32]
    """(478, 3) pixels of the crop."""
    outline: NDArray[np.float32]
    """(36, >=2) outline of the neutral face under the frame's pose, pixels of the crop."""

    @property
    def size(self) -> int:
        return self.picture.shape[0]

    @cached_property
    def bite(self) -> Bite:
        """Where its teeth part."""
        down = self.landmarks[CHIN, :2] - self.landmarks[HAIRLINE, :2]
        moved = self.landmarks[CHIN, :2] - self.outline[FACE_OVAL.index(CHIN), :2]
        return Bite.of(self.picture, self.landmarks, float(moved @ down / np.linalg.norm(down)))

    @cached_property
    def small(self) -> "View":
        """The same view at the network's resolution."""
        if self.size == CROP:
            return self
        scale = CROP / self.size
        landmarks, outline = (scaled_points(points, scale) for points in (self.landmarks, self.outline))
        return View(resized(self.picture, CROP), landmarks, outline)


def _fixed(points: NDArray[np.float32], numbers: tuple[int, ...]) -> NDArray[np.int32]:
    return np.round(points[list(numbers), :2] * (1 << _SHIFT)).astype(np.int32)


def edges(landmarks: NDArray[np.float32], size: int) -> list[NDArray[np.uint8]]:
    """Curves of the landmarks, three pictures (size, size): face, eyes, lips (EVP's edge map)."""
    drawn = []
    for curves in (_FACE_CURVES, _EYE_CURVES, _LIP_CURVES):
        canvas = np.zeros((size, size), np.uint8)
        for numbers, closed in curves:
            cv2.polylines(canvas, [_fixed(landmarks, numbers)], closed, 255, 1, cv2.LINE_AA, _SHIFT)
        drawn.append(canvas)
    return drawn


def _filled(
    landmarks: Sequence[NDArray[np.float32]], numbers: tuple[int, ...], size: int
) -> NDArray[np.uint8]:
    canvas = np.zeros((size, size), np.uint8)
    for points in landmarks:
        cv2.fillPoly(canvas, [_fixed(points, numbers)], 255, cv2.LINE_AA, _SHIFT)
    return canvas


def inner_mouth(landmarks: NDArray[np.float32], size: int) -> NDArray[np.uint8]:
    """(size, size) the inside of the lips, 0..255."""
    return _filled([landmarks], LIPS_INNER, size)


def face_mask(landmarks: Sequence[NDArray[np.float32]], size: int) -> NDArray[np.uint8]:
    """(size, size) the part of the crop to be made, 0..255, soft at the border.

    Covers the face of every mesh in ``landmarks`` (the new one and the one in the target's frame), a little
    widened, so that a jaw that has moved leaves nothing behind.
    """
    canvas = _filled(landmarks, FACE_OVAL, size)
    reach = max(1, round(_MASK_MARGIN * size))
    canvas = cv2.dilate(canvas, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1)))
    return cv2.GaussianBlur(canvas, (0, 0), 0.5 * reach)


@dataclass(frozen=True)
class Prepared:
    """The network's input for one frame, and what composes its output at any resolution."""

    planes: NDArray[np.uint8]
    """(11, 256, 256) pictures and masks, 0..255: the network input, where the network works."""
    inside: NDArray[np.uint8]
    """(256, 256) soft inner mouth, where the mouth shows."""
    region: Region
    """Around all of the mask: outside of it nothing changes."""
    lips: Region
    """Around all that the mouth views show."""
    work: Region
    """Where the network works, in steps that it can take: around the mask, or the mouth alone where all skin is the
    frame's own, which it changes by 1 of 255."""
    skin: list[Field]
    """How every skin view is warped."""
    mouth: list[Field]
    """How every mouth view is warped."""
    dark: NDArray[np.uint8]
    """(256, 256) darkness, 0..255, of the gap between teeth."""
    raster: Raster
    """The new face's mesh."""

    @property
    def mask(self) -> NDArray[np.uint8]:
        """(256, 256) of :func:`face_mask`."""
        return self.planes[_MASK_PLANE]

    @property
    def tensor(self) -> NDArray[np.float32]:
        """(11, 256, 256) network input; pictures and masks 0..1."""
        return np.multiply(self.planes, np.float32(1 / 255), dtype=np.float32)

    @property
    def working(self) -> NDArray[np.float32]:
        """(11, rows, columns) the part of the network input where it works."""
        return np.multiply(
            self.planes[:, self.work.rows, self.work.columns], np.float32(1 / 255), dtype=np.float32
        )

    def placed(self, correction: NDArray[np.float32]) -> NDArray[np.float32]:
        """(3, 256, 256) the network's correction (3, rows, columns) in its place; around the mouth it fades."""
        whole = np.zeros((3, CROP, CROP), np.float32)
        if self.work != self.region.stepped(_NETWORK_STEP):
            correction = correction * self.work.faded(_MOUTH_MARGIN // 2)
        whole[:, self.work.rows, self.work.columns] = correction
        return whole


def prepare(
    mesh: WarpMesh,
    landmarks: NDArray[np.float32],
    frame: View,
    skin: Sequence[View],
    mouth: Sequence[View],
) -> Prepared:
    """The input for a new face with ``landmarks`` (478, 3), pixels of the crop of ``frame``.

    ``skin`` gives the pixels of the face and ``mouth`` those inside the mouth, each as the mean of its views, all
    warped to the new landmarks. Of ``frame`` only the pixels outside the mask are used.
    """
    small = frame.small
    points = scaled_points(landmarks, CROP / frame.size)
    mask = face_mask([points, small.landmarks], CROP)
    inner = inner_mouth(points, CROP)
    inside = cv2.GaussianBlur(inner, (0, 0), 1)
    shown = cv2.dilate(_filled([points], LIPS_OUTER, CROP), np.ones((9, 9), np.uint8))
    region, lips = Region.around(mask), Region.around(cv2.max(shown, inside))
    own = all(view is frame for view in skin)
    work = (lips.grown(_MOUTH_MARGIN) if own else region).stepped(_NETWORK_STEP)
    raster = Raster.draw(mesh, mesh.vertices(points, small.outline, CROP), CROP)
    skin_fields, mouth_fields = (
        [
            raster.field(
                mesh.vertices(v.small.landmarks, v.small.outline, CROP),
                region=part.grown(_FIELD_MARGIN),
                lips_shut=shut,
            )
            for v in views
        ]
        for views, part, shut in ((skin, region, True), (mouth, lips, False))
    )
    inner_mouths = [
        through_lips(field, inner, points, view.small.landmarks, view.small.bite)
        for field, view in zip(mouth_fields, mouth, strict=True)
    ]
    mouth_fields = [found for found, _ in inner_mouths]
    dark = reduce(
        lambda one, other: cv2.addWeighted(one, 0.5, other, 0.5, 0), (gap for _, gap in inner_mouths)
    )
    face = small.picture.copy()
    face[work.index] = _mean_sample(skin_fields, [view.small for view in skin], work)
    seen = _mean_sample(mouth_fields, [view.small for view in mouth], lips, dark)
    face[lips.index] = blend(face[lips.index], seen, inside[lips.index])
    warped = small.picture.copy()
    warped[work.index] = blend(warped[work.index], face[work.index], mask[work.index])
    planes = np.zeros((INPUT_CHANNELS, CROP, CROP), np.uint8)
    planes[:3] = cv2.split(warped)
    planes[3:6, lips.rows, lips.columns] = cv2.split(cv2.copyTo(seen, shown[lips.index]))
    planes[_MASK_PLANE] = mask
    planes[_MASK_PLANE + 1 : -1] = edges(points, CROP)
    planes[-1] = inner
    return Prepared(planes, inside, region, lips, work, skin_fields, mouth_fields, dark, raster)


def _mean_sample(
    fields: Sequence[Field], views: Sequence[View], region: Region, dark: NDArray[np.uint8] | None = None
) -> NDArray[np.uint8]:
    """The mean of warped views in a region, darkened by a mask of the network's resolution."""
    size = region.size
    mean = fields[0].sample(views[0].picture, size, region)
    for count, (field, view) in enumerate(zip(fields[1:], views[1:], strict=True), start=2):
        mean = cv2.addWeighted(mean, 1 - 1 / count, field.sample(view.picture, size, region), 1 / count, 0)
    if dark is None or not dark.any():
        return mean
    shade = cv2.resize(dark, (size, size), interpolation=cv2.INTER_LINEAR)[region.index]
    return blend(mean, np.full_like(mean, THROAT), shade)


def compose(
    prepared: Prepared,
    correction: NDArray[np.float32],
    frame: View,
    skin: Sequence[View],
    mouth: Sequence[View],
) -> NDArray[np.uint8]:
    """The made picture (S, S, 3) at the resolution of ``frame``, with the views that were prepared.

    Skin and mouth are warped at this resolution; the network's ``correction`` (3, 256, 256), -1..1, is enlarged, and
    limited inside the mouth.
    """
    size = frame.size
    # soft masks reach one pixel farther when they are enlarged
    region, lips = (part.grown(1).resized(size) for part in (prepared.region, prepared.lips))
    mask, inside = (
        cv2.resize(m, (size, size), interpolation=cv2.INTER_LINEAR) for m in (prepared.mask, prepared.inside)
    )
    made = frame.picture.copy()
    made[region.index] = _mean_sample(prepared.skin, skin, region)
    seen = _mean_sample(prepared.mouth, mouth, lips, prepared.dark)
    made[lips.index] = blend(made[lips.index], seen, inside[lips.index])
    small = cv2.merge(list(correction * np.float32(255)))
    mouth_part = small[prepared.lips.index]
    inner, lit = (
        plane[prepared.lips.index][..., None] * np.float32(1 / 255)
        for plane in (prepared.inside, cv2.bitwise_not(prepared.dark))
    )
    mouth_part += inner * (lit * np.clip(mouth_part, -_MOST_INSIDE, _MOST_INSIDE) - mouth_part)
    enlarged = cv2.resize(small, (size, size), interpolation=cv2.INTER_LINEAR)
    corrected = cv2.add(made[region.index], enlarged[region.index], dtype=cv2.CV_8U)
    made[region.index] = blend(frame.picture[region.index], corrected, mask[region.index])
    return made


def blend(under: NDArray[np.uint8], over: NDArray[np.uint8], mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """``over`` where the mask (H, W) is 255, ``under`` where it is 0."""
    share = cv2.merge([mask] * 3)
    return cv2.add(
        cv2.multiply(over, share, scale=1 / 255), cv2.multiply(under, cv2.bitwise_not(share), scale=1 / 255)
    )
