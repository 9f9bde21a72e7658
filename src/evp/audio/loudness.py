"""The sound as the networks hear it: log-mel energies between the recording's noise and its speech level."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evp.audio.mel import BANDS, FLOOR, log_mel_blocks

RANGE = 10.0
"""Energies more than this far below the speech level (natural logarithm: 43 dB) count as silence."""
LEAST_RANGE = 4.0
"""What is not this far above the noise (17 dB) is not taken for speech, so noise alone is not amplified into speech."""
SCALE = 3.0
"""Divides the features, which then have a standard deviation near one."""
ACTIVE_RANGE = 3.0
"""Rows within this distance of the loudest count as active when the level is measured (13 dB)."""
QUIETEST_LEVEL = -14.0
"""A recording quieter than this is not amplified further (about -60 dB below full scale)."""
NOISE_ROWS = 8
"""Rows that are averaged before the noise is measured."""
NOISE_SHARE = 10.0
"""Percentile of a band's averaged energy that is taken for its noise."""
NOISE_MARGIN = 1.0
"""How far above the measured noise (natural logarithm) the floor is laid: noise fluctuates."""


class Loudness(NamedTuple):
    """How loud the speech of a recording is, and its noise, as natural logarithms in the unit of ``log_mel``."""

    level: float
    noise: NDArray[np.floating]
    """(BANDS,)."""
    timbre: NDArray[np.floating]
    """(BANDS,) mean of the speech: what microphone, room and voice make of every sound."""


def measure(waveform: NDArray[np.floating]) -> Loudness:
    """The loudness of a recording (samples,), in one pass of constant memory but for a few numbers per 80 ms."""
    return loudness_of(log_mel_blocks(waveform))


def loudness_of(blocks: Iterable[NDArray[np.floating]]) -> Loudness:
    """``measure`` of log-mel rows that come in blocks, whose lengths are multiples of NOISE_ROWS but for the last."""
    powers, averages = [np.zeros(0)], [np.zeros((0, BANDS), np.float32)]
    for block in blocks:
        powers.append(np.exp(block).mean(axis=1))
        averages.append(_averaged(block))
    power, average = np.concatenate(powers), np.concatenate(averages)
    level = float(np.log(power[_active(power)].mean())) if len(power) else QUIETEST_LEVEL
    return Loudness(max(level, QUIETEST_LEVEL), noise_of(average), timbre_of(average))


def _active(power: NDArray[np.floating]) -> NDArray[np.bool_]:
    return power >= np.percentile(power, 99.0) * np.exp(-ACTIVE_RANGE)


def noise_of(averages: NDArray[np.floating], silence: float = np.log(FLOOR) + 1e-3) -> NDArray[np.floating]:
    """Noise per band (BANDS,) from averaged rows; rows of digital silence, up to ``silence``, do not count."""
    sounding = averages[averages.max(axis=1) > silence]
    return np.percentile(sounding, NOISE_SHARE, axis=0) if len(sounding) else np.full(BANDS, silence)


def timbre_of(averages: NDArray[np.floating]) -> NDArray[np.floating]:
    """Mean speech per band (BANDS,) from averaged rows."""
    if len(averages) == 0:
        return np.full(BANDS, QUIETEST_LEVEL)
    return np.maximum(averages[_active(np.exp(averages).mean(axis=1))].mean(axis=0), QUIETEST_LEVEL)


def normalised(rows: NDArray[np.floating], loudness: Loudness) -> NDArray[np.floating]:
    """Features (rows, BANDS) from log-mel rows: 0 for silence and steady noise, RANGE / SCALE at the speech level."""
    level = max(loudness.level, float(np.log(np.exp(loudness.noise).mean())) + LEAST_RANGE)
    relative = rows - level
    floor = np.logaddexp(loudness.noise - level + NOISE_MARGIN, -RANGE).clip(max=NOISE_MARGIN - LEAST_RANGE)
    return ((np.logaddexp(relative, floor) - floor) * (RANGE / -floor) / SCALE).astype(np.float32)


def crop_loudness(rows: NDArray[np.floating], silence: float) -> Loudness:
    """What ``measure`` finds in a recording, in a crop of rows relative to the speech level."""
    averages = _averaged(rows)
    return Loudness(0.0, noise_of(averages, silence), timbre_of(averages))


def _averaged(rows: NDArray[np.floating]) -> NDArray[np.floating]:
    whole = rows[: len(rows) // NOISE_ROWS * NOISE_ROWS] if len(rows) >= NOISE_ROWS else rows
    groups = max(len(whole) // NOISE_ROWS, min(len(whole), 1))
    return np.log(np.exp(whole).reshape(groups, -1, rows.shape[1]).mean(axis=1)).astype(np.float32)
