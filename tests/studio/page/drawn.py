"""A drawn person who can feel: stands in for portraits in tests of the page and in its pictures."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

LABELS = ("angry", "calm", "contempt", "disgusted", "fear", "happy", "neutral", "sad", "surprised")

_FACES = {
    # brow: up at the nose, up outside; eye: open; mouth: corners up, open, wide, one corner
    "angry": (-1.0, 0.3, -0.1, -0.55, 0.15, -0.1, 0.0),
    "calm": (0.1, 0.05, -0.25, 0.25, 0.0, 0.0, 0.0),
    "contempt": (-0.2, 0.25, -0.15, 0.0, 0.0, 0.1, 0.9),
    "disgusted": (-0.7, -0.1, -0.4, -0.7, 0.25, -0.1, 0.25),
    "fear": (0.95, -0.05, 0.45, -0.35, 0.35, 0.25, 0.0),
    "happy": (0.15, 0.3, -0.2, 1.0, 0.3, 0.35, 0.0),
    "neutral": (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    "sad": (0.9, -0.5, -0.3, -0.9, 0.0, -0.15, 0.0),
    "surprised": (0.8, 0.8, 0.6, -0.05, 0.9, -0.35, 0.0),
}
_FINE = 2
"""Pictures are drawn this many times too large, then shrunk: lines become smooth."""


@dataclass(frozen=True)
class Look:
    """Colours of a drawn person, RGB."""

    skin: tuple[int, int, int]
    hair: tuple[int, int, int]
    shirt: tuple[int, int, int]
    wall: tuple[int, int, int]
    long_hair: bool


ADA = Look((236, 190, 158), (74, 48, 38), (64, 96, 138), (214, 220, 214), True)
BEN = Look((150, 103, 76), (32, 27, 28), (190, 120, 62), (206, 214, 226), False)


def draw(
    look: Look, mixture: Mapping[str, float], opening: float = 0.0, sway: float = 0.0, size: int = 256
) -> NDArray[np.uint8]:
    """A picture (size, size, 3) RGB; the mouth speaks with ``opening`` 0..1, the head leans by ``sway`` -1..1."""
    inner, outer, eye, corner, gape, wide, lopsided = (
        sum(part * _FACES[label][number] for label, part in mixture.items() if label in _FACES) for number in range(7)
    )  # fmt: skip
    side = size * _FINE
    picture = _wall(look, side).copy()
    unit = side / 256

    def point(x: float, y: float) -> tuple[int, int]:
        lean = sway * 5 * (210 - y) / 160
        return round((x + lean) * unit), round((y + 6) * unit)

    def blob(x: float, y: float, rx: float, ry: float, colour: tuple[int, int, int]) -> None:
        cv2.ellipse(
            picture, point(x, y), (round(rx * unit), round(ry * unit)), 0, 0, 360, colour, -1, cv2.LINE_AA
        )

    def line(points: list[tuple[float, float]], thick: float, colour: tuple[int, int, int]) -> None:
        dots = np.array([point(x, y) for x, y in _bent(points)], np.int32)
        cv2.polylines(picture, [dots], False, colour, max(1, round(thick * unit)), cv2.LINE_AA)
        for end in (dots[0], dots[-1]):
            cv2.circle(picture, tuple(int(v) for v in end), round(thick * unit / 2), colour, -1, cv2.LINE_AA)

    dark, light = _mixed(look.skin, (90, 30, 30), 0.3), _mixed(look.skin, (255, 255, 255), 0.16)
    if look.long_hair:
        blob(128, 122, 74, 92, look.hair)
    blob(128, 292, 104, 78, look.shirt)
    blob(128, 202, 26, 40, _mixed(look.skin, (60, 20, 20), 0.22))
    blob(128, 228, 30, 16, _mixed(look.skin, (60, 20, 20), 0.1))
    blob(128, 102, 60, 70, look.hair)
    for ear in (72, 184):
        blob(ear, 126, 9, 14, dark)
    blob(128, 126, 55, 70, look.skin)
    blob(128, 66, 52, 26, look.hair)
    blob(104, 76, 34, 17, look.hair)
    for cheek in (98, 158):
        blob(cheek, 150, 14, 9, _mixed(look.skin, (230, 90, 90), 0.13 + 0.1 * max(corner, 0)))
    for mirror in (-1, 1):
        x = 128 + mirror * 24
        open_ = max(2.0, 8.5 * (1 + 0.75 * eye))
        blob(x, 117, 12, open_, (250, 249, 246))
        blob(x, 117, 6.2, min(6.2, open_), (66, 84, 92))
        blob(x, 117, 3, min(3.0, open_), (22, 22, 26))
        blob(x + 2, 114.5, 1.5, 1.5, (255, 255, 255))
        line([(x - 12, 117 - open_ * 0.35), (x, 117 - open_ * 1.15), (x + 12, 117 - open_ * 0.35)], 2.4, dark)
        line(
            [
                (x - mirror * 14, 100 - 9 * inner),
                (x, 96 - 5 * (inner + outer) / 1.6),
                (x + mirror * 15, 100 - 8 * outer),
            ],
            5,
            look.hair,
        )
    line([(128, 124), (131, 140), (126, 145)], 2.6, dark)
    blob(124, 134, 3, 8, light)
    half, up = 21 + 7 * wide, 9 * corner
    left, right = (128 - half, 166 - up), (128 + half, 166 - up - 8 * lopsided)
    gap = 1.5 + 15 * max(0.0, gape) * 0.8 + 11 * opening
    middle = 166 + 4 * corner
    lips = _bent([left, (128, middle - gap * 0.55), right]) + _bent([right, (128, middle + gap), left])
    outline = np.array([point(x, y) for x, y in lips], np.int32)
    cv2.fillPoly(picture, [outline], (92, 34, 40), cv2.LINE_AA)
    if gap > 6:
        teeth = [(x, y + 0.5) for x, y in _bent([left, (128, middle - gap * 0.55), right])[3:-3]]
        teeth += [(x, y + gap * 0.24) for x, y in teeth[::-1]]
        cv2.fillPoly(
            picture, [np.array([point(x, y) for x, y in teeth], np.int32)], (246, 242, 236), cv2.LINE_AA
        )
    cv2.polylines(
        picture, [outline], True, _mixed(look.skin, (176, 52, 62), 0.62), round(3.2 * unit), cv2.LINE_AA
    )
    return cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA)


@cache
def _wall(look: Look, side: int) -> NDArray[np.uint8]:
    across = np.linspace(-1, 1, side)
    glow = np.exp(-(across[None] ** 2 + (across[:, None] + 0.2) ** 2))[..., None]
    return np.clip(np.array(look.wall) * (0.86 + 0.16 * glow), 0, 255).astype(np.uint8)


def _mixed(one: tuple[int, int, int], two: tuple[int, int, int], part: float) -> tuple[int, int, int]:
    red, green, blue = (round((1 - part) * a + part * b) for a, b in zip(one, two, strict=True))
    return red, green, blue


def _bent(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """A curve from the first point over the second to the third."""
    (x0, y0), (x1, y1), (x2, y2) = points
    steps = np.linspace(0, 1, 17)
    cx, cy = 2 * x1 - (x0 + x2) / 2, 2 * y1 - (y0 + y2) / 2
    return [
        (
            (1 - t) ** 2 * x0 + 2 * t * (1 - t) * cx + t * t * x2,
            (1 - t) ** 2 * y0 + 2 * t * (1 - t) * cy + t * t * y2,
        )
        for t in steps.tolist()
    ]
