"""Facial motion + portrait -> frames: the arrows from alignment to rendered frames, one frame at a time."""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from evp.face.head import Head
from evp.face.layouts import EYE_LEFT, EYE_RIGHT, IRIS_LEFT, IRIS_RIGHT, LIDS_LEFT, LIDS_RIGHT
from evp.motion.facial import FacialMotion
from evp.portrait.bundle import Portrait
from evp.render.inputs import View
from evp.render.sources import MOUTH_TURN_COST, Chooser
from evp.smoothing import smooth_in_time

_BLINK_SMOOTH_FRAMES = 1.0
_LID_REACH = 0.035
"""How far around the eye's outline (face heights) skin moves with the lids."""

MOUTH_SHARE = 0.9
"""How much the mouth counts, against brows and lids, when a frame is chosen for the inside of the mouth."""


def perform(
    portrait: Portrait,
    motion: Iterable[FacialMotion],
    footage: Iterable[tuple[int, NDArray[np.uint8]]] | None = None,
) -> Iterator[NDArray[np.uint8]]:
    """Frames (H, W, 3) RGB of the portrait with the wanted facial motion, one a frame.

    The first K coefficients of the face basis are taken from ``motion``, the others, the head's motion and the
    picture outside the face from the target's footage; a feeling comes on top, but never changes the gaze. While the
    target blinks, brows and lids are its own, and a feeling leaves the lids alone: closed eyes cannot be opened by
    warping. ``footage``, numbers and pictures of the target's frames, takes the place of all that play.
    """
    renderer = portrait.renderer()
    own = portrait.aligner.coefficients
    shapes = portrait.basis.shape(own)
    angles = portrait.head.pose.angles()
    candidates = portrait.sources.frames
    mouths = Chooser(shapes[candidates], angles[candidates], 1, MOUTH_SHARE, MOUTH_TURN_COST)
    awake = eyes_open(portrait.head)
    lids = lid_share(portrait.basis.mean)
    mouth_count = portrait.basis.mouth_count
    decoded: dict[int, View] = {}
    for wanted, (frame, picture) in zip(motion, footage or portrait.play(), strict=False):
        box = portrait.boxes[frame]
        view = portrait.view(frame, box.cut(picture))
        whole = np.concatenate([wanted.expression, own[frame, len(wanted.expression) :]])
        whole[mouth_count:] += (1 - awake[frame]) * (own[frame, mouth_count:] - whole[mouth_count:])
        added, shown, emotions = None, whole, None
        if wanted.feeling is not None:
            added = wanted.feeling.displacement * (1 - lids * (1 - awake[frame]))[:, None]
            added[list(IRIS_LEFT + IRIS_RIGHT)] = 0
            shown = whole + portrait.basis.coefficients(added[None])[0]
            emotions = wanted.feeling.shares
        numbers = mouths.choose(portrait.basis.shape(shown), angles[frame])
        decoded = {n: decoded[n] if n in decoded else portrait.source(n) for n in numbers}
        landmarks = box.points(portrait.aligner.align(frame, whole, added))
        made = renderer.render(landmarks, view, [view], list(decoded.values()), emotions)
        yield box.paste(picture, made)


def eyes_open(head: Head) -> NDArray[np.float64]:
    """(T,) how open the eyes are: 1 as usual, 0 when they are less than half as open as usual; moves smoothly."""
    mesh = head.neutral + head.displacement
    gaps = [np.linalg.norm(mesh[:, a] - mesh[:, b], axis=1) for a, b in (LIDS_LEFT, LIDS_RIGHT)]
    gap = np.mean(gaps, axis=0)
    return smooth_in_time(np.clip((gap / np.median(gap) - 0.5) / 0.35, 0, 1), _BLINK_SMOOTH_FRAMES)


def lid_share(mesh: NDArray[np.floating]) -> NDArray[np.float64]:
    """(478,) how much every point of a neutral face (478, 3) moves with the lids: 1 on the eyes' outlines."""
    outline = mesh[list(EYE_LEFT + EYE_RIGHT)]
    distance = np.linalg.norm(mesh[:, None] - outline[None], axis=2).min(axis=1)
    return np.exp(-((distance / _LID_REACH) ** 2))
