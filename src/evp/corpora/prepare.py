"""Folders of videos of people talking -> a prepared corpus: one archive a clip, a manifest, and what was dropped.

An archive (``.npz``) holds ``waveform`` (samples,) 16 kHz, in step with the frames; ``coefficients`` (frames, M + U);
``landmarks`` (frames, 478, 3) and ``neutral`` (478, 3) in the head frame; ``opening`` and ``width`` (frames,) of the
mouth in face heights; ``angles`` (frames, 3) degrees; ``valid`` (frames,); and face crops for the renderer as JPEG:
``crops`` (bytes,), ``crop_offsets`` (crops + 1,), and ``crop_frames``, ``crop_landmarks``, ``crop_outline``,
``crop_angles``, ``crop_shape`` for each.
"""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from evp.clock import SAMPLES_PER_FRAME
from evp.corpora.manifest import ClipEntry, Manifest
from evp.errors import EvpError, InputError
from evp.face.basis import FaceBasis
from evp.face.crop import CROP, face_boxes, resized, scaled_points
from evp.face.head import find_neutral, fit_head
from evp.face.layouts import FACE_OVAL, mouth_opening, mouth_width
from evp.face.tracking import track_faces
from evp.media import read_frames, read_speech

Progress = Callable[[int, int], None]
"""Called with recordings done and recordings in all."""

VIDEO_SUFFIXES = (".mp4", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".m4v")
_LEAST_FRAMES = 25
_NEUTRAL_CLIPS = 80
_GRID_TICKS = 25_000


@dataclass(frozen=True)
class PrepareConfig:
    """How recordings are prepared."""

    speaker: Literal["folder", "file"] = "folder"
    """Whether a folder holds one speaker's recordings, or every file shows another person."""
    crops: int = 400
    """Most face crops to keep of one recording."""


def prepare_corpus(
    sources: list[Path],
    output: Path,
    config: PrepareConfig | None = None,
    progress: Progress | None = None,
) -> Manifest:
    """Prepare every video under ``sources`` into the folder ``output`` and return its manifest.

    Recordings that are there already are not made again, so an interrupted run goes on, and other folders can be
    added later. A recording without a usable face is dropped, and the manifest says why. Word times are read from a
    GRID ``.align`` file beside a video. Raises InputError when there is nothing to prepare, or two recordings would
    have the same name.
    """
    config = config or PrepareConfig()
    recordings = sorted({path for source in sources for path in _videos(source)})
    if not recordings:
        raise InputError(f"no video was found in {', '.join(map(str, sources))}")
    names: dict[str, Path] = {}
    for path in recordings:
        if (other := names.setdefault(_name(path, config), path)) != path:
            raise InputError(f"{other} and {path} would have the same name in the corpus")
    tracks = output / "tracks"
    tracks.mkdir(parents=True, exist_ok=True)
    known = Manifest.read(output) if (output / "manifest.json").exists() else Manifest()
    clips = {clip.file: clip for clip in known.clips}
    dropped = dict(known.dropped)
    speakers: dict[str, list[Path]] = {}
    for number, path in enumerate(recordings):
        try:
            if not (output / _name(path, config)).exists():
                _track(path, tracks / _name(path, config))
            speakers.setdefault(_speaker(path, config), []).append(path)
        except EvpError as error:
            dropped[str(path)] = str(error)
        if progress is not None:
            progress(number + 1, 2 * len(recordings))
    done = len(recordings)
    for speaker, paths in speakers.items():
        neutral: NDArray[np.float64] | None = None
        for path in paths:
            name = _name(path, config)
            if not (output / name).exists():
                if neutral is None:
                    tracked = [track for p in paths if (track := tracks / _name(p, config)).exists()]
                    neutral = _neutral(tracked[:_NEUTRAL_CLIPS])
                _finish(path, tracks / name, output / name, neutral, config.crops)
            if name not in clips:
                with np.load(output / name) as stored:
                    frames = len(stored["valid"])
                clips[name] = ClipEntry(name, speaker, path.name, frames, _words(path))
                Manifest(tuple(clips.values()), dropped).write(output)
            done += 1
            if progress is not None:
                progress(done, 2 * len(recordings))
    manifest = Manifest(tuple(clips.values()), dropped)
    manifest.write(output)
    shutil.rmtree(tracks)
    return manifest


def _videos(source: Path) -> Iterator[Path]:
    if not source.exists():
        raise InputError(f"there is no file or folder {source}")
    if source.is_file():
        yield source
    else:
        yield from (path for path in source.rglob("*") if path.suffix.lower() in VIDEO_SUFFIXES)


def _speaker(path: Path, config: PrepareConfig) -> str:
    return path.parent.name if config.speaker == "folder" else path.stem


def _name(path: Path, config: PrepareConfig) -> str:
    return f"{_speaker(path, config)}__{path.stem}.npz"


def _track(path: Path, kept: Path) -> None:
    """Find the face in a recording, unless it was found before. Raises EvpError when it cannot be used."""
    if kept.exists():
        return
    track = track_faces(read_frames(path))
    if int(track.valid.sum()) < _LEAST_FRAMES:
        raise InputError(f"only {int(track.valid.sum())} frames show a face")
    partial = kept.with_suffix(".partial.npz")
    np.savez(partial, landmarks=track.landmarks, valid=track.valid)
    partial.replace(kept)


def _neutral(tracks: list[Path]) -> NDArray[np.float64]:
    """The neutral face of a speaker, from all of his or her recordings."""
    meshes = []
    for path in tracks:
        with np.load(path) as stored:
            meshes.append(stored["landmarks"][stored["valid"]])
    return find_neutral(FaceBasis.load(), np.concatenate(meshes))


def _filled(landmarks: NDArray[np.float32], valid: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Landmarks with the unusable frames taken from the nearest usable one."""
    usable = np.flatnonzero(valid)
    nearest = usable[np.argmin(np.abs(np.arange(len(valid))[:, None] - usable[None]), axis=1)]
    return landmarks[nearest]


def _finish(path: Path, track: Path, output: Path, neutral: NDArray[np.float64], most_crops: int) -> None:
    basis = FaceBasis.load()
    with np.load(track) as stored:
        valid, landmarks = stored["valid"], _filled(stored["landmarks"], stored["valid"])
    head = fit_head(basis, landmarks, neutral)
    meshes = head.neutral + head.displacement
    coefficients = basis.coefficients(head.displacement)
    angles = head.pose.angles().astype(np.float32)
    boxes = face_boxes(head.pose)
    outline = head.pose.project(head.neutral[None, list(FACE_OVAL)])[..., :2]
    usable = np.flatnonzero(valid)
    picked = usable[np.unique(np.linspace(0, len(usable) - 1, min(most_crops, len(usable))).astype(int))]
    crops, crop_landmarks, crop_outline = [], [], []
    wanted = set(picked.tolist())
    for number, frame in enumerate(read_frames(path)):
        if number in wanted:
            box = boxes[number]
            crop = cv2.cvtColor(resized(box.cut(frame), CROP), cv2.COLOR_RGB2BGR)
            crops.append(cv2.imencode(".jpg", crop, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].ravel())
            crop_landmarks.append(scaled_points(box.points(landmarks[number]), CROP / box.size))
            crop_outline.append(scaled_points(box.points(outline[number]), CROP / box.size))
    partial = output.with_suffix(".partial.npz")
    np.savez(
        partial,
        waveform=_sound(path, len(valid)),
        coefficients=coefficients,
        landmarks=meshes,
        neutral=head.neutral,
        opening=mouth_opening(meshes),
        width=mouth_width(meshes),
        angles=angles,
        valid=valid,
        frames=len(valid),
        crops=np.concatenate(crops),
        crop_offsets=np.cumsum([0] + [len(crop) for crop in crops]),
        crop_frames=picked,
        crop_landmarks=np.stack(crop_landmarks),
        crop_outline=np.stack(crop_outline),
        crop_angles=angles[picked],
        crop_shape=basis.shape(coefficients[picked]),
    )
    partial.replace(output)


def _sound(path: Path, frames: int) -> NDArray[np.float32]:
    """The recording's sound, exactly as long as its frames; nothing for a silent one."""
    try:
        waveform = read_speech(path)
    except InputError:
        return np.zeros(0, np.float32)
    samples = frames * SAMPLES_PER_FRAME
    return np.pad(waveform, (0, max(0, samples - len(waveform))))[:samples]


def _words(path: Path) -> tuple[tuple[float, float, str], ...]:
    """Word times from a GRID alignment beside the video."""
    alignment = path.with_suffix(".align")
    if not alignment.exists():
        return ()
    rows = (line.split() for line in alignment.read_text().splitlines() if line.strip())
    return tuple((int(begin) / _GRID_TICKS, int(end) / _GRID_TICKS, word) for begin, end, word in rows)
