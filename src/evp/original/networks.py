"""The original's checkpoints as this project's networks, by name. Needs torch, inside the functions."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evp.errors import InputError
from evp.original import names
from evp.original.checkpoints import Match, load_by_name, read_checkpoint

if TYPE_CHECKING:
    from evp.emotion.disentangle.network import Disentangler
    from evp.emotion.network import ContentEncoder, EmotionClassifier, EmotionEncoder
    from evp.original.network import LandmarkConfig, LandmarkNetwork

EMOTIONS = 8
"""angry, contempt, disgusted, fear, happy, neutral, sad, surprised: the original's classes, in its order."""


def load_landmark_network(
    path: Path, config: "LandmarkConfig | None" = None
) -> "tuple[LandmarkNetwork, Match]":
    """The landmark network of a checkpoint such as ``M003_20.pth``. Raises InputError, naming file and key."""
    from evp.original.network import LandmarkConfig, LandmarkNetwork

    network = LandmarkNetwork(config or LandmarkConfig())
    match = load_by_name(network, read_checkpoint(path), names.LANDMARKS, path)
    return network, match


def load_classifier(path: Path) -> "tuple[EmotionEncoder, EmotionClassifier, Match]":
    """The emotion classifier of ``SER_99.pkl``, in its two parts. Raises InputError, naming file and key."""
    from torch import nn

    from evp.emotion.network import ClassifierConfig, EmotionClassifier, EmotionEncoder

    encoder, classifier = EmotionEncoder(), EmotionClassifier(ClassifierConfig(EMOTIONS))
    both = nn.ModuleDict({"encoder": encoder, "classifier": classifier})
    match = load_by_name(both, read_checkpoint(path), names.CLASSIFIER, path)
    return encoder, classifier, match


def load_disentangler(path: Path) -> "tuple[Disentangler, Match]":
    """The encoders, decoder and classifier of ``99_pretrain.pth``. Raises InputError, naming file and key."""
    from evp.emotion.disentangle.network import PAPER, Disentangler

    network = Disentangler(PAPER, EMOTIONS)
    match = load_by_name(network, read_checkpoint(path), names.DISENTANGLER, path)
    return network, match


def load_encoders(path: Path, config: "LandmarkConfig") -> "tuple[ContentEncoder, EmotionEncoder]":
    """The encoders of ``99_pretrain.pth``, or of the ``checkpoint.pt`` that ``evp train disentangle`` leaves.

    Raises InputError, naming file and key, when they are not those of ``config``.
    """
    from torch import nn

    from evp.emotion.network import ContentEncoder, EmotionEncoder

    content, emotion = ContentEncoder(config.content), EmotionEncoder(config.emotion)
    both = nn.ModuleDict({"content": content, "emotion": emotion})
    load_by_name(both, read_checkpoint(path), names.ENCODERS, path)
    return content, emotion


def match_checkpoint(path: Path) -> Match:
    """Load a checkpoint of any of the original's networks, and tell what of it fits. Raises InputError."""
    stored = read_checkpoint(path).keys()
    loaders: dict[str, Callable[[Path], tuple[Any, ...]]] = {
        "lm_encoder.lmark_encoder.0.weight": load_landmark_network,
        "decoder.decon.0.weight": load_disentangler,
        "emotion_eocder.0.0.weight": load_classifier,
    }
    for name, load in loaders.items():
        if name in stored:
            match: Match = load(path)[-1]
            return match
    raise InputError(f"{path}: none of the original's networks has {next(iter(stored))}")
