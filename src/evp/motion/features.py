"""What the motion network is given of the sound: its energies against noise and level, and against the mean speech."""

import numpy as np
from numpy.typing import NDArray

from evp.audio.loudness import Loudness, normalised
from evp.audio.mel import BANDS

FEATURES = 2 * BANDS
LOWEST = -25.0
"""Of the energies against the mean speech, natural logarithm: what is still quieter is silence."""


def motion_features(rows: NDArray[np.floating], loudness: Loudness) -> NDArray[np.floating]:
    """Log-mel rows (rows, BANDS) -> float32 (rows, FEATURES).

    The first half are ``loudness.normalised``, which take away steady noise. The second half, rows minus the mean
    speech, keep the shape of the spectrum as an acoustic model of speech expects it.
    """
    return np.concatenate([normalised(rows, loudness), against_speech(rows, loudness)], axis=1)


def against_speech(rows: NDArray[np.floating], loudness: Loudness) -> NDArray[np.floating]:
    """The second half of the features: float32 (rows, BANDS)."""
    return np.maximum(rows - loudness.timbre, LOWEST).astype(np.float32)
