"""The encoders, the decoder and the classifier of the second stage, as one network."""

from dataclasses import dataclass

from torch import Tensor, nn

from evp.emotion.network import (
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

SHARPNESS = 2.0
"""How decidedly a window is one unit: factor of standardised scores before the softmax."""
UNITS = 64
"""What a window can say: somewhat more than there are phones."""

SMALL_CONTENT = EncoderConfig(
    (Conv(8), Pool((3, 3), (2, 2)), Conv(32), Conv(32), Pool((3, 3), (2, 2))),
    UNITS,
    hidden=256,
    rectified=False,
    dropout=0.3,
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
    ),
    UNITS + EMOTION_SIZE,
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
    units: bool = True
    """Whether a content code is a choice among its numbers, which then have one sum, instead of a point."""
    quiet_start: float = 0.1
    """The decoder's last layer starts smaller by this: its tanh would begin, and for long remain, at its limits."""


PAPER = DisentanglerConfig(
    PAPER_CONTENT,
    PAPER_EMOTION,
    PAPER_DECODER,
    standardised=False,
    units=False,
    quiet_start=1.0,
)
"""The networks of the paper: 40 million weights."""


class Disentangler(nn.Module):
    """Takes sound apart into what is said and how, and makes sound of what one recording says as another one feels.

    Windows are (..., W, 28, 12), all of a recording or some from all over it. The content code (C numbers) is one for
    each window, as `evp.emotion.disentangle.hearing.ContentEar` cuts them, the emotion code (E) one for all windows of
    a recording.
    """

    def __init__(self, config: DisentanglerConfig, classes: int) -> None:
        super().__init__()
        self.config = config
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
        """Ec: windows (..., W, 28, 12) -> codes (..., W, C)."""
        codes = self.standardise(self.content_encoder(windows.flatten(0, -3)))
        if self.config.units:
            codes = (SHARPNESS * codes).softmax(dim=-1) * codes.shape[-1] ** 0.5
        return codes.unflatten(0, windows.shape[:-2])

    def emotion(self, windows: Tensor) -> Tensor:
        """Ee: windows (..., W, 28, 12) -> codes (..., E), the mean over the windows, not negative."""
        return self.emotion_encoder(windows.flatten(0, -3)).unflatten(0, windows.shape[:-2]).mean(dim=-2)

    def decode(self, content: Tensor, emotion: Tensor) -> Tensor:
        """D: codes (..., W, C) and (..., E) -> windows (..., W, 28, 12)."""
        everywhere = emotion.unsqueeze(-2).expand(*content.shape[:-1], -1)
        return self.decoder(content.flatten(0, -2), everywhere.flatten(0, -2)).unflatten(
            0, content.shape[:-1]
        )

    def forward(self, says: Tensor, feels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Content (F, C) of ``says`` (F, 28, 12), emotion (E,) of ``feels`` (G, 28, 12), decoded (F, 28, 12)."""
        content, emotion = self.content(says), self.emotion(feels)
        return content, emotion, self.decode(content, emotion)
