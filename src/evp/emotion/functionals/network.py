"""Windows of `ENERGIES` -> what the ear of a phone recogniser makes of them -> codes.

The recogniser has listened to far more voices than we have. Noise and level are dealt with in the windows already, and
the changes of voice that training makes change what is heard as another speaker would have.
"""

import math

import torch
from torch import Tensor, nn

from evp.audio.acoustics import ear, mean_speech
from evp.audio.loudness import RANGE, SCALE
from evp.audio.mel import BANDS
from evp.emotion.functionals.ridge import Ridge
from evp.emotion.windows import AUDIBLE


class RidgeEncoder(nn.Module):
    """From windows to codes by way of what is measured of them: how far each score of a ridge lies above the lowest."""

    centre: Tensor
    scale: Tensor
    weights: Tensor

    def __init__(self, measure: nn.Module, ridge: Ridge, size: int) -> None:
        """``ridge`` is for what ``measure`` gives. Codes of ``size``, at least one for each class; the rest is zero."""
        super().__init__()
        self.measure = measure
        self.largest = ridge.largest
        for name in ("centre", "scale", "weights"):
            self.register_buffer(name, torch.from_numpy(getattr(ridge, name)).float())
        self.size, self._rest = size, size - self.weights.shape[1]

    def forward(self, windows: Tensor) -> Tensor:
        """Windows (B, WINDOW_ROWS, columns) -> codes (B, size), not negative."""
        away = (self.measure(windows) - self.centre) / self.scale
        scores = away.clamp(-self.largest, self.largest) @ self.weights
        return nn.functional.pad(scores - scores.amin(1, keepdim=True), (0, self._rest))


class Recognised(nn.Module):
    """Mean and deviation, where there is voice, of what each block of a recogniser's ear finds around every moment.

    And of what it passes on. The ear hears the window alone, and attends to all of it.
    """

    mean_speech: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.ear = ear()
        speech = torch.from_numpy(mean_speech()).float()
        self.register_buffer(
            "mean_speech", speech - torch.logsumexp(speech, 0) + math.log(BANDS), persistent=False
        )

    def forward(self, windows: Tensor) -> Tensor:
        """Windows (B, WINDOW_ROWS, BANDS or more), of which energies are the first columns -> (B, count)."""
        energies = windows[..., :BANDS]
        audible = nn.functional.max_pool1d((energies.mean(-1) > AUDIBLE).float(), 2)[..., None]
        x = self.ear.rows(SCALE * energies - RANGE - self.mean_speech)
        found = []
        for block in self.ear.blocks:
            x, around = block(x)
            found += [*moments(x, audible), *moments(around, audible)]
        return torch.cat(found, 1)


def share(values: Tensor, counts: Tensor) -> Tensor:
    """Mean of values (B, T, C) over the rows that count (B, T, 1), 0 when there are none: (B, C)."""
    return (values * counts).sum(1) / counts.sum(1).clamp(min=1)


def moments(values: Tensor, counts: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of values (B, T, C) over the rows that count: each (B, C)."""
    mean = share(values, counts)
    away = values - mean[:, None]
    deviation = (share(away**2, counts) + 1e-6).sqrt()
    return mean, deviation
