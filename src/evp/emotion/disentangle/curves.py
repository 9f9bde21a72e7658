"""Draws the losses of a run."""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

WIDTH, STRIP, MARGIN = 800, 120, 12
PAPER, INK, FAINT, LINE = (255, 255, 255), (40, 40, 40), (215, 215, 215), (50, 100, 190)
SMOOTHED = 0.05
"""Every point is the mean of this share of the run before it: batches differ."""


def draw(steps: Sequence[Mapping[str, float]]) -> NDArray[np.uint8]:
    """A strip for every loss, from 0 at its foot, over the ``steps`` of a run: (H, 800, 3) uint8 RGB."""
    names = [name for name in steps[0] if name != "step"]
    picture = np.full((STRIP * len(names), WIDTH, 3), PAPER, np.uint8)
    for number, name in enumerate(names):
        values = smooth([step[name] for step in steps])
        foot = STRIP * (number + 1) - MARGIN
        across = np.linspace(MARGIN, WIDTH - MARGIN, len(values))
        up = foot - values / max(values.max(), 1e-9) * (STRIP - 2 * MARGIN)
        cv2.line(picture, (MARGIN, foot), (WIDTH - MARGIN, foot), FAINT)
        points = np.stack([across, up], axis=1).round().astype(np.int32)
        cv2.polylines(picture, [points], isClosed=False, color=LINE, thickness=2, lineType=cv2.LINE_AA)
        told = f"{name}: {values[0]:.3g} to {values[-1]:.3g}"
        place = (WIDTH // 2, foot - STRIP + 2 * MARGIN + 4)
        cv2.putText(picture, told, place, cv2.FONT_HERSHEY_SIMPLEX, 0.55, INK, 1, cv2.LINE_AA)
    return picture


def smooth(values: Sequence[float]) -> NDArray[np.floating]:
    """The mean of every value and those before it, as far back as SMOOTHED of them all."""
    sums = np.concatenate([[0.0], np.cumsum(values)])
    last = np.arange(1, len(sums))
    first = np.maximum(0, last - max(1, round(SMOOTHED * len(values))))
    return (sums[last] - sums[first]) / (last - first)
