"""Facial motion + portrait -> frames: the arrows from alignment to rendered frames, one frame at a time."""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from evp.face.crop import smooth_in_time
from evp.face.head import Head
from evp.face.layouts import LIDS_LEFT, LIDS_RIGHT
from evp.portrait.bundle import Portrait
from evp.render.inputs import View
from evp.render.sources import MOUTH_TURN_COST, Chooser

_BLINK_SMOOTH_FRAMES = 1.0

MOUTH_SHARE = 0.9
"""How much the mouth counts, against brows and lids, when a frame is chosen for the inside of the mouth."""


def perform(portrait: Portrait, expression: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.uint8]]:
    """Frames (H, W, 3) RGB of the portrait with wanted expressions, one (K,) array a frame.

    The first K coefficients of the face basis are taken from ``expression``, the others, the head's motion and the
    picture outside the face from the target's footage. While the target blinks, brows and lids are its own: closed
    eyes cannot be opened by warping.
    """
    renderer = portrait.renderer()
    own = portrait.aligner.coefficients
    shapes = portrait.basis.shape(own)
    angles = portrait.head.pose.angles()
    candidates = portrait.sources.frames
    mouths = Chooser(shapes[candidates], angles[candidates], 1, MOUTH_SHARE, MOUTH_TURN_COST)
    awake = eyes_open(portrait.head)
    mouth_count = portrait.basis.mouth_count
    decoded: dict[int, View] = {}
    for wanted, (frame, picture) in zip(expression, portrait.play(), strict=False):
        box = portrait.boxes[frame]
        view = portrait.view(frame, box.cut(picture))
        whole = np.concatenate([wanted, own[frame, len(wanted) :]])
        whole[mouth_count:] += (1 - awake[frame]) * (own[frame, mouth_count:] - whole[mouth_count:])
        numbers = mouths.choose(portrait.basis.shape(whole), angles[frame])
        decoded = {n: decoded[n] if n in decoded else portrait.source(n) for n in numbers}
        landmarks = box.points(portrait.aligner.align(frame, whole))
        made = renderer.render(landmarks, view, [view], list(decoded.values()))
        yield box.paste(picture, made)


def eyes_open(head: Head) -> NDArray[np.float64]:
    """(T,) how open the eyes are: 1 as usual, 0 when they are less than half as open as usual; moves smoothly."""
    mesh = head.neutral + head.displacement
    gaps = [np.linalg.norm(mesh[:, a] - mesh[:, b], axis=1) for a, b in (LIDS_LEFT, LIDS_RIGHT)]
    gap = np.mean(gaps, axis=0)
    return smooth_in_time(np.clip((gap / np.median(gap) - 0.5) / 0.35, 0, 1), _BLINK_SMOOTH_FRAMES)
