"""Facial motion + portrait -> frames: the arrows from alignment to rendered frames, one frame at a time."""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from evp.portrait.bundle import Portrait
from evp.render.inputs import View
from evp.render.sources import Chooser

MOUTH_SHARE = 0.9
"""How much the mouth counts, against brows and lids, when a frame is chosen for the inside of the mouth."""


def perform(portrait: Portrait, expression: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.uint8]]:
    """Frames (H, W, 3) RGB of the portrait with wanted expressions, one (K,) array a frame.

    The first K coefficients of the face basis are taken from ``expression``, the others, the head's motion and the
    picture outside the face from the target's footage.
    """
    renderer = portrait.renderer()
    own = portrait.aligner.coefficients
    shapes = portrait.basis.shape(own)
    angles = portrait.head.pose.angles()
    candidates = portrait.sources.frames
    mouths = Chooser(shapes[candidates], angles[candidates], 1, MOUTH_SHARE)
    decoded: dict[int, View] = {}
    for wanted, (frame, picture) in zip(expression, portrait.play(), strict=False):
        box = portrait.boxes[frame]
        view = portrait.view(frame, box.cut(picture))
        whole = np.concatenate([wanted, own[frame, len(wanted) :]])
        numbers = mouths.choose(portrait.basis.shape(whole), angles[frame])
        decoded = {n: decoded[n] if n in decoded else portrait.source(n) for n in numbers}
        landmarks = box.points(portrait.aligner.align(frame, wanted))
        made = renderer.render(landmarks, view, [view], list(decoded.values()))
        yield box.paste(picture, made)
