"""One person's clips of a prepared corpus, as the original's landmark network is trained on them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evp.audio.mfcc import mfcc
from evp.audio.windows import windows
from evp.corpora.archives import open_archive
from evp.corpora.manifest import ClipEntry, Manifest
from evp.errors import InputError
from evp.face.layouts import from_mesh

_CROP_HEIGHTS = 1.45
"""Side, in face heights, of the crop that landmarks are fractions of."""
_CROP_CENTRE = np.array([0.0, 0.3])
"""Its centre in the head frame."""


@dataclass(frozen=True)
class Clip:
    """A recording of F frames."""

    windows: NDArray[np.float32]
    """(F, 28, 12) of MFCC."""
    landmarks: NDArray[np.float32]
    """(F, 212) 106 points, fractions of the crop, without the head's motion."""
    valid: NDArray[np.bool_]
    """(F,) landmarks are known."""
    emotion: str | None


def read_person(corpus: Path, speaker: str | None = None) -> list[Clip]:
    """The filmed training clips with sound of one speaker, who need not be named when there is no other.

    Raises InputError when the corpus cannot be read or has no such clips.
    """
    return [_read(corpus / entry.file, entry.emotion) for entry in person_entries(corpus, speaker)]


def person_entries(corpus: Path, speaker: str | None = None) -> list[ClipEntry]:
    """What ``read_person`` reads. Raises InputError when there are no such clips."""
    entries = [
        clip for clip in Manifest.read(corpus).clips if clip.filmed and clip.voiced and clip.split == "train"
    ]
    speakers = sorted({entry.speaker for entry in entries})
    if speaker is None and len(speakers) == 1:
        (speaker,) = speakers
    if speaker not in speakers:
        raise InputError(f"{corpus}: name one of the speakers {', '.join(speakers) or '(there are none)'}")
    return [entry for entry in entries if entry.speaker == speaker]


@dataclass(frozen=True)
class Sequences:
    """Stretches of clips, drawn at random: every choice follows from seed and step."""

    clips: Sequence[Clip]
    frames: int
    """Length of a stretch."""

    def __post_init__(self) -> None:
        if not self._places():
            raise InputError(f"no clip shows the face for {self.frames} frames on end")

    def batch(self, size: int, seed: int, step: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Windows (B, T, 28, 12) and landmarks (B, T, 212)."""
        places = self._places()
        drawn = np.random.default_rng((seed, step)).integers(len(places), size=size)
        clips = [(self.clips[places[n][0]], slice(places[n][1], places[n][1] + self.frames)) for n in drawn]
        return (
            np.stack([clip.windows[stretch] for clip, stretch in clips]),
            np.stack([clip.landmarks[stretch] for clip, stretch in clips]),
        )

    def _places(self) -> list[tuple[int, int]]:
        """Clip number and first frame of every stretch in which the face is known throughout."""
        return [
            (number, first)
            for number, clip in enumerate(self.clips)
            for first in range(len(clip.valid) - self.frames + 1)
            if clip.valid[first : first + self.frames].all()
        ]


def principal_components(clips: Sequence[Clip]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The PCA basis (212, 212), strongest direction first, and the mean (212,) of all known landmarks."""
    known = np.concatenate([clip.landmarks[clip.valid] for clip in clips]).astype(np.float64)
    mean = known.mean(axis=0)
    _, directions = np.linalg.eigh(np.cov(known - mean, rowvar=False, bias=True))
    return directions[:, ::-1].astype(np.float32), mean.astype(np.float32)


def _read(archive: Path, emotion: str | None) -> Clip:
    with open_archive(archive) as stored:
        points = from_mesh(stored["landmarks"].astype(np.float32), "evp106")[..., :2]
        frames = len(points)
        heard = windows(mfcc(stored["waveform"]), frames).astype(np.float32)
        landmarks = (points - _CROP_CENTRE) / _CROP_HEIGHTS + 0.5
        return Clip(
            heard, landmarks.reshape(frames, -1).astype(np.float32), stored["valid"].astype(bool), emotion
        )
