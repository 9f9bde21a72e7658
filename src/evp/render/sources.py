"""Which frame of the footage gives the pixels of a new face: near in pose, and alike in expression."""

import numpy as np
from numpy.typing import NDArray

from evp.face.basis import MOUTH_COMPONENTS

MOST_SKIN_SOURCES = 3
"""Warped frames whose mean makes the skin where the frame's own may not be used: steadier and truer than one."""

SKIN_TURN_COST = 0.0015
"""Misfit, in face heights, of a degree of head turn, when skin is looked for."""

MOUTH_TURN_COST = 0.0005
"""The same for the inside of a mouth: an open one seen from elsewhere is better than a closed one from here."""

_RELUCTANCE = 0.002
"""A source is replaced when another fits better by this much, face heights."""


def misfit(
    candidates: NDArray[np.float32],
    wanted: NDArray[np.float32],
    turned: NDArray[np.floating],
    mouth_share: float,
    turn_cost: float = SKIN_TURN_COST,
) -> NDArray[np.floating]:
    """How badly candidates' expressions (N, M + U) and turns (N,), degrees, fit a wanted expression: 0 is perfect.

    ``mouth_share`` 1 looks at the mouth alone, 0 at brows and lids alone.
    """
    apart = (candidates - wanted) ** 2
    mouth, upper = apart[:, :MOUTH_COMPONENTS].sum(axis=1), apart[:, MOUTH_COMPONENTS:].sum(axis=1)
    return np.sqrt(2 * (mouth_share * mouth + (1 - mouth_share) * upper)) + turn_cost * turned


class Chooser:
    """Follows a moving face with a few sources and changes them reluctantly, one at a time: no flicker."""

    def __init__(
        self,
        shapes: NDArray[np.float32],
        angles: NDArray[np.floating],
        count: int,
        mouth_share: float,
        turn_cost: float = SKIN_TURN_COST,
    ) -> None:
        """``shapes`` (N, M + U) and ``angles`` (N, 3), degrees, of the candidates; ``count`` of them are kept."""
        self._shapes, self._angles = shapes, angles
        self._count = min(count, len(shapes))
        self._mouth_share, self._turn_cost = mouth_share, turn_cost
        self._kept: list[int] = []

    def choose(self, wanted: NDArray[np.float32], angles: NDArray[np.floating]) -> list[int]:
        """Numbers of the sources for the next frame, with its expression (M + U,) and head angles (3,).

        While a source is being replaced, the old and the new one are both given once.
        """
        turned = np.linalg.norm(self._angles - angles, axis=1)
        fits = misfit(self._shapes, wanted, turned, self._mouth_share, self._turn_cost)
        order = [int(n) for n in np.argsort(fits)[: self._count + len(self._kept)]]
        if not self._kept:
            self._kept = order[: self._count]
            return list(self._kept)
        worst = max(self._kept, key=lambda n: float(fits[n]))
        fresh = next((n for n in order if n not in self._kept), worst)
        if fits[fresh] + _RELUCTANCE >= fits[worst]:
            return list(self._kept)
        shown = [*self._kept, fresh]
        self._kept = [n for n in shown if n != worst]
        return shown
