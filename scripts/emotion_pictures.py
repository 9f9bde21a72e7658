"""Draws the pictures of emotion in the documentation: docs/pictures/emotion-{grid,strip,space}.png.

    python scripts/emotion_pictures.py [--portrait me.evp] [-o docs/pictures]

Without a portrait the faces are drawn as clay: the mean face of the basis under one light, with the folds that an
emotion draws into skin. With one, they are that person's.
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
from evp.face.layouts import EYE_LEFT, EYE_RIGHT, FACE_OVAL, IRIS_LEFT, IRIS_RIGHT, LIPS_INNER, LIPS_OUTER
from evp.motion.expression import ExpressionModel
from evp.motion.facial import FacialMotion, Feeling
from evp.portrait.bundle import Portrait
from evp.portrait.perform import perform
from evp.render.warp import Raster, WarpMesh
from evp.render.wrinkles import Wrinkles

STRENGTHS = (0.25, 0.5, 0.75, 1.0)
STRIP = "0 neutral, 1 happy, 3 happy, 4 surprised, 5 sad, 7 sad, 8 angry"
STRIP_SECONDS = 8
OPENING = 0.02
"""How far the speaking mouth of the pictures is open, face heights."""
SIZE = 200
LIGHT = np.array([-0.45, -0.5, -0.75])
CLAY = np.array([205, 190, 178])

Draw = Callable[[dict[str, float]], NDArray[np.uint8]]
"""Shares of labels -> a face (SIZE, SIZE, 3) RGB."""


def clay(model: ExpressionModel) -> Draw:
    """Draws the mean face."""
    basis, wrinkles, mesh = model.basis, Wrinkles.load(), WarpMesh.build(model.basis)
    mouth = (model.jaw * OPENING)[None]
    side = 3 * SIZE

    def draw(shares: dict[str, float]) -> NDArray[np.uint8]:
        row = np.array([[shares.get(label, 0.0) for label in model.labels]])
        face = basis.mean + basis.displacement(mouth)[0] + model.displacement(row, mouth)[0]
        face[list(IRIS_LEFT + IRIS_RIGHT)] = basis.mean[list(IRIS_LEFT + IRIS_RIGHT)]
        points = (face * 0.72 * side + np.array([side / 2, 0.38 * side, 0])).astype(np.float32)
        picture = np.full((side, side, 3), 255, np.uint8)
        normals = np.zeros_like(face)
        corners = face[basis.triangles]
        across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        across *= np.where(across[:, 2:] > 0, -1, 1)
        for corner in range(3):
            np.add.at(normals, basis.triangles[:, corner], across)
        normals /= np.linalg.norm(normals, axis=1, keepdims=True) + 1e-9
        light = np.clip(normals @ (LIGHT / np.linalg.norm(LIGHT)), 0, 1)
        for face_triangle in basis.triangles[np.argsort(-points[basis.triangles, 2].mean(axis=1))]:
            _shaded(picture, points[face_triangle, :2], light[face_triangle])
        picture = cv2.GaussianBlur(picture, (0, 0), 2)
        outline = points[list(FACE_OVAL)]
        raster = Raster.draw(mesh, mesh.vertices(points * (256 / side), outline * (256 / side), 256), 256)
        picture = wrinkles.draw(picture, raster, {label: 2 * share for label, share in shares.items()})
        for numbers, colour in ((LIPS_OUTER, (178, 128, 122)), (LIPS_INNER, (90, 50, 50))):
            cv2.fillPoly(
                picture, [np.round(points[list(numbers), :2] * 16).astype(np.int32)], colour, cv2.LINE_AA, 4
            )
        for eye, iris in ((EYE_LEFT, IRIS_LEFT), (EYE_RIGHT, IRIS_RIGHT)):
            _eye(picture, points[list(eye), :2], points[list(iris), :2])
        return cv2.resize(picture, (SIZE, SIZE), interpolation=cv2.INTER_AREA)

    return draw


def _shaded(
    picture: NDArray[np.uint8], corners: NDArray[np.float32], light: NDArray[np.floating], depth: int = 2
) -> None:
    """A triangle whose brightness runs from corner to corner."""
    if depth == 0:
        colour = CLAY * (0.35 + 0.65 * float(light.mean()))
        cv2.fillConvexPoly(picture, np.round(corners * 16).astype(np.int32), colour.tolist(), cv2.LINE_8, 4)
        return
    middle, between = (corners + np.roll(corners, -1, axis=0)) / 2, (light + np.roll(light, -1)) / 2
    for i in range(3):
        _shaded(
            picture,
            np.stack([corners[i], middle[i], middle[i - 1]]),
            np.array([light[i], between[i], between[i - 1]]),
            depth - 1,
        )
    _shaded(picture, middle, between, depth - 1)


def _eye(picture: NDArray[np.uint8], outline: NDArray[np.float32], iris: NDArray[np.float32]) -> None:
    inside = np.zeros(picture.shape[:2], np.uint8)
    cv2.fillPoly(inside, [np.round(outline * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    eye = np.full_like(picture, 238)
    radius = np.linalg.norm(iris[1:] - iris[0], axis=1).mean()
    for part, colour in ((1.0, (110, 95, 80)), (0.45, (30, 28, 26))):
        cv2.circle(
            eye,
            np.round(iris[0] * 16).astype(int).tolist(),
            round(radius * part * 16),
            colour,
            -1,
            cv2.LINE_AA,
            4,
        )
    share = inside[..., None] / 255
    picture[:] = np.round(eye * share + picture * (1 - share)).astype(np.uint8)
    cv2.polylines(picture, [np.round(outline * 16).astype(np.int32)], True, (80, 66, 60), 2, cv2.LINE_AA, 4)


def person(model: ExpressionModel, portrait: Portrait) -> Draw:
    """Draws the first frame of a portrait."""
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
    parser.add_argument("--portrait", type=Path)
    parser.add_argument("-o", "--output", type=Path, default=Path("docs/pictures"))
    arguments = parser.parse_args()
    model = ExpressionModel.load()
    space = EmotionSpace(EmotionModel.load().label_codes)
    draw = clay(model) if arguments.portrait is None else person(model, Portrait.open(arguments.portrait))
    labels = [label for label in model.labels if label != NEUTRAL]
    pictures = {"grid": grid(draw, labels), "strip": strip(draw, space), "space": plane(space)}
    for name, picture in pictures.items():
        path = str(arguments.output / f"emotion-{name}.png")
        cv2.imwrite(path, picture[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 9])


if __name__ == "__main__":
    main()
