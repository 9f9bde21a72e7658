"""Prepared clips -> crops -> batches. Every random choice follows from the seed and the step number."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evp.audio.augment import AugmentConfig, changed_voice, masked, with_noise
from evp.audio.loudness import RANGE, crop_loudness, loudness_of, normalised
from evp.audio.mel import BANDS, log_mel
from evp.clock import ROWS_PER_FRAME
from evp.corpora.archives import open_archive
from evp.corpora.manifest import ClipEntry, Manifest
from evp.corpora.phones import stored_phones
from evp.emotion.space import CODE_SIZE
from evp.errors import InputError
from evp.motion.features import LOWEST, against_speech
from evp.motion.visemes import SILENCE, UNLABELLED, viseme_rows

RAMP_FRAMES = 6
"""Frames in which the mouth comes to rest in silence, and leaves it again."""
PAUSE_ROWS = 35
"""Silence shorter than this (rows) is a pause within speech."""
AUDIBLE = -3.0
"""A row louder than this, relative to the speech level (natural logarithm), is speech when there are no labels."""

EmotionCoder = Callable[[str, NDArray[np.floating] | None], NDArray[np.floating]]
"""(label, the clip's own voice if it has one) -> its emotion code (CODE_SIZE,), zeros for neutral."""


@dataclass(frozen=True)
class Clip:
    """One recording, ready to be cropped. F frames, R = 4 F rows."""

    file: str
    speaker: str
    rows: NDArray[np.floating]
    """(R, BANDS) log-mel energy relative to the recording's speech level."""
    coefficients: NDArray[np.floating]
    """(F, M) mouth coefficients; zeros where not tracked."""
    tracked: NDArray[np.bool_]
    """(F,) coefficients are known."""
    ear: NDArray[np.floating]
    """(R / 2, EAR) what the recogniser's ear hears."""
    visemes: NDArray[np.int8]
    """(R,) class numbers, UNLABELLED where not known."""
    auxiliary: NDArray[np.floating] | None
    """(F, A) mouth channels of another rig."""
    emotion: NDArray[np.floating]
    """(CODE_SIZE,) code of the whole clip, zeros for neutral."""

    @property
    def frames(self) -> int:
        return len(self.coefficients)

    @property
    def filmed(self) -> bool:
        """Whether the clip says anything about the mouth, in the face basis or in another rig."""
        return bool(self.tracked.any()) or self.auxiliary is not None


@dataclass(frozen=True)
class Batch:
    """B crops of F frames; the fields are those of ``losses.Targets``, the sound and the emotion code of each crop."""

    features: NDArray[np.floating]
    ear: NDArray[np.floating]
    coefficients: NDArray[np.floating]
    tracked: NDArray[np.floating]
    speech: NDArray[np.floating]
    visemes: NDArray[np.int64]
    auxiliary: NDArray[np.floating]
    auxiliary_known: NDArray[np.floating]
    speaker: NDArray[np.int64]
    emotion: NDArray[np.floating]


def read_clips(
    corpus: Path, mouth_count: int, leave_out: Sequence[str] = (), coder: EmotionCoder | None = None
) -> list[Clip]:
    """The training clips of a prepared corpus that have sound, without the speakers and files in ``leave_out``.

    A clip's archive has ``waveform`` and may have ``coefficients`` with ``valid``, ``phones`` with ``phone_times`` and
    ``auxiliary``. What
    the manifest names an emotion for gets the code that ``coder`` gives; without a coder, and without an
    emotion, a clip is neutral. Raises InputError when nothing is left to train on.
    """
    entries = training_entries(corpus, leave_out)
    return [read_clip(corpus, entry, mouth_count, coder) for entry in entries]


def training_entries(corpus: Path, leave_out: Sequence[str] = ()) -> list[ClipEntry]:
    """What ``read_clips`` reads. Raises InputError when nothing is left to train on."""
    kept = [
        entry
        for entry in Manifest.read(corpus).clips
        if entry.split == "train" and entry.voiced and not {entry.file, entry.speaker} & set(leave_out)
    ]
    if not any(entry.filmed for entry in kept):
        raise InputError(f"{corpus} has no clip with sound and a tracked face to learn from")
    return kept


def read_clip(corpus: Path, entry: ClipEntry, mouth_count: int, coder: EmotionCoder | None = None) -> Clip:
    """One archive of a prepared corpus."""
    from evp.audio.acoustics import heard_by_ear

    with open_archive(corpus / entry.file) as stored:
        waveform = stored["waveform"].astype(np.float32)
        mel = log_mel(waveform)
        frames = len(mel) // ROWS_PER_FRAME
        tracked = np.zeros(frames, bool)
        coefficients = np.zeros((frames, mouth_count), np.float32)
        if "coefficients" in stored:
            count = min(frames, len(stored["valid"]))
            tracked[:count] = stored["valid"][:count]
            coefficients[:count] = stored["coefficients"][:count, :mouth_count] * tracked[:count, None]
        visemes = viseme_rows(stored_phones(stored), len(mel))
        auxiliary = stored["auxiliary"][:frames].astype(np.float32) if "auxiliary" in stored else None
    code = np.zeros(CODE_SIZE, np.float32)
    if coder is not None and entry.emotion is not None:
        code[:] = coder(entry.emotion, None if entry.borrowed else waveform)
    loudness = loudness_of([mel])
    return Clip(
        file=entry.file,
        speaker=entry.speaker,
        rows=mel - loudness.level,
        ear=heard_by_ear(against_speech(mel, loudness), LOWEST),
        coefficients=coefficients,
        tracked=tracked,
        visemes=visemes,
        auxiliary=auxiliary,
        emotion=code,
    )


class Batcher:
    """Draws batches: speakers by the power ``balance`` of how much there is of them, clips and places evenly."""

    def __init__(
        self,
        clips: list[Clip],
        frames: int,
        size: int,
        unfilmed: float,
        balance: float,
        config: AugmentConfig,
    ) -> None:
        """Crops have ``frames`` frames; a share ``unfilmed`` of each batch is sound whose mouth is not known."""
        self.speakers = sorted({clip.speaker for clip in clips if clip.tracked.any()})
        self._groups = [_Group([clip for clip in clips if clip.filmed], balance)]
        if not all(clip.filmed for clip in clips):
            self._groups.append(_Group([clip for clip in clips if not clip.filmed], balance))
        self._frames, self._size, self._config = frames, size, config
        self._silence = silent_ear()
        self._unfilmed = round(size * unfilmed) if len(self._groups) == 2 else 0
        self.auxiliary_count = max(
            (c.auxiliary.shape[1] for c in clips if c.auxiliary is not None), default=0
        )

    def batch(self, seed: int, step: int) -> Batch:
        """The batch of this training step; the same arguments give the same batch."""
        random = np.random.default_rng((seed, step))
        crops = [self._crop(self._groups[i < self._unfilmed].draw(random), random) for i in range(self._size)]
        return Batch(*(np.stack(arrays) for arrays in zip(*crops, strict=True)))

    def _crop(self, clip: Clip, random: np.random.Generator) -> tuple[NDArray[Any] | np.generic, ...]:
        speed = np.exp(random.uniform(-1, 1) * np.log1p(self._config.speed))
        span = self._frames * speed
        begin = random.uniform(min(0, clip.frames - span), max(0, clip.frames - span))
        frame = begin + (np.arange(self._frames) + 0.5) * speed - 0.5
        row = ROWS_PER_FRAME * begin + (np.arange(self._frames * ROWS_PER_FRAME) + 0.5) * speed - 0.5

        rows = _at(clip.rows, row, outside=-2 * RANGE)
        visemes = _nearest(clip.visemes, row, outside=SILENCE)
        ear = _at(clip.ear, (row[::2] + row[1::2]) / 4 - 0.25, outside=np.nan)
        ear = np.where(np.isnan(ear), self._silence, ear)
        coefficients = _at(clip.coefficients, frame, outside=0)
        tracked = _nearest(clip.tracked, frame, outside=False)
        speech = speech_labels(rows, visemes)
        auxiliary_known = clip.auxiliary is not None

        if random.random() < self._config.silence:
            quiet = _quiet_stretch(self._frames, random)
            rows = np.where(np.repeat(quiet, ROWS_PER_FRAME)[:, None], -2 * RANGE, rows)
            visemes = np.where(np.repeat(quiet, ROWS_PER_FRAME), SILENCE, visemes)
            ear = np.where(np.repeat(quiet, ROWS_PER_FRAME // 2)[:, None], self._silence, ear)
            rest = _rest_envelope(quiet)
            coefficients = coefficients * (1 - rest[:, None])
            tracked, auxiliary_known = tracked | (rest == 1), False
            speech = np.where(quiet, np.where(rest == 1, 0, -1), speech)
            if random.random() < 0.5:
                rows = with_noise(rows, random.uniform(3, 30), random)
        rows = changed_voice(rows, self._config, random)
        loudness = crop_loudness(rows, silence=-1.7 * RANGE)
        features = masked(normalised(rows, loudness), self._config, random)
        if random.random() < self._config.deaf:
            ear = np.zeros_like(ear)
        auxiliary = np.zeros((self._frames, self.auxiliary_count), np.float32)
        if clip.auxiliary is not None:
            auxiliary[:] = _at(clip.auxiliary, frame, outside=0)
        number = self.speakers.index(clip.speaker) if clip.speaker in self.speakers else 0
        return (
            features, ear.astype(np.float32), coefficients.astype(np.float32),
            tracked.astype(np.float32), speech.astype(np.float32),
            visemes[::2].astype(np.int64), auxiliary, np.float32(auxiliary_known), np.int64(number), clip.emotion,
        )  # fmt: skip


class _Group:
    """Clips that are drawn together."""

    def __init__(self, clips: list[Clip], balance: float) -> None:
        self._clips = clips
        total = {clip.speaker: 0 for clip in clips}
        for clip in clips:
            total[clip.speaker] += clip.frames
        weights = np.array([clip.frames * total[clip.speaker] ** (balance - 1) for clip in clips])
        self._odds = weights / weights.sum()

    def draw(self, random: np.random.Generator) -> Clip:
        return self._clips[random.choice(len(self._clips), p=self._odds)]


@cache
def silent_ear() -> NDArray[np.floating]:
    """(EAR,) what the recogniser's ear hears in silence."""
    from evp.audio.acoustics import heard_by_ear

    return heard_by_ear(np.full((16, BANDS), LOWEST), LOWEST)[4]


def speech_labels(rows: NDArray[np.floating], visemes: NDArray[Any]) -> NDArray[np.int64]:
    """Per frame 1 speech, 0 silence (not a short pause), -1 unknown, from labels, or from loudness without them."""
    loud = np.where(np.log(np.exp(rows).mean(axis=1)) > AUDIBLE, 1, -1)
    by_row = np.where(visemes == UNLABELLED, loud, np.where(visemes == SILENCE, 0, 1))
    edges = np.flatnonzero(np.diff(np.concatenate([[False], by_row == 0, [False]]).astype(int)))
    for begin, end in edges.reshape(-1, 2):
        inner = end - begin < PAUSE_ROWS and begin > 0 and end < len(by_row)
        by_row[begin:end] = 1 if inner else 0
    by_frame = by_row.reshape(-1, ROWS_PER_FRAME)
    return np.where((by_frame == by_frame[:, :1]).all(axis=1), by_frame[:, 0], -1)


def _quiet_stretch(frames: int, random: np.random.Generator) -> NDArray[np.bool_]:
    """(frames,): a stretch of half a second or more; now and then everything."""
    length = frames if random.random() < 0.15 else random.integers(14, max(15, frames * 2 // 3))
    first = random.integers(0, frames - length + 1)
    place = np.arange(frames)
    return (place >= first) & (place < first + length)


def _rest_envelope(quiet: NDArray[np.bool_]) -> NDArray[np.floating]:
    """(frames,) 0 outside the quiet stretch, rising to 1 over RAMP_FRAMES at both of its ends."""
    padded = np.concatenate([np.zeros(1), quiet, np.zeros(1)])
    if quiet[0]:
        padded[0] = np.inf
    if quiet[-1]:
        padded[-1] = np.inf
    depth = np.where(padded > 0, np.inf, 0.0)
    for k in range(1, len(depth)):
        depth[k] = min(depth[k], depth[k - 1] + 1)
    for k in range(len(depth) - 2, -1, -1):
        depth[k] = min(depth[k], depth[k + 1] + 1)
    return 0.5 - 0.5 * np.cos(np.pi * np.clip(depth[1:-1] / RAMP_FRAMES, 0, 1))


def _at(values: NDArray[np.floating], places: NDArray[np.floating], outside: float) -> NDArray[np.floating]:
    """Rows of ``values`` at fractional places, linearly between neighbours; ``outside`` beyond the ends."""
    below = np.clip(np.floor(places).astype(int), 0, max(len(values) - 2, 0))
    above = np.minimum(below + 1, len(values) - 1)
    share = np.clip(places - below, 0, 1)[:, None]
    inside = (places > -0.75) & (places < len(values) - 0.25)
    return np.where(inside[:, None], values[below] * (1 - share) + values[above] * share, outside)


def _nearest(values: NDArray[Any], places: NDArray[np.floating], outside: float) -> NDArray[Any]:
    index = np.rint(places).astype(int)
    inside = (index >= 0) & (index < len(values))
    return np.where(inside, values[np.clip(index, 0, len(values) - 1)], outside)
