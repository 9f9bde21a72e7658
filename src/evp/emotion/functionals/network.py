"""Windows of `MELODY` -> numbers that say how the voice in them lies, changes and beats -> codes.

These are what phoneticians measure of an emotional voice (the sets of eGeMAPS and ComParE are such): moments of pitch,
level, periodicity and timbre, their movement, and how strongly each of them swings at every rate (modulation spectra).
All follow from the features that the convolutions see, so noise and level are dealt with already, and the
changes of voice that training makes change them as another speaker would have.
"""

import torch
from torch import Tensor, nn

from evp import clock
from evp.audio.mel import BANDS
from evp.audio.pitch import PITCHES
from evp.emotion.functionals.ridge import Ridge
from evp.emotion.windows import AUDIBLE, MELODY_SCALE, WINDOW_ROWS

CEPSTRA = 14
"""Cosines over the bands that say how a row is coloured."""
BAND_GROUPS = 8
"""Neighbouring bands are taken together for their modulation."""
VOICED = 0.5
"""Autocorrelation from which an audible row counts as voiced."""
SHARPNESS = 25.0
"""Of the choice of one pitch among those that a row is periodic at."""
LARGEST_CHANGE = 2.0
"""Semitones from one row to the next: what is more is a mistake of an octave."""
CHANGE_ROWS = 4
"""Rows between which timbre changes."""
RATES = (1, 2, 3, 4, 5, 7, 9, 12, 15, 19, 24, 30, 38, 46, 55)
"""Edges of the bands of modulation, in units of `RATE_HZ`: 0.4 to 21 Hz."""
RATE_HZ = clock.FEATURE_RATE / 256
FAINTEST = 1e-2
"""Added to a power before its logarithm."""


class FunctionalsEncoder(nn.Module):
    """From windows to codes by way of their functionals: the positive and the negative parts of what a ridge says."""

    centre: Tensor
    scale: Tensor
    landmarks: Tensor
    weights: Tensor

    def __init__(self, ridge: Ridge, size: int) -> None:
        """Codes of ``size``, at least the number of classes; what is over is zero."""
        super().__init__()
        self.functionals = Functionals()
        self.largest, self.sharpness = ridge.largest, ridge.sharpness
        for name in ("centre", "scale", "landmarks", "weights"):
            self.register_buffer(name, torch.from_numpy(getattr(ridge, name)).float())
        self.size, self._rest = size, size - self.weights.shape[1]

    def forward(self, windows: Tensor) -> Tensor:
        """Windows (B, WINDOW_ROWS, COLUMNS) -> codes (B, size), not negative."""
        away = (self.functionals(windows) - self.centre) / self.scale
        standard = away.clamp(-self.largest, self.largest)
        lengths = (standard**2).sum(1, keepdim=True) + (self.landmarks**2).sum(1)
        distances = lengths - 2 * standard @ self.landmarks.T
        scores = (-self.sharpness * distances).exp() @ self.weights
        return nn.functional.pad(scores - scores.amin(1, keepdim=True), (0, self._rest))


class Functionals(nn.Module):
    """Fixed measurements of windows; nothing is learned."""

    cosines: Tensor
    waves: Tensor
    rates: Tensor
    seconds: Tensor
    semitones: Tensor

    def __init__(self) -> None:
        super().__init__()
        order, band = torch.arange(1.0, CEPSTRA + 1), torch.arange(BANDS) + 0.5
        time, rate = torch.arange(float(WINDOW_ROWS)), torch.arange(1.0, RATES[-1])
        phase = 2 * torch.pi * rate[:, None] * RATE_HZ * time / clock.FEATURE_RATE
        edges = torch.tensor(RATES)
        fixed = {
            "cosines": torch.cos(torch.pi * band[:, None] * order / BANDS) / BANDS**0.5,
            "waves": torch.stack([phase.cos(), phase.sin()]),
            "rates": ((rate >= edges[:-1, None]) & (rate < edges[1:, None])).float(),
            "seconds": time / clock.FEATURE_RATE,
            "semitones": torch.arange(float(PITCHES)),
        }
        for name, values in fixed.items():
            self.register_buffer(name, values, persistent=False)

    def forward(self, windows: Tensor) -> Tensor:
        """Windows (B, WINDOW_ROWS, COLUMNS) -> functionals (B, count), in no common unit."""
        energies, periodicity = windows[..., :BANDS], windows[..., BANDS:] / MELODY_SCALE
        level, strength = energies.mean(-1, keepdim=True), periodicity.amax(-1, keepdim=True)
        chosen = (SHARPNESS * periodicity).softmax(-1)
        pitch = (chosen * self.semitones).sum(-1, keepdim=True)
        cepstra = energies @ self.cosines
        audible = (level > AUDIBLE).float()
        voiced = audible * (strength > VOICED)
        ways = torch.cat([cepstra, level, strength], -1)
        groups = nn.functional.avg_pool1d(energies, BANDS // BAND_GROUPS)
        swinging = torch.cat([groups, cepstra[..., :BAND_GROUPS], strength * audible, pitch * voiced], -1)
        flux = (energies[:, 1:] - energies[:, :-1]).abs().mean(-1, keepdim=True)
        spectrum, spread, _ = moments(energies, voiced)
        return torch.cat(
            [
                *moments(ways, audible), *moments(ways, voiced)[:2], *moments(pitch, voiced),
                *changes(cepstra, audible, CHANGE_ROWS), *changes(level, audible), *changes(pitch, voiced),
                share(flux, audible[:, 1:] * audible[:, :-1]),
                self.slope(level, audible), self.slope(pitch, voiced),
                spectrum - spectrum.mean(1, keepdim=True), spread, share(chosen, voiced),
                agreement(pitch, torch.cat([level, cepstra[..., :1]], -1), voiced), agreement(strength, level, audible),
                *presence(audible), *presence(voiced), self.modulation(swinging, audible),
            ],
            1,
        )  # fmt: skip

    def slope(self, values: Tensor, counts: Tensor) -> Tensor:
        """Change a second of values (B, T, C) along the straight line through the rows that count: (B, C)."""
        time = self.seconds[:, None] * counts
        time = (time - share(time, counts)[:, None]) * counts
        away = values - share(values, counts)[:, None]
        return (time * away).sum(1) / ((time**2).sum(1) + 0.05)

    def modulation(self, values: Tensor, audible: Tensor) -> Tensor:
        """Log power of values (B, T, C) in every band of rates, for each audible row: (B, bands * C)."""
        away = values - values.mean(1, keepdim=True)
        power = (torch.einsum("prt,btc->pbrc", self.waves, away) ** 2).sum(0)
        heard = audible.sum(1)[:, None].clamp(min=1)
        return (torch.einsum("nr,brc->bnc", self.rates, power) / heard + FAINTEST).log().flatten(1)


def share(values: Tensor, counts: Tensor) -> Tensor:
    """Mean of values (B, T, C) over the rows that count (B, T, 1), 0 when there are none: (B, C)."""
    return (values * counts).sum(1) / counts.sum(1).clamp(min=1)


def moments(values: Tensor, counts: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Mean, standard deviation and skewness of values (B, T, C) over the rows that count: each (B, C)."""
    mean = share(values, counts)
    away = values - mean[:, None]
    deviation = (share(away**2, counts) + 1e-6).sqrt()
    return mean, deviation, share(away**3, counts) / deviation**3


def changes(values: Tensor, counts: Tensor, rows: int = 1) -> tuple[Tensor, Tensor]:
    """Mean size, and root mean square, of the change of values (B, T, C) over so many rows that count: each (B, C)."""
    change = (values[:, rows:] - values[:, :-rows]).clamp(-LARGEST_CHANGE, LARGEST_CHANGE)
    both = counts[:, rows:] * counts[:, :-rows]
    return share(change.abs(), both), (share(change**2, both) + 1e-4).sqrt()


def agreement(values: Tensor, others: Tensor, counts: Tensor) -> Tensor:
    """Correlation of values (B, T, 1) with others (B, T, C) over the rows that count: (B, C)."""
    (mean, deviation, _), (means, deviations, _) = moments(values, counts), moments(others, counts)
    together = share((values - mean[:, None]) * (others - means[:, None]), counts)
    return together / (deviation + 0.1) / (deviations + 0.1)


def presence(counts: Tensor) -> tuple[Tensor, Tensor]:
    """Share of the rows (B, T, 1) that count, and how often they begin to: each (B, 1)."""
    begins = (counts[:, 1:] - counts[:, :-1]).clamp(min=0)
    return counts.mean(1), begins.sum(1)
