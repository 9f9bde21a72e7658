"""Recordings of the same sentences, by the same speakers, in different emotions: in fours, for cross-reconstruction.

A four (section 3.1 of the paper, in the sampling of its code) is of one speaker: x1 = (emotion 1, sentence 1), x2 =
(emotion 1, sentence 2), x3 = (emotion 2, sentence 3), x4 = (emotion 2, sentence 1), and x4 has the timing of x1.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from evp.audio.mfcc import mfcc
from evp.audio.warping import retimed
from evp.audio.windows import windows
from evp.clock import FRAME_RATE, SAMPLES_PER_FRAME, frames_for_samples
from evp.corpora.archives import open_archive
from evp.corpora.manifest import Split
from evp.corpora.phones import SILENCE, Phone, stored_phones
from evp.emotion.dataset import emotion_clips
from evp.emotion.disentangle.hearing import ContentEar
from evp.errors import InputError

Choice = TypeVar("Choice")

QUIET = 10 ** (-35 / 20)
"""Frames this much below the loudest one, at both ends of a recording, are not speech."""


class Manner(NamedTuple):
    """How something is said: two intensities of one emotion do not stand for each other."""

    emotion: str
    intensity: int | None = None


@dataclass(frozen=True)
class Recording:
    """One sentence, said once."""

    speaker: str
    sentence: str
    manner: Manner
    rows: NDArray[np.floating]
    """MFCC (rows, 12) at 100 Hz of the spoken part, with the padding that `evp.audio.mfcc.mfcc` gives."""
    frames: int
    """Length of the spoken part in video frames."""
    phones: tuple[str, ...] = ()
    """The phone in the middle of every frame, "" where there is none; empty when they are not known."""

    @cached_property
    def windows(self) -> NDArray[np.floating]:
        """(frames, 28, 12): what there is to be heard."""
        return windows(self.rows, self.frames)


@dataclass(frozen=True)
class Four:
    """Recordings of one speaker that can be reconstructed from each other's codes."""

    x1: Recording
    """Emotion 1, sentence 1."""
    x2: Recording
    """Emotion 1, sentence 2."""
    x3: Recording
    """Emotion 2, sentence 3."""
    x4: Recording
    """Emotion 2, sentence 1."""

    @cached_property
    def aligned(self) -> Recording:
        """x4 in the timing of x1, as long as x1."""
        rows = retimed(self.x1.rows, self.x4.rows)
        return replace(self.x4, rows=rows, frames=self.x1.frames, phones=self.x1.phones)


@dataclass(frozen=True)
class Batch:
    """B fours, float32."""

    x1: NDArray[np.floating]
    """(B, W, 28, 12) windows of x1."""
    x2: NDArray[np.floating]
    """(B, V, 28, 12) windows of x2."""
    x3: NDArray[np.floating]
    """(B, V, 28, 12) windows of x3."""
    x4: NDArray[np.floating]
    """(B, W, 28, 12) windows of x4 that say what those of x1 say."""
    heard1: NDArray[np.floating]
    """(B, W, 28, 12) what the content encoder hears of those of x1."""
    heard2: NDArray[np.floating]
    """(B, V, 28, 12) of x2."""
    heard3: NDArray[np.floating]
    """(B, V, 28, 12) of x3."""
    heard4: NDArray[np.floating]
    """(B, W, 28, 12) of x4."""
    emotion1: NDArray[np.int64]
    """(B,) class of x1 and x2."""
    emotion2: NDArray[np.int64]
    """(B,) class of x3 and x4."""
    sentence2: NDArray[np.int64]
    """(B,) number of the sentence of x2."""
    sentence3: NDArray[np.int64]
    """(B,) of x3."""


class Place(NamedTuple):
    """A sentence that a speaker says in two emotions, and what else is said in these."""

    manner1: Manner
    manner2: Manner
    sentence1: str


class Fours:
    """Draws fours: the speakers evenly, of a speaker every pair of emotions in every sentence evenly."""

    def __init__(self, recordings: Sequence[Recording]) -> None:
        """Raises InputError when the recordings hold no four."""
        self.classes = sorted({recording.manner.emotion for recording in recordings})
        """The names of the emotions, in the order of their class numbers."""
        self.sentences = sorted({recording.sentence for recording in recordings})
        """What is said, in the order of the numbers of sentences."""
        self._takes: dict[str, dict[tuple[Manner, str], list[Recording]]] = {}
        for recording in recordings:
            takes = self._takes.setdefault(recording.speaker, {})
            takes.setdefault((recording.manner, recording.sentence), []).append(recording)
        places = {speaker: _places(takes) for speaker, takes in self._takes.items()}
        self._places = {speaker: found for speaker, found in sorted(places.items()) if found}
        self.speakers = list(self._places)
        if not self.speakers:
            raise InputError(
                "to pull content and emotion apart, a speaker must say a sentence in two emotions, "
                "and another sentence in each of these"
            )

    def draw(self, random: np.random.Generator) -> Four:
        """One four; sentences 2 and 3 differ too where the speaker has said enough."""
        speaker = _one_of(self.speakers, random)
        takes = self._takes[speaker]
        manner1, manner2, sentence1 = _one_of(self._places[speaker], random)
        sentence2 = _one_of(_others(takes, manner1, sentence1), random)
        thirds = _others(takes, manner2, sentence1)
        sentence3 = _one_of([third for third in thirds if third != sentence2] or thirds, random)
        said = (manner1, sentence1), (manner1, sentence2), (manner2, sentence3), (manner2, sentence1)
        return Four(*(_one_of(takes[key], random) for key in said))

    def batch(
        self, size: int, content_windows: int, emotion_windows: int, ear: ContentEar, seed: int, step: int
    ) -> Batch:
        """``size`` fours, windows from all over each, in order; the same arguments give the same batch."""
        random = np.random.default_rng((seed, step))
        crops = [
            self._crop(self.draw(random), content_windows, emotion_windows, ear, random) for _ in range(size)
        ]
        return Batch(*(np.stack(arrays) for arrays in zip(*crops, strict=True)))

    def _crop(
        self,
        four: Four,
        content_windows: int,
        emotion_windows: int,
        ear: ContentEar,
        random: np.random.Generator,
    ) -> tuple[NDArray[np.floating] | np.int64, ...]:
        shared = _all_over(four.x1, content_windows, random)
        second, third = (_all_over(x, emotion_windows, random) for x in (four.x2, four.x3))
        said = (four.x1, shared), (four.x2, second), (four.x3, third), (four.aligned, shared)
        return (
            *(x.windows[chosen] for x, chosen in said),
            *(ear.changed(x.rows, x.frames, chosen, random) for x, chosen in said),
            np.int64(self.classes.index(four.x1.manner.emotion)),
            np.int64(self.classes.index(four.x4.manner.emotion)),
            *(np.int64(self.sentences.index(x.sentence)) for x in (four.x2, four.x3)),
        )


def read_recordings(corpus: Path, *splits: Split) -> list[Recording]:
    """The voiced clips of a prepared corpus that have emotion and sentence and are in one of ``splits``.

    Raises InputError when there are none, or when a speaker is in two splits, whichever were asked for.
    """
    clips = emotion_clips(corpus)
    recordings = []
    for clip in (clip for split in splits for clip in clips[split]):
        if clip.emotion and clip.sentence:
            with open_archive(corpus / clip.file) as stored:
                waveform, phones = stored["waveform"].astype(np.float32), stored_phones(stored)
            kept = spoken_frames(waveform)
            sound = waveform[kept.start * SAMPLES_PER_FRAME : kept.stop * SAMPLES_PER_FRAME]
            recordings.append(
                Recording(
                    clip.speaker,
                    clip.sentence,
                    Manner(clip.emotion, clip.intensity),
                    mfcc(sound),
                    frames_for_samples(len(sound)),
                    said_when(phones, kept),
                )
            )
    if not recordings:
        raise InputError(f"{corpus}: no clip of {' or '.join(splits)} has sound, an emotion and a sentence")
    return recordings


def spoken_frames(waveform: NDArray[np.floating]) -> range:
    """The frames of ``waveform`` (samples,) at 16 kHz between quiet ends; all of them when nothing is louder."""
    frames = frames_for_samples(len(waveform))
    padded = np.pad(waveform, (0, frames * SAMPLES_PER_FRAME - len(waveform)))
    level = np.sqrt(np.mean(padded.reshape(frames, SAMPLES_PER_FRAME) ** 2, axis=1))
    loud = np.flatnonzero(level >= QUIET * level.max(initial=0))
    return range(int(loud[0]), int(loud[-1]) + 1)


def said_when(phones: Sequence[Phone], frames: range) -> tuple[str, ...]:
    """The phone in the middle of each of ``frames``, "" where none is; empty without ``phones``."""
    spoken = [phone for phone in phones if phone.name != SILENCE]
    middles = [(frame + 0.5) / FRAME_RATE for frame in frames] if spoken else []
    return tuple(
        next((phone.name for phone in spoken if phone.begin <= middle < phone.end), "") for middle in middles
    )


def _places(takes: dict[tuple[Manner, str], list[Recording]]) -> list[Place]:
    """Every place of one speaker that a four can start from."""
    return [
        Place(manner1, manner2, sentence)
        for manner1, sentence in takes
        for manner2, same in takes
        if same == sentence
        and manner1.emotion != manner2.emotion
        and _others(takes, manner1, sentence)
        and _others(takes, manner2, sentence)
    ]


def _others(takes: dict[tuple[Manner, str], list[Recording]], manner: Manner, sentence: str) -> list[str]:
    """What else the speaker says in this manner."""
    return [other for said_in, other in takes if said_in == manner and other != sentence]


def _all_over(recording: Recording, count: int, random: np.random.Generator) -> NDArray[np.int64]:
    """``count`` rising numbers of windows, each at random in its share of the recording."""
    return ((np.arange(count) + random.random(count)) * recording.frames / count).astype(np.int64)


def _one_of(choices: Sequence[Choice], random: np.random.Generator) -> Choice:
    return choices[random.integers(len(choices))]
