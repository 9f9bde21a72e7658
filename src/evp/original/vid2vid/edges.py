"""The 15-channel edge map of a face: what vid2vid's generator sees of a frame."""

from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from evp.errors import InputError
from evp.face.crop import Box
from evp.face.layouts import from_mesh
from evp.media import read_frames
from evp.original.arrays import write_array
from evp.original.parameters import POINTS, read_landmarks
from evp.original.vid2vid.canny import canny

_CURVES: tuple[tuple[int, ...], ...] = (
    tuple(range(33)),  # contour
    (37, 36, 35, 34, 33, 64, 65, 66, 67, 37),  # left brow
    (38, 39, 40, 41, 42, 71, 70, 69, 68, 38),  # right brow
    (44, 47), tuple(range(47, 52)), (51, 44),  # nose
    (52, 53, 54, 55), (55, 56, 57, 52),  # left eye
    (58, 59, 60, 61), (61, 62, 63, 58),  # right eye
    tuple(range(84, 91)), (90, 91, 92, 93, 94, 95, 84),  # outer lip
    tuple(range(96, 101)), (100, 101, 102, 103, 96),  # inner lip
)  # fmt: skip
"""The lines that are drawn; each has a distance channel."""
CHANNELS = 1 + len(_CURVES)

_TOO_CURVED = 1.0
"""Second coefficient of a parabola beyond which two straight lines are drawn instead."""
_DISTANCE_STEP = 3
"""Pixels of city-block distance per grey level."""
_ROUNDING = 1e-6
"""Keeps a line on whole pixels there."""
_CROP_WIDTHS = 2.1
"""Side of the square crop in widths of the face."""


def edge_map(landmarks: NDArray[np.floating], frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The edge map (15, H, W) of a frame (H, W, 3) RGB with the face at ``landmarks`` (106, 2), pixels of the frame.

    Channel 0: the face's lines through triples of points, and Canny's edges of the frame outside of the face. Channels
    1-14: for each line the city-block distance to it, a grey level every 3 pixels. Raises InputError.
    """
    if landmarks.shape != (POINTS, 2):
        raise InputError(f"landmarks of the shape {landmarks.shape}, expected ({POINTS}, 2)")
    lines = np.zeros(frame.shape[:2], np.uint8)
    channels = [lines]
    for numbers in _CURVES:
        alone = np.zeros_like(lines)
        for k in range(0, len(numbers) - 1, 2):
            points = landmarks[list(numbers[k : k + 3])].astype(np.float64)
            curve = _curve(points)
            if (
                curve is None
            ):  # the distances leave out what is curved too much, as the networks have learned it
                for half in (points[:2], points[1:]):
                    _draw(lines, _curve(half))
            else:
                _draw(lines, curve)
                _draw(alone, curve)
        distance = cv2.distanceTransform(255 - alone, cv2.DIST_L1, 3)
        channels.append(np.clip(distance / _DISTANCE_STEP, 0, 255).astype(np.uint8))
    background = canny(_grey(frame)) & ~face_mask(landmarks, (frame.shape[0], frame.shape[1]))
    lines[background] = 255
    return np.stack(channels)


def edge_file(picture: Path, output: Path, *, frame: int = 0, landmarks: Path | None = None) -> None:
    """Write the edge map (15, H, W) of a ``frame`` of a picture or film as ``.npy``.

    ``landmarks`` is a text of 106 lines "x,y"; without it the face is looked for. Raises EvpError for anything the user
    can mend.
    """
    shown = next(islice(read_frames(picture), frame, None), None)
    if shown is None:
        raise InputError(f"{picture} has no frame {frame}")
    points = _find_landmarks(shown) if landmarks is None else read_landmarks(landmarks)
    write_array(output, edge_map(points, shown))


def _find_landmarks(picture: NDArray[np.uint8]) -> NDArray[np.floating]:
    from evp.face.tracking import track_faces

    return from_mesh(track_faces([picture]).landmarks[0, :, :2], "evp106")


def face_mask(landmarks: NDArray[np.floating], size: tuple[int, int]) -> NDArray[np.bool_]:
    """Where the face (H, W) is: the contour, closed above by its flattened mirror image, and the parts of the face."""
    points = landmarks.astype(np.int32)
    contour = points[:33]
    level = (contour[0, 1] + contour[-1, 1]) / 2
    above = contour[-2:0:-1].copy()
    above[:, 1] = level + (level - above[:, 1]) * 2 // 3
    mask = np.zeros(size, np.uint8)
    for outline in (np.concatenate([contour, above]), *(points[list(curve)] for curve in _CURVES[1:])):
        cv2.fillPoly(mask, [outline], 1)
    return mask.astype(bool)


def crop_box(landmarks: NDArray[np.floating], size: tuple[int, int]) -> Box:
    """The square that vid2vid cuts around the face of a first frame (106, 2) in a picture of ``size`` (H, W)."""
    (left, top), (right, bottom) = landmarks.min(axis=0), landmarks.max(axis=0)
    side = min((right - left) * _CROP_WIDTHS, *size)
    corner = []
    for middle, length in (((left + right) // 2, size[1]), ((3 * top + bottom) // 4, size[0])):
        corner.append(int(np.clip(middle - side / 2, 0, length - side)))
    return Box(corner[0], corner[1], int(side))


def _curve(points: NDArray[np.float64]) -> NDArray[np.int_] | None:
    """Pixels (N, 2) of the parabola through three points, or the line through two, one for every step along it.

    None when the parabola is curved too much.
    """
    steps = np.abs(np.diff(points, axis=0)).max(axis=0)
    along, across = points.T if steps[0] >= steps[1] else points.T[::-1]
    if len(np.unique(along)) < len(along):
        return None if len(along) == 3 else np.zeros((0, 2), int)
    parabola = np.polyfit(along, across, len(along) - 1)
    if len(along) == 3 and abs(parabola[0]) > _TOO_CURVED:
        return None
    first, last = sorted((along[0], along[-1]))
    places = np.linspace(first, last, int(last - first))
    drawn = (np.stack([places, np.polyval(parabola, places)], axis=1) + _ROUNDING).astype(int)
    return drawn if steps[0] >= steps[1] else drawn[:, ::-1]


def _draw(picture: NDArray[np.uint8], pixels: NDArray[np.int_] | None) -> None:
    """A line two pixels wide; what lies outside of the picture goes to its border."""
    if pixels is None:
        return
    height, width = picture.shape
    for up in (1, 0):
        for left in (1, 0):
            rows = np.clip(pixels[:, 1] - up, 0, height - 1)
            picture[rows, np.clip(pixels[:, 0] - left, 0, width - 1)] = 255


def _grey(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Brightness (H, W) of an RGB picture (H, W, 3) by ITU-R 601, in whole numbers."""
    return ((frame @ np.array([19595, 38470, 7471], np.uint32) + (1 << 15)) >> 16).astype(np.uint8)
