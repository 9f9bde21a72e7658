"""A film as it is compared: the face tracked anew from the pixels, and every frame brought to the same crop."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from evp.errors import FaceError
from evp.face.crop import CENTRE, CROP, SIZE_HEIGHTS, Box, resized
from evp.face.pose import fit_pose
from evp.face.tracking import track_faces
from evp.media import FilmWriter, probe, read_frames
from evp.smoothing import smooth_in_time

PIXELS = CROP / SIZE_HEIGHTS
"""Pixels of the crop in a face height."""

_POSE_SMOOTH_FRAMES = 1.0
_ROOM = 1.5
"""How much larger than the crop the piece is that it is turned out of."""


@dataclass(frozen=True)
class Film:
    """A film and the face in its T frames."""

    path: Path
    landmarks: NDArray[np.float32]
    """(T, 478, 3) picture pixels as the tracker gave them, not smoothed; NaN where it found no face."""
    known: NDArray[np.bool_]
    """(T,) frames that show the face well."""

    def __len__(self) -> int:
        return len(self.landmarks)

    @staticmethod
    def see(path: Path, progress: Callable[[int, int], None] | None = None) -> "Film":
        """Track the face in a film. Raises InputError, FaceError, MissingExtraError."""
        expected = probe(path).frames

        def told(done: int) -> None:
            if progress is not None:
                progress(done, max(done, expected))

        try:
            track = track_faces(read_frames(path), told)
        except FaceError as error:
            raise FaceError(f"{path}: {error}") from error
        return Film(path, track.landmarks, track.valid)


@dataclass(frozen=True)
class Look:
    """One frame of a film."""

    frame: NDArray[np.uint8]
    """(H, W, 3) RGB, the whole picture."""
    landmarks: NDArray[np.float32]
    """(478, 3) picture pixels."""
    crop: NDArray[np.uint8]
    """(256, 256, 3) RGB: the face upright, in the middle, always of the same size."""
    crop_landmarks: NDArray[np.float32]
    """(478, 2) pixels of the crop."""


def looks(film: Film, neutral: NDArray[np.floating], frames: int) -> Iterator[Look | None]:
    """The first ``frames`` frames of a film of the person with this ``neutral`` face; None where no face is known."""
    poses = _similarities(film, neutral)
    for number, (frame, pose) in enumerate(zip(read_frames(film.path), poses, strict=False)):
        if number >= frames:
            return
        yield _look(frame, film.landmarks[number], *pose) if film.known[number] else None


def crop_points(neutral: NDArray[np.floating]) -> NDArray[np.float32]:
    """Where a face (478, 3) in the head frame, seen from the front, lies in the crop: (478, 2) pixels."""
    return ((neutral[:, :2] - CENTRE[0, 0, :2]) * PIXELS + (CROP - 1) / 2).astype(np.float32)


def write_again(film: Path, output: Path) -> None:
    """The same film as this program would write it: what the coding alone costs."""
    told = {"title": "Recorded video", "comment": "Written again, to be compared with itself."}
    frames = read_frames(film)
    first = next(frames)
    with FilmWriter(output, first.shape[1], first.shape[0], None, told) as writer:
        writer.write(first)
        for frame in frames:
            writer.write(frame)


def _similarities(
    film: Film, neutral: NDArray[np.floating]
) -> Iterator[tuple[NDArray[np.float64], float, float]]:
    """For every frame the middle of the crop (2,), pixels, pixels in a face height, and the head's tilt, radians."""
    seen = np.flatnonzero(film.known)
    pose = fit_pose(neutral, film.landmarks[seen])
    centres = pose.project(CENTRE)[:, 0, :2]
    values = np.column_stack([centres, pose.scale, np.radians(pose.angles()[:, 2])])
    every = np.arange(len(film))
    whole = np.stack([np.interp(every, seen, column) for column in values.T], axis=1)
    for x, y, scale, tilt in smooth_in_time(whole, _POSE_SMOOTH_FRAMES):
        yield np.array([x, y]), float(scale), float(tilt)


def _look(
    frame: NDArray[np.uint8],
    landmarks: NDArray[np.float32],
    centre: NDArray[np.float64],
    scale: float,
    tilt: float,
) -> Look:
    side = 2 * int(np.ceil(SIZE_HEIGHTS * scale * _ROOM / 2))
    box = Box(int(centre[0]) - side // 2, int(centre[1]) - side // 2, side)
    piece = box.cut(frame)
    size = min(side, max(16, round(side * PIXELS / scale)))  # shrunk by area first: no aliasing
    piece, shrunk = resized(piece, size), size / side
    turn = np.array([[np.cos(tilt), -np.sin(tilt)], [np.sin(tilt), np.cos(tilt)]])
    to_picture = turn * scale / PIXELS
    corner = np.array([box.left, box.top])
    middle = np.full(2, (CROP - 1) / 2)
    to_piece = np.column_stack(
        [to_picture * shrunk, (centre - to_picture @ middle - corner + 0.5) * shrunk - 0.5]
    )
    crop = cv2.warpAffine(
        piece,
        to_piece,
        (CROP, CROP),
        flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    points = (landmarks[:, :2] - centre) @ np.linalg.inv(to_picture).T + middle
    return Look(frame, landmarks, np.asarray(crop, np.uint8), points.astype(np.float32))
