"""Landmark layouts: the 478-point mesh is native; the 106-point layout (EVP) and the 68-point layout (iBUG)
are derived from it here and nowhere else.

"Left" and "right" mean the left and right side of the picture, not of the person. Mesh numbers are those of
MediaPipe's face mesh with irises (468 skin points, then 5 points for each iris).
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

MESH_POINTS = 478

# Single points that have a name.
HAIRLINE = 10
CHIN = 152
UPPER_LIP_INNER = 13
LOWER_LIP_INNER = 14
MOUTH_CORNER_LEFT = 61
MOUTH_CORNER_RIGHT = 291
EYE_OUTER_LEFT = 33
EYE_INNER_LEFT = 133
EYE_INNER_RIGHT = 362
EYE_OUTER_RIGHT = 263
IRIS_LEFT = (468, 469, 470, 471, 472)
IRIS_RIGHT = (473, 474, 475, 476, 477)

LIDS_LEFT = (159, 145)
LIDS_RIGHT = (386, 374)

# Curves, each from the left of the picture to the right.
JAW = (127, 234, 93, 132, 58, 172, 136, 150, 149, 176, 148, 152) + (
    377, 400, 378, 379, 365, 397, 288, 361, 323, 454, 356,
)  # fmt: skip
FOREHEAD = (127, 162, 21, 54, 103, 67, 109, 10, 338, 297, 332, 284, 251, 389, 356)
BROW_LEFT_UPPER = (70, 63, 105, 66, 107)
BROW_LEFT_LOWER = (46, 53, 52, 65, 55)
BROW_RIGHT_UPPER = (336, 296, 334, 293, 300)
BROW_RIGHT_LOWER = (285, 295, 282, 283, 276)
EYE_LEFT_UPPER = (33, 246, 161, 160, 159, 158, 157, 173, 133)
EYE_LEFT_LOWER = (33, 7, 163, 144, 145, 153, 154, 155, 133)
EYE_RIGHT_UPPER = (362, 398, 384, 385, 386, 387, 388, 466, 263)
EYE_RIGHT_LOWER = (362, 382, 381, 380, 374, 373, 390, 249, 263)
NOSE_BRIDGE = (168, 6, 197, 195, 5, 4)
NOSE_BASE = (98, 97, 2, 326, 327)
LIP_OUTER_UPPER = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291)
LIP_OUTER_LOWER = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291)
LIP_INNER_UPPER = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
LIP_INNER_LOWER = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)

# Closed outlines.
FACE_OVAL = JAW + FOREHEAD[-2:0:-1]
LIPS_OUTER = LIP_OUTER_UPPER + LIP_OUTER_LOWER[-2:0:-1]
LIPS_INNER = LIP_INNER_UPPER + LIP_INNER_LOWER[-2:0:-1]
EYE_LEFT = EYE_LEFT_UPPER + EYE_LEFT_LOWER[-2:0:-1]
EYE_RIGHT = EYE_RIGHT_UPPER + EYE_RIGHT_LOWER[-2:0:-1]

RIGID = FOREHEAD[1:-1] + NOSE_BRIDGE[:4] + (
    EYE_INNER_LEFT, EYE_INNER_RIGHT, EYE_OUTER_LEFT, EYE_OUTER_RIGHT, 127, 356, 162, 389,
)  # fmt: skip
"""Points that move with the skull whatever the face does: the pose is fitted to these alone."""

Layout = Literal["mesh", "evp106", "ibug68"]


def _along(curve: tuple[int, ...], count: int) -> NDArray[np.float32]:
    """Weights (count, 478) of points evenly spaced, by number of points, along a curve of mesh points."""
    weights = np.zeros((count, MESH_POINTS), np.float32)
    for row, position in enumerate(np.linspace(0, len(curve) - 1, count)):
        below = min(int(position), len(curve) - 2)
        weights[row, curve[below]] += below + 1 - position
        weights[row, curve[below + 1]] += position - below
    return weights


def _points(*numbers: int) -> NDArray[np.float32]:
    return np.eye(MESH_POINTS, dtype=np.float32)[list(numbers)]


def _middle(*numbers: int) -> NDArray[np.float32]:
    return _points(*numbers).mean(axis=0, keepdims=True)


_EVP106 = np.concatenate([
    _along(JAW, 33),  # 0-32
    _points(*BROW_LEFT_UPPER, *BROW_RIGHT_UPPER),  # 33-42
    _points(168, 197, 195, 4),  # 43-46 bridge
    _points(*NOSE_BASE),  # 47-51
    _points(33, 160, 158, 133, 153, 144),  # 52-57 left eye, from its outer corner
    _points(362, 385, 387, 263, 373, 380),  # 58-63 right eye, from its inner corner
    _points(*BROW_LEFT_LOWER[1:], *BROW_RIGHT_LOWER[:4]),  # 64-71
    _points(159, 145), _middle(33, 133, 159, 145),  # 72-74 left lids and centre
    _points(386, 374), _middle(362, 263, 386, 374),  # 75-77 right lids and centre
    _points(193, 417, 198, 420, 64, 294),  # 78-83 nose sides
    _points(61, 40, 37, 0, 267, 270, 291, 321, 314, 17, 84, 91),  # 84-95 outer lip
    _points(78, 81, 13, 311, 308, 402, 14, 178),  # 96-103 inner lip
    _points(IRIS_LEFT[0], IRIS_RIGHT[0]),  # 104, 105 pupils
])  # fmt: skip

_IBUG68 = np.concatenate([
    _along(JAW, 17),  # 0-16
    _points(*BROW_LEFT_UPPER, *BROW_RIGHT_UPPER),  # 17-26
    _points(168, 197, 5, 4),  # 27-30 bridge
    _points(*NOSE_BASE),  # 31-35
    _points(33, 160, 158, 133, 153, 144),  # 36-41
    _points(362, 385, 387, 263, 373, 380),  # 42-47
    _points(61, 40, 37, 0, 267, 270, 291, 321, 314, 17, 84, 91),  # 48-59
    _points(78, 81, 13, 311, 308, 402, 14, 178),  # 60-67
])  # fmt: skip

_FROM_MESH = {"mesh": np.eye(MESH_POINTS, dtype=np.float32), "evp106": _EVP106, "ibug68": _IBUG68}


def from_mesh(mesh: NDArray[np.float32], layout: Layout) -> NDArray[np.float32]:
    """Points of another layout from mesh points (..., 478, D): (..., P, D) in the same unit and frame."""
    return np.einsum("pm,...md->...pd", _FROM_MESH[layout], mesh)


def mouth_opening(mesh: NDArray[np.floating]) -> NDArray[np.floating]:
    """Distance between the inner lips (...,), in the unit of the mesh (head frame: face heights)."""
    return np.linalg.norm(mesh[..., UPPER_LIP_INNER, :] - mesh[..., LOWER_LIP_INNER, :], axis=-1)


def mouth_width(mesh: NDArray[np.floating]) -> NDArray[np.floating]:
    """Distance between the mouth corners (...,), in the unit of the mesh (head frame: face heights)."""
    return np.linalg.norm(mesh[..., MOUTH_CORNER_LEFT, :] - mesh[..., MOUTH_CORNER_RIGHT, :], axis=-1)


def face_height(mesh: NDArray[np.floating]) -> NDArray[np.floating]:
    """Distance from the hairline to the chin (...,), in the unit of the mesh."""
    return np.linalg.norm(mesh[..., HAIRLINE, :] - mesh[..., CHIN, :], axis=-1)
