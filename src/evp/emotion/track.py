"""Emotion over time: the one type that carries a label, a strength, a mixture, a file or what was heard downstream."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evp.clock import FRAME_RATE
from evp.emotion.hearing import Heard
from evp.emotion.space import CODE_SIZE, EmotionSpace
from evp.errors import InputError
from evp.smoothing import smooth_in_time, smooth_step

AUTO = "auto"
"""In the place of a description: the emotion is the one heard in the speech itself."""

_EASE_SECONDS = 0.2
"""Standard deviation of the smoothing over time: a face does not change from one frame to the next."""
_HEARD_SECONDS = 0.8
"""Standard deviation of the smoothing of what is heard."""
_EASE_STEPS = np.arange(-12, 13) / (_EASE_SECONDS * FRAME_RATE)
"""Where the smoothing looks, in its standard deviations: at every frame, or a jump would become stairs."""

_POINT = re.compile(r"(?:(?P<time>-?\d+(?:\.\d*)?|-?\.\d+)\s*s?\s+)?(?P<mixture>[^\s\d:+].*)")
_PART = re.compile(r"(?P<label>[^\s:+]+)(?:\s*:\s*(?P<strength>\S+))?")


@dataclass(frozen=True)
class EmotionTrack:
    """Emotion codes at moments; between two moments the code moves along the straight line, slowly at both ends."""

    times: NDArray[np.float64]
    """(N,) seconds, rising."""
    codes: NDArray[np.float32]
    """(N, 128); the first holds before its time, the last after."""

    def __post_init__(self) -> None:
        if self.codes.shape != (len(self.times), CODE_SIZE) or len(self.times) == 0:
            raise ValueError(f"{len(self.times)} times but codes {self.codes.shape}")
        if (np.diff(self.times) <= 0).any():
            raise ValueError("the times must rise")

    @staticmethod
    def steady(code: NDArray[np.floating]) -> "EmotionTrack":
        """The same code (128,) all the time."""
        return EmotionTrack(np.zeros(1), np.asarray(code, np.float32)[None])

    @staticmethod
    def heard(heard: Heard, labels: Sequence[str], space: EmotionSpace) -> "EmotionTrack":
        """What was heard in a recording, with probabilities of ``labels``; neutral when there is no voice in it.

        Halfway between the whole recording and the moment: a second of sound alone says little. Where nobody speaks
        the emotion goes over from before to after.
        """
        if not heard.voiced.any():
            return EmotionTrack.steady(space.code({}))
        voiced, moments = heard.times[heard.voiced], heard.probabilities[heard.voiced]
        known = np.stack([np.interp(heard.times, voiced, column) for column in moments.T], axis=1)
        step = float(np.median(np.diff(heard.times))) if len(heard.times) > 1 else 1.0
        probable = 0.5 * heard.whole + 0.5 * smooth_in_time(known, _HEARD_SECONDS / step)
        return EmotionTrack(np.asarray(heard.times, np.float64), space.likely(probable, labels))

    def at(self, times: NDArray[np.floating]) -> NDArray[np.float32]:
        """The codes (F, 128) at ``times`` (F,), seconds; they change smoothly even where the track is steep."""
        weights = np.exp(-0.5 * _EASE_STEPS**2)
        blurred = sum(
            weight * self._glide(times + step * _EASE_SECONDS)
            for weight, step in zip(weights / weights.sum(), _EASE_STEPS, strict=True)
        )
        return np.asarray(blurred, np.float32)

    def _glide(self, times: NDArray[np.floating]) -> NDArray[np.float64]:
        before = np.clip(np.searchsorted(self.times, times, side="right") - 1, 0, len(self.times) - 1)
        after = np.minimum(before + 1, len(self.times) - 1)
        span = self.times[after] - self.times[before]
        part = smooth_step((times - self.times[before]) / np.where(span > 0, span, 1))[:, None]
        return (1 - part) * self.codes[before] + part * self.codes[after]


class Point(NamedTuple):
    """A moment that a description names, and what is felt then."""

    time: float
    """Seconds."""
    mixture: dict[str, float]
    """Label -> strength 0..1; what is left to 1 is neutral."""


def parse_track(text: str, space: EmotionSpace, seconds: float | None = None) -> EmotionTrack:
    """The track that ``text`` describes: ``happy``, ``happy:0.8``, ``0 neutral, 2.5 happy:0.5+sad:0.3, 6 sad``.

    A point is a time in seconds, which a single point need not have, and a mixture of labels with strengths 0..1 (1
    when not given). ``seconds`` is the length of the speech, which no point may exceed. Raises InputError.
    """
    points = parse_points(text, space, seconds)
    times, codes = [point.time for point in points], [space.code(point.mixture) for point in points]
    return EmotionTrack(np.array(times), np.stack(codes))


def parse_points(text: str, space: EmotionSpace, seconds: float | None = None) -> list[Point]:
    """The points of ``parse_track``, at least one. Raises InputError."""
    points: list[Point] = []
    written = [point.strip() for point in text.split(",")]
    for point in written:
        matched = _POINT.fullmatch(point)
        if matched is None:
            raise InputError(f"cannot read {point!r} as an emotion: write it like happy:0.8 or 2.5 happy:0.8")
        if matched["time"] is None and len(written) > 1:
            raise InputError(f"the point {point!r} has no time: write it like 2.5 {point}")
        time = float(matched["time"] or 0)
        if time < 0 or (points and time <= points[-1].time):
            reason = "before the start" if time < 0 else f"after {points[-1].time:g} s: times must rise"
            raise InputError(f"the emotion track goes to {time:g} s {reason}")
        if seconds is not None and time > seconds:
            raise InputError(f"the emotion track goes to {time:g} s, but the speech ends at {seconds:.2f} s")
        mixture = _strengths(matched["mixture"])
        space.code(mixture)  # refuses labels that are not known, and too much of them
        points.append(Point(time, mixture))
    return points


def _strengths(mixture: str) -> dict[str, float]:
    strengths: dict[str, float] = {}
    for part in mixture.split("+"):
        matched = _PART.fullmatch(part.strip())
        if matched is None:
            raise InputError(f"cannot read {part.strip()!r} as an emotion: write it like happy:0.8")
        try:
            strength = float(matched["strength"] or 1)
        except ValueError:
            raise InputError(
                f"the strength of {matched['label']} must be a number from 0 to 1, not {matched['strength']!r}"
            ) from None
        if matched["label"] in strengths:
            raise InputError(f"{matched['label']} stands twice in {mixture!r}")
        strengths[matched["label"]] = strength
    return strengths


def read_track(file: Path) -> EmotionTrack:
    """The track in a ``.npy`` file: one code (128,), or a code for every frame (frames, 128). Raises InputError."""
    try:
        codes = np.load(file, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"cannot read the emotion file {file}: {error}") from error
    if not isinstance(codes, np.ndarray) or codes.dtype.kind not in "fiu":
        raise InputError(f"the emotion file {file} must hold one array of numbers")
    if codes.ndim not in (1, 2) or codes.shape[-1] != CODE_SIZE or codes.size == 0:
        raise InputError(
            f"the emotion file {file} must hold (128,) or (frames, 128) numbers, not {codes.shape}"
        )
    with np.errstate(over="ignore"):
        codes = np.atleast_2d(codes).astype(np.float32)
    if not np.isfinite(codes).all():
        raise InputError(f"the emotion file {file} holds numbers that are not finite")
    return EmotionTrack(np.arange(len(codes)) / FRAME_RATE, codes)
