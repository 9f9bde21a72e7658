"""Predicted faces under a target's head motion, on its landmarks (EVP section 3.3): what ``lm2map.py`` does."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evp.errors import InputError
from evp.original.arrays import read_array
from evp.original.faces import LinearFace, read_original_face
from evp.original.fitting import fit_face
from evp.original.parameters import (
    POINTS,
    Parameters,
    parameters_of,
    pose_from_numbers,
    read_landmark_files,
    read_landmark_lines,
    read_parameters,
    read_poses,
    write_landmark_files,
    write_parameters,
)

STEADY = (104, 105, 46, 33, 42)
"""Pupils, tip of the nose and outer ends of the brows: where a predicted face is laid upon the target's."""
CROP = 256
"""Pixels of the crop that predicted landmarks are fractions of."""
FIRST = 2
"""Frames of the target that vid2vid shows as they are."""


def fit_file(landmarks: Path, model: Path, indices: Path, output: Path) -> int:
    """Fit the original's face model to predicted landmarks, ``.npy`` (frames, 106, 2), fractions of the crop.

    Writes parameter lines, in pixels of the crop; returns the number of frames. Raises EvpError for anything the user
    can mend.
    """
    face = read_original_face(model, indices)
    fit = fit_face(face, CROP * read_array(landmarks, (None, POINTS, 2)))
    write_parameters(output, parameters_of(fit))
    return len(fit.pose)


def align_file(
    parameters: Path, model: Path, indices: Path, target_landmarks: Path, target_poses: Path, output: Path
) -> int:
    """Write predicted faces under a target's head motion as a folder of "x,y" texts, its first two frames included.

    ``target_landmarks`` is a text of landmark lines or a folder of texts, ``target_poses`` an ``.npy`` file. Returns
    the number of frames. Raises EvpError for anything the user can mend.
    """
    face, predicted = read_original_face(model, indices), read_parameters(parameters)
    if face.layout != "evp106":
        raise InputError(f"{indices}: {len(face.mean)} landmarks, expected {POINTS}")
    folder = target_landmarks.is_dir()
    goal = read_landmark_files(target_landmarks) if folder else read_landmark_lines(target_landmarks)[0]
    moved = under_target_pose(face, predicted, read_poses(target_poses), goal)
    whole = np.concatenate([goal[ping_pong(len(goal), FIRST)], moved])
    write_landmark_files(output, whole)
    return len(whole)


def lay_upon(landmarks: NDArray[np.floating], target: NDArray[np.floating]) -> NDArray[np.float64]:
    """Landmarks (T, 106, 2) moved, turned and scaled onto the target's (T, 106, 2) by the ``STEADY`` points.

    Least squares in closed form (Umeyama 1991), never a mirror image.
    """
    source, goal = landmarks[:, STEADY], target[:, STEADY]
    centre, aim = source.mean(axis=1, keepdims=True), goal.mean(axis=1, keepdims=True)
    # In the plane a scaled turn is one complex factor.
    flat, wanted = _complex(source - centre), _complex(goal - aim)
    factor = (flat.conj() * wanted).sum(axis=1) / (np.abs(flat) ** 2).sum(axis=1)
    moved = factor[:, None] * _complex(landmarks - centre)
    return np.stack([moved.real, moved.imag], axis=2) + aim


def under_target_pose(
    face: LinearFace,
    predicted: Parameters,
    target_pose: NDArray[np.floating],
    target_landmarks: NDArray[np.floating],
    first: int = FIRST,
) -> NDArray[np.float64]:
    """Geometry and expression of a prediction under the target's head motion, on its landmarks (EVP section 3.3).

    The rotation is the target's (N, 6), the place and size that of its landmarks (N, 106, 2) by :func:`lay_upon`; both
    go forwards and backwards. The first ``first`` frames of the target are left out: vid2vid shows them as they are.
    Returns (T, 106, 2) in the pixels of ``target_landmarks``.
    """
    count = len(predicted.names)
    turned = target_pose[ping_pong(len(target_pose), count + first)[first:], :3]
    pose = pose_from_numbers(np.concatenate([turned, predicted.pose[:, 3:]], axis=1))
    heads = np.concatenate([
        face.landmarks(shape, expression[None])
        for shape, expression in zip(predicted.shape, predicted.expression, strict=True)
    ])  # fmt: skip
    goal = target_landmarks[ping_pong(len(target_landmarks), count + first)[first:]]
    return lay_upon(pose.project(heads)[..., :2], goal)


def _complex(points: NDArray[np.floating]) -> NDArray[np.complex128]:
    return points[..., 0] + 1j * points[..., 1]


def ping_pong(count: int, frames: int) -> NDArray[np.int_]:
    """Which of ``count`` poses or pictures each of ``frames`` frames takes: forwards, backwards, and again."""
    place = np.arange(frames) % (2 * count)
    return np.minimum(place, 2 * count - 1 - place)
