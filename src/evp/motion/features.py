"""What the motion network is given of the sound: its energies against noise and level, and against the mean speech."""

import numpy as np
from numpy.typing import NDArray

from evp.audio.loudness import Loudness, normalised
from evp.audio.mel import BANDS

FEATURES = 2 * BANDS
LOWEST = -11.0
"""Of the energies against the mean speech, natural logarithm: what is still quieter is silence."""
AUDIBLE_FROM, AUDIBLE_TO = 0.6, 0.9
"""Mean over the bands of ``normalised`` up to which a row is noise, and from which it is more; noise is 0.6 at most."""
AROUND_ROWS = 16
"""Rows before and after the loud ones that are listened to as well."""


def motion_features(rows: NDArray[np.floating], loudness: Loudness) -> NDArray[np.floating]:
    """Log-mel rows (rows, BANDS) -> float32 (rows, FEATURES).

    The first half are ``loudness.normalised``, which take away steady noise. The second half, rows minus the mean
    speech, keep the shape of the spectrum as a recogniser of speech expects it.
    """
    return np.concatenate([normalised(rows, loudness), against_speech(rows, loudness)], axis=1)


def against_speech(rows: NDArray[np.floating], loudness: Loudness) -> NDArray[np.floating]:
    """The second half of the features: float32 (rows, BANDS). Where nothing rises above the noise there is silence."""
    loud = np.pad(normalised(rows, loudness).mean(axis=1), AROUND_ROWS, mode="edge")
    loudest = np.lib.stride_tricks.sliding_window_view(loud, 2 * AROUND_ROWS + 1).max(axis=1)
    audible = np.clip((loudest - AUDIBLE_FROM) / (AUDIBLE_TO - AUDIBLE_FROM), 0, 1)[:, None]
    heard = np.maximum(rows - loudness.timbre, LOWEST)
    return (LOWEST + audible * (heard - LOWEST)).astype(np.float32)
