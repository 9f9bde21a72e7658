"""The original's text files and poses: face parameters, landmarks, target poses."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evp.errors import InputError, OutputError
from evp.face.pose import Pose
from evp.files import write_whole
from evp.original.arrays import read_array
from evp.original.faces import EXPRESSION_MODES, SHAPE_MODES
from evp.original.files import read_text
from evp.original.fitting import Fit, rotation_matrices, rotation_turns

POINTS = 106
POSE = 6
"""Numbers of a pose: axis times angle (3), scale, shift in x and y."""

_UP_IS_PLUS = np.diag([1.0, -1.0, -1.0])
"""The original's model has y up and z towards the camera, its pictures y down: part of its every rotation."""


@dataclass(frozen=True)
class Parameters:
    """A face of the original's model in T frames."""

    shape: NDArray[np.float64]
    """(T, 199)"""
    expression: NDArray[np.float64]
    """(T, 29)"""
    pose: NDArray[np.float64]
    """(T, 6), see :func:`pose_from_numbers`."""
    names: tuple[str, ...]
    """The frames' pictures."""


def parameters_of(fit: Fit) -> Parameters:
    """A fit of the original's model as its files say it; frame k's picture is called k.jpg."""
    frames = len(fit.pose)
    shape = np.repeat(fit.shape[None], frames, axis=0)
    names = tuple(f"{frame}.jpg" for frame in range(frames))
    return Parameters(shape, fit.expression, numbers_from_pose(fit.pose), names)


def read_parameters(path: Path) -> Parameters:
    """A text of one line a frame: 199 shape, 29 expression, 6 pose numbers, name. Raises InputError."""
    numbers, names = _read_lines(path, SHAPE_MODES + EXPRESSION_MODES + POSE)
    shape, expression, pose = np.split(numbers, [SHAPE_MODES, SHAPE_MODES + EXPRESSION_MODES], axis=1)
    return Parameters(shape, expression, pose, names)


def write_parameters(path: Path, parameters: Parameters) -> None:
    """What :func:`read_parameters` reads, to nine digits. Raises OutputError."""
    numbers = np.concatenate([parameters.shape, parameters.expression, parameters.pose], axis=1)
    rows = zip(numbers, parameters.names, strict=True)
    lines = [" ".join([*(f"{number:.9g}" for number in row), name]) for row, name in rows]
    write_whole(path, "".join(f"{line}\n" for line in lines).encode())


def read_landmark_lines(path: Path) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """A text of one line a frame: 106 times x y, name. Landmarks (T, 106, 2) and names. Raises InputError."""
    numbers, names = _read_lines(path, 2 * POINTS)
    return numbers.reshape(-1, POINTS, 2), names


def read_landmarks(path: Path) -> NDArray[np.float64]:
    """The landmarks (106, 2) of one frame, pixels: a text of 106 lines "x,y". Raises InputError, naming the file."""
    lines = read_text(path).split()
    if len(lines) != POINTS or any(line.count(",") != 1 for line in lines):
        raise InputError(f"{path}: expected {POINTS} lines x,y")
    return _numbers([word for line in lines for word in line.split(",")], str(path)).reshape(POINTS, 2)


def read_landmark_files(folder: Path) -> NDArray[np.float64]:
    """A folder of one text a frame, each of 106 lines "x,y", sorted by name: (T, 106, 2). Raises InputError."""
    files = sorted(folder.glob("*.txt"))
    if not files:
        raise InputError(f"{folder} holds no landmark files (.txt)")
    return np.stack([read_landmarks(file) for file in files])


def write_landmark_files(folder: Path, landmarks: NDArray[np.floating], first: int = 0) -> None:
    """What :func:`read_landmark_files` reads: 000000.txt and so on, from number ``first``, in whole pixels.

    ``landmarks`` (T, 106, 2), pixels. Raises OutputError.
    """
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot write into {folder}: {error.strerror}") from error
    for number, points in enumerate(np.round(landmarks).astype(int), start=first):
        write_whole(folder / f"{number:06d}.txt", "".join(f"{x},{y}\n" for x, y in points).encode())


def read_poses(path: Path) -> NDArray[np.float64]:
    """A target's poses (N, 6), ``.npy``. Raises InputError."""
    return read_array(path, (None, POSE)).astype(np.float64)


def pose_from_numbers(numbers: NDArray[np.floating]) -> Pose:
    """The poses (T, 6) of parameter lines and of targets: picture = scale * rotation @ point + shift, y down."""
    shift = np.pad(numbers[:, 4:], ((0, 0), (0, 1)))
    return Pose(numbers[:, 3].astype(np.float64), rotation_matrices(numbers[:, :3]) @ _UP_IS_PLUS, shift)


def numbers_from_pose(pose: Pose) -> NDArray[np.float64]:
    """The inverse of :func:`pose_from_numbers`; the shift in depth has no place in it."""
    turns = rotation_turns(pose.rotation @ _UP_IS_PLUS)
    return np.concatenate([turns, pose.scale[:, None], pose.shift[:, :2]], axis=1)


def _read_lines(path: Path, count: int) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Lines of ``count`` numbers and a name."""
    rows, names = [], []
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        *words, name = line.split() or [""]
        if len(words) != count:
            raise InputError(f"{path}, line {number}: {len(words)} numbers and a name, expected {count}")
        rows.append(_numbers(words, f"{path}, line {number}"))
        names.append(name)
    if not rows:
        raise InputError(f"{path} is empty")
    return np.stack(rows), tuple(names)


def _numbers(words: list[str], name: str) -> NDArray[np.float64]:
    try:
        numbers = np.array([float(word) for word in words])
    except ValueError as error:
        raise InputError(f"{name}: text where numbers should be") from error
    if not np.isfinite(numbers).all():
        raise InputError(f"{name}: numbers that are not finite")
    return numbers
