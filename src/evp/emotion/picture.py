"""Draws what was heard: how likely every emotion is over time."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from evp.emotion.hearing import Heard
from evp.files import write_whole

WIDTH, STRIP, LEFT, RIGHT, TOP, BOTTOM = 1200, 64, 150, 90, 56, 56
PAPER, INK, FAINT, QUIET = (255, 255, 255), (40, 40, 40), (215, 215, 215), (240, 240, 240)
COLOURS = (
    (200, 50, 40), (60, 150, 150), (110, 140, 40), (120, 70, 160), (215, 140, 10), (120, 120, 120), (50, 100, 190),
    (215, 90, 150), (150, 110, 60), (90, 60, 40),
)  # fmt: skip
STEPS = (0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600)
"""Seconds between two marks of the time axis."""
MOST_MARKS = 12


def write_picture(path: Path, heard: Heard, labels: tuple[str, ...], title: str) -> None:
    """``draw`` as a PNG file, which appears only when it is whole. Raises OutputError when it cannot be written."""
    stream = cv2.imencode(".png", cv2.cvtColor(draw(heard, labels, title), cv2.COLOR_RGB2BGR))[1].tobytes()
    write_whole(path, stream)


def draw(heard: Heard, labels: tuple[str, ...], title: str) -> NDArray[np.uint8]:
    """A picture (H, 1200, 3) uint8 RGB: a strip for every emotion, as high as it is likely; no voice is grey.

    At the right is the whole recording. Raises InputError when there is no voice in it.
    """
    span = WIDTH - LEFT - RIGHT
    picture = np.full((TOP + STRIP * len(labels) + BOTTOM, WIDTH, 3), PAPER, np.uint8)
    window = (np.arange(span) + 0.5) * len(heard.times) // span
    window = window.astype(int)
    speech = heard.voiced[window]
    picture[TOP:-BOTTOM, LEFT:-RIGHT][:, ~speech] = QUIET
    _write(picture, title, (LEFT, 34), 0.62)
    _write(picture, "whole", (WIDTH - RIGHT + 14, 34), 0.55)
    for number, (label, whole) in enumerate(zip(labels, heard.whole, strict=True)):
        base, colour = TOP + STRIP * (number + 1), COLOURS[number % len(COLOURS)]
        likely = heard.probabilities[window, number] * (STRIP - 6)
        strip = picture[base - STRIP : base, LEFT:-RIGHT]
        strip[(np.arange(STRIP, 0, -1)[:, None] <= likely) & speech] = colour
        cv2.line(picture, (LEFT, base), (LEFT + span, base), FAINT, 1)
        _write(picture, label, (18, base - 20), 0.6, colour)
        _write(picture, f"{whole:.0%}", (LEFT + span + 14, base - 20), 0.6, colour)
    length = heard.times[-1] + heard.times[0]
    step = next((step for step in STEPS if length / step <= MOST_MARKS), STEPS[-1])
    for second in np.arange(0, length, step):
        x, y = LEFT + round(second / length * span), len(picture) - BOTTOM
        cv2.line(picture, (x, y), (x, y + 6), INK, 1)
        _write(picture, f"{second:g} s", (x - 10, y + 28), 0.5)
    return picture


def _write(
    picture: NDArray[np.uint8],
    text: str,
    place: tuple[int, int],
    size: float,
    colour: tuple[int, int, int] = INK,
) -> None:
    cv2.putText(picture, text, place, cv2.FONT_HERSHEY_SIMPLEX, size, colour, 1, cv2.LINE_AA)
