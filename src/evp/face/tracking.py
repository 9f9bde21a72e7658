"""Finding and following one person's face through a video (MediaPipe face mesh, 478 points)."""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from evp.clock import FRAME_RATE
from evp.errors import FaceError, MissingExtraError
from evp.face.basis import FaceBasis
from evp.face.layouts import MESH_POINTS, face_height
from evp.face.pose import fit_pose
from evp.smoothing import smooth_in_time

MIN_FACE_HEIGHT = 80
"""Pixels from hairline to chin below which a face is too small to be rendered again."""
MAX_YAW = 40.0
"""Degrees to either side beyond which a face counts as a profile."""

_MOST_FACES = 4
_LINK_DISTANCE = 0.5
"""Face heights that a face may move between frames and still be the same one."""
_LINK_GAP = FRAME_RATE // 2
"""Frames for which a face may be lost and still be the same one."""
_CUT_DIFFERENCE = 0.10
"""Mean change of a thumbnail, of the full range, that means a new scene when the face jumps or vanishes too."""
_CUT_ALWAYS = 0.25
"""The same, whatever the face does."""
_LEAP = 0.03
"""Face heights that a face moves between two frames, if it hardly moves before and after, at a cut in one scene."""
_SMOOTH_FRAMES = 0.45

Progress = Callable[[int], None]
"""Called with the number of frames done."""


@dataclass(frozen=True)
class Span:
    """Consecutive frames that were left out, and why."""

    first: int
    last: int
    reason: str

    def __str__(self) -> str:
        return f"{self.first / FRAME_RATE:.2f}-{(self.last + 1) / FRAME_RATE:.2f} s: {self.reason}"


@dataclass(frozen=True)
class Track:
    """One face through T frames at 25 frames a second."""

    landmarks: NDArray[np.float32]
    """(T, 478, 3) picture pixels, x right, y down, z away from the camera; not a number where there is no face."""
    reasons: tuple[str, ...]
    """T entries: why the frame cannot be used, or an empty string."""
    cuts: tuple[int, ...]
    """First frames of new scenes."""
    size: tuple[int, int]
    """Height and width of the pictures."""

    def __len__(self) -> int:
        return len(self.landmarks)

    @property
    def valid(self) -> NDArray[np.bool_]:
        """(T,) frames that show the face well."""
        return np.array([not reason for reason in self.reasons], bool)

    def problems(self) -> list[Span]:
        """What was left out, with times; scene changes included."""
        spans = [Span(cut, cut, "a new scene begins") for cut in self.cuts]
        start = 0
        for end in range(1, len(self) + 1):
            if end == len(self) or self.reasons[end] != self.reasons[start]:
                if self.reasons[start]:
                    spans.append(Span(start, end - 1, self.reasons[start]))
                start = end
        return sorted(spans, key=lambda span: span.first)

    def shots(self) -> list[slice]:
        """Runs of usable frames within one scene, in order."""
        borders = sorted({0, len(self), *self.cuts})
        shots = []
        for begin, end in zip(borders[:-1], borders[1:], strict=True):
            inside = np.concatenate([[False], self.valid[begin:end], [False]])
            edges = np.flatnonzero(inside[1:] != inside[:-1])
            shots += [slice(begin + int(a), begin + int(b)) for a, b in edges.reshape(-1, 2)]
        return shots

    def longest_shot(self, least: int) -> slice:
        """The longest run of usable frames. Raises FaceError when it is shorter than ``least`` frames."""
        shots = self.shots()
        best = max(shots, key=lambda shot: shot.stop - shot.start, default=slice(0, 0))
        if best.stop - best.start >= least:
            return best
        why = "; ".join(str(span) for span in self.problems()[:3])
        raise FaceError(
            f"the longest usable shot has {(best.stop - best.start) / FRAME_RATE:.1f} s of a face; "
            f"at least {least / FRAME_RATE:.1f} s are needed" + (f" ({why})" if why else "")
        )


class _Detector:
    """MediaPipe's face mesh, opened when it is needed and closed at the end."""

    def __enter__(self) -> "_Detector":
        os.environ.setdefault("GLOG_minloglevel", "2")
        try:
            from mediapipe.python.solutions.face_mesh import FaceMesh
        except ImportError as error:
            raise MissingExtraError("tracking faces needs MediaPipe: pip install 'evp[build]'") from error
        with _silence():
            self._mesh: Any = FaceMesh(max_num_faces=_MOST_FACES, refine_landmarks=True)
            self._mesh.process(np.zeros((64, 64, 3), np.uint8))
        self._started = False
        return self

    def __exit__(self, *_: object) -> None:
        self._mesh.close()

    def faces(self, frame: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        """Meshes (478, 3) in pixels of all faces in an RGB frame. The model wants square pictures."""
        height, width = frame.shape[:2]
        side = max(height, width)
        square = cv2.copyMakeBorder(frame, 0, side - height, 0, side - width, cv2.BORDER_CONSTANT)
        with nullcontext() if self._started else _silence():
            found = self._mesh.process(square).multi_face_landmarks or []
        self._started |= bool(found)
        return [np.array([(p.x, p.y, p.z) for p in face.landmark], np.float32) * side for face in found]


@contextmanager
def _silence() -> Iterator[None]:
    """Keeps away what MediaPipe's engine writes to standard error, past Python, while it starts."""
    kept = os.dup(2)
    try:
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _thumbnail(frame: NDArray[np.uint8]) -> NDArray[np.float32]:
    return cv2.resize(frame, (32, 32), interpolation=cv2.INTER_AREA).astype(np.float32) / 255


def _follow(faces: list[list[NDArray[np.float32]]]) -> list[NDArray[np.float32] | None]:
    """Of the faces found in every frame, the one person who is largest for longest."""
    people: list[list[tuple[int, NDArray[np.float32]]]] = []
    for frame, found in enumerate(faces):
        open_people = [p for p in people if frame - p[-1][0] <= _LINK_GAP]
        for mesh in sorted(found, key=lambda m: -float(face_height(m))):
            distances = [
                float(np.linalg.norm(p[-1][1][:, :2].mean(0) - mesh[:, :2].mean(0)) / face_height(mesh))
                for p in open_people
            ]
            nearest = int(np.argmin(distances)) if distances else -1
            if nearest >= 0 and distances[nearest] < _LINK_DISTANCE:
                open_people.pop(nearest).append((frame, mesh))
            else:
                people.append([(frame, mesh)])
    followed: list[NDArray[np.float32] | None] = [None] * len(faces)
    if people:
        main = max(people, key=lambda p: sum(float(face_height(mesh)) for _, mesh in p))
        size = np.median([float(face_height(mesh)) for _, mesh in main])
        # the same person after a cut or a long absence: the largest face there, if it is of a like size
        for person in sorted(people, key=len):
            if 0.5 < np.median([float(face_height(mesh)) for _, mesh in person]) / size < 2:
                for frame, mesh in person:
                    followed[frame] = mesh
        for frame, mesh in main:
            followed[frame] = mesh
    return followed


def track_faces(frames: Iterable[NDArray[np.uint8]], progress: Progress | None = None) -> Track:
    """Follow the largest and steadiest face through RGB frames (H, W, 3) of one size.

    Raises FaceError when no frame shows a face, and MissingExtraError without MediaPipe.
    """
    found: list[list[NDArray[np.float32]]] = []
    changes: list[float] = []
    size, last = (0, 0), None
    with _Detector() as detector:
        for number, frame in enumerate(frames):
            faces = detector.faces(frame)
            if number == 0 and not faces:
                faces = detector.faces(frame)  # the detector needs a second look at a first picture
            found.append(faces)
            seen = _thumbnail(frame)
            changes.append(0.0 if last is None else float(np.abs(seen - last).mean()))
            size, last = (frame.shape[0], frame.shape[1]), seen
            if progress is not None:
                progress(number + 1)
    chosen = _follow(found)
    if all(mesh is None for mesh in chosen):
        raise FaceError("no face was found in the footage")
    missing = np.full((MESH_POINTS, 3), np.nan, np.float32)
    landmarks = np.stack([missing if mesh is None else mesh for mesh in chosen])
    track = Track(landmarks, _reasons(landmarks), _cuts(landmarks, changes), size)
    if not track.valid.any():
        heights = face_height(landmarks)
        if np.nanmax(heights) < MIN_FACE_HEIGHT:
            raise FaceError(
                f"the face is too small: {np.nanmax(heights):.0f} pixels from hairline to chin, "
                f"at least {MIN_FACE_HEIGHT} are needed"
            )
        raise FaceError(f"no frame shows the face well: {track.problems()[0]}")
    return track


def _reasons(landmarks: NDArray[np.float32]) -> tuple[str, ...]:
    """Why each frame cannot be used, or an empty string."""
    present = ~np.isnan(landmarks[:, 0, 0])
    reasons = np.where(present, "", "no face").astype(object)
    pose = fit_pose(FaceBasis.load().mean, landmarks[present])
    reasons[np.flatnonzero(present)[pose.scale < MIN_FACE_HEIGHT]] = "the face is too small"
    reasons[np.flatnonzero(present)[np.abs(pose.angles()[:, 0]) > MAX_YAW]] = "a profile view"
    return tuple(reasons)


def _cuts(landmarks: NDArray[np.float32], changes: list[float]) -> tuple[int, ...]:
    """Frames at which a new scene begins."""
    steps = np.linalg.norm(np.diff(landmarks[:, :, :2].mean(axis=1), axis=0), axis=1)
    moved = np.concatenate([[0.0], steps / face_height(landmarks[:-1])])
    cuts = []
    for frame in range(1, len(landmarks)):
        around = np.concatenate([moved[max(1, frame - 3) : frame], moved[frame + 1 : frame + 4]])
        usual = float(np.nanmax(around)) if np.isfinite(around).any() else 0.0
        jumped = np.isnan(moved[frame]) or moved[frame] > 0.15
        leapt = moved[frame] > max(_LEAP, 4 * usual)
        if changes[frame] > _CUT_ALWAYS or (changes[frame] > _CUT_DIFFERENCE and jumped) or leapt:
            cuts.append(frame)
    return tuple(cuts)


def steady(landmarks: NDArray[np.float32]) -> NDArray[np.float32]:
    """Landmarks (T, 478, 3) of one shot with the detector's jitter taken out, without lag."""
    return smooth_in_time(landmarks, _SMOOTH_FRAMES).astype(np.float32)
