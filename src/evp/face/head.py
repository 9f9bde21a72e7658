"""One tracked person: poses, the neutral face, and the head-fixed meshes they leave over."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evp.face.basis import FaceBasis, normalise
from evp.face.layouts import mouth_opening
from evp.face.pose import Pose, fit_pose

_CLOSED_SHARE = 0.1
"""The share of frames, those with the most closed mouth, from which the neutral face is taken."""


@dataclass(frozen=True)
class Head:
    """A head in T frames: picture mesh = pose.project(neutral + displacement)."""

    neutral: NDArray[np.float32]
    """(478, 3) this person's face at rest, mouth closed, in the head frame."""
    pose: Pose
    """Of T frames, in the picture's pixels."""
    displacement: NDArray[np.float32]
    """(T, 478, 3) expression: head-fixed mesh minus the neutral face, in face heights."""


def find_neutral(basis: FaceBasis, landmarks: NDArray[np.floating], rounds: int = 3) -> NDArray[np.float64]:
    """The neutral face (478, 3) in the head frame of the person with picture meshes (T, 478, 3)."""
    neutral: NDArray[np.float64] = basis.mean.astype(np.float64)
    for _ in range(rounds):
        meshes = fit_pose(neutral, landmarks).unproject(landmarks)
        opening = mouth_opening(meshes)
        closed = opening <= np.quantile(opening, _CLOSED_SHARE)
        neutral = normalise(np.median(meshes[closed], axis=0))
    return neutral


def fit_head(
    basis: FaceBasis, landmarks: NDArray[np.floating], neutral: NDArray[np.floating] | None = None
) -> Head:
    """Pose and expression of picture meshes (T, 478, 3), pixels; the neutral face is found unless it is given."""
    if neutral is None:
        neutral = find_neutral(basis, landmarks)
    pose = fit_pose(neutral, landmarks)
    displacement = pose.unproject(landmarks) - neutral
    return Head(np.asarray(neutral, np.float32), pose, displacement.astype(np.float32))
