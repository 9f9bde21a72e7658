"""Draws the pictures of emotion in the documentation: docs/pictures/emotion-{grid,strip}.jpg, emotion-space.png.

    python scripts/emotion_pictures.py [--portrait me.evp] [-o docs/pictures]

The face is that of the built-in portrait unless another one is given.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from evp.emotion.hearing import EmotionModel
from evp.emotion.space import NEUTRAL, EmotionSpace
from evp.emotion.track import parse_track
from evp.motion.expression import ExpressionModel
from evp.motion.facial import FacialMotion, Feeling
from evp.portrait.builtin import builtin_portrait
from evp.portrait.bundle import Portrait
from evp.portrait.perform import perform

STRENGTHS = (0.25, 0.5, 0.75, 1.0)
STRIP = "0 neutral, 1 happy, 3 happy, 4 surprised, 5 sad, 7 sad, 8 angry"
STRIP_SECONDS = 8
OPENING = 0.02
"""How far the speaking mouth of the pictures is open, face heights."""
SIZE = 160

Draw = Callable[[dict[str, float]], NDArray[np.uint8]]
"""Shares of labels -> a face (SIZE, SIZE, 3) RGB."""


def drawer(model: ExpressionModel, portrait: Portrait) -> Draw:
    """Draws the first frame that a portrait plays."""
    mouth = model.jaw * np.float32(OPENING)

    def draw(shares: dict[str, float]) -> NDArray[np.uint8]:
        row = np.array([[shares.get(label, 0.0) for label in model.labels]])
        move = model.displacement(row, mouth[None])[0]
        frame = next(perform(portrait, [FacialMotion(mouth, Feeling(move, shares) if shares else None)]))
        number = next(iter(portrait.play()))[0]
        return cv2.resize(portrait.boxes[number].cut(frame), (SIZE, SIZE), interpolation=cv2.INTER_AREA)

    return draw


def _titled(picture: NDArray[np.uint8], title: str) -> NDArray[np.uint8]:
    whole = np.full((picture.shape[0] + 24, *picture.shape[1:]), 255, np.uint8)
    whole[24:] = picture
    cv2.putText(whole, title, (6, 17), cv2.FONT_HERSHEY_SIMPLEX, 0.48, (40, 40, 40), 1, cv2.LINE_AA)
    return whole


def grid(draw: Draw, labels: list[str]) -> NDArray[np.uint8]:
    """Emotions x strengths."""
    rows = []
    for label in labels:
        cells = [_titled(draw({label: strength}), f"{label} {strength:g}") for strength in STRENGTHS]
        rows.append(np.hstack([_titled(draw({}), NEUTRAL), *cells]))
    half = -(-len(rows) // 2)
    rows += [np.full_like(rows[0], 255)] * (2 * half - len(rows))
    return np.hstack([np.vstack(rows[:half]), np.vstack(rows[half:])])


def strip(draw: Draw, space: EmotionSpace) -> NDArray[np.uint8]:
    """One face on its way through several emotions."""
    track = parse_track(STRIP, space)
    cells = []
    for second in range(STRIP_SECONDS + 1):
        shares = space.shares(track.at(np.array([float(second)])))[0]
        felt = {
            label: float(s)
            for label, s in zip(space.labels, shares, strict=True)
            if s > 0 and label != NEUTRAL
        }
        cells.append(_titled(draw(felt), f"{second} s"))
    return np.hstack(cells)


def plane(space: EmotionSpace, size: int = 700) -> NDArray[np.uint8]:
    """The codes of the labels in the two directions in which they differ most, and the lines from neutral to each."""
    codes = np.stack([space.codes[label] for label in space.labels]).astype(np.float64)
    _, _, directions = np.linalg.svd(codes - codes.mean(axis=0))
    flat = (codes - space.codes[NEUTRAL]) @ directions[:2].T
    low, high = flat.min(axis=0), flat.max(axis=0)
    places = np.round(90 + (flat - low) / (high - low).max() * (size - 180)).astype(int)
    canvas = np.full((int(places[:, 1].max()) + 90, size, 3), 255, np.uint8)
    centre = places[space.labels.index(NEUTRAL)].tolist()
    for label, place in zip(space.labels, places.tolist(), strict=True):
        cv2.line(canvas, centre, place, (215, 215, 215), 1, cv2.LINE_AA)
        cv2.circle(canvas, place, 6, (70, 110, 170), -1, cv2.LINE_AA)
        cv2.putText(
            canvas,
            label,
            (place[0] + 10, place[1] + 5),
            cv2.FONT_HERSHEY_SIMPLEX,
            0.6,
            (40, 40, 40),
            1,
            cv2.LINE_AA,
        )
    return canvas


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--portrait", type=Path, default=builtin_portrait())
    parser.add_argument("-o", "--output", type=Path, default=Path("docs/pictures"))
    arguments = parser.parse_args()
    model = ExpressionModel.load()
    space = EmotionSpace(EmotionModel.load().label_codes)
    draw = drawer(model, Portrait.open(arguments.portrait))
    labels = [label for label in model.labels if label != NEUTRAL]
    pictures = {"grid": grid(draw, labels), "strip": strip(draw, space), "space": plane(space)}
    for name, picture in pictures.items():
        path = str(arguments.output / f"emotion-{name}.{'png' if name == 'space' else 'jpg'}")
        cv2.imwrite(path, picture[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 9, cv2.IMWRITE_JPEG_QUALITY, 82])


if __name__ == "__main__":
    main()
