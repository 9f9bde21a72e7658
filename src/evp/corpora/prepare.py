"""Recordings of people talking -> a prepared corpus: one archive a clip, a manifest, and what was dropped.

The archive (``.npz``) of a clip holds ``waveform`` (samples,) float32, 16 kHz, -1..1, empty for a silent one, and the
number of ``frames`` of 1/25 s; where it is known what is said, ``phones`` (phones,), ARPAbet names, and their
``phone_times`` (phones, 2), begin and end in seconds. If the clip is filmed, its sound is as long as its frames, came
``late`` by so many of them before it was moved, is ``borrowed`` if there is an array of this name, and there are

- ``coefficients`` (frames, M + U), ``landmarks`` (frames, 478, 3) and ``neutral`` (478, 3) in the head frame;
- ``opening`` and ``width`` (frames,) of the mouth in face heights; ``angles`` (frames, 3) degrees; ``valid`` (frames,);
- face crops for the renderer as JPEG: ``crops`` (bytes,), ``crop_offsets`` (crops + 1,), and for each crop
  ``crop_frames``, ``crop_landmarks``, ``crop_outline``, ``crop_angles`` and ``crop_shape``.
"""

import functools
import logging
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from evp.clock import FRAME_RATE, SAMPLES_PER_FRAME
from evp.corpora.borrowed_sound import lend_sound
from evp.corpora.manifest import NAME, ClipEntry, Manifest, Split
from evp.corpora.phones import Phone, align
from evp.corpora.recording import Listing, Reader, Recording
from evp.corpora.splits import split_speakers
from evp.corpora.synchrony import in_step
from evp.errors import EvpError, InputError
from evp.face.basis import FaceBasis
from evp.face.crop import CROP, face_boxes, resized, scaled_points
from evp.face.head import find_neutral, fit_head
from evp.face.layouts import FACE_OVAL, mouth_opening, mouth_width
from evp.face.tracking import track_faces
from evp.media import read_frames, read_speech

logger = logging.getLogger(__name__)

Progress = Callable[[int, int], None]
"""Called with steps done and steps in all: one for each recording, and one more for each that was filmed."""

OpeningHearer = Callable[[NDArray[np.floating]], NDArray[np.floating]]
"""Sound (samples,) -> how far it makes the mouth open (frames,), in any unit."""

_TRACKS = "tracks"
"""The folder, within that of the corpus, of faces that are found but not fitted yet."""
_LEAST_FRAMES = 25
_NEUTRAL_CLIPS = 80


@dataclass(frozen=True)
class PrepareConfig:
    """How recordings are prepared."""

    crops: int = 400
    """Most face crops to keep of one recording."""
    validation: float = 0.1
    """Share of the speakers on whom a training run is watched."""
    test: float = 0.2
    """Share of the speakers who are kept aside for measuring."""
    held_out_sentences: tuple[str, ...] = ()
    """Sentences that only test speakers say: of others, such clips are dropped."""
    lend_sound: bool = False
    """Whether silent clips get the sound of a clip with the same sentence, brought to the timing of their lips."""

    def __post_init__(self) -> None:
        if min(self.validation, self.test) < 0 or self.validation + self.test >= 1:
            raise ValueError("validation and test must be shares that leave somebody to train on")


def prepare_corpus(
    reader: Reader,
    sources: list[Path],
    output: Path,
    config: PrepareConfig | None = None,
    progress: Progress | None = None,
    hear_opening: OpeningHearer | None = None,
) -> Manifest:
    """Prepare what ``reader`` finds in the folders ``sources`` into the folder ``output`` and return its manifest.

    Recordings that are there already are not made again, so an interrupted run goes on, and other folders can be
    added later; a speaker stays in the split that he or she is in. A recording that cannot be used is dropped, and
    the manifest says why. The neutral face of a speaker comes from the clips labelled neutral, if there are any. With
    ``hear_opening`` the sound of filmed clips is moved into step with the lips where it clearly is not. Raises
    InputError when a source is not what the reader expects, two recordings would have the same name, or none is left.
    """
    config = config or PrepareConfig()
    listing = _read(reader, sources)
    known = Manifest.read(output) if (output / NAME).exists() else Manifest()
    splits = split_speakers(
        {recording.speaker for recording in listing.recordings},
        config.validation,
        config.test,
        {clip.speaker: clip.split for clip in known.clips},
    )
    recordings, held_out = _hold_out(listing.recordings, splits, config.held_out_sentences)
    clips = {clip.file: clip for clip in known.clips if clip.file not in map(_file, held_out)}
    dropped = known.dropped | {str(path): reason for path, reason in listing.dropped.items()}
    dropped |= {str(r.source): f"the sentence {r.sentence} is held out for testing" for r in held_out}
    steps = _Steps(recordings, dropped, progress)
    (output / _TRACKS).mkdir(parents=True, exist_ok=True)
    for speaker, own in _by_speaker(recordings).items():
        for recording in _prepared(own, output, steps, config.crops, hear_opening):
            clips[_file(recording)] = _entry(recording, output, splits[speaker])
        Manifest(tuple(clips.values()), dropped).write(output)
    shutil.rmtree(output / _TRACKS)
    manifest = Manifest(tuple(clips.values()), dropped)
    if not clips:
        raise InputError(f"{output}: none of these recordings can be used: {manifest.reasons()}")
    if config.lend_sound:
        manifest = lend_sound(output, manifest)
        manifest.write(output)
    return manifest


class _Steps:
    """Progress, and the reasons for which recordings were dropped."""

    def __init__(
        self, recordings: Sequence[Recording], dropped: dict[str, str], progress: Progress | None
    ) -> None:
        self._done, self._all = 0, len(recordings) + sum(r.video is not None for r in recordings)
        self._dropped, self._progress = dropped, progress

    @contextmanager
    def step(self, recording: Recording) -> Iterator[None]:
        """Around the work on a recording: an error that a user can act on is the reason for which it is dropped."""
        try:
            yield
            self._dropped.pop(str(recording.source), None)
        except EvpError as error:
            self._dropped[str(recording.source)] = str(error)
        self._done += 1
        if self._progress is not None:
            self._progress(self._done, self._all)


def _read(reader: Reader, sources: list[Path]) -> Listing:
    """What the reader finds in all sources. Raises InputError when two recordings would have the same name."""
    listing = reader(*sources)
    recordings: dict[str, Recording] = {}
    for recording in listing.recordings:
        if (other := recordings.setdefault(recording.name, recording)) is not recording:
            raise InputError(f"{other.source} and {recording.source} would have the same name in the corpus")
    return listing


def _hold_out(
    recordings: Sequence[Recording], splits: Mapping[str, Split], sentences: tuple[str, ...]
) -> tuple[list[Recording], list[Recording]]:
    """The recordings to prepare, and those of ``sentences`` that only test speakers may say."""
    kept: list[Recording] = []
    held_out: list[Recording] = []
    for recording in recordings:
        tested = splits[recording.speaker] == "test"
        (kept if tested or recording.sentence not in sentences else held_out).append(recording)
    return kept, held_out


def _by_speaker(recordings: Sequence[Recording]) -> dict[str, list[Recording]]:
    speakers: dict[str, list[Recording]] = {}
    for recording in recordings:
        speakers.setdefault(recording.speaker, []).append(recording)
    return speakers


def _file(recording: Recording) -> str:
    return f"{recording.name}.npz"


def _entry(recording: Recording, output: Path, split: Split) -> ClipEntry:
    with np.load(output / _file(recording)) as stored:
        return ClipEntry(
            file=_file(recording),
            speaker=recording.speaker,
            source=recording.source.name,
            frames=int(stored["frames"]),
            filmed="coefficients" in stored,
            voiced=len(stored["waveform"]) > 0,
            borrowed="borrowed" in stored,
            late=int(stored["late"]) if "late" in stored else 0,
            emotion=recording.emotion,
            intensity=recording.intensity,
            sentence=recording.sentence,
            split=split,
            words=recording.words,
        )


def _prepared(
    recordings: Sequence[Recording],
    output: Path,
    steps: _Steps,
    most_crops: int,
    hear_opening: OpeningHearer | None,
) -> Iterator[Recording]:
    """Makes the archives of one speaker's recordings, and gives those that could be made or were there."""
    tracks = output / _TRACKS
    usable = []
    for recording in recordings:
        with steps.step(recording):
            _listen_or_track(recording, output / _file(recording), tracks / _file(recording))
            usable.append(recording)
    neutral = functools.cache(lambda: _neutral(usable, tracks))
    for recording in usable:
        archive = output / _file(recording)
        if recording.video is not None:
            with steps.step(recording):
                if not archive.exists():
                    _finish(
                        recording, tracks / _file(recording), archive, neutral(), most_crops, hear_opening
                    )
        if archive.exists():
            yield recording


def _listen_or_track(recording: Recording, archive: Path, track: Path) -> None:
    """The archive of a recording without picture; of one with a picture, only where the face is, into ``track``.

    Nothing is done again that is there already. Raises EvpError when the recording cannot be used.
    """
    if archive.exists() or track.exists():
        return
    if recording.video is None:
        waveform = read_speech(recording.source)
        frames = -(-len(waveform) // SAMPLES_PER_FRAME)
        _save(archive, waveform=waveform, frames=frames, **_phones(recording, waveform))
        return
    found = track_faces(read_frames(recording.video))
    if int(found.valid.sum()) < _LEAST_FRAMES:
        raise InputError(f"only {int(found.valid.sum())} frames show a face")
    _save(track, landmarks=found.landmarks, valid=found.valid)


def _neutral(recordings: Sequence[Recording], tracks: Path) -> NDArray[np.float64]:
    """The neutral face of the speaker of all these recordings, from the neutral ones if any are labelled so."""
    tracked = [recording for recording in recordings if (tracks / _file(recording)).exists()]
    calm = [recording for recording in tracked if recording.emotion == "neutral"] or tracked
    meshes = []
    for recording in calm[:_NEUTRAL_CLIPS]:
        with np.load(tracks / _file(recording)) as stored:
            meshes.append(stored["landmarks"][stored["valid"]])
    return find_neutral(FaceBasis.load(), np.concatenate(meshes))


def _filled(landmarks: NDArray[np.float32], valid: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Landmarks with the unusable frames taken from the nearest usable one."""
    usable = np.flatnonzero(valid)
    nearest = usable[np.argmin(np.abs(np.arange(len(valid))[:, None] - usable[None]), axis=1)]
    return landmarks[nearest]


def _finish(
    recording: Recording,
    track: Path,
    archive: Path,
    neutral: NDArray[np.float64],
    most_crops: int,
    hear_opening: OpeningHearer | None,
) -> None:
    """The archive of a filmed recording whose face was tracked."""
    assert recording.video is not None
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
    for number, frame in enumerate(read_frames(recording.video)):
        if number in wanted:
            box = boxes[number]
            crop = cv2.cvtColor(resized(box.cut(frame), CROP), cv2.COLOR_RGB2BGR)
            crops.append(cv2.imencode(".jpg", crop, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].ravel())
            crop_landmarks.append(scaled_points(box.points(landmarks[number]), CROP / box.size))
            crop_outline.append(scaled_points(box.points(outline[number]), CROP / box.size))
    opening = mouth_opening(meshes)
    waveform, late = _sound(recording, len(valid)), 0
    if hear_opening is not None and len(waveform):
        waveform, lag = in_step(waveform, hear_opening(waveform), opening, valid)
        late = lag.frames
    _save(
        archive,
        waveform=waveform,
        late=late,
        **_phones(recording, waveform, late),
        coefficients=coefficients,
        landmarks=meshes,
        neutral=head.neutral,
        opening=opening,
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


def _sound(recording: Recording, frames: int) -> NDArray[np.float32]:
    """The recording's sound, exactly as long as its frames; nothing for a silent video.

    Raises InputError when sound in a file of its own cannot be used.
    """
    try:
        waveform = read_speech(recording.audio or recording.source)
    except InputError:
        if recording.audio is not None:
            raise
        return np.zeros(0, np.float32)
    samples = frames * SAMPLES_PER_FRAME
    return np.pad(waveform, (0, max(0, samples - len(waveform))))[:samples]


def _phones(
    recording: Recording, waveform: NDArray[np.floating], late: int = 0
) -> dict[str, NDArray[np.generic]]:
    """The arrays that say what is heard when, as far as it is known; a transcript that does not fit counts as none."""
    phones = tuple(
        Phone(name, begin - late / FRAME_RATE, end - late / FRAME_RATE)
        for name, begin, end in recording.phones
    )
    if not phones and recording.transcript and len(waveform):
        try:
            phones = align(waveform, recording.transcript)
        except InputError as error:
            logger.info("%s: %s", recording.source, error)
    if not phones:
        return {}
    names, begins, ends = zip(*phones, strict=True)
    return {"phones": np.array(names), "phone_times": np.stack([begins, ends], axis=1)}


def _save(path: Path, **arrays: NDArray[np.generic] | int) -> None:
    """An archive that appears only when it is whole."""
    partial = path.with_suffix(".partial.npz")
    np.savez(partial, **arrays)
    partial.replace(path)
