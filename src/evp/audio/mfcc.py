"""MFCC exactly as the original system computes them: the defaults of ``python_speech_features`` at 100 Hz."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from evp.clock import PADDING_ROWS, PADDING_SAMPLES, SAMPLE_RATE, SAMPLES_PER_ROW

FRAME_SAMPLES = SAMPLE_RATE // 40
FFT_SIZE = 512
FILTERS = 26
COEFFICIENTS = 12
PREEMPHASIS = 0.97
LIFTER = 22
BLOCK_ROWS = 3000
"""Rows computed at once, so that memory does not grow with the length of the sound."""


def mfcc(waveform: NDArray[np.floating]) -> NDArray[np.floating]:
    """MFCC rows of ``waveform`` (samples,), 16 kHz, -1..1: float32 (rows, 12) at 100 Hz, without the energy column.

    The sound is padded with ``clock.PADDING_SAMPLES`` zeros at both ends, so ``audio.windows`` can cut a full window
    for every video frame. Equal to ``python_speech_features.mfcc(padded, 16000, winstep=0.01)[:, 1:]``.
    """
    rows = count_rows(len(waveform))
    return np.concatenate(list(mfcc_blocks(waveform))) if rows else np.zeros((0, COEFFICIENTS), np.float32)


def count_rows(samples: int) -> int:
    """Rows that ``mfcc`` gives for this many samples."""
    return 1 + -(-(samples + 2 * PADDING_SAMPLES - FRAME_SAMPLES) // SAMPLES_PER_ROW)


def mfcc_blocks(
    waveform: NDArray[np.floating], block_rows: int = BLOCK_ROWS
) -> Iterator[NDArray[np.floating]]:
    """The rows of ``mfcc`` in consecutive blocks of at most ``block_rows``; the values do not depend on it."""
    rows = count_rows(len(waveform))
    for first in range(0, rows, block_rows):
        last = min(first + block_rows, rows)
        yield mfcc_rows(waveform, first - PADDING_ROWS, last - PADDING_ROWS)


def mfcc_rows(waveform: NDArray[np.floating], first: int, last: int) -> NDArray[np.floating]:
    """Rows ``first`` up to, not including, ``last``, counted from the start of the sound: -12 is row 0 of ``mfcc``.

    Rows outside the sound are those of silence, which are zeros.
    """
    begin = first * SAMPLES_PER_ROW
    samples = _slice_with_zeros(
        waveform, begin - 1, begin + (last - first - 1) * SAMPLES_PER_ROW + FRAME_SAMPLES
    )
    emphasised = samples[1:] - PREEMPHASIS * samples[:-1]
    frames = np.lib.stride_tricks.sliding_window_view(emphasised, FRAME_SAMPLES)[::SAMPLES_PER_ROW]
    return _cepstrum(frames)


def moved_frequencies(factor: float) -> NDArray[np.floating]:
    """The matrix (12, 12) that moves every frequency f of the sound to f * ``factor``: rows @ matrix.

    It is that of a vocal tract so many times shorter. Rows hold the spectrum smoothly, and so is it moved.
    """
    centres = _edges()[1:-1]
    source = np.interp(centres / factor, centres, np.arange(FILTERS))
    below = np.minimum(source.astype(int), FILTERS - 2)
    share = source - below
    moved = np.zeros((FILTERS, FILTERS))
    moved[np.arange(FILTERS), below] += 1 - share
    moved[np.arange(FILTERS), below + 1] += share
    cosines = _liftered_cosines()
    return (np.linalg.pinv(cosines) @ moved.T @ cosines).astype(np.float32)


def _cepstrum(frames: NDArray[np.floating]) -> NDArray[np.floating]:
    power = np.abs(np.fft.rfft(frames, FFT_SIZE)) ** 2 / FFT_SIZE
    energies = power @ _filter_bank().T
    energies[energies == 0] = np.finfo(float).eps
    return (np.log(energies) @ _liftered_cosines()).astype(np.float32)


def _slice_with_zeros(waveform: NDArray[np.floating], begin: int, end: int) -> NDArray[np.floating]:
    """Samples ``begin`` to ``end`` in float64, zeros where that is outside the waveform."""
    inside = waveform[max(begin, 0) : max(end, 0)].astype(np.float64)
    before = min(max(-begin, 0), end - begin)
    return np.pad(inside, (before, end - begin - before - len(inside)))


def _filter_bank() -> NDArray[np.floating]:
    """Triangular filters, equally spaced in mel from 0 Hz to Nyquist: (FILTERS, FFT_SIZE // 2 + 1)."""
    bins = np.floor((FFT_SIZE + 1) * _edges() / SAMPLE_RATE)
    left, centre, right = bins[:-2, None], bins[1:-1, None], bins[2:, None]
    frequency = np.arange(FFT_SIZE // 2 + 1)
    rising, falling = (frequency - left) / (centre - left), (right - frequency) / (right - centre)
    return np.clip(np.where(frequency < centre, rising, falling), 0, None)


def _edges() -> NDArray[np.floating]:
    """Where filters begin, have their middles and end, Hz: (FILTERS + 2,)."""
    top = 2595 * np.log10(1 + SAMPLE_RATE / 2 / 700)
    return 700 * (10 ** (np.linspace(0, top, FILTERS + 2) / 2595) - 1)


def _liftered_cosines() -> NDArray[np.floating]:
    """Orthonormal DCT-II without its first coefficient, times the cepstral lifter: (FILTERS, COEFFICIENTS)."""
    order = np.arange(1, COEFFICIENTS + 1)
    phase = np.pi * np.outer(np.arange(FILTERS) + 0.5, order) / FILTERS
    return np.sqrt(2 / FILTERS) * np.cos(phase) * (1 + LIFTER / 2 * np.sin(np.pi * order / LIFTER))
