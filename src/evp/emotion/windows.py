"""What the emotion network hears of a recording: long, overlapping windows of its features, and whether there is voice.

The features of a row are log-mel energies (of which MFCC are the cosine transform) between the recording's own noise
and its speech level, so that microphone, level and steady noise count little, and the melody of the voice.
"""

import numpy as np
from numpy.typing import NDArray

from evp.audio.loudness import Loudness, normalised
from evp.audio.mel import BANDS, log_mel_rows
from evp.audio.pitch import PITCHES, periodicity_rows
from evp.clock import FEATURE_RATE

COLUMNS = BANDS + PITCHES
WINDOW_ROWS = 160
"""Feature rows of a window: emotion needs longer than a video frame's 28."""
HOP_ROWS = 40
"""Rows from one window to the next."""
AUDIBLE = 0.8
"""Mean over the bands from which a row is voice; silence and steady noise lie below."""
LEAST_VOICE = 0.25
"""Share of audible rows from which a hop counts as voiced."""
MELODY_SCALE = 2.0
_LEAD = (WINDOW_ROWS - HOP_ROWS) // 2


def features(
    waveform: NDArray[np.floating], loudness: Loudness, first: int, last: int
) -> NDArray[np.floating]:
    """The rows (last - first, COLUMNS) of ``waveform`` (samples,), 16 kHz; zeros outside it, in silence and noise."""
    mel = log_mel_rows(waveform, first, last)
    return joined(normalised(mel, loudness), periodicity_rows(waveform, first, last))


def joined(energies: NDArray[np.floating], periodicity: NDArray[np.floating]) -> NDArray[np.float32]:
    """Rows (rows, COLUMNS) of normalised energies (rows, BANDS) and, where heard, of periodicity (rows, PITCHES)."""
    presence = np.clip(energies.mean(axis=1, keepdims=True) / AUDIBLE, 0, 1)
    return np.concatenate([energies, MELODY_SCALE * presence * periodicity], axis=1).astype(np.float32)


def window_count(rows: int) -> int:
    """Windows of a recording with so many feature rows: one for every begun hop."""
    return -(-rows // HOP_ROWS)


def window_times(count: int) -> NDArray[np.float64]:
    """The middles of the windows, seconds: (count,)."""
    return (np.arange(count) + 0.5) * HOP_ROWS / FEATURE_RATE


def rows_for(first: int, last: int) -> tuple[int, int]:
    """The feature rows that windows ``first`` up to, not including, ``last`` see; they may lie outside the sound."""
    return first * HOP_ROWS - _LEAD, last * HOP_ROWS + _LEAD


def cut(rows: NDArray[np.floating]) -> NDArray[np.floating]:
    """Windows (count, WINDOW_ROWS, columns) of the rows that ``rows_for`` names: a view."""
    every_row = np.lib.stride_tricks.sliding_window_view(rows, WINDOW_ROWS, axis=0)
    return every_row[::HOP_ROWS].transpose(0, 2, 1)


def audible(rows: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Which of the rows (rows, COLUMNS) are voice rather than silence or steady noise: (rows,)."""
    return rows[:, :BANDS].mean(axis=1) > AUDIBLE


def voiced(rows: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Whether there is voice in the middle hop of every window of the rows that ``rows_for`` names: (count,)."""
    middle = audible(rows[_LEAD : len(rows) - _LEAD])
    return middle.reshape(-1, HOP_ROWS).mean(axis=1) >= LEAST_VOICE
