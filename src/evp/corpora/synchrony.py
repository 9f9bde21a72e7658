"""Whether a clip's sound is in step with its picture: compares the mouth that is heard with the mouth that is seen."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evp.clock import SAMPLES_PER_FRAME

REACH = 6
"""Frames by which sound and picture may differ."""
CLEAR = 0.1
"""How much better than no shift the best one must be, in Pearson r, before a clip is moved."""
CERTAIN = 2
"""Frames below which a shift is no more than the error of measuring it on a clip of a few seconds."""


class Lag(NamedTuple):
    """The shift at which two curves agree best."""

    frames: int
    """Positive: the first curve is late."""
    r: float
    """Pearson correlation at this shift; nan when there is too little to compare."""


def best_lag(
    first: NDArray[np.floating], second: NDArray[np.floating], known: NDArray[np.bool_], reach: int = REACH
) -> Lag:
    """The shift of up to ``reach`` frames at which two curves (frames,) agree best where ``second`` is ``known``."""
    best = Lag(0, float("nan"))
    for frames in range(-reach, reach + 1):
        a, b, both = _shifted(first, second, known, frames)
        if both.sum() > 10 and a[both].std() > 1e-6 and b[both].std() > 1e-6:
            r = float(np.corrcoef(a[both], b[both])[0, 1])
            best = best if best.r >= r else Lag(frames, r)
    return best


def in_step(
    waveform: NDArray[np.floating],
    heard: NDArray[np.floating],
    seen: NDArray[np.floating],
    known: NDArray[np.bool_],
) -> tuple[NDArray[np.floating], Lag]:
    """The waveform (samples,) moved so that mouth openings heard and seen (frames,) agree, and by how much it was late.

    ``heard`` is the opening that a motion model predicts from the waveform, ``seen`` the tracked one. The length
    stays; what is moved in is silence. Unless the shift is certain and clearly better than none the waveform is
    returned as it is, with lag 0.
    """
    lag = best_lag(heard, seen, known)
    still = best_lag(heard, seen, known, reach=0)
    if abs(lag.frames) < CERTAIN or not lag.r > still.r + CLEAR:
        return waveform, still
    samples = lag.frames * SAMPLES_PER_FRAME
    padded = np.pad(waveform, (max(-samples, 0), max(samples, 0)))
    return padded[max(samples, 0) :][: len(waveform)], lag


def _shifted(
    first: NDArray[np.floating], second: NDArray[np.floating], known: NDArray[np.bool_], frames: int
) -> tuple[NDArray[np.floating], NDArray[np.floating], NDArray[np.bool_]]:
    """The parts of the curves that meet when the first is taken ``frames`` later."""
    length = min(len(first) - frames, len(second)) if frames > 0 else min(len(first), len(second) + frames)
    ahead, behind = max(frames, 0), max(-frames, 0)
    return (first[ahead:][:length], second[behind:][:length], known[behind:][:length])
