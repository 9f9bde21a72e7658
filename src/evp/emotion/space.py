"""The emotion space: codes of labels, strengths and mixtures, and how much of every label is in any code."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from evp.errors import InputError

CODE_SIZE = 128
NEUTRAL = "neutral"
UNSURE, SURE = 0.35, 0.75
"""Probability of the likeliest of about eight emotions at which nothing, and at which everything of it is shown."""
_ITERATIONS = 120
_NEGLIGIBLE = 1e-4
"""Shares below this are rounding: a neutral code is neutral to the last bit."""


@dataclass(frozen=True)
class EmotionSpace:
    """Where the labels lie among the codes; straight lines between them are mixtures (EVP section 3.1)."""

    codes: Mapping[str, NDArray[np.floating]]
    """Label -> (128,) mean code of recordings with this label; "neutral" is among them."""

    @property
    def labels(self) -> tuple[str, ...]:
        """All labels, in the order of ``shares``."""
        return tuple(self.codes)

    def code(self, strengths: Mapping[str, float]) -> NDArray[np.float32]:
        """The code (128,) of labels with strengths 0..1, together at most 1; what is left to 1 is neutral.

        Raises InputError for a label that is not known, naming the nearest, and for strengths out of range.
        """
        code = self.codes[NEUTRAL].astype(np.float64)
        for label, strength in strengths.items():
            if label not in self.codes:
                raise InputError(f"there is no emotion {label!r}: {self._suggestion(label)}")
            if not 0 <= strength <= 1:
                raise InputError(f"the strength of {label} must lie between 0 and 1, not {strength:g}")
            code += strength * (self.codes[label] - self.codes[NEUTRAL])
        if sum(strengths.values()) > 1 + 1e-9:
            raise InputError(
                f"the strengths of {' + '.join(strengths)} may be 1 together, not {sum(strengths.values()):g}"
            )
        return code.astype(np.float32)

    def likely(self, probabilities: NDArray[np.floating], labels: Sequence[str]) -> NDArray[np.float32]:
        """Codes (F, 128) of what is probably felt, as strong as it is certain: ``probabilities`` (F, L) of ``labels``.

        A mixture of the labels in the proportion of their squared probabilities, between neutral (when none reaches
        `UNSURE`) and full strength (when one reaches `SURE`). So a voice that resembles no emotion stays neutral.
        """
        certainty = np.clip((probabilities.max(axis=1) - UNSURE) / (SURE - UNSURE), 0, 1)
        squared = probabilities.astype(np.float64) ** 2
        shares = squared / squared.sum(axis=1, keepdims=True) * certainty[:, None]
        ways = np.stack([self.codes[label] - self.codes[NEUTRAL] for label in labels])
        return (self.codes[NEUTRAL] + shares @ ways).astype(np.float32)

    def shares(self, codes: NDArray[np.floating]) -> NDArray[np.float64]:
        """How much of every label is in codes (F, 128): (F, labels), not negative, sum 1.

        The nearest mixture of the labels: exact for mixtures, and sensible for the code of any recording.
        """
        basis, gram, step = self._geometry
        centred = np.asarray(codes, np.float64) - self._centre
        exact = np.linalg.lstsq(
            np.vstack([basis.T, np.full(len(basis), 1e3)]),
            np.vstack([centred.T, np.full(len(centred), 1e3)]),
            rcond=None,
        )[0].T
        mixed = (exact >= -1e-5).all(axis=1)
        shares = np.where(mixed[:, None], exact, 1 / len(basis))
        moving, ahead = shares[~mixed], shares[~mixed]
        for number in range(_ITERATIONS):  # accelerated projected gradient
            before = moving
            moving = _onto_simplex(ahead - step * (ahead @ gram - centred[~mixed] @ basis.T))
            ahead = moving + number / (number + 3) * (moving - before)
        shares[~mixed] = moving
        shares[shares < _NEGLIGIBLE] = 0
        return shares / shares.sum(axis=1, keepdims=True)

    @cached_property
    def _centre(self) -> NDArray[np.float64]:
        return np.mean([code.astype(np.float64) for code in self.codes.values()], axis=0)

    @cached_property
    def _geometry(self) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
        """Centred label codes (labels, 128), their products, and the step that the descent can take."""
        basis = np.stack([code.astype(np.float64) for code in self.codes.values()]) - self._centre
        gram = basis @ basis.T
        return basis, gram, 1 / float(np.linalg.eigvalsh(gram)[-1])

    def _suggestion(self, label: str) -> str:
        near = get_close_matches(label.lower(), self.labels, 1, cutoff=0.5)
        return (f"did you mean {near[0]}? " if near else "") + f"known are {', '.join(self.labels)}"


def _onto_simplex(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """The nearest rows that are not negative and sum to 1 (Held, Wolfe and Crowder 1974)."""
    ordered = -np.sort(-points, axis=1)
    excess = (np.cumsum(ordered, axis=1) - 1) / np.arange(1, points.shape[1] + 1)
    last = (ordered > excess).sum(axis=1) - 1
    return np.maximum(points - excess[np.arange(len(points)), last][:, None], 0)
