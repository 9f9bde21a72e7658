"""How the mouth follows from what the network hears, fitted to everybody's footage in closed form.

The decoder that is trained by gradient follows the few people it knows too closely. A kernel method of little freedom,
fitted when the encoder is done and in which every person counts alike, carries over to people never met.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

TYPICAL_TRAVEL = 0.025
"""Standard deviation of the opening in speech, face heights: what every clip's is brought to."""
REACH = 6
"""Frames before and after that are heard."""
FADE_FRAMES = 2.5
"""Standard deviation of the weight with which they count."""
MOMENTS = 5
"""Cosines over these frames, fading to both ends, that describe how what is heard goes."""
LIMIT = 4.0
"""Standard deviations beyond which what is heard makes no more difference."""


@dataclass(frozen=True)
class ReadoutConfig:
    """How the readout is fitted; the defaults are the shipped model's."""

    waves: int = 400
    """Cosines in random directions, which together act as a Gaussian kernel (Rahimi and Recht 2007)."""
    sharpness: float = 0.4
    """Inverse width of the kernel, relative to the usual size of what is heard."""
    ridge: float = 0.3
    """Penalty of large weights, relative to the features' mean square."""
    balance: float = 0.45
    """People count by the amount of their footage to this power: 0 all alike, 1 every second alike."""
    seed: int = 0
    """Start of the random directions."""


@dataclass(frozen=True)
class Readout:
    """From what is heard around a frame to the mouth: weighted cosines of its moments, standardised."""

    centre: NDArray[np.floating]
    """(I,) mean of what is heard."""
    scale: NDArray[np.floating]
    """(I,) its standard deviation."""
    projection: NDArray[np.floating]
    """(I * MOMENTS, W)."""
    phase: NDArray[np.floating]
    """(W,)."""
    weights: NDArray[np.floating]
    """(M, W)."""
    rest: NDArray[np.floating]
    """(M,): what silence would give, so that it gives the neutral, closed mouth."""

    def mouth(self, heard: NDArray[np.floating]) -> NDArray[np.floating]:
        """(F, I) -> (F, M)."""
        return _waves(heard, self) @ self.weights.T - self.rest


@dataclass(frozen=True)
class Example:
    """One clip for the fit."""

    speaker: str
    heard: NDArray[np.floating]
    """(F, I) what the encoder says of every frame."""
    coefficients: NDArray[np.floating]
    """(F, M)."""
    tracked: NDArray[np.bool_]
    """(F,) coefficients are known."""


class ReadoutFit:
    """Normal equations of every speaker apart, so that leaving somebody out costs nothing but solving them again."""

    def __init__(
        self,
        examples: Iterable[Example],
        silence: NDArray[np.floating],
        opening: NDArray[np.floating],
        config: ReadoutConfig,
    ) -> None:
        """``silence`` (I,) is what is heard in silence, ``opening`` (M,) face heights per coefficient."""
        examples, self._opening, self._config = list(examples), opening, config
        everything = np.concatenate([example.heard for example in examples])
        random = np.random.default_rng(config.seed)
        inputs = everything.shape[1] * MOMENTS
        directions = random.standard_normal((inputs, config.waves))
        self._empty = Readout(
            centre=everything.mean(axis=0),
            scale=everything.std(axis=0) + 1e-6,
            projection=directions * config.sharpness / np.sqrt(inputs),
            phase=random.uniform(0, 2 * np.pi, config.waves),
            weights=np.zeros((len(opening), config.waves)),
            rest=np.zeros(len(opening)),
        )
        self._quiet = _waves(silence[None], self._empty)[0]
        self._speakers: dict[str, list[_Equations]] = {}
        for example in examples:
            self._speakers.setdefault(example.speaker, []).append(self._equations(example))

    def solve(self, leave_out: Collection[str] = ()) -> Readout:
        """The readout of everybody but ``leave_out``."""
        kept = {speaker: clips for speaker, clips in self._speakers.items() if speaker not in leave_out}
        weights = self._solved(kept)
        travel = self._travel(kept) if len(kept) > 1 else 1.0
        weights = weights * travel
        empty = self._empty
        return Readout(
            empty.centre, empty.scale, empty.projection, empty.phase, weights.T, weights.T @ self._quiet
        )

    def _equations(self, example: Example) -> "_Equations":
        waves = _waves(example.heard, self._empty)[example.tracked]
        mouth = example.coefficients[example.tracked].astype(np.float64)
        waves, mouth = waves - waves.mean(axis=0), mouth - mouth.mean(axis=0)
        mouth *= TYPICAL_TRAVEL / max(float((mouth @ self._opening).std()), 1e-4)
        return _Equations(len(waves), waves.T @ waves, waves.T @ mouth)

    def _solved(self, speakers: Mapping[str, list["_Equations"]]) -> NDArray[np.floating]:
        """(W, M) of these speakers, with the travel of a guess."""
        square = np.zeros((self._config.waves, self._config.waves))
        product = np.zeros((self._config.waves, len(self._opening)))
        for clips in speakers.values():
            weight = float(sum(clip.frames for clip in clips)) ** (self._config.balance - 1)
            for clip in clips:
                square += weight * clip.square
                product += weight * clip.product
        penalty = self._config.ridge * np.trace(square) / len(square)
        return np.linalg.solve(square + penalty * np.eye(len(square)), product)

    def _travel(self, speakers: Mapping[str, list["_Equations"]]) -> float:
        """How much more a mouth travels than it is guessed to by those who never met its owner."""
        ratios = []
        for speaker, clips in speakers.items():
            weights = self._solved({other: own for other, own in speakers.items() if other != speaker})
            opening = weights @ self._opening
            guessed = [np.sqrt(opening @ clip.square @ opening / clip.frames) for clip in clips]
            ratios.append(TYPICAL_TRAVEL / float(np.mean(guessed)))
        return float(np.median(ratios))


@dataclass(frozen=True)
class _Equations:
    frames: int
    square: NDArray[np.floating]
    product: NDArray[np.floating]


def moments() -> NDArray[np.floating]:
    """(2 REACH + 1, MOMENTS), each column of mean square 1 over the columns' mean."""
    place = np.arange(-REACH, REACH + 1)
    fade = np.exp(-0.5 * (place / FADE_FRAMES) ** 2)
    cosines = np.cos(np.pi * np.arange(MOMENTS) * (place[:, None] + REACH + 0.5) / len(place)) * fade[:, None]
    return cosines / np.sqrt(np.mean(np.sum(cosines**2, axis=0)))


def _waves(heard: NDArray[np.floating], readout: Readout) -> NDArray[np.floating]:
    """(F, I) -> (F, W), each -1..1."""
    standardised = np.clip((heard - readout.centre) / readout.scale, -LIMIT, LIMIT)
    padded = np.pad(standardised, ((REACH, REACH), (0, 0)), mode="edge")
    around = np.lib.stride_tricks.sliding_window_view(padded, 2 * REACH + 1, axis=0) @ moments()
    return np.cos(around.reshape(len(heard), -1) @ readout.projection + readout.phase)
