"""The sound as the motion network hears it: log-mel energies relative to the level of the recording's speech."""

from collections.abc import Iterator

import numpy as np

from evp.audio.mel import BANDS, log_mel_blocks

RANGE = 10.0
"""Energies more than this far below the speech level (natural logarithm: 43 dB) count as silence."""
SCALE = 3.0
"""Divides the features, which then have a standard deviation near one."""
ACTIVE_RANGE = 6.0
"""Rows within this distance of the loudest count as active when the level is measured (26 dB)."""
QUIETEST_LEVEL = -14.0
"""A recording quieter than this is not amplified further (about -60 dB below full scale)."""


def recording_level(waveform: np.ndarray) -> float:
    """Natural logarithm of the mean energy of the recording's active rows, in the unit of ``log_mel``."""
    return level_of(log_mel_blocks(waveform))


def level_of(blocks: Iterator[np.ndarray]) -> float:
    """``recording_level`` of log-mel rows that come in blocks; only one number a row is kept."""
    powers = np.concatenate([np.zeros(0), *(np.exp(block).mean(axis=1) for block in blocks)])
    if len(powers) == 0:
        return QUIETEST_LEVEL
    loudest = np.percentile(powers, 99.0)
    active = powers[powers >= loudest * np.exp(-ACTIVE_RANGE)]
    return max(float(np.log(active.mean())), QUIETEST_LEVEL)


def normalised(log_mel_rows: np.ndarray, level: float) -> np.ndarray:
    """Features (rows, bands), 0 for silence, from log-mel rows and the level of their recording."""
    return ((np.logaddexp(log_mel_rows - level, -RANGE) + RANGE) / SCALE).astype(np.float32)


__all__ = ["BANDS", "RANGE", "SCALE", "level_of", "normalised", "recording_level"]
