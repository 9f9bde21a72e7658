"""What an emotion network hears of a recording: overlapping windows of its features, and whether there is voice.

There are three ways of hearing, and weights say which one is theirs (`ear_for`). `ENERGIES`: long windows of log-mel
energies (of which MFCC are the cosine transform) between the recording's own noise and its speech level, so that
microphone, level and steady noise count little. `MELODY`: the same and, beside them, the melody of the voice. `MFCC`:
the paper's windows, one for every video frame.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from evp import clock
from evp.audio.loudness import Loudness, normalised
from evp.audio.mel import BANDS, log_mel_rows
from evp.audio.mfcc import COEFFICIENTS, mfcc_rows
from evp.audio.pitch import PITCHES, periodicity_rows

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

Features = Literal["energies", "melody", "mfcc"]
"""The ways of hearing, as weights name them."""


@dataclass(frozen=True)
class Ear:
    """A way of hearing: features of the sound, in windows around the middles of consecutive hops."""

    features: Callable[[NDArray[np.floating], NDArray[np.floating], int, int], NDArray[np.float32]]
    """The rows (last - first, columns) of a waveform (samples,), given their energies (last - first, BANDS)."""
    columns: int
    """Features of a row."""
    rows: int
    """Feature rows of a window, 100 a second."""
    hop: int
    """Rows from one window to the next."""

    def count(self, samples: int) -> int:
        """Windows of a recording of so many samples: one for every begun hop of its video frames."""
        return -(-clock.ROWS_PER_FRAME * clock.frames_for_samples(samples) // self.hop)

    def times(self, count: int) -> NDArray[np.float64]:
        """The middles of the windows, seconds: (count,)."""
        return (np.arange(count) + 0.5) * self.hop / clock.FEATURE_RATE

    def windows(
        self, waveform: NDArray[np.floating], loudness: Loudness, first: int, last: int
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Windows ``first`` up to, not including, ``last`` of ``waveform`` (samples,), 16 kHz: (count, rows, columns).

        And whether there is voice in the middle hop of each: (count,). Outside the sound is silence.
        """
        rows = self.rows_for(first, last)
        energies = normalised(log_mel_rows(waveform, *rows), loudness)
        return self.cut(self.features(waveform, energies, *rows)), self.voiced(energies)

    def rows_for(self, first: int, last: int) -> tuple[int, int]:
        """The feature rows that windows ``first`` up to, not including, ``last`` see; some lie outside the sound."""
        return first * self.hop - self._lead, last * self.hop + self._lead

    def cut(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Windows (count, rows, columns) of the rows that ``rows_for`` names: a view."""
        every_row = np.lib.stride_tricks.sliding_window_view(rows, self.rows, axis=0)
        return every_row[:: self.hop].transpose(0, 2, 1)

    def voiced(self, rows: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Whether there is voice in the middle hop of every window of the rows that ``rows_for`` names: (count,)."""
        middle = audible(rows[self._lead : len(rows) - self._lead])
        return middle.reshape(-1, self.hop).mean(axis=1) >= LEAST_VOICE

    @property
    def _lead(self) -> int:
        return (self.rows - self.hop) // 2


def audible(rows: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Which of the rows (rows, energies and more) are voice rather than silence or steady noise: (rows,)."""
    return rows[:, :BANDS].mean(axis=1) > AUDIBLE


def energies_alone(
    _waveform: NDArray[np.floating], energies: NDArray[np.floating], _first: int, _last: int
) -> NDArray[np.float32]:
    """The rows (last - first, BANDS) of `ENERGIES`; zeros outside the sound, in silence and noise."""
    return energies.astype(np.float32)


def melody(
    waveform: NDArray[np.floating], energies: NDArray[np.floating], first: int, last: int
) -> NDArray[np.float32]:
    """The rows (last - first, COLUMNS) of `MELODY`; zeros outside the sound, in silence and noise."""
    return joined(energies, periodicity_rows(waveform, first, last))


def joined(energies: NDArray[np.floating], periodicity: NDArray[np.floating]) -> NDArray[np.float32]:
    """Rows (rows, COLUMNS) of normalised energies (rows, BANDS) and, where heard, of periodicity (rows, PITCHES)."""
    presence = np.clip(energies.mean(axis=1, keepdims=True) / AUDIBLE, 0, 1)
    return np.concatenate([energies, MELODY_SCALE * presence * periodicity], axis=1).astype(np.float32)


def cepstrum(
    waveform: NDArray[np.floating], _energies: NDArray[np.floating], first: int, last: int
) -> NDArray[np.float32]:
    """The rows (last - first, 12) of `MFCC`."""
    return mfcc_rows(waveform, first, last)


ENERGIES = Ear(energies_alone, BANDS, WINDOW_ROWS, HOP_ROWS)
MELODY = Ear(melody, COLUMNS, WINDOW_ROWS, HOP_ROWS)
MFCC = Ear(cepstrum, COEFFICIENTS, clock.WINDOW_ROWS, clock.ROWS_PER_FRAME)
EARS: Mapping[Features, Ear] = {"energies": ENERGIES, "melody": MELODY, "mfcc": MFCC}


def ear_for(metadata: Mapping[str, Any]) -> Ear:
    """How the network of weights with this ``metadata`` hears; the packaged ones do not say that it is by melody."""
    return EARS[metadata.get("features", "melody")]
