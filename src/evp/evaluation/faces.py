"""How a made face moves against a real one: landmarks in the head frame, so that the motion of the head is out of it.

Meshes are (T, 478, 3) in face heights (:mod:`evp.face.pose`); ``known`` (T,) says which frames may be compared. What
cannot be measured is not a number.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from evp.clock import FRAME_RATE
from evp.face.basis import mouth_weight
from evp.face.layouts import (
    EYE_INNER_LEFT,
    EYE_INNER_RIGHT,
    EYE_LEFT,
    EYE_OUTER_LEFT,
    EYE_OUTER_RIGHT,
    EYE_RIGHT,
    IRIS_LEFT,
    IRIS_RIGHT,
    LIDS_LEFT,
    LIDS_RIGHT,
    from_mesh,
    mouth_opening,
    mouth_width,
)
from evp.face.pose import fit_pose

MOUTH = slice(84, 104)
"""The lips in the 106-point layout of EVP; the other points of it make the rest of the face."""
CLOSED = 0.02
"""Opening of the inner lips, face heights, up to which the mouth counts as closed."""
QUIET_DECIBELS = -40.0
"""Sound this far below the loudest frames counts as silence."""
QUIET_MARGIN = 3
"""Frames next to sound that do not count as silence: the mouth still closes, or opens already."""
LEAST_FRAMES = 5
"""Fewer frames than this are not measured."""

_BLINK = 0.55
"""Opening of the eyes, of the usual one, below which they blink."""
_LONGEST_BLINK = FRAME_RATE


def head_fixed(landmarks: NDArray[np.floating], neutral: NDArray[np.floating]) -> NDArray[np.float64]:
    """Picture meshes (T, 478, 3) in the head frame of the person with this ``neutral`` face; frames of NaN stay so."""
    meshes = np.full(landmarks.shape, np.nan)
    seen = np.isfinite(landmarks[:, 0, 0])
    if seen.any():
        meshes[seen] = fit_pose(neutral, landmarks[seen]).unproject(landmarks[seen])
    return meshes


def eye_distance(neutral: NDArray[np.floating]) -> float:
    """Distance between the outer corners of the eyes of a mesh (478, 3), in its unit."""
    return float(np.linalg.norm(neutral[EYE_OUTER_LEFT, :2] - neutral[EYE_OUTER_RIGHT, :2]))


def flat_points(meshes: NDArray[np.floating], mouth: bool = False) -> NDArray[np.float64]:
    """The 106 points of EVP as seen from the front, or of these the lips alone: (T, P, 2)."""
    points = from_mesh(meshes.astype(np.float32), "evp106")[..., :2].astype(np.float64)
    return points[:, MOUTH] if mouth else points


def landmark_distance(
    made: NDArray[np.floating], true: NDArray[np.floating], known: NDArray[np.bool_]
) -> float:
    """Mean Euclidean distance of points (T, P, D) of known frames: the LD of the paper."""
    return float(np.linalg.norm(made - true, axis=2)[known].mean()) if known.any() else float("nan")


def velocity_distance(
    made: NDArray[np.floating], true: NDArray[np.floating], known: NDArray[np.bool_]
) -> float:
    """Mean length of the difference of velocities, per frame, of points (T, P, D): the LVD of the paper."""
    both = known[1:] & known[:-1]
    apart = np.linalg.norm(np.diff(made - true, axis=0), axis=2)
    return float(apart[both].mean()) if both.any() else float("nan")


def correlation(made: NDArray[np.floating], true: NDArray[np.floating], known: NDArray[np.bool_]) -> float:
    """Pearson correlation of two curves (T,) where both are known; NaN when one of them stands still."""
    a, b = made[known], true[known]
    if len(a) < LEAST_FRAMES or a.std() < 1e-6 or b.std() < 1e-6:
        return float("nan")
    return float(np.corrcoef(a, b)[0, 1])


def travel(made: NDArray[np.floating], true: NDArray[np.floating], known: NDArray[np.bool_]) -> float:
    """Standard deviation of a curve (T,) over that of the true one."""
    if known.sum() < LEAST_FRAMES or true[known].std() < 1e-6:
        return float("nan")
    return float(made[known].std() / true[known].std())


def closed_share(
    opening: NDArray[np.floating], spans: Sequence[tuple[float, float]], known: NDArray[np.bool_]
) -> float:
    """The share of ``spans`` (begin, end in seconds) in which the lips (T,) close at least once."""
    answers = []
    for begin, end in spans:
        frames = slice(
            int(begin * FRAME_RATE), max(int(np.ceil(end * FRAME_RATE)), int(begin * FRAME_RATE) + 1)
        )
        seen = opening[frames][known[frames]]
        if len(seen):
            answers.append(bool(seen.min() <= CLOSED))
    return float(np.mean(answers)) if answers else float("nan")


def silent_frames(loudness: NDArray[np.floating]) -> NDArray[np.bool_]:
    """(T,) frames well inside silence, from loudness in decibels relative to the loudest frames."""
    quiet = loudness < QUIET_DECIBELS
    padded = np.pad(quiet, QUIET_MARGIN, mode="edge")
    around = np.lib.stride_tricks.sliding_window_view(padded, 2 * QUIET_MARGIN + 1)
    return np.asarray(around.all(axis=1))


def speed(points: NDArray[np.floating], where: NDArray[np.bool_]) -> float:
    """Mean speed of points (T, P, D) over the steps that begin and end in ``where`` (T,), per second."""
    both = where[1:] & where[:-1]
    if both.sum() < LEAST_FRAMES:
        return float("nan")
    return FRAME_RATE * float(np.linalg.norm(np.diff(points, axis=0), axis=2)[both].mean())


def jitter(meshes: NDArray[np.floating], known: NDArray[np.bool_]) -> float:
    """Root mean square second difference in time of the skin that speech and lids leave alone, face heights."""
    three = known[2:] & known[1:-1] & known[:-2]
    if not three.any():
        return float("nan")
    shaken = np.diff(meshes[:, still_points(meshes[known][0])], n=2, axis=0)[three]
    return float(np.sqrt((shaken**2).sum(axis=2).mean()))


def still_points(mesh: NDArray[np.floating]) -> NDArray[np.int_]:
    """Numbers of the points above the mouth that do not belong to an eye."""
    share = mouth_weight(mesh)
    share[list(EYE_LEFT + EYE_RIGHT + IRIS_LEFT + IRIS_RIGHT)] = 1
    return np.flatnonzero(share < 0.05)


def blinks(meshes: NDArray[np.floating], known: NDArray[np.bool_]) -> int:
    """How often the eyes close and open again."""
    open_eyes = eye_opening(meshes)
    if known.sum() < LEAST_FRAMES:
        return 0
    shut = known & (open_eyes < _BLINK * np.median(open_eyes[known]))
    edges = np.flatnonzero(np.diff(np.concatenate([[0], shut.astype(int), [0]]))).reshape(-1, 2)
    return int(np.sum(edges[:, 1] - edges[:, 0] <= _LONGEST_BLINK))


def eye_opening(meshes: NDArray[np.floating]) -> NDArray[np.float64]:
    """Gap between the lids over the width of the eye (T,), mean of both eyes."""
    eyes = ((LIDS_LEFT, (EYE_OUTER_LEFT, EYE_INNER_LEFT)), (LIDS_RIGHT, (EYE_INNER_RIGHT, EYE_OUTER_RIGHT)))
    ratios = [
        np.linalg.norm(meshes[:, upper] - meshes[:, lower], axis=1)
        / np.linalg.norm(meshes[:, left] - meshes[:, right], axis=1)
        for (upper, lower), (left, right) in eyes
    ]
    return np.asarray(np.mean(ratios, axis=0))


def shape_difference(neutral: NDArray[np.floating], true: NDArray[np.floating]) -> float:
    """Root mean square distance of two neutral faces (478, 3) of height 1, one brought onto the other by its skull."""
    moved = fit_pose(true, neutral[None]).unproject(neutral[None])[0]
    skin = slice(0, IRIS_LEFT[0])
    return float(np.sqrt(((moved[skin] - true[skin]) ** 2).sum(axis=1).mean()))


def opening_and_width(
    meshes: NDArray[np.floating],
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Opening of the inner lips and width of the mouth (T,) each, face heights."""
    return mouth_opening(meshes), mouth_width(meshes)
