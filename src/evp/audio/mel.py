"""Log-mel energies: the sound as the motion network hears it."""

from collections.abc import Iterator
from functools import cache

import numpy as np
from numpy.typing import NDArray

from evp.clock import ROWS_PER_FRAME, SAMPLE_RATE, SAMPLES_PER_ROW, frames_for_samples

BANDS = 64
LOWEST_HZ = 60.0
HIGHEST_HZ = 7600.0
FFT_SIZE = 512
WINDOW_SAMPLES = 400
FLOOR = 1e-8
"""Added to every energy, about 80 dB below full scale: what is quieter is silence."""
BLOCK_ROWS = 3000


def log_mel(waveform: NDArray[np.floating]) -> NDArray[np.floating]:
    """Natural logarithm of mel energies of ``waveform`` (samples,), 16 kHz, -1..1: float32 (rows, BANDS) at 100 Hz.

    Row r is centred on sample 160 r + 80, so rows 4k .. 4k+3 belong to video frame k. There are four rows for every
    video frame of the sound, the last, partial one included; outside the sound is silence.
    """
    return np.concatenate([np.zeros((0, BANDS), np.float32), *log_mel_blocks(waveform)])


def log_mel_blocks(
    waveform: NDArray[np.floating], block_rows: int = BLOCK_ROWS
) -> Iterator[NDArray[np.floating]]:
    """The rows of ``log_mel`` in consecutive blocks of at most ``block_rows``; the values do not depend on it."""
    rows = ROWS_PER_FRAME * frames_for_samples(len(waveform))
    for first in range(0, rows, block_rows):
        yield log_mel_rows(waveform, first, min(first + block_rows, rows))


def log_mel_rows(waveform: NDArray[np.floating], first: int, last: int) -> NDArray[np.floating]:
    """Rows ``first`` up to, not including, ``last`` of ``log_mel``; rows outside the sound are silence."""
    begin = first * SAMPLES_PER_ROW + SAMPLES_PER_ROW // 2 - WINDOW_SAMPLES // 2
    end = begin + (last - first - 1) * SAMPLES_PER_ROW + WINDOW_SAMPLES
    inside = waveform[max(begin, 0) : max(end, 0)]
    before = min(max(-begin, 0), end - begin)
    samples = np.pad(inside.astype(np.float32), (before, end - begin - before - len(inside)))
    frames = np.lib.stride_tricks.sliding_window_view(samples, WINDOW_SAMPLES)[::SAMPLES_PER_ROW]
    hann = np.hanning(WINDOW_SAMPLES + 1)[:-1].astype(np.float32)
    power = np.abs(np.fft.rfft(frames * hann, FFT_SIZE)) ** 2 / np.sum(hann**2)
    return np.log(power @ filter_bank().T + FLOOR).astype(np.float32)


@cache
def filter_bank() -> NDArray[np.floating]:
    """Triangular filters of unit sum, equally spaced in mel: (BANDS, FFT_SIZE // 2 + 1)."""
    lowest, highest = (2595 * np.log10(1 + hz / 700) for hz in (LOWEST_HZ, HIGHEST_HZ))
    edges = 700 * (10 ** (np.linspace(lowest, highest, BANDS + 2) / 2595) - 1)
    left, centre, right = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    # A filter narrower than a bin would miss every bin: each bin is the mean over its own width.
    fine = np.arange((FFT_SIZE // 2 + 1) * 8) * SAMPLE_RATE / FFT_SIZE / 8 - SAMPLE_RATE / FFT_SIZE / 2
    triangles = np.clip(
        np.minimum((fine - left) / (centre - left), (right - fine) / (right - centre)), 0, None
    )
    bank = triangles.reshape(BANDS, FFT_SIZE // 2 + 1, 8).mean(axis=2)
    return bank / bank.sum(axis=1, keepdims=True)
