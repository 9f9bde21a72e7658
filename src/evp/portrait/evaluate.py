"""How well a portrait makes frames it has never seen: the last part of its own footage, made again and compared."""

import io
from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from evp.background import run_ahead
from evp.evaluation.pictures import face_box, flicker, mouth_box, psnr, ssim, still_skin
from evp.media import read_stretch
from evp.portrait.bundle import KEYFRAME_EVERY, Portrait
from evp.render.inputs import View
from evp.render.sources import LOYALTY, MOST_SKIN_SOURCES, Chooser, misfit, mouth_misfit

HELD_OUT = 0.2
"""The last part of every shot is never trained on and gives no source frames."""

SKIN_MOUTH_SHARE = 0.5
"""How much the mouth counts, against brows and lids, when frames are chosen for the skin."""

_MOST_FRAMES = 125
_SHEET_COLUMNS = 6
_SHEET_PIXELS = 256


def held_out(shots: Sequence[tuple[int, int]]) -> NDArray[np.bool_]:
    """(T,) the last fifth of every shot (first frame, frame after the last)."""
    return np.concatenate(
        [np.arange(end - begin) >= np.ceil((end - begin) * (1 - HELD_OUT)) for begin, end in shots]
    )


def evaluate(
    portrait: Portrait, progress: Callable[[int, int], None] | None = None
) -> tuple[dict[str, float], NDArray[np.uint8]]:
    """Figures and a contact sheet (real above generated, RGB) of held-out frames made from tracked landmarks.

    No pixel inside the face comes from the frame that is made: skin and mouth come from source frames of the
    training part, only what lies outside the face from the frame itself. PSNR in decibels and SSIM in the box of
    the face and of the mouth; flicker of still skin relative to the real footage's.
    """
    renderer = portrait.renderer()
    shapes = portrait.basis.shape(portrait.aligner.coefficients)
    angles = portrait.head.pose.angles()
    meshes = portrait.head.neutral + portrait.head.displacement
    candidates = portrait.sources.frames
    scores: dict[str, list[float]] = {
        name: [] for name in ("face_psnr", "face_ssim", "mouth_psnr", "mouth_ssim")
    }
    columns: list[NDArray[np.uint8]] = []
    runs = _runs(held_out(portrait.shots), portrait.shots)
    done, count = 0, sum(len(run) for run in runs)
    for run in runs:
        skins, mouths = Chooser(MOST_SKIN_SOURCES), Chooser(1, LOYALTY)
        views: dict[int, View] = {}
        real: list[NDArray[np.uint8]] = []
        made: list[NDArray[np.uint8]] = []
        still: list[NDArray[np.bool_]] = []
        pictures = run_ahead(read_stretch(io.BytesIO(portrait.footage), run[0], run[-1], KEYFRAME_EVERY))
        for frame, picture in zip(run, pictures, strict=True):
            box = portrait.boxes[frame]
            view = portrait.view(frame, box.cut(picture))
            turned = np.linalg.norm(angles[candidates] - angles[frame], axis=1)
            skin = skins.choose(misfit(shapes[candidates], shapes[frame], turned, SKIN_MOUTH_SHARE))
            mouth = mouths.choose(mouth_misfit(meshes[candidates], meshes[frame], turned))
            views = {n: views[n] if n in views else portrait.source(n) for n in {*skin, *mouth}}
            crop = renderer.render(view.landmarks, view, [views[n] for n in skin], [views[n] for n in mouth])
            for name, where in (("face", face_box), ("mouth", mouth_box)):
                at = where(view.landmarks, crop.shape)
                scores[f"{name}_psnr"].append(psnr(crop[at], view.picture[at]))
                scores[f"{name}_ssim"].append(ssim(crop[at], view.picture[at]))
            real, made = [*real[-2:], picture], [*made[-2:], box.paste(picture, crop)]
            still = [*still[-2:], still_skin(portrait.landmarks[frame], picture.shape)]
            if len(real) == 3:
                scores.setdefault("flicker_real", []).append(flicker(real, still))
                scores.setdefault("flicker_made", []).append(flicker(made, still))
            if done % max(1, count // _SHEET_COLUMNS) == 0 and len(columns) < _SHEET_COLUMNS:
                columns.append(np.concatenate([view.picture, crop]))
            done += 1
            if progress is not None:
                progress(done, count)
    figures = {name: float(np.mean(values)) for name, values in scores.items()}
    if figures.get("flicker_real"):
        figures["flicker"] = figures["flicker_made"] / figures["flicker_real"]
    sheet = [
        cv2.resize(column, (_SHEET_PIXELS, 2 * _SHEET_PIXELS), interpolation=cv2.INTER_AREA)
        for column in columns
    ]
    return figures, np.concatenate(sheet, axis=1)


def _runs(held: NDArray[np.bool_], shots: Sequence[tuple[int, int]]) -> list[range]:
    """The held-out frames to look at: the beginning of every shot's, equally many of each."""
    most = -(-_MOST_FRAMES // len(shots))
    first = [begin + int(np.argmax(held[begin:end])) for begin, end in shots]
    return [range(start, min(start + most, end)) for start, (_, end) in zip(first, shots, strict=True)]
