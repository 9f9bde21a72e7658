"""The network from sound to the mouth's expression coefficients."""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool1d, conv1d, pad

from evp.audio.acoustics import EAR
from evp.audio.mel import BANDS
from evp.motion.readout import LIMIT, REACH, Readout, moments
from evp.motion.visemes import NAMES

EMOTION_SIZE = 128
MANNER_SIZE = 16
"""What the decoder hears besides the viseme classes: too little to recognise a voice and recall its mouth."""


class MotionOutput(NamedTuple):
    """What the network says about R feature rows, that is F = R / 4 video frames."""

    coefficients: Tensor
    """(B, F, M) mouth coefficients, standard deviations."""
    speech: Tensor
    """(B, F) logit that somebody speaks during the frame."""
    visemes: Tensor
    """(B, R / 2, len(visemes.NAMES)) logits at 50 Hz; a training target."""
    auxiliary: Tensor
    """(B, F, A) the same motion in the channels of another rig; a training target."""
    closure: Tensor
    """(B, F) probability that the lips are closed; the coefficients close them already."""
    heard: Tensor
    """(B, F, HEARD) what the mouth follows from: what is said, and what the ear hears."""


SAID = MANNER_SIZE + len(NAMES)
HEARD = SAID + EAR


class Residual(nn.Module):
    """Dilated convolution over time with a shortcut."""

    def __init__(self, channels: int, kernel: int, dilation: int, dropout: float) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv1d(
                channels, channels, kernel, padding=kernel // 2 * dilation, dilation=dilation, bias=False
            ),
            nn.BatchNorm1d(channels),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Conv1d(channels, channels, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, T) -> (B, C, T)."""
        return x + self.body(x)


class LipClosure(nn.Module):
    """Pulls the lips together by the shortest way where a closure is heard."""

    def __init__(self, opening: Tensor, metric: Tensor) -> None:
        """``opening`` (M,): face heights per coefficient; ``metric`` (M, M): squared displacement of the mouth."""
        super().__init__()
        self.opening: Tensor
        self.direction: Tensor
        shortest = torch.linalg.solve(metric, opening)
        self.register_buffer("opening", opening)
        self.register_buffer("direction", shortest / (opening @ shortest))

    def forward(self, coefficients: Tensor, closure: Tensor) -> Tensor:
        """(B, F, M) coefficients and (B, F) probability of closure -> (B, F, M)."""
        excess = torch.relu(coefficients @ self.opening) * closure
        return coefficients - excess[..., None] * self.direction


class MotionNetwork(nn.Module):
    """Encoder at 50 Hz (what is said) and decoder at 25 Hz (how the mouth moves), both convolutions over time."""

    def __init__(
        self, opening: Tensor, metric: Tensor, channels: int, dropout: float, auxiliary: int
    ) -> None:
        """``opening`` (M,) and ``metric`` (M, M) describe the face basis; see `LipClosure`."""
        super().__init__()
        self.bands = nn.Conv1d(BANDS, channels, 6, stride=2, padding=2, bias=False)
        self.ear = nn.Conv1d(EAR, channels, 1, bias=False)
        self.to_50_hz = nn.Sequential(nn.BatchNorm1d(channels), nn.ReLU())
        self.encoder = nn.Sequential(*(Residual(channels, 3, d, dropout) for d in (1, 2, 4, 1, 2, 4)))
        self.visemes = nn.Conv1d(channels, len(NAMES), 1)
        self.manner = nn.Conv1d(channels, MANNER_SIZE, 1)
        self.to_25_hz = nn.Sequential(
            nn.Dropout(dropout),
            nn.Conv1d(MANNER_SIZE + len(NAMES), channels, 4, stride=2, padding=1, bias=False),
            nn.BatchNorm1d(channels),
            nn.ReLU(),
        )
        self.emotion = nn.Linear(EMOTION_SIZE, 2 * channels, bias=False)
        nn.init.zeros_(self.emotion.weight)
        self.decoder = nn.Sequential(*(Residual(channels, 3, d, dropout) for d in (1, 2, 4)))
        self.heads = nn.Conv1d(channels, len(opening) + 2, 1)
        self.closure = LipClosure(opening, metric)
        self.other_rig = nn.Linear(len(opening), auxiliary)
        self.sizes = [len(opening), 1, 1]

    def forward(self, features: Tensor, ear: Tensor, emotion: Tensor) -> MotionOutput:
        """``features`` (B, R, BANDS), R a multiple of 4, ``ear`` (B, R / 2, EAR), ``emotion`` (B, EMOTION_SIZE).

        ``ear`` is what ``acoustics.Ear`` gives; an emotion of zeros is neutral.
        """
        heard = ear.transpose(1, 2)
        encoded = self.encoder(self.to_50_hz(self.bands(features.transpose(1, 2)) + self.ear(heard)))
        visemes = self.visemes(encoded)
        passed = torch.cat([self.manner(encoded), visemes.softmax(dim=1)], dim=1)
        said = self.to_25_hz(passed)
        gain, shift = self.emotion(emotion)[..., None].chunk(2, dim=1)
        heads = self.heads(self.decoder(said * (1 + gain) + shift)).transpose(1, 2)
        mouth, speech, closure = heads.split(self.sizes, dim=2)
        closing = closure[..., 0].sigmoid()
        closed = self.closure(mouth, closing)
        everything = avg_pool1d(torch.cat([passed, heard], dim=1), 2).transpose(1, 2)
        return MotionOutput(
            closed, speech[..., 0], visemes.transpose(1, 2), self.other_rig(closed), closing, everything
        )


class Waves(nn.Module):
    """A fitted ``Readout`` that runs within the network."""

    def __init__(self, readout: Readout) -> None:
        super().__init__()
        self.centre: Tensor
        self.scale: Tensor
        self.moments: Tensor
        self.phase: Tensor
        self.projection: Tensor
        self.weights: Tensor
        self.rest: Tensor
        for name, array in {**vars(readout), "moments": moments()}.items():
            self.register_buffer(name, torch.tensor(array, dtype=torch.float32))

    def forward(self, heard: Tensor) -> Tensor:
        """(B, F, I) -> (B, F, M)."""
        standardised = ((heard - self.centre) / self.scale).clamp(-LIMIT, LIMIT)
        each = pad(standardised.transpose(1, 2), (REACH, REACH), mode="replicate")
        kernel = self.moments.T.repeat(heard.shape[2], 1)[:, None]
        around = conv1d(each, kernel, groups=heard.shape[2]).transpose(1, 2)
        return (around @ self.projection + self.phase).cos() @ self.weights.T - self.rest


class SpeakerStyle(nn.Module):
    """How far each training speaker's mouth travels, and from where: kept apart from what all of them share."""

    def __init__(self, speakers: int, coefficients: int) -> None:
        super().__init__()
        self.log_gain = nn.Parameter(torch.zeros(speakers, coefficients))
        self.offset = nn.Parameter(torch.zeros(speakers, coefficients))

    def forward(self, coefficients: Tensor, speaker: Tensor) -> Tensor:
        """(B, F, M) of an average speaker, (B,) speaker numbers -> (B, F, M) in these speakers' style."""
        log_gain = self.log_gain - self.log_gain.mean(dim=0)
        return coefficients * log_gain[speaker].exp()[:, None] + self.offset[speaker][:, None]

    def penalty(self) -> Tensor:
        """Mean square distance from the average speaker."""
        return self.log_gain.square().mean() + self.offset.square().mean()
