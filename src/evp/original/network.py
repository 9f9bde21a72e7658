"""The original's landmark network, built from this project's encoders."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from evp.emotion.network import PAPER_CONTENT, PAPER_EMOTION, ContentEncoder, EmotionEncoder, EncoderConfig


@dataclass(frozen=True)
class LandmarkConfig:
    """The layers of the landmark network; the defaults are the paper's."""

    content: EncoderConfig = PAPER_CONTENT
    """What is said."""
    emotion: EncoderConfig = PAPER_EMOTION
    """How it is said."""
    components: int = 16
    """PCA coefficients of a face."""
    identity: tuple[int, int] = (256, 512)
    """Widths of the layers that look at the example face."""
    hidden: int = 256
    """Width of the recurrent layers."""
    layers: int = 3
    """Recurrent layers."""


class LandmarkNetwork(nn.Module):
    """An example face, what is said and how it is said -> how the face moves (EVP section 3.2)."""

    def __init__(self, config: LandmarkConfig) -> None:
        super().__init__()
        self.config = config
        self.content = ContentEncoder(config.content)
        self.emotion = EmotionEncoder(config.emotion)
        first, second = config.identity
        self.identity = nn.Sequential(
            nn.Linear(config.components, first), nn.ReLU(), nn.Linear(first, second), nn.ReLU()
        )
        code = second + config.content.size + config.emotion.size
        self.lstm = nn.LSTM(code, config.hidden, config.layers, batch_first=True)
        self.coefficients = nn.Linear(config.hidden, config.components)

    def forward(
        self, example: Tensor, windows: Tensor, emotion: Tensor, state: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """How coefficients differ from the example's, (B, T, components), and the recurrent state after them.

        ``example`` (B, components), ``windows`` (B, T, 28, 12) of MFCC, ``emotion`` (B, T, 128) codes; ``state`` is
        what an earlier call gave for the frames before.
        """
        frames = windows.shape[1]
        content = self.content(windows.flatten(0, 1)).unflatten(0, windows.shape[:2])
        identity = self.identity(example)[:, None].expand(-1, frames, -1)
        hidden, state = self.lstm(torch.cat([identity, content, emotion], dim=2), state)
        return self.coefficients(hidden), state


class LandmarkModel(nn.Module):
    """What an imported model runs: the network, and the PCA basis that makes landmarks of its coefficients."""

    def __init__(self, network: LandmarkNetwork, basis: Tensor, mean: Tensor) -> None:
        """``basis`` (points * 2, components) and ``mean`` (points * 2,), fractions of the crop."""
        super().__init__()
        self.network = network
        self.basis: Tensor
        self.mean: Tensor
        self.register_buffer("basis", basis)
        self.register_buffer("mean", mean)

    def forward(
        self, window: Tensor, emotion: Tensor, hidden: Tensor, cell: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """One frame: landmarks (1, points, 2), the state after it, and the window's own emotion (1, 128).

        ``window`` (1, 28, 12), ``emotion`` (1, 128), and the state before it, twice (layers, 1, hidden). The example is
        the mean face, whose coefficients are zeros.
        """
        example = self.basis.new_zeros(1, self.basis.shape[1])
        moved, (hidden, cell) = self.network(example, window[None], emotion[None], (hidden, cell))
        landmarks = moved[0] @ self.basis.T + self.mean
        return landmarks.unflatten(1, (-1, 2)), hidden, cell, self.network.emotion(window)
