"""How loud and how high a voice is, frame by frame: what makes an emotion on the face come alive."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evp.clock import SAMPLE_RATE, SAMPLES_PER_FRAME, frames_for_samples

LOWEST_PITCH, HIGHEST_PITCH = 65.0, 500.0
_WINDOW = 1024
_PERIODIC = 0.45
"""Autocorrelation, of the energy, from which a frame counts as voiced."""
_FAINT = 35.0
"""Frames this many decibels below the loudest are not voiced: noise hums too."""
_BLOCK_FRAMES = 500
_FLOOR = 1e-5
"""Added to the root mean square: 100 dB below full scale."""


@dataclass(frozen=True)
class Prosody:
    """Of F video frames."""

    loudness: NDArray[np.float32]
    """(F,) decibels relative to the recording's loudest frames (95th percentile)."""
    pitch: NDArray[np.float32]
    """(F,) semitones above the recording's median pitch; 0 where there is none."""


def prosody(waveform: NDArray[np.floating]) -> Prosody:
    """Loudness and pitch of ``waveform`` (samples,), 16 kHz, at 25 frames a second; two numbers a frame are kept.

    Pitch is the highest peak of the autocorrelation of 64 ms around the middle of the frame.
    """
    frames = frames_for_samples(len(waveform))
    loudness = np.zeros(frames)
    hertz = np.zeros(frames)
    for first in range(0, frames, _BLOCK_FRAMES):
        last = min(first + _BLOCK_FRAMES, frames)
        loudness[first:last], hertz[first:last] = _measure(_windows(waveform, first, last))
    if frames == 0:
        return Prosody(loudness.astype(np.float32), hertz.astype(np.float32))
    voiced = (hertz > 0) & (loudness > loudness.max() - _FAINT)
    median = np.median(hertz[voiced]) if voiced.any() else 1.0
    semitones = np.where(voiced, 12 * np.log2(np.where(voiced, hertz, median) / median), 0)
    return Prosody((loudness - np.percentile(loudness, 95)).astype(np.float32), semitones.astype(np.float32))


def _windows(waveform: NDArray[np.floating], first: int, last: int) -> NDArray[np.float32]:
    """(last - first, 1024) samples, the middle of each frame in the middle; silence outside the sound."""
    margin = (_WINDOW - SAMPLES_PER_FRAME) // 2
    begin, end = first * SAMPLES_PER_FRAME - margin, last * SAMPLES_PER_FRAME + margin
    inside = waveform[max(begin, 0) : end].astype(np.float32)
    before = max(-begin, 0)
    padded = np.pad(inside, (before, end - begin - before - len(inside)))
    return np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::SAMPLES_PER_FRAME]


def _measure(windows: NDArray[np.float32]) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Decibels and hertz (0 where there is no pitch) of every window."""
    centred = windows - windows.mean(axis=1, keepdims=True)
    decibels = 20 * np.log10(np.sqrt((centred**2).mean(axis=1)) + _FLOOR)
    spectrum = np.abs(np.fft.rfft(centred, 2 * _WINDOW)) ** 2
    correlation = np.fft.irfft(spectrum)[:, :_WINDOW]
    overlap = 1 - np.arange(_WINDOW) / _WINDOW
    normal = correlation / (correlation[:, :1] + 1e-9) / np.maximum(overlap, 0.1)
    shortest, longest = int(SAMPLE_RATE / HIGHEST_PITCH), int(SAMPLE_RATE / LOWEST_PITCH)
    searched = normal[:, shortest : longest + 1] * (1 - 1e-4 * np.arange(longest + 1 - shortest))
    lag = shortest + searched.argmax(axis=1)
    return decibels, np.where(searched.max(axis=1) > _PERIODIC, SAMPLE_RATE / lag, 0)
