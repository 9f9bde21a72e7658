"""The emotion code that a clip brings to the training of motion: what is heard in it, relative to neutral."""

import functools

import numpy as np
from numpy.typing import NDArray

from evp.emotion.hearing import EmotionModel
from evp.emotion.space import NEUTRAL
from evp.errors import InputError
from evp.motion.dataset import EmotionCoder


def hearing_coder() -> EmotionCoder:
    """Codes by the packaged emotion model, which is loaded when the first clip asks for it.

    A clip with a voice has the code of its own sound, one without has the mean code of its label; neutral is taken off,
    so that neutral clips lie near zero.
    """
    load = functools.cache(EmotionModel.load)

    def code(label: str, voice: NDArray[np.floating] | None) -> NDArray[np.floating]:
        model = load()
        known = model.label_codes
        heard = None if voice is None else model.hear(voice)
        if heard is not None and heard.voiced.any():
            return heard.code - known[NEUTRAL]
        if label not in known:
            raise InputError(
                f"a clip labelled {label} has no voice, and the emotion model knows only {', '.join(known)}"
            )
        return known[label] - known[NEUTRAL]

    return code
