"""The encoders, the decoder and the classifier of the second stage, as one network."""

from dataclasses import dataclass

from torch import Tensor, nn

from evp.emotion.network import (
    CONTENT_SIZE,
    EMOTION_SIZE,
    PAPER_CONTENT,
    PAPER_DECODER,
    PAPER_EMOTION,
    ClassifierConfig,
    ContentEncoder,
    Conv,
    Decoder,
    DecoderConfig,
    EmotionClassifier,
    EmotionEncoder,
    EncoderConfig,
    Pool,
    Up,
)

SMALL_CONTENT = EncoderConfig(
    (Conv(8), Pool((3, 3), (1, 2)), Conv(32), Conv(32), Pool((3, 3), (2, 2))), CONTENT_SIZE, hidden=256
)
SMALL_EMOTION = EncoderConfig(
    (
        Conv(8), Pool((1, 3), (1, 2)), Conv(16), Conv(32), Pool((12, 1), (12, 1)), Conv(64), Pool((1, 2), (1, 2)),
    ),
    EMOTION_SIZE,
    columns_first=True,
    hidden=256,
)  # fmt: skip
SMALL_DECODER = DecoderConfig(
    (
        Up(32, (6, 6), (2, 2), (1, 1)),
        Up(32, (4, 2), (2, 2), (1, 1)),
        Up(32, (4, 4), (2, 2), (1, 1)),
        Up(16, (4, 3), (2, 1), (3, 1)),
        Up(1, (3, 3), (1, 1), (1, 1)),
    )
)
"""These have the paper's shape and a thirtieth of its weights: a CPU thread trains them in minutes."""


@dataclass(frozen=True)
class DisentanglerConfig:
    """The layers of the parts."""

    content: EncoderConfig = SMALL_CONTENT
    """From a window to what is said in it."""
    emotion: EncoderConfig = SMALL_EMOTION
    """From a window to how it is said."""
    decoder: DecoderConfig = SMALL_DECODER
    """From both back to the window."""
    standardised: bool = True
    """Whether content codes are standardised: the content loss would else be met by codes that are merely small."""
    quiet_start: float = 0.1
    """The decoder's last layer starts smaller by this: its tanh would begin, and for long remain, at its limits."""


PAPER = DisentanglerConfig(PAPER_CONTENT, PAPER_EMOTION, PAPER_DECODER, standardised=False, quiet_start=1.0)
"""The networks of the paper: 40 million weights."""


class Disentangler(nn.Module):
    """Takes sound apart into what is said and how, and makes sound of what one recording says as another one feels.

    Windows are (..., W, 28, 12). The content code is one for each window, the emotion code one for all windows of a
    recording: the mean of theirs.
    """

    def __init__(self, config: DisentanglerConfig, classes: int) -> None:
        super().__init__()
        self.content_encoder = ContentEncoder(config.content)
        self.standardise = (
            nn.BatchNorm1d(config.content.size, affine=False) if config.standardised else nn.Identity()
        )
        self.emotion_encoder = EmotionEncoder(config.emotion)
        self.decoder = Decoder(config.decoder)
        self.classifier = EmotionClassifier(ClassifierConfig(classes, config.emotion.size))
        last = self.decoder.layers[-1]
        assert isinstance(last, nn.ConvTranspose2d)
        last.weight.data *= config.quiet_start

    def content(self, windows: Tensor) -> Tensor:
        """Ec: windows (..., W, 28, 12) -> codes (..., W, 256)."""
        return self.standardise(self.content_encoder(windows.flatten(0, -3))).unflatten(0, windows.shape[:-2])

    def emotion(self, windows: Tensor) -> Tensor:
        """Ee: windows (..., W, 28, 12) -> codes (..., 128)."""
        return self.emotion_encoder(windows.flatten(0, -3)).unflatten(0, windows.shape[:-2]).mean(dim=-2)

    def decode(self, content: Tensor, emotion: Tensor) -> Tensor:
        """D: codes (..., W, 256) and (..., 128) -> windows (..., W, 28, 12)."""
        everywhere = emotion.unsqueeze(-2).expand(*content.shape[:-1], -1)
        return self.decoder(content.flatten(0, -2), everywhere.flatten(0, -2)).unflatten(
            0, content.shape[:-1]
        )

    def forward(self, says: Tensor, feels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Content (F, 256) of ``says`` (F, 28, 12), emotion (128,) of ``feels`` (G, 28, 12), decoded (F, 28, 12)."""
        content, emotion = self.content(says), self.emotion(feels)
        return content, emotion, self.decode(content, emotion)
