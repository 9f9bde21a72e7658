"""The networks that take a window of sound apart into what is said and how it is felt, and put it together again.

One class for each network, built from a configuration; the ``PAPER_`` configurations are the layers of the EVP paper.
Windows are those of ``audio.windows``: (B, rows, columns) of MFCC.
"""

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from evp.clock import WINDOW_ROWS

COLUMNS = 12
"""Cepstral coefficients of a row in the paper, which drops the energy."""
EMOTION_SIZE = 128
CONTENT_SIZE = 256


@dataclass(frozen=True)
class Conv:
    """Convolution without bias, zeros around the picture, then batch normalisation and ReLU."""

    channels: int
    """Channels that come out."""
    kernel: tuple[int, int] = (3, 3)
    """Odd height and width."""
    stride: int = 1
    """1 keeps the size."""


@dataclass(frozen=True)
class Pool:
    """The largest value of every patch."""

    kernel: tuple[int, int]
    stride: tuple[int, int]


@dataclass(frozen=True)
class EncoderConfig:
    """The layers from a window to a code."""

    layers: tuple[Conv | Pool, ...]
    """What happens to the picture that a window is."""
    size: int
    """Numbers of the code."""
    rows: int = WINDOW_ROWS
    """Rows of a window, 100 a second."""
    columns: int = COLUMNS
    """Features of a row."""
    columns_first: bool = False
    """Whether the picture is (columns, rows), time to the right, instead of (rows, columns)."""
    hidden: int = 2048
    """Width between the picture and the code."""
    statistics: bool = False
    """Whether the first dense layer sees every row of the picture, and the code is made of the mean and the standard
    deviation of what it says over the rows: what is heard then does not depend on when."""
    rectified: bool = True
    """Whether what the last dense layer says is cut off below zero."""
    dropout: float = 0.0
    """Share of the numbers between picture and dense layers that is dropped in training."""

    @property
    def windows(self) -> tuple[int, int]:
        """Rows and columns of the windows that it takes."""
        return self.rows, self.columns


PAPER_EMOTION = EncoderConfig(
    layers=(
        Conv(64), Pool((1, 3), (1, 2)), Conv(128), Conv(256), Pool((12, 1), (12, 1)), Conv(512), Pool((1, 2), (1, 2)),
    ),
    size=EMOTION_SIZE,
    columns_first=True,
)  # fmt: skip
"""The paper's emotion encoder: a window (28, 12) -> 128. ``layers.N`` is the checkpoints' ``emotion_eocder.N``, and
``dense.N`` their ``emotion_eocder_fc.N``."""

PAPER_CONTENT = EncoderConfig(
    layers=(
        Conv(64), Conv(128), Pool((3, 3), (1, 2)), Conv(256), Conv(256), Conv(512), Pool((3, 3), (2, 2)),
    ),
    size=CONTENT_SIZE,
)  # fmt: skip
"""The paper's content encoder: a window (28, 12) -> 256. ``layers.N`` is the checkpoints' ``audio_eocder.N``, and
``dense.N`` their ``audio_eocder_fc.N``."""


class Encoder(nn.Module):
    """From windows to codes."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.config = config
        channels = [1] + [layer.channels for layer in config.layers if isinstance(layer, Conv)]
        widths = iter(pairwise(channels))
        self.layers = nn.Sequential(
            *(
                convolution(*next(widths), layer)
                if isinstance(layer, Conv)
                else nn.MaxPool2d(layer.kernel, layer.stride)
                for layer in config.layers
            )
        )
        with torch.no_grad():
            seen = self.eval().picture(torch.zeros(1, config.rows, config.columns)).shape[-1]
        summary = config.hidden * (2 if config.statistics else 1)
        last = nn.ReLU() if config.rectified else nn.Identity()
        self.dense = nn.Sequential(
            nn.Linear(seen, config.hidden), nn.ReLU(), nn.Linear(summary, config.size), last
        )
        self.dropout = nn.Dropout(config.dropout)
        self.train()

    def picture(self, windows: Tensor) -> Tensor:
        """Windows (B, rows, columns) -> what the layers leave of them: (B, numbers), 3072 and 12288 in the paper.

        With ``statistics`` (B, height, numbers).
        """
        picture = windows.transpose(1, 2) if self.config.columns_first else windows
        picture = self.layers(picture[:, None])
        return picture.transpose(1, 2).flatten(2) if self.config.statistics else picture.flatten(1)

    def forward(self, windows: Tensor) -> Tensor:
        """Windows (B, rows, columns) -> codes (B, size), not negative if ``rectified``."""
        hidden = self.dense[:2](self.dropout(self.picture(windows)))
        if self.config.statistics:
            hidden = torch.cat(torch.std_mean(hidden, dim=1), dim=1)
        return self.dense[2:](hidden)


class EmotionEncoder(Encoder):
    """How it is said: windows -> codes (B, 128), which the mean over windows makes one for a recording."""

    def __init__(self, config: EncoderConfig = PAPER_EMOTION) -> None:
        super().__init__(config)


class ContentEncoder(Encoder):
    """What is said: windows -> codes (B, 256), one for every video frame."""

    def __init__(self, config: EncoderConfig = PAPER_CONTENT) -> None:
        super().__init__(config)


@dataclass(frozen=True)
class Up:
    """Transposed convolution with bias; all but the last of a decoder with batch normalisation and ReLU behind it."""

    channels: int
    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int]


@dataclass(frozen=True)
class DecoderConfig:
    """The layers from a code to a window."""

    layers: tuple[Up, ...]
    """The last one has a single channel, the window."""
    size: int = CONTENT_SIZE + EMOTION_SIZE
    """Numbers of the code: content, then emotion."""
    scale: float = 90.0
    """Largest absolute value of a window."""


PAPER_DECODER = DecoderConfig(
    (
        Up(256, (6, 6), (2, 2), (1, 1)),
        Up(128, (4, 2), (2, 2), (1, 1)),
        Up(64, (4, 4), (2, 2), (1, 1)),
        Up(32, (4, 3), (2, 1), (3, 1)),
        Up(1, (3, 3), (1, 1), (1, 1)),
    )
)
"""The paper's decoder: 384 -> a window (28, 12). ``layers.N`` is the checkpoints' ``decoder.decon.N``."""


class Decoder(nn.Module):
    """From what is said and how it is felt back to the sound."""

    def __init__(self, config: DecoderConfig = PAPER_DECODER) -> None:
        super().__init__()
        self.config = config
        channels = [config.size] + [layer.channels for layer in config.layers]
        modules: list[nn.Module] = []
        for (before, after), layer in zip(pairwise(channels), config.layers, strict=True):
            up = nn.ConvTranspose2d(before, after, layer.kernel, layer.stride, layer.padding)
            modules += [up, nn.BatchNorm2d(after), nn.ReLU()]
        self.layers = nn.Sequential(*modules[:-2])

    def forward(self, content: Tensor, emotion: Tensor) -> Tensor:
        """Content (B, 256) and emotion (B, 128) -> windows (B, 28, 12) in the range of MFCC."""
        code = torch.cat([content, emotion], dim=1)
        return self.layers(code[:, :, None, None])[:, 0].tanh() * self.config.scale


@dataclass(frozen=True)
class ClassifierConfig:
    """From an emotion code to classes."""

    classes: int = 8
    size: int = EMOTION_SIZE
    """Numbers of the code."""


class EmotionClassifier(nn.Module):
    """Which emotion a code is: linear, so that mixtures of codes are mixtures of scores.

    ``output`` is the checkpoints' ``last_fc``.
    """

    def __init__(self, config: ClassifierConfig | None = None) -> None:
        super().__init__()
        self.config = config or ClassifierConfig()
        self.output = nn.Linear(self.config.size, self.config.classes)

    def forward(self, codes: Tensor) -> Tensor:
        """Codes (..., 128) -> logits (..., classes)."""
        return self.output(codes)


def convolution(before: int, after: int, layer: Conv) -> nn.Sequential:
    """``0`` the convolution of a `Conv` layer, ``1`` its normalisation."""
    padding = layer.kernel[0] // 2, layer.kernel[1] // 2
    return nn.Sequential(
        nn.Conv2d(before, after, layer.kernel, layer.stride, padding, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(),
    )
