"""Emotion as text, in the words of the command line: the way back from tracks to descriptions."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from evp.emotion.hearing import Heard
from evp.emotion.space import NEUTRAL, EmotionSpace
from evp.emotion.track import EmotionTrack, Point
from evp.smoothing import smooth_step

_STEP = 1.0
"""Seconds from point to point of a sketch, at least."""
_TOLERANCE = 0.06
"""How far a strength may be from the line between its neighbours for a point to be left out."""
_ROUNDING = 20
"""Strengths are told in steps of one twentieth."""
_MOST_LABELS = 3
"""A mixture of more is not one that a person would write."""


def format_mixture(mixture: Mapping[str, float]) -> str:
    """A mixture as `parse_track` reads it: ``happy:0.5+sad:0.3``, ``happy`` at full strength, ``neutral`` for none."""
    felt = {label: strength for label, strength in mixture.items() if strength > 0 and label != NEUTRAL}
    return "+".join(label if s == 1 else f"{label}:{s:.4g}" for label, s in felt.items()) or NEUTRAL


def format_points(points: Iterable[Point]) -> str:
    """Points as `parse_track` reads them: ``0 neutral, 2.5 happy:0.8``."""
    return ", ".join(f"{_number(point.time)} {format_mixture(point.mixture)}" for point in points)


def sketch(track: EmotionTrack, space: EmotionSpace, seconds: float) -> list[Point]:
    """A track of ``seconds`` in few points, at most one a second, that a person can go on from.

    Strengths are rounded to a twentieth, of at most three labels; what changes evenly needs no points between.
    """
    times = (
        np.append(np.arange(0, max(seconds - _STEP, 0), _STEP), max(seconds, 0))
        if seconds > 0
        else np.zeros(1)
    )
    times = np.floor(times * 100) / 100
    shares = space.shares(track.at(times))
    others = [number for number, label in enumerate(space.labels) if label != NEUTRAL]
    strengths = np.stack([_simple(row) for row in shares[:, others]])
    labels = [space.labels[number] for number in others]
    return [
        Point(
            float(times[n]), {label: float(s) for label, s in zip(labels, strengths[n], strict=True) if s > 0}
        )
        for n in _needed(times, strengths)
    ]


def describe(heard: Heard, labels: Sequence[str], space: EmotionSpace, seconds: float) -> str:
    """What was heard in a recording of ``seconds``, with probabilities of ``labels``, as a description to change."""
    return format_points(sketch(EmotionTrack.heard(heard, labels, space), space, seconds))


def _number(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".")


def _simple(strengths: NDArray[np.float64]) -> NDArray[np.float64]:
    """The strongest labels, rounded down together to 1 at most."""
    simple = np.round(strengths * _ROUNDING)
    simple[np.argsort(-strengths)[_MOST_LABELS:]] = 0
    while simple.sum() > _ROUNDING:
        simple[simple.argmax()] -= 1
    return np.asarray(simple / _ROUNDING, np.float64)


def _needed(times: NDArray[np.float64], strengths: NDArray[np.float64]) -> list[int]:
    """The points (of N, L) to keep: the others lie near the lines between them (Ramer, Douglas and Peucker)."""
    if np.ptp(strengths, axis=0).max() <= _TOLERANCE:
        return [0]
    kept, open_spans = {0, len(times) - 1}, [(0, len(times) - 1)]
    while open_spans:
        first, last = open_spans.pop()
        if last - first < 2:
            continue
        # as a track goes from point to point
        part = smooth_step(times[first + 1 : last], times[first], times[last])[:, None]
        line = (1 - part) * strengths[first] + part * strengths[last]
        apart = np.abs(strengths[first + 1 : last] - line).max(axis=1)
        if apart.max() > _TOLERANCE:
            middle = first + 1 + int(apart.argmax())
            kept.add(middle)
            open_spans += [(first, middle), (middle, last)]
    return sorted(kept)
