"""Makes one voice sound like many: changes of log-mel rows that leave what is said, and the mouth, as they were.

Every function takes rows (rows, BANDS) of log-mel energy relative to the speech level, and returns new ones.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from evp.audio.loudness import RANGE
from evp.audio.mel import BANDS, FFT_SIZE, filter_bank
from evp.clock import SAMPLE_RATE

ENVELOPE_ORDER = 14
"""Cosines over the mel axis that make up the vocal tract's envelope; the rest is the voice's harmonics."""


@dataclass(frozen=True)
class AugmentConfig:
    """How strongly training crops are changed; 0 switches a change off."""

    untouched: float = 0.15
    """Share of crops whose sound is left as it was recorded."""
    speed: float = 0.15
    """Largest relative change of speed; the mouth's motion is resampled with the sound."""
    formants: float = 0.15
    """Largest relative shift of the vocal tract's resonances."""
    pitch: float = 0.4
    """Largest shift of the harmonics, octaves."""
    equaliser: float = 0.6
    """Standard deviation of the smooth random frequency response, natural logarithm of energy."""
    level: float = 0.5
    """Standard deviation of the level, natural logarithm of energy."""
    noise: float = 0.3
    """Share of crops with stationary noise, 3 to 40 dB below the speech."""
    room: float = 0.15
    """Share of crops with reverberation."""
    band_limit: float = 0.1
    """Share of crops limited to a telephone's or an old recording's band."""
    masked_bands: int = 6
    """Largest number of neighbouring bands that are blanked."""
    silence: float = 0.2
    """Share of crops in which a stretch of at least half a second is replaced by silence."""
    deaf: float = 0.1
    """Share of crops in which the recogniser's ear, which hears the sound as it was recorded, hears nothing."""


def changed_voice(
    rows: NDArray[np.floating],
    config: AugmentConfig,
    random: np.random.Generator,
    pitch: float | None = None,
) -> NDArray[np.floating]:
    """The rows as another speaker in another room would have given them; see the fields of AugmentConfig.

    ``pitch`` is how many times higher the voice becomes; None leaves it to chance.
    """
    if random.random() < config.untouched:
        return rows
    smooth = rows @ _envelope_projection()
    formants = np.exp(random.uniform(-1, 1) * np.log1p(config.formants))
    pitch = 2 ** (random.uniform(-1, 1) * config.pitch) if pitch is None else pitch
    rows = _stretched(smooth, formants) + random.uniform(0.3, 1) * _stretched(rows - smooth, pitch)
    if random.random() < config.room:
        rows = _reverberated(rows, random)
    rows = rows + config.equaliser * _smooth_curve(random) + config.level * random.standard_normal()
    if random.random() < config.noise:
        rows = with_noise(rows, random.uniform(3, 40), random)
    if random.random() < config.band_limit:
        rows = _band_limited(rows, random)
    return rows


def with_noise(
    rows: NDArray[np.floating], decibels_below: float, random: np.random.Generator
) -> NDArray[np.floating]:
    """Adds stationary noise of a random colour, so many decibels below the speech level."""
    colour = 1.5 * _smooth_curve(random) + random.uniform(-2, 1) * np.linspace(0, 1.5, BANDS)
    colour -= np.log(np.exp(colour).mean())
    # A band's energy is a sum over its bins: its fluctuation is that of a chi-squared with two degrees a bin.
    fluctuation = np.log(random.standard_gamma(_bins(), (len(rows), BANDS), np.float32) / _bins() + 1e-6)
    return np.logaddexp(rows, colour + fluctuation - decibels_below * np.log(10) / 10)


def masked(
    features: NDArray[np.floating], config: AugmentConfig, random: np.random.Generator
) -> NDArray[np.floating]:
    """Blanks a few neighbouring bands of normalised features (rows, BANDS) with their mean."""
    width = random.integers(0, config.masked_bands + 1)
    first = random.integers(0, BANDS - width + 1)
    features = features.copy()
    features[:, first : first + width] = features[:, first : first + width].mean() if width else 0
    return features


def _stretched(rows: NDArray[np.floating], factor: float) -> NDArray[np.floating]:
    """Moves every frequency f to f * factor."""
    source = np.interp(_centres() / factor, _centres(), np.arange(BANDS))
    below = np.minimum(source.astype(int), BANDS - 2)
    share = source - below
    return rows[:, below] * (1 - share) + rows[:, below + 1] * share


def _reverberated(rows: NDArray[np.floating], random: np.random.Generator) -> NDArray[np.floating]:
    """A tail of decaying energy behind every sound, 60 dB down after the room's reverberation time."""
    seconds, wet = random.uniform(0.15, 0.7), random.uniform(0.02, 0.3)
    decay = 10 ** (-6 * 0.01 / seconds)
    energy, tail = np.exp(rows), np.zeros(rows.shape[1])
    for t in range(1, len(rows)):
        tail = decay * (tail + energy[t - 1])
        rows[t] = np.log(energy[t] + wet * tail + np.exp(-2 * RANGE))
    return rows


def _band_limited(rows: NDArray[np.floating], random: np.random.Generator) -> NDArray[np.floating]:
    low, high = random.uniform(60, 350), random.uniform(2800, 6500)
    return np.where((_centres() > low) & (_centres() < high), rows, rows - 8)


def _smooth_curve(random: np.random.Generator, cosines: int = 5) -> NDArray[np.floating]:
    """A random curve over the bands with a standard deviation near 1."""
    weights = random.standard_normal(cosines) / np.arange(1, cosines + 1)
    return weights @ _cosines()[1 : cosines + 1] * np.sqrt(BANDS) / 1.2


@cache
def _cosines() -> NDArray[np.floating]:
    """Orthonormal DCT-II basis over the bands: (BANDS, BANDS)."""
    basis = np.cos(np.pi * np.outer(np.arange(BANDS), np.arange(BANDS) + 0.5) / BANDS) * np.sqrt(2 / BANDS)
    basis[0] /= np.sqrt(2)
    return basis


@cache
def _envelope_projection() -> NDArray[np.floating]:
    return _cosines()[:ENVELOPE_ORDER].T @ _cosines()[:ENVELOPE_ORDER]


@cache
def _centres() -> NDArray[np.floating]:
    return filter_bank() @ (np.arange(FFT_SIZE // 2 + 1) * SAMPLE_RATE / FFT_SIZE)


@cache
def _bins() -> NDArray[np.floating]:
    """How many independent bins make up a band."""
    return (1 / (filter_bank() ** 2).sum(axis=1)).astype(np.float32)
