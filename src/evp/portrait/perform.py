"""Facial motion + portrait -> frames: the arrows from alignment to rendered frames, as an assembly line."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from evp.background import run_ahead
from evp.face.crop import Box
from evp.face.head import Head
from evp.face.layouts import EYE_LEFT, EYE_RIGHT, IRIS_LEFT, IRIS_RIGHT, LIDS_LEFT, LIDS_RIGHT
from evp.media import Picture
from evp.motion.facial import FacialMotion
from evp.portrait.bundle import Portrait
from evp.render.inputs import View
from evp.render.renderer import Draft, Renderer
from evp.render.sources import LOYALTY, Chooser, mouth_misfit
from evp.smoothing import smooth_in_time

_BLINK_SMOOTH_FRAMES = 1.0
_LID_REACH = 0.035
"""How far around the eye's outline (face heights) skin moves with the lids."""


def perform(
    portrait: Portrait,
    motion: Iterable[FacialMotion],
    footage: Iterable[tuple[int, Picture]] | None = None,
) -> Iterator[NDArray[np.uint8]]:
    """Frames (H, W, 3) RGB of the portrait with the wanted facial motion, one a frame: those of `paint`."""
    for painted in paint(portrait, motion, footage):
        yield painted.rgb()


def paint(
    portrait: Portrait,
    motion: Iterable[FacialMotion],
    footage: Iterable[tuple[int, Picture]] | None = None,
) -> Iterator["Painted"]:
    """Pictures of the portrait with the wanted facial motion, one a frame; up to a dozen are being made at a time.

    The first K coefficients of the face basis are taken from ``motion``, the others, the head's motion and the
    picture outside the face from the target's footage; a feeling comes on top, but never changes the gaze. While the
    target blinks, brows and lids are its own, and a feeling leaves the lids alone: closed eyes cannot be opened by
    warping. ``footage``, numbers and pictures of the target's frames, takes the place of all that play.
    """
    cv2.setNumThreads(1)  # threads inside of a step only get in the way of the other steps
    renderer = portrait.renderer()
    begun_frames = run_ahead(drafts(portrait, renderer, motion, footage or portrait.play_stored()))
    corrected = run_ahead((begun, renderer.correct(draft)) for begun, draft in begun_frames)
    for begun, draft in corrected:
        yield replace(begun, crop=renderer.finish(draft))


@dataclass(frozen=True)
class Painted:
    """A picture of the footage with a new face in it."""

    picture: Picture
    """The whole, as the footage has it."""
    size: tuple[int, int]
    """Height and width of the target, an odd side of which is one pixel longer in ``picture``."""
    box: Box
    crop: NDArray[np.uint8]
    """(S, S, 3) RGB, to be pasted into ``box``."""

    def rgb(self) -> NDArray[np.uint8]:
        """(H, W, 3) RGB."""
        height, width = self.size
        return self.box.paste(self.picture.rgb()[:height, :width], self.crop)

    def stored(self) -> Picture:
        """As films store it: only the part around the face is converted, the rest stays the footage's, untouched."""
        top, left, under = _around(self.box, self.picture)
        moved = replace(self.box, top=self.box.top - top, left=self.box.left - left)
        return self.picture.with_part(Picture.of(moved.paste(under.rgb(), self.crop)), top, left)


def _cut(box: Box, picture: Picture, size: tuple[int, int]) -> NDArray[np.uint8]:
    """The crop (S, S, 3) RGB of ``box`` in a picture of ``size``; only what is around it is converted."""
    top, left, part = _around(box, picture)
    moved = replace(box, top=box.top - top, left=box.left - left)
    return moved.cut(part.rgb()[: size[0] - top, : size[1] - left])


def _around(box: Box, picture: Picture) -> tuple[int, int, Picture]:
    """Top, left and what is there: the smallest part of a picture with even sides around a box."""
    height, width = picture.shape
    top, left = max(box.top, 0) // 2 * 2, max(box.left, 0) // 2 * 2
    bottom, right = min(box.top + box.size, height), min(box.left + box.size, width)
    return top, left, picture.part(top, left, (bottom - top + 1) // 2 * 2, (right - left + 1) // 2 * 2)


def drafts(
    portrait: Portrait,
    renderer: Renderer,
    motion: Iterable[FacialMotion],
    footage: Iterable[tuple[int, Picture]],
) -> Iterator[tuple[Painted, Draft]]:
    """Every frame of the footage as it is, and what is to be made of its face."""
    own = portrait.aligner.coefficients
    angles = portrait.head.pose.angles()
    candidates = portrait.head.neutral + portrait.head.displacement[portrait.sources.frames]
    mouths = Chooser(1, LOYALTY)
    awake = eyes_open(portrait.head)
    lids = lid_share(portrait.basis.mean)
    mouth_count = portrait.basis.mouth_count
    size = portrait.manifest.size
    decoded: dict[int, View] = {}
    for wanted, (frame, picture) in zip(motion, footage, strict=False):
        box = portrait.boxes[frame]
        crop = _cut(box, picture, size)
        view = portrait.view(frame, crop)
        whole = np.concatenate([wanted.expression, own[frame, len(wanted.expression) :]])
        whole[mouth_count:] += (1 - awake[frame]) * (own[frame, mouth_count:] - whole[mouth_count:])
        added, emotions = None, None
        shown = portrait.head.neutral + portrait.basis.displacement(whole[None])[0]
        if wanted.feeling is not None:
            added = wanted.feeling.displacement * (1 - lids * (1 - awake[frame]))[:, None]
            added[list(IRIS_LEFT + IRIS_RIGHT)] = 0
            shown = shown + added
            emotions = wanted.feeling.shares
        turned = np.linalg.norm(angles[portrait.sources.frames] - angles[frame], axis=1)
        numbers = mouths.choose(mouth_misfit(candidates, shown, turned))
        decoded = {n: decoded[n] if n in decoded else portrait.source(n) for n in numbers}
        landmarks = box.points(portrait.aligner.align(frame, whole, added))
        draft = renderer.draft(landmarks, view, [view], list(decoded.values()), emotions)
        yield Painted(picture, size, box, crop), draft


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
