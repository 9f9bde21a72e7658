"""How far a mouth travels: as far as this person's own mouth does when speaking.

The motion model moves all mouths equally far, for how far somebody's mouth opens cannot be heard; it can be seen in
the footage.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evp.face.basis import FaceBasis
from evp.motion.expression import NEIGHBOURS, WIDEST, gap_rows, unhurried
from evp.smoothing import smooth_step, with_neighbours

TYPICAL = 0.074
"""Travel, face heights, of the mouths that the packaged motion model makes (mean over 20 people)."""
_LEAST, _MOST = 0.75, 1.4
"""Bounds of the factor."""
_SILENT = 0.03
"""Travel, face heights, of a mouth that does not speak."""
_CLOSED, _OPEN = 0.008, 0.03
"""Opening (face heights) up to which a mouth is left as it is, so that lips still close, and from which all counts."""
_LEAST_WIDE, _SEEN = 0.09, 1.1
"""Least that a feeling may open a mouth, face heights, and how much farther than in the footage: what was never seen
is a dark hole."""

_FREE = 0.8
"""Part of the widest opening up to which another face's mouth is followed exactly."""


@dataclass(frozen=True)
class Reach:
    """How far one person's mouth goes."""

    factor: float = 1.0
    """How many times as far as the model's, when it speaks."""
    widest: float = WIDEST
    """Opening, face heights, that no feeling passes."""

    @staticmethod
    def of(openings: NDArray[np.floating]) -> "Reach":
        """From openings (T,), face heights, in the footage."""
        seen = float(np.percentile(openings, 99.5))
        return Reach(travel_factor(openings), float(np.clip(_SEEN * seen, _LEAST_WIDE, WIDEST)))


ANYBODY = Reach()


def travel(openings: NDArray[np.floating]) -> float:
    """How far apart the 5th and the 95th percentile of openings (T,), face heights, are."""
    low, high = np.percentile(openings, [5, 95])
    return float(high - low)


def travel_factor(openings: NDArray[np.floating]) -> float:
    """How many times as far as the model's a mouth with these openings (T,) goes; 1 if it does not speak."""
    own = travel(openings)
    return 1.0 if own < _SILENT else float(np.clip(own / TYPICAL, _LEAST, _MOST))


def as_far(mouths: Iterable[NDArray[np.floating]], factor: float) -> Iterator[NDArray[np.floating]]:
    """Blocks (F, M) of mouth coefficients that go ``factor`` times as far, but close as they did; never too fast."""
    middle = gap_rows(FaceBasis.load())[0]
    for mouth, new in with_neighbours(mouths, NEIGHBOURS):
        opening = mouth @ middle
        farther = (factor - 1) * smooth_step(opening, _CLOSED, _OPEN)
        farther *= unhurried(opening, farther * opening)
        yield np.asarray(mouth[new] * (1 + farther[new, None]), np.float32)


def no_wider(expression: NDArray[np.floating], widest: float) -> NDArray[np.float32]:
    """Expression coefficients (T, M + U) of another face whose mouth opens ever less from four fifths of ``widest`` on.

    Face heights; it is never passed.
    """
    basis = FaceBasis.load()
    opening = expression[:, : basis.mouth_count] @ gap_rows(basis)[0]
    room = (1 - _FREE) * widest
    beyond = np.maximum(opening - _FREE * widest, 0)
    limited = opening - beyond + room * np.tanh(beyond / room)
    whole = np.array(expression, np.float32)
    wide = beyond > 0
    whole[wide, : basis.mouth_count] *= (limited[wide] / opening[wide])[:, None]
    return whole
