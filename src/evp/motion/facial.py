"""What a face does in one frame: what the motion stages hand to the portrait."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Feeling:
    """What emotion adds to a face in one frame."""

    displacement: NDArray[np.float32]
    """(478, 3) head frame, face heights: added to what the face does anyway."""
    shares: dict[str, float]
    """How much of every label there is, 0..1: folds and shadows of the skin follow."""


@dataclass(frozen=True)
class FacialMotion:
    """One frame."""

    expression: NDArray[np.float32]
    """(K,) the first K expression coefficients, in the place of the target's own."""
    feeling: Feeling | None = None
    """None is neutral."""
