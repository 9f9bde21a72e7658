"""What little it takes: mouths that follow the sound by a straight line, for figures to be compared with."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evp.audio.loudness import measure, normalised
from evp.audio.mel import log_mel
from evp.audio.prosody import prosody
from evp.clock import ROWS_PER_FRAME
from evp.smoothing import smooth_in_time

BANDS = 16
"""Bands of the sound that the regression hears: neighbours of the log-mel bands are averaged."""
REACH = 5
"""Frames to either side of a frame that the regression hears."""
PENALTY = 0.1
"""Of the ridge, in standardised features, for each frame it is fitted to."""
_LOUD_SMOOTH_FRAMES = 1.0


@dataclass(frozen=True)
class Example:
    """A recording to learn from."""

    features: NDArray[np.float64]
    """(T, F) what is heard in every frame."""
    wanted: NDArray[np.float64]
    """(T, K) what the mouth does in every frame."""
    known: NDArray[np.bool_]
    """(T,) frames in which that is known."""


def loudness_features(waveform: NDArray[np.floating]) -> NDArray[np.float64]:
    """(frames, 1): how loud the sound is, 0 for what is 40 dB below the loudest frames, 1 for these."""
    audible = np.clip(1 + prosody(waveform).loudness / 40, 0, 1.25)
    return smooth_in_time(audible[:, None], _LOUD_SMOOTH_FRAMES)


def spectrum_features(waveform: NDArray[np.floating]) -> NDArray[np.float64]:
    """(frames, (2 * REACH + 1) * BANDS): the sound around every frame."""
    rows = normalised(log_mel(waveform), measure(waveform))
    frames = rows.reshape(-1, ROWS_PER_FRAME, BANDS, rows.shape[1] // BANDS).mean(axis=(1, 3))
    padded = np.pad(frames, ((REACH, REACH), (0, 0)))
    around = np.lib.stride_tricks.sliding_window_view(padded, 2 * REACH + 1, axis=0)
    return around.reshape(len(frames), -1).astype(np.float64)


def ridge(examples: Sequence[Example], features: NDArray[np.floating]) -> NDArray[np.float64]:
    """What the mouth does (T, K) with ``features`` (T, F), by a ridge regression fitted to the examples."""
    x = np.concatenate([example.features[example.known] for example in examples])
    y = np.concatenate([example.wanted[example.known] for example in examples])
    mean, spread = x.mean(axis=0), np.maximum(x.std(axis=0), 1e-6)
    x = (x - mean) / spread
    normal = x.T @ x + PENALTY * len(x) * np.eye(x.shape[1])
    weights = np.linalg.solve(normal, x.T @ (y - y.mean(axis=0)))
    return (features - mean) / spread @ weights + y.mean(axis=0)


def cross_fitted(examples: Sequence[Example]) -> list[NDArray[np.float64]]:
    """For each example what a ridge regression says that was fitted to all others, or, to a single one, its halves.

    Nothing is ever predicted by a regression that has seen it.
    """
    if len(examples) > 1:
        others = [[other for other in examples if other is not one] for one in examples]
        return [ridge(rest, one.features) for rest, one in zip(others, examples, strict=True)]
    [one] = examples
    middle = len(one.features) // 2
    halves = [
        Example(one.features[part], one.wanted[part], one.known[part])
        for part in (slice(0, middle), slice(middle, None))
    ]
    if not all(half.known.any() for half in halves):
        return [np.full_like(one.wanted, np.nan)]
    first, second = halves
    return [np.concatenate([ridge([second], first.features), ridge([first], second.features)])]
