"""Which frame of the footage gives the pixels of a new face: near in pose, and alike in expression."""

import numpy as np
from numpy.typing import NDArray

from evp.face.basis import MOUTH_COMPONENTS
from evp.face.layouts import (
    CHIN,
    LIP_INNER_LOWER,
    LIP_INNER_UPPER,
    LOWER_LIP_INNER,
    MOUTH_CORNER_LEFT,
    MOUTH_CORNER_RIGHT,
    UPPER_LIP_INNER,
)
from evp.smoothing import smooth_step

MOST_SKIN_SOURCES = 3
"""Warped frames whose mean makes the skin where the frame's own may not be used: steadier and truer than one."""

TURN_COST = 0.0015
"""Misfit, in face heights, of a degree of head turn: teeth seen from below do not fit a mouth seen from the front."""

_TOO_MUCH = 0.6
"""Weight of a difference when the candidate's mouth shows too much, which only has to be covered."""

_SHUT, _OPEN = 0.01, 0.04
"""Opening (face heights) up to which only lips as near to each other will do, whatever corners and jaw: teeth between
closed lips are a row of stitches; and from which all counts."""

_RELUCTANCE = 0.002
"""A source is replaced when another fits better by this much, face heights."""

LOYALTY = 0.1
"""And, inside the mouth, by this part of its own misfit: where nothing fits well, who fits best is chance."""


def misfit(
    candidates: NDArray[np.float32],
    wanted: NDArray[np.float32],
    turned: NDArray[np.floating],
    mouth_share: float,
) -> NDArray[np.floating]:
    """How badly candidates' expressions (N, M + U) and turns (N,), degrees, fit a wanted expression: 0 is perfect.

    ``mouth_share`` 1 looks at the mouth alone, 0 at brows and lids alone.
    """
    apart = (candidates - wanted) ** 2
    mouth, upper = apart[:, :MOUTH_COMPONENTS].sum(axis=1), apart[:, MOUTH_COMPONENTS:].sum(axis=1)
    return np.sqrt(2 * (mouth_share * mouth + (1 - mouth_share) * upper)) + TURN_COST * turned


def mouth_misfit(
    candidates: NDArray[np.floating],
    wanted: NDArray[np.floating],
    turned: NDArray[np.floating],
) -> NDArray[np.floating]:
    """How badly the mouths of faces (N, 478, 3) serve a wanted one (478, 3), whose lips are a window into them.

    The faces are head-fixed, in face heights, and turned away by (N,) degrees. What a candidate's lips hide has to be
    stretched from what they show; what they show too much is only covered.
    """
    above = _short(candidates, wanted, LIP_INNER_UPPER, 1, 1)
    below = _short(candidates, wanted, LIP_INNER_LOWER, 1, -1)
    left = _short(candidates, wanted, (MOUTH_CORNER_LEFT,), 0, 1)
    right = _short(candidates, wanted, (MOUTH_CORNER_RIGHT,), 0, -1)
    open_share = smooth_step(wanted[LOWER_LIP_INNER, 1] - wanted[UPPER_LIP_INNER, 1], _SHUT, _OPEN)
    jaw = _TOO_MUCH**2 * (candidates[:, CHIN, 1] - wanted[CHIN, 1]) ** 2
    return np.sqrt(above + below + open_share * (left + right + jaw)) + TURN_COST * turned


def _short(
    candidates: NDArray[np.floating],
    wanted: NDArray[np.floating],
    points: tuple[int, ...],
    axis: int,
    towards: int,
) -> NDArray[np.floating]:
    """(N,) mean square of how far candidates' points lie from the wanted ones, most where they hide something.

    Something is hidden where a candidate's point lies farther ``towards`` (1 or -1) the middle of the mouth on an axis.
    """
    numbers = list(points)
    apart = towards * (candidates[:, numbers, axis] - wanted[numbers, axis])
    return np.asarray((np.where(apart > 0, apart, _TOO_MUCH * apart) ** 2).mean(axis=1))


class Chooser:
    """Follows a moving face with a few sources and changes them reluctantly, one at a time: no flicker."""

    def __init__(self, count: int, loyalty: float = 0.0) -> None:
        """Keeps ``count`` sources, or all there are, unless others fit better by more than this part of the misfit."""
        self._count, self._loyalty = count, loyalty
        self._kept: list[int] = []

    def choose(self, fits: NDArray[np.floating]) -> list[int]:
        """Numbers of the sources for the next frame, of candidates that fit it so badly (N,).

        While a source is being replaced, the old and the new one are both given once.
        """
        order = [int(n) for n in np.argsort(fits)[: self._count + len(self._kept)]]
        if not self._kept:
            self._kept = order[: self._count]
            return list(self._kept)
        worst = max(self._kept, key=lambda n: float(fits[n]))
        fresh = next((n for n in order if n not in self._kept), worst)
        if fits[fresh] + _RELUCTANCE >= (1 - self._loyalty) * fits[worst]:
            return list(self._kept)
        shown = [*self._kept, fresh]
        self._kept = [n for n in shown if n != worst]
        return shown
