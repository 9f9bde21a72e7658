"""Tracked faces made to agree with the pictures: every frame is registered against others of the same person.

A face tracker is off by a pixel or two, differently in every frame, and two warped frames that disagree by a pixel make
a blurred mouth. So every frame is compared with what other frames look like when they are warped to its landmarks, and
the optical flow between the two, smoothed to the scale of a lip, moves the landmarks. What all frames have in common,
where a landmark lies on a face, stays the tracker's.
"""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
from numpy.typing import NDArray

from evp.face.crop import CROP
from evp.face.layouts import LIPS_OUTER, MESH_POINTS
from evp.render.inputs import face_mask, inner_mouth
from evp.render.sources import misfit
from evp.render.warp import Raster, WarpMesh

_ROUNDS = 2
_REFERENCES = 3
"""Warped frames whose mean a frame is compared with."""
_APART = 12
"""Frames closer in time than this share the tracker's mistakes and say nothing about each other."""
_REACH = 5.0
"""Standard deviation, pixels of the crop, of the smoothing of the flow."""
_LIP_REACH = 12.0
"""The same for lips, which look different in every frame: they move with what is around them, and open as tracked."""
_MOST = 3.0
"""Pixels of the crop that a landmark may move in one round."""
_INSIDE = 5
"""Pixels of the crop from the border of the mask that have no say: beside a face, the background moves otherwise."""
_LIGHT = 16.0
"""Differences of brightness wider than this (standard deviation, pixels) are light, not place."""
_TEXTURE = 20.0
"""Squared difference between neighbouring pixels, in levels, at which flow is half believed."""
_DOUBT = 12.0
"""Difference in levels, after the flow, at which it is hardly believed any more."""
_COARSE = 2
"""Warping and weighing look at every second pixel."""


def register(
    mesh: WarpMesh,
    landmarks: NDArray[np.float32],
    outline: NDArray[np.float32],
    pictures: Sequence[NDArray[np.uint8]],
    expressions: NDArray[np.float32],
    angles: NDArray[np.floating],
    references: NDArray[np.int_],
    progress: Callable[[int, int], None] | None = None,
) -> NDArray[np.float32]:
    """Landmarks (T, 478, 3), pixels of a face crop, moved in the picture's plane to where the pictures have them.

    ``outline`` (T, 36, >=2) is the neutral face's under every frame's pose, ``pictures`` are T grey crops (256, 256).
    Frames are compared with those of ``references`` that are alike in expression (T, M + U), as `FaceBasis.shape` gives
    it, and head angles (T, 3), degrees.
    """
    alike = [_alike(frame, expressions, angles, references) for frame in range(len(landmarks))]
    placed = landmarks.copy()

    def move(frame: int) -> NDArray[np.float32]:
        shown = [frame, *alike[frame]]
        vertices = [mesh.vertices(placed[n], outline[n], CROP) for n in shown]
        if len(shown) == 1:
            return np.zeros((MESH_POINTS, 2), np.float32)
        return _move(mesh, vertices, [pictures[n] for n in shown])

    pool = ThreadPoolExecutor(os.cpu_count())
    try:
        for turn in range(_ROUNDS):
            moves = []
            for frame, moved in enumerate(pool.map(move, range(len(placed)))):
                moves.append(moved)
                if progress is not None:
                    progress(turn * len(placed) + frame + 1, _ROUNDS * len(placed))
            placed[..., :2] += np.stack(moves)
    finally:
        pool.shutdown(cancel_futures=True)  # what is not begun is not wanted after an interruption
    return placed - np.median((placed - landmarks)[references], axis=0)


def _alike(
    frame: int, expressions: NDArray[np.float32], angles: NDArray[np.floating], references: NDArray[np.int_]
) -> NDArray[np.int_]:
    """The references that look most like a frame, of another moment."""
    others = references[np.abs(references - frame) > _APART]
    turned = np.linalg.norm(angles[others] - angles[frame], axis=1)
    fits = misfit(expressions[others], expressions[frame], turned, mouth_share=0.5)
    return others[np.argsort(fits)[:_REFERENCES]]


def _move(
    mesh: WarpMesh, vertices: Sequence[NDArray[np.float32]], pictures: Sequence[NDArray[np.uint8]]
) -> NDArray[np.float32]:
    """Where the landmarks (478, 2) of the first picture should go, seen from the others warped to it."""
    landmarks = vertices[0][:MESH_POINTS]
    expected = _expected(mesh, vertices, pictures)
    flow = _flow(pictures[0], expected)
    belief = _belief(landmarks, pictures[0], expected, flow)
    fine, wide = (
        _smooth(flow * belief[..., None], reach) / (_smooth(belief, reach) + 0.02)[..., None]
        for reach in (_REACH, _LIP_REACH)
    )
    outline = [np.round(landmarks[list(LIPS_OUTER), :2]).astype(np.int32)]
    lips = np.minimum(1, 2 * _smooth(cv2.fillPoly(np.zeros_like(belief), outline, 1.0), 4))[..., None]
    x, y = np.clip(landmarks[None, :, :2], 0, CROP - 1).transpose(2, 0, 1)
    move = -cv2.remap((1 - lips) * fine + lips * wide, x, y, cv2.INTER_LINEAR)[0]
    length = np.linalg.norm(move, axis=1, keepdims=True)
    return np.asarray(move * np.minimum(1, _MOST / np.maximum(length, 1e-6)), np.float32)


def _expected(
    mesh: WarpMesh, vertices: Sequence[NDArray[np.float32]], pictures: Sequence[NDArray[np.uint8]]
) -> NDArray[np.uint8]:
    """(256, 256) the first picture as the others show it: their mean when they are warped to it, in its light."""
    raster = Raster.draw(mesh, vertices[0], CROP)
    warped = [
        raster.field(theirs, _COARSE).sample(picture, CROP).astype(np.float32)
        for theirs, picture in zip(vertices[1:], pictures[1:], strict=True)
    ]
    expected = np.mean(warped, axis=0, dtype=np.float32)
    mask = face_mask([vertices[0][:MESH_POINTS]], CROP).astype(np.float32) / 255
    light = _smooth((pictures[0] - expected) * mask, _LIGHT) / (_smooth(mask, _LIGHT) + 1e-3)
    return np.clip(expected + light, 0, 255).astype(np.uint8)


def _belief(
    landmarks: NDArray[np.float32],
    seen: NDArray[np.uint8],
    expected: NDArray[np.uint8],
    flow: NDArray[np.float32],
) -> NDArray[np.float32]:
    """(256, 256) how much the flow is believed, 0..1: on skin, where there is something to see and it fits."""
    mask = face_mask([landmarks], CROP).astype(np.float32) / 255
    inner = cv2.erode(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * _INSIDE + 1,) * 2))
    mouth = cv2.dilate(inner_mouth(landmarks, CROP), np.ones((3, 3), np.uint8)).astype(np.float32) / 255
    grey = seen.astype(np.float32)
    across, down = (cv2.Sobel(grey, cv2.CV_32F, *axis, scale=1 / 8) for axis in ((1, 0), (0, 1)))
    texture = cv2.GaussianBlur(across**2 + down**2, (0, 0), 2)
    y, x = np.mgrid[:CROP, :CROP].astype(np.float32)
    found = cv2.remap(expected, x + flow[..., 0], y + flow[..., 1], cv2.INTER_LINEAR)
    doubt = cv2.GaussianBlur(np.abs(found - grey), (0, 0), 1.5) / _DOUBT
    return np.asarray(inner * (1 - mouth) * texture / (texture + _TEXTURE) * np.exp(-(doubt**2)), np.float32)


def _flow(here: NDArray[np.uint8], there: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(H, W, 2) how far from every pixel of one grey picture its counterpart in the other lies."""
    engine = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_FAST)  # type: ignore[attr-defined]
    engine.setFinestScale(1)
    engine.setVariationalRefinementIterations(0)  # smooth enough without, after the smoothing that follows
    return np.asarray(engine.calc(here, there, None), np.float32)


def _smooth(picture: NDArray[np.float32], deviation: float) -> NDArray[np.float32]:
    """A wide Gaussian, at half the size: what is smooth needs no more."""
    small = cv2.resize(picture, None, fx=1 / _COARSE, fy=1 / _COARSE, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), deviation / _COARSE)
    return np.asarray(cv2.resize(small, picture.shape[1::-1], interpolation=cv2.INTER_LINEAR), np.float32)
