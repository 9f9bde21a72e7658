"""Which emotion a face shows: the nearest of the faces that the labels have."""

import numpy as np
from numpy.typing import NDArray

from evp.emotion.space import NEUTRAL
from evp.motion.expression import ExpressionModel

LEAST_SHARE = 0.4
"""A change smaller than this share of the weakest label's face shows nothing."""

_SAME = {"calm": NEUTRAL}
"""Labels that a face does not tell apart."""


def seen_emotion(change: NDArray[np.floating], model: ExpressionModel) -> str:
    """The label whose face has the direction (M + U,) in which a film differs from the person's neutral speech."""
    labels = [label for label in model.labels if as_seen(label) != NEUTRAL]
    faces = np.stack([model.basis.shape(model.faces[model.labels.index(label)]) for label in labels])
    shown = model.basis.shape(change)
    sizes = np.linalg.norm(faces, axis=1)
    if np.linalg.norm(shown) < LEAST_SHARE * sizes.min():
        return NEUTRAL
    return labels[int(np.argmax(faces @ shown / sizes))]


def as_seen(label: str) -> str:
    """The label under which a face shows ``label``."""
    return _SAME.get(label, label)
