"""Trains the original's landmark network on one person of a prepared corpus: the paper's recipe for facial motion."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from evp.corpora.archives import told_apart
from evp.losses import weighted_sum
from evp.original.convert import export_landmarks
from evp.original.dataset import Clip, Sequences, person_entries, principal_components, read_person
from evp.original.losses import WEIGHTS, landmark_losses
from evp.original.network import LandmarkConfig, LandmarkNetwork
from evp.original.networks import load_encoders
from evp.training import Part, Progress, Resumable

_HEARD_AT_ONCE = 256
"""Windows, of which each takes 2 MB in the full network."""


@dataclass(frozen=True)
class LandmarkTrainingConfig:
    """One training run; the defaults are the published experiment's."""

    network: LandmarkConfig = field(default_factory=LandmarkConfig)
    """The layers."""
    steps: int = 10_000
    """Training steps; the paper trained for two hours on a GPU."""
    batch: int = 16
    """Sequences in a batch."""
    frames: int = 16
    """Frames of a sequence, 25 a second."""
    learning_rate: float = 2e-4
    """Of Adam; every released script has this one, the supplement says 1e-4."""
    weights: dict[str, float] = field(default_factory=lambda: dict(WEIGHTS))
    """Weight of every loss of `landmark_losses`."""
    seed: int = 0
    """Start of every random choice."""
    checkpoint_every: int = 200
    """Steps between checkpoints."""

    def __post_init__(self) -> None:
        if min(self.steps, self.batch, self.frames) < 1:
            raise ValueError("steps, batch and frames must be at least 1")


class Training(Resumable):
    """The landmark network of one person."""

    began_with: str | None = None
    """Digest of the file whose encoders it began with."""

    def __init__(self, clips: Sequence[Clip], config: LandmarkTrainingConfig) -> None:
        torch.manual_seed(config.seed)
        self.config, self.sequences = config, Sequences(clips, config.frames)
        self.principal = principal_components(clips)
        basis, mean = self.principal
        self.basis = torch.from_numpy(np.ascontiguousarray(basis[:, : config.network.components]))
        self.mean = torch.from_numpy(mean)
        self.network = LandmarkNetwork(config.network)
        self.optimizer = torch.optim.Adam(
            self.network.parameters(), lr=config.learning_rate, betas=(0.5, 0.999)
        )

    def advance(self) -> dict[str, float]:
        """One training step; returns its named losses and their ``total``."""
        heard, landmarks = (
            torch.from_numpy(array)
            for array in self.sequences.batch(self.config.batch, self.config.seed, self.step)
        )
        self.network.train()
        true = (landmarks - self.mean) @ self.basis
        emotion = self.network.emotion(heard.flatten(0, 1)).unflatten(0, heard.shape[:2])
        example = self.basis.new_zeros(len(heard), self.basis.shape[1])
        predicted, _ = self.network(example, heard, emotion)
        losses = landmark_losses(predicted, true, self.basis)
        total = weighted_sum(losses, self.config.weights)
        self.optimizer.zero_grad()
        total.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        self.step += 1
        return {name: float(loss.detach()) for name, loss in (losses | {"total": total}).items()}

    def parts(self) -> Mapping[str, Part]:
        return {"network": self.network, "optimizer": self.optimizer}

    def settings(self) -> dict[str, Any]:
        """All but the number of steps: the rate is constant."""
        return asdict(self.config) | {"steps": None, "disentangled": self.began_with}


def train_landmarks(
    corpus: Path,
    output: Path,
    config: LandmarkTrainingConfig,
    speaker: str | None = None,
    disentangled: Path | None = None,
    progress: Progress | None = None,
) -> Path:
    """Train on one ``speaker`` of a prepared ``corpus`` and write ``output``/landmarks.onnx; returns its path.

    The result is what ``evp import-evp`` writes: :class:`evp.original.landmarks.OriginalMotion` runs it.
    ``disentangled`` has the encoders that it begins with, as in the paper: a ``99_pretrain.pth``, or the
    ``checkpoint.pt`` of a disentanglement with the same encoders. Landmarks are those of the head without its motion.
    ``output``/checkpoint.pt is written as the run goes; when it is there, the run continues from it and ends as if it
    had never stopped. Raises InputError when the corpus or a file cannot be used.
    """
    clips = read_person(corpus, speaker)
    training = Training(clips, config)
    training.corpus = told_apart(corpus, person_entries(corpus, speaker))
    if disentangled is not None:
        content, emotion = load_encoders(disentangled, config.network)
        training.network.content.load_state_dict(content.state_dict())
        training.network.emotion.load_state_dict(emotion.state_dict())
        training.began_with = hashlib.sha256(disentangled.read_bytes()).hexdigest()
    checkpoint = output / "checkpoint.pt"
    training.run(checkpoint, config.steps, config.checkpoint_every, progress)
    network = training.network.eval()
    features = emotion_features(network, clips)
    metadata = {"config": asdict(config)}
    export_landmarks(output / "landmarks.onnx", network, *training.principal, features, metadata)
    return output / "landmarks.onnx"


@torch.no_grad()
def emotion_features(network: LandmarkNetwork, clips: Sequence[Clip]) -> dict[str, NDArray[np.float32]]:
    """The mean emotion code (128,) of the clips of every emotion."""
    codes: dict[str, list[torch.Tensor]] = {}
    for clip in clips:
        if clip.emotion is not None:
            heard = torch.from_numpy(clip.windows).split(_HEARD_AT_ONCE)  # type: ignore[no-untyped-call]
            codes.setdefault(clip.emotion, []).extend(network.emotion(windows) for windows in heard)
    return {name: torch.cat(parts).mean(dim=0).numpy() for name, parts in codes.items()}
