"""How periodic the sound is at every pitch: shows the melody of a voice without deciding on one pitch."""

import numpy as np
from numpy.typing import NDArray

from evp.clock import SAMPLE_RATE, SAMPLES_PER_ROW

LOWEST_HZ = 60.0
PITCHES_PER_OCTAVE = 12
PITCHES = 40
"""Semitones from LOWEST_HZ to 571 Hz."""
WINDOW_SAMPLES = 640
"""40 ms: more than two periods of the lowest pitch."""
FFT_SIZE = 1024
"""At least the window and the longest period, so that the correlation does not wrap around."""
LEAST_ENERGY = 1e-6
"""Sum of squares in a window below which nothing is periodic."""


def periodicity_rows(waveform: NDArray[np.floating], first: int, last: int) -> NDArray[np.floating]:
    """Normalised autocorrelation at the period of every pitch: float32 (last - first, PITCHES), -1..1.

    Rows are those of ``mel.log_mel_rows``: 100 a second, row r centred on sample 160 r + 80, silence outside the sound.
    The taper of the window is divided out (Boersma 1993), so a lasting tone has 1 at its pitch.
    """
    begin = first * SAMPLES_PER_ROW + (SAMPLES_PER_ROW - WINDOW_SAMPLES) // 2
    end = begin + (last - first - 1) * SAMPLES_PER_ROW + WINDOW_SAMPLES
    inside = waveform[max(begin, 0) : max(end, 0)].astype(np.float32)
    before = min(max(-begin, 0), end - begin)
    samples = np.pad(inside, (before, end - begin - before - len(inside)))
    frames = np.lib.stride_tricks.sliding_window_view(samples, WINDOW_SAMPLES)[::SAMPLES_PER_ROW]
    taper = np.hanning(WINDOW_SAMPLES + 1)[:-1].astype(np.float32)
    centred = (frames - frames.mean(axis=1, keepdims=True)) * taper
    correlation = _autocorrelation(centred)
    lags = SAMPLE_RATE / pitches()
    below = lags.astype(int)
    share = (lags - below).astype(np.float32)
    energy = correlation[:, :1] + LEAST_ENERGY
    shape = _autocorrelation(taper[None])
    normal = correlation / energy / (shape / shape[:, :1])
    return normal[:, below] * (1 - share) + normal[:, below + 1] * share


def pitches() -> NDArray[np.float64]:
    """(PITCHES,) Hz."""
    return LOWEST_HZ * 2 ** (np.arange(PITCHES) / PITCHES_PER_OCTAVE)


def transposed(periodicity: NDArray[np.floating], factor: float) -> NDArray[np.floating]:
    """The rows (rows, PITCHES) of a voice ``factor`` times as high."""
    source = np.arange(PITCHES) - PITCHES_PER_OCTAVE * np.log2(factor)
    below = np.clip(np.floor(source).astype(int), 0, PITCHES - 2)
    share = np.clip(source - below, 0, 1)
    return periodicity[:, below] * (1 - share) + periodicity[:, below + 1] * share


def _autocorrelation(frames: NDArray[np.floating]) -> NDArray[np.floating]:
    """At lags up to the longest period: float32 (rows, lags)."""
    spectrum = np.abs(np.fft.rfft(frames, FFT_SIZE)) ** 2
    longest = int(SAMPLE_RATE / LOWEST_HZ) + 2
    return np.fft.irfft(spectrum)[:, :longest].astype(np.float32)
