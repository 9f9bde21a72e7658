"""What the rendering network sees, made from one frame's landmarks and three pictures.

The same function serves training, fine-tuning, evaluation and running, so they cannot drift apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from evp.face.crop import resized, scaled_points
from evp.face.layouts import (
    BROW_LEFT_LOWER,
    BROW_LEFT_UPPER,
    BROW_RIGHT_LOWER,
    BROW_RIGHT_UPPER,
    EYE_LEFT,
    EYE_RIGHT,
    FACE_OVAL,
    IRIS_LEFT,
    IRIS_RIGHT,
    JAW,
    LIPS_INNER,
    LIPS_OUTER,
    NOSE_BASE,
    NOSE_BRIDGE,
)  # fmt: skip
from evp.render.warp import Raster, WarpMesh

INPUT_CHANNELS = 11
"""Warped picture (3), mouth source (3), mask, edges of face and brows and nose, of eyes, of lips, inner mouth."""

_MASK_MARGIN = 0.015
"""How far the part to be made reaches over the face's outline, of the crop's side."""

_FACE_CURVES = ((JAW, False), (BROW_LEFT_UPPER, False), (BROW_LEFT_LOWER, False), (BROW_RIGHT_UPPER, False),
                (BROW_RIGHT_LOWER, False), (NOSE_BRIDGE, False), (NOSE_BASE, False))  # fmt: skip
_EYE_CURVES = ((EYE_LEFT, True), (EYE_RIGHT, True), (IRIS_LEFT[1:], True), (IRIS_RIGHT[1:], True))
_LIP_CURVES = ((LIPS_OUTER, True), (LIPS_INNER, True))
_SHIFT = 4


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

    def resized(self, size: int) -> "View":
        """The same view at another resolution."""
        if size == self.size:
            return self
        scale = size / self.size
        return View(
            resized(self.picture, size),
            scaled_points(self.landmarks, scale),
            scaled_points(self.outline, scale),
        )


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
    """The network's input for one frame and what is needed to compose its output."""

    tensor: NDArray[np.float32]
    """(11, S, S) network input; pictures and masks 0..1."""
    raster: Raster
    mask: NDArray[np.uint8]
    """(S, S) of :func:`face_mask`."""
    inside: NDArray[np.uint8]
    """(S, S) soft inner mouth, where the mouth source shows."""


def prepare(
    mesh: WarpMesh,
    landmarks: NDArray[np.float32],
    frame: View,
    skin: Sequence[View],
    mouth: Sequence[View],
) -> Prepared:
    """The input for a new face with ``landmarks`` (478, 3), crop pixels, in ``frame``.

    ``skin`` gives the pixels of the face and ``mouth`` those inside the mouth, each as the mean of its views, all
    warped to the new landmarks. Of ``frame`` only the pixels outside the mask are used. All views have one size.
    """
    size = frame.size
    raster = Raster.draw(mesh, mesh.vertices(landmarks, frame.outline, size), size)
    mask = face_mask([landmarks, frame.landmarks], size)
    inner = inner_mouth(landmarks, size)
    inside = cv2.GaussianBlur(inner, (0, 0), size / 256)
    seen_mouth = _mean_warp(raster, mouth)
    warped = blend(frame.picture, blend(_mean_warp(raster, skin), seen_mouth, inside), mask)
    lips = cv2.dilate(_filled([landmarks], LIPS_OUTER, size), np.ones((9, 9), np.uint8))
    seen_mouth = cv2.copyTo(seen_mouth, lips)
    planes = [*cv2.split(warped), *cv2.split(seen_mouth), mask, *edges(landmarks, size), inner]
    tensor = np.empty((INPUT_CHANNELS, size, size), np.float32)
    for channel, plane in zip(tensor, planes, strict=True):
        np.multiply(plane, np.float32(1 / 255), out=channel)
    return Prepared(tensor, raster, mask, inside)


def warp(raster: Raster, source: View, scale: float = 1.0) -> NDArray[np.uint8]:
    """A source picture under the mesh of the new frame, at ``scale`` times the resolution of the raster."""
    vertices = raster.mesh.vertices(source.landmarks, source.outline, source.size)
    x, y = raster.sources(vertices, scale)
    return cv2.remap(source.picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _mean_warp(raster: Raster, sources: Sequence[View], scale: float = 1.0) -> NDArray[np.uint8]:
    mean = warp(raster, sources[0], scale)
    for count, source in enumerate(sources[1:], start=2):
        mean = cv2.addWeighted(mean, 1 - 1 / count, warp(raster, source, scale), 1 / count, 0)
    return mean


def compose(
    raster: Raster,
    mask: NDArray[np.uint8],
    inside: NDArray[np.uint8],
    frame: View,
    skin: Sequence[View],
    mouth: Sequence[View],
) -> NDArray[np.uint8]:
    """The warped picture (S, S, 3) at the resolution of ``frame``: the frame outside the mask (S, S), skin in it, and
    mouth where ``inside`` (S, S) says so.
    """
    scale = frame.size / raster.size
    face = blend(_mean_warp(raster, skin, scale), _mean_warp(raster, mouth, scale), inside)
    return blend(frame.picture, face, mask)


def blend(under: NDArray[np.uint8], over: NDArray[np.uint8], mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """``over`` where the mask (H, W) is 255, ``under`` where it is 0."""
    share = cv2.merge([mask] * 3)
    return cv2.add(
        cv2.multiply(over, share, scale=1 / 255), cv2.multiply(under, cv2.bitwise_not(share), scale=1 / 255)
    )
