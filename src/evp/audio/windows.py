"""The one function that cuts sound features into video frames."""

import numpy as np
from numpy.typing import NDArray

from evp.clock import ROWS_PER_FRAME, WINDOW_ROWS


def windows(features: NDArray[np.floating], frames: int) -> NDArray[np.floating]:
    """Windows of sound for ``frames`` video frames: a view (frames, 28, columns), window k holding rows 4k .. 4k+27.

    ``features`` (rows, columns) at 100 Hz begin with ``clock.PADDING_ROWS`` rows of silence, as ``audio.mfcc`` gives
    them, so that frame k lies in the middle of window k. ``frames`` is ``clock.frames_for_samples`` of the sound; rows
    that the last window lacks are zeros, which is what silence gives.
    """
    if frames == 0:
        return np.zeros((0, WINDOW_ROWS, features.shape[1]), features.dtype)
    missing = max(0, (frames - 1) * ROWS_PER_FRAME + WINDOW_ROWS - len(features))
    padded = np.pad(features, ((0, missing), (0, 0))) if missing else features
    every_row = np.lib.stride_tricks.sliding_window_view(padded, WINDOW_ROWS, axis=0)
    return every_row[::ROWS_PER_FRAME][:frames].transpose(0, 2, 1)
