"""Prepared clips with an emotion -> batches of windows. Every random choice follows from the seed and the step."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from evp.audio.augment import AugmentConfig, changed_voice, masked
from evp.audio.loudness import loudness_of, measure, normalised
from evp.audio.mel import BANDS, log_mel
from evp.audio.pitch import periodicity_rows, transposed
from evp.corpora.archives import open_archive
from evp.corpora.manifest import ClipEntry, Manifest, Split
from evp.emotion.windows import COLUMNS, WINDOW_ROWS, Ear, audible, joined
from evp.errors import InputError

LONGEST_ROWS = 600
"""A stretch of at most this many rows is taken of a recording for a batch."""
LEAST_PERIODIC = 0.6
"""A voice is changed to one at most this much less periodic: hoarse, or in noise."""
MARGIN_ROWS = 40
"""Rows before and after the voice that are kept of a recording."""


@dataclass(frozen=True)
class Recording:
    """One recording of one emotion."""

    file: str
    speaker: str
    emotion: str
    rows: NDArray[np.floating]
    """(R, BANDS) log-mel energies relative to the recording's speech level."""
    periodicity: NDArray[np.floating]
    """(R, PITCHES)."""


@dataclass(frozen=True)
class PlainRecording:
    """One recording of one emotion, as it is heard when a network runs."""

    speaker: str
    emotion: str
    windows: NDArray[np.float32]
    """(W, rows, columns), a view of rows that they share."""
    voiced: NDArray[np.int64]
    """(V,) the windows in whose middle there is voice."""


Kind = TypeVar("Kind", Recording, PlainRecording)


@dataclass(frozen=True)
class Batch:
    """A window of each of B recordings."""

    windows: NDArray[np.float32]
    """(B, rows, columns)."""
    classes: NDArray[np.int64]
    """(B,) numbers in the list of labels."""
    speakers: tuple[str, ...]
    """B names."""

    def without(self, group: Collection[str]) -> "Batch":
        """What is left when nobody of ``group`` is heard."""
        kept = [number for number, speaker in enumerate(self.speakers) if speaker not in group]
        names = tuple(self.speakers[number] for number in kept)
        return Batch(self.windows[kept], self.classes[kept], names)


def emotion_clips(corpus: Path, leave_out: Sequence[str] = ()) -> dict[Split, list[ClipEntry]]:
    """The voiced clips with an emotion of every split, without the speakers and files named in ``leave_out``.

    Raises InputError when a speaker is in two splits, or nothing is left to train on.
    """
    clips: dict[Split, list[ClipEntry]] = {"train": [], "validation": [], "test": []}
    home: dict[str, Split] = {}
    for clip in Manifest.read(corpus).clips:
        if home.setdefault(clip.speaker, clip.split) != clip.split:
            raise InputError(
                f"{corpus}: {clip.speaker} is in two splits, {home[clip.speaker]} and {clip.split}"
            )
        if clip.voiced and clip.emotion and not {clip.file, clip.speaker} & set(leave_out):
            clips[clip.split].append(clip)
    if not clips["train"]:
        raise InputError(f"{corpus} has no clip with sound and an emotion to train on")
    return clips


def classes_of(clips: Sequence[ClipEntry], labels: Sequence[str], least_speakers: int) -> tuple[str, ...]:
    """Those of ``labels`` that enough speakers of ``clips`` show to be told from the speakers' voices."""
    speakers = {label: {clip.speaker for clip in clips if clip.emotion == label} for label in labels}
    return tuple(label for label in labels if len(speakers[label]) >= least_speakers)


def group_speakers(speakers: Iterable[str], count: int) -> list[set[str]]:
    """The speakers in ``count`` groups, of which each network leaves one out; a single group is empty.

    They are dealt in sorted order, a place on in every round, because data sets alternate the sexes.
    """
    groups: list[set[str]] = [set() for _ in range(count)]
    if count > 1:
        for number, speaker in enumerate(sorted(set(speakers))):
            groups[(number + number // count) % count].add(speaker)
    return groups


def read_waveform(corpus: Path, clip: ClipEntry) -> NDArray[np.float32]:
    """The sound of a prepared clip (samples,), 16 kHz."""
    with open_archive(corpus / clip.file) as stored:
        return stored["waveform"].astype(np.float32)


def read_recordings(corpus: Path, clips: Sequence[ClipEntry]) -> list[Recording]:
    """What the network is trained to hear of prepared ``clips``, without the silence around the voice."""
    recordings = []
    for clip in clips:
        waveform = read_waveform(corpus, clip)
        mel = log_mel(waveform)
        loudness = loudness_of([mel])
        heard = np.flatnonzero(audible(normalised(mel, loudness)))
        if len(heard):
            kept = slice(max(heard[0] - MARGIN_ROWS, 0), heard[-1] + 1 + MARGIN_ROWS)
            periodicity = periodicity_rows(waveform, 0, len(mel))[kept]
            emotion = clip.emotion or ""
            recordings.append(
                Recording(clip.file, clip.speaker, emotion, mel[kept] - loudness.level, periodicity)
            )
    return recordings


def read_plain_recordings(corpus: Path, clips: Sequence[ClipEntry], ear: Ear) -> list[PlainRecording]:
    """What an ``ear`` hears of prepared ``clips``; those without voice are left out."""
    recordings = []
    for clip in clips:
        waveform = read_waveform(corpus, clip)
        windows, voiced = ear.windows(waveform, measure(waveform), 0, ear.count(len(waveform)))
        if voiced.any():
            recordings.append(
                PlainRecording(clip.speaker, clip.emotion or "", windows, np.flatnonzero(voiced))
            )
    return recordings


class Batcher(Generic[Kind]):
    """Draws windows: every class as often as the others, and of each its recordings evenly."""

    def __init__(
        self,
        recordings: Sequence[Kind],
        labels: Sequence[str],
        size: int,
        window: Callable[[Kind, np.random.Generator], NDArray[np.float32]],
    ) -> None:
        """``size`` windows a batch, each drawn by ``window`` from a recording."""
        by_class = [[own for own in recordings if own.emotion == label] for label in labels]
        self._by_class: list[tuple[int, list[Kind]]] = [
            (number, found) for number, found in enumerate(by_class) if found
        ]
        self._size = size
        self._window: Callable[[Kind, np.random.Generator], NDArray[np.float32]] = window

    def batch(self, seed: int, step: int) -> Batch:
        """The batch of this training step; the same arguments give the same batch."""
        random = np.random.default_rng((seed, step))
        places = (np.arange(self._size) + random.integers(len(self._by_class))) % len(self._by_class)
        drawn = [self._by_class[place] for place in places]
        recordings = [own[random.integers(len(own))] for _, own in drawn]
        windows = [self._window(recording, random) for recording in recordings]
        classes = np.array([number for number, _ in drawn])
        return Batch(np.stack(windows), classes, tuple(recording.speaker for recording in recordings))


def plain_window(recording: PlainRecording, random: np.random.Generator) -> NDArray[np.float32]:
    """A window where there is voice, as recorded: the paper's sampling."""
    return recording.windows[random.choice(recording.voiced)]


class ChangedWindow:
    """Draws a window (WINDOW_ROWS, columns) of voice, which is changed and measured as when the network runs."""

    def __init__(self, masked_rows: int, augment: AugmentConfig, columns: int = COLUMNS) -> None:
        """Up to ``masked_rows`` rows of a window are blanked; only its first ``columns`` are wanted."""
        self._masked_rows, self._untouched, self._columns = masked_rows, augment.untouched, columns
        self._augment = replace(augment, untouched=0)

    def __call__(self, recording: Recording, random: np.random.Generator) -> NDArray[np.float32]:
        first = random.integers(max(len(recording.rows) - LONGEST_ROWS, 0) + 1)
        speed = np.exp(random.uniform(-1, 1) * np.log1p(self._augment.speed))
        rows, periodicity = (
            _respoken(sound[first : first + LONGEST_ROWS], speed)
            for sound in (recording.rows, recording.periodicity)
        )
        if random.random() >= self._untouched:
            pitch = 2 ** (random.uniform(-1, 1) * self._augment.pitch)
            rows = changed_voice(rows, self._augment, random, pitch)
            periodicity = random.uniform(LEAST_PERIODIC, 1) * transposed(periodicity, pitch)
        energies = normalised(rows, loudness_of([rows]))
        heard = np.flatnonzero(audible(energies))
        middle = random.choice(heard if len(heard) else np.arange(len(rows)))
        features = np.pad(joined(energies, periodicity), ((WINDOW_ROWS // 2, WINDOW_ROWS // 2), (0, 0)))
        return self._blanked(features[middle : middle + WINDOW_ROWS], random)[:, : self._columns]

    def _blanked(self, window: NDArray[np.float32], random: np.random.Generator) -> NDArray[np.float32]:
        energies = masked(window[:, :BANDS], self._augment, random)
        window = np.concatenate([energies, window[:, BANDS:]], axis=1)
        width = random.integers(0, self._masked_rows + 1)
        first = random.integers(0, len(window) - width + 1)
        window[first : first + width] = 0
        return window


def _respoken(rows: NDArray[np.floating], speed: float) -> NDArray[np.floating]:
    """The rows at another speed, linearly between neighbours."""
    places = np.arange(0, len(rows) - 1, speed)
    below = places.astype(int)
    share = (places - below)[:, None]
    return rows[below] * (1 - share) + rows[np.minimum(below + 1, len(rows) - 1)] * share
