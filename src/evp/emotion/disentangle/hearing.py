"""What the content encoder hears of a recording, which is less than there is, and in training another voice."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evp.audio.mfcc import moved_frequencies
from evp.clock import PADDING_ROWS, ROWS_PER_FRAME, WINDOW_ROWS

SCALE = 10.0
"""Spread of levelled sound: about that of the higher coefficients, so that networks begin alike with both."""


@dataclass(frozen=True)
class ContentEar:
    """How the content encoder hears; 0 leaves the voice as it was recorded."""

    level: bool = True
    """Whether a recording is heard less its own mean, in units of its own spread, in silence: the colour and the
    liveliness of the voice then do not tell how things are said, nor does what surrounds the sound."""
    tract: float = 0.15
    """Largest relative move of all frequencies in training: a smaller or a larger head."""
    speed: float = 0.25
    """Largest relative change of speed in training."""

    def windows(self, rows: NDArray[np.floating], frames: int) -> NDArray[np.floating]:
        """All windows of MFCC ``rows`` that `evp.audio.mfcc.mfcc` gave, as recorded: (frames, 28, 12)."""
        return self._cut(rows, frames, np.arange(frames), 1.0)

    def changed(
        self, rows: NDArray[np.floating], frames: int, chosen: NDArray[np.int64], random: np.random.Generator
    ) -> NDArray[np.floating]:
        """The windows numbered ``chosen`` (W,), each with its own middle, as a random other voice says them."""
        tract, speed = (np.exp(random.uniform(-1, 1) * np.log1p(most)) for most in (self.tract, self.speed))
        return self._cut(rows @ moved_frequencies(tract), frames, chosen, speed)

    def _cut(
        self, rows: NDArray[np.floating], frames: int, chosen: NDArray[np.int64], speed: float
    ) -> NDArray[np.floating]:
        if self.level:
            rows = levelled(rows, frames)
        middles = chosen[:, None] * ROWS_PER_FRAME + (WINDOW_ROWS - 1) / 2
        places = middles + (np.arange(WINDOW_ROWS) - (WINDOW_ROWS - 1) / 2) * speed
        places = np.clip(places, 0, len(rows) - 1)
        below = np.minimum(places.astype(np.int64), len(rows) - 2)
        share = (places - below)[..., None]
        return (rows[below] * (1 - share) + rows[below + 1] * share).astype(np.float32)


def levelled(rows: NDArray[np.floating], frames: int) -> NDArray[np.floating]:
    """Padded rows less the mean of the ``frames`` that are sound, in units of their spread; zeros around them."""
    sound = slice(PADDING_ROWS, PADDING_ROWS + frames * ROWS_PER_FRAME)
    heard = rows[sound]
    level = np.zeros_like(rows)
    level[sound] = SCALE * (heard - heard.mean(axis=0)) / (heard.std(axis=0) + 1)
    return level
