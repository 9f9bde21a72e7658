"""Pulls content and emotion apart by cross-reconstruction on a prepared corpus."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
import torch
from torch import Tensor

from evp.clock import WINDOW_ROWS
from evp.corpora.archives import told_apart
from evp.emotion.dataset import emotion_clips
from evp.emotion.disentangle.curves import draw
from evp.emotion.disentangle.dataset import Batch, Fours, read_recordings
from evp.emotion.disentangle.hearing import ContentEar
from evp.emotion.disentangle.losses import Apart, Truth, disentangle_losses
from evp.emotion.disentangle.network import PAPER, Disentangler, DisentanglerConfig
from evp.emotion.disentangle.reading import Readers, Whole
from evp.emotion.network import COLUMNS
from evp.errors import InputError
from evp.losses import weighted_sum
from evp.training import Part, Progress, Resumable
from evp.weights import export_weights

FORMAT = 1
WEIGHTS = {"cross": 0.1, "self": 0.1, "cla": 2.0, "con": 0.3}
READING = {"emotion in c": 20.0, "emotion in one c": 1.0, "sentence in e": 2.0, "sentence not in c": 4.0}


@dataclass(frozen=True)
class DisentangleConfig:
    """One training run; see `PAPER_RUN` for the published settings."""

    network: DisentanglerConfig = field(default_factory=DisentanglerConfig)
    """The layers."""
    ear: ContentEar = field(default_factory=ContentEar)
    """What the content encoder hears."""
    steps: int = 400
    """Training steps."""
    batch: int = 8
    """Fours in a batch."""
    content_windows: int = 6
    """Windows that are reconstructed of every four in a batch."""
    emotion_windows: int = 12
    """Windows that stand for a whole recording: for its emotion code, and for what is read in its codes."""
    learning_rate: float = 2e-3
    """Of Adam at the start."""
    schedule: Literal["cosine", "constant"] = "cosine"
    """Whether the rate falls to zero as a cosine, or stays."""
    weights: dict[str, float] = field(default_factory=lambda: dict(WEIGHTS))
    """Weight of every loss of `disentangle_losses`; 0 leaves one out."""
    reading: dict[str, float] = field(default_factory=lambda: dict(READING))
    """Weight of every loss of `Readers`, which the paper has not; 0 leaves one out, and {} all of them."""
    seed: int = 0
    """Start of every random choice."""
    checkpoint_every: int = 100
    """Steps between checkpoints."""

    def __post_init__(self) -> None:
        if self.steps < 1 or self.batch < 2 or min(self.content_windows, self.emotion_windows) < 1:
            raise ValueError("steps and windows must be at least 1, batch at least 2")


PAPER_RUN = DisentangleConfig(
    network=PAPER,
    ear=ContentEar(level=False, tract=0, speed=0),
    steps=10_000,
    batch=16,
    content_windows=1,
    emotion_windows=1,
    learning_rate=2e-4,
    schedule="constant",
    weights=dict.fromkeys(WEIGHTS, 1.0),
    reading={},
)
"""The published networks, sampling, loss weights and settings; how many steps were taken is not known."""


CURVES = "curves.jsonl"
"""Named losses, a line for every step."""


class Training(Resumable):
    """The networks, and the losses of every step so far."""

    def __init__(self, fours: Fours, config: DisentangleConfig) -> None:
        torch.manual_seed(config.seed)
        self.config, self.fours = config, fours
        self.network = Disentangler(config.network, len(fours.classes))
        self.readers = Readers(
            config.network.content.size, config.network.emotion.size, len(fours.classes), len(fours.sentences)
        )
        self.optimizer = torch.optim.Adam(
            self.network.parameters(), lr=config.learning_rate, betas=(0.5, 0.999)
        )
        self.told: list[dict[str, float]] = []

    def advance(self) -> dict[str, float]:
        """One training step; returns its named losses and their ``total``."""
        config = self.config
        torch.manual_seed(hash((config.seed, self.step)))
        batch = self.fours.batch(
            config.batch, config.content_windows, config.emotion_windows, config.ear, config.seed, self.step
        )
        if config.schedule == "cosine":
            for group in self.optimizer.param_groups:
                group["lr"] = config.learning_rate * (
                    0.5 + 0.5 * math.cos(math.pi * self.step / config.steps)
                )
        self.network.train()
        truth, said = reconstruct(self.network, batch)
        losses = disentangle_losses(truth, said)
        if config.reading:
            losses |= self.readers(in_whole(self.network, batch, said))
        total = weighted_sum(losses, config.weights | config.reading)
        self.optimizer.zero_grad()
        total.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        self.step += 1
        named = {name: float(loss.detach()) for name, loss in (losses | {"total": total}).items()}
        self.told.append({"step": self.step} | named)
        return named

    def parts(self) -> Mapping[str, Part]:
        return {"network": self.network, "readers": self.readers, "optimizer": self.optimizer}

    def save(self, path: Path) -> None:
        """Write a checkpoint, and the losses so far beside it."""
        lines = (json.dumps(losses) + "\n" for losses in self.told)
        path.with_name(CURVES).write_text("".join(lines))
        super().save(path)

    def restore(self, path: Path) -> None:
        """Go on from a checkpoint and its losses. Raises InputError when it is of a run with other settings."""
        super().restore(path)
        curves = path.with_name(CURVES)
        lines = curves.read_text().splitlines()[: self.step] if curves.exists() else []
        if len(lines) < self.step:
            raise InputError(f"{path}: {curves.name} is not beside it: delete it to begin anew")
        self.told = [json.loads(line) for line in lines]

    def settings(self) -> dict[str, Any]:
        return asdict(self.config) | ({"steps": None} if self.config.schedule == "constant" else {})


def reconstruct(network: Disentangler, batch: Batch) -> tuple[Truth, Apart]:
    """What is to be reconstructed, and what the networks make of it."""
    x1, x2, x3, x4 = (torch.from_numpy(array) for array in (batch.x1, batch.x2, batch.x3, batch.x4))
    c1, c2 = network.content(torch.from_numpy(np.stack([batch.heard1, batch.heard4])))
    e1, e2 = network.emotion(torch.stack([x2, x3]))
    c1_e1, c1_e2, c2_e1, c2_e2 = network.decode(torch.stack([c1, c1, c2, c2]), torch.stack([e1, e2, e1, e2]))
    scores1, scores2 = network.classifier(torch.stack([e1, e2]))
    said = Apart(c1, c2, c1_e1, c1_e2, c2_e1, c2_e2, scores1, scores2, e1, e2)
    return Truth(x1, x4, torch.from_numpy(batch.emotion1), torch.from_numpy(batch.emotion2)), said


def in_whole(network: Disentangler, batch: Batch, said: Apart) -> Whole:
    """Content and emotion of x2 and x3, of which many windows are at hand, in their own timing."""
    content = network.content(torch.from_numpy(np.concatenate([batch.heard2, batch.heard3])))
    emotions = np.concatenate([batch.emotion1, batch.emotion2])
    sentences = np.concatenate([batch.sentence2, batch.sentence3])
    emotion = torch.cat([said.e1, said.e2])
    return Whole(content, emotion, torch.from_numpy(emotions), torch.from_numpy(sentences))


def export_disentangler(path: Path, network: Disentangler, metadata: Mapping[str, Any]) -> None:
    """Write the two encoders and the decoder as one weights file; see `Disentangler.forward` for in and out."""
    free = {name: {0: torch.export.Dim(name, min=1, max=65536)} for name in ("says", "feels")}
    example: dict[str, Tensor] = {
        "says": torch.zeros(3, WINDOW_ROWS, COLUMNS),
        "feels": torch.zeros(5, WINDOW_ROWS, COLUMNS),
    }
    described = {"kind": "disentangler", "format": FORMAT, **metadata}
    export_weights(path, network, example, ["content", "emotion", "mixed"], described, free)


def train_disentangler(
    corpus: Path,
    output: Path,
    config: DisentangleConfig,
    progress: Progress | None = None,
) -> Path:
    """Train on the training speakers of a prepared ``corpus`` and write ``output``/disentangler.onnx; returns its path.

    ``output``/checkpoint.pt and ``output``/curves.jsonl (a line of named losses for every step) are written as the run
    goes; when they are there, the run continues and ends as if it had never stopped. ``output``/curves.png is drawn at
    the end. ``progress`` is called after every step with the number of steps done and the named losses. Raises
    InputError when the corpus cannot be used.
    """
    recordings = read_recordings(corpus, "train")
    training = Training(Fours(recordings), config)
    training.corpus = told_apart(corpus, (clip for clip in emotion_clips(corpus)["train"] if clip.sentence))
    training.run(output / "checkpoint.pt", config.steps, config.checkpoint_every, progress)
    picture = draw(training.told)
    (output / "curves.png").write_bytes(cv2.imencode(".png", picture[..., ::-1])[1].tobytes())
    metadata = {
        "config": asdict(config),
        "labels": training.fours.classes,
        "speakers": training.fours.speakers,
        "sentences": sorted({recording.sentence for recording in recordings}),
    }
    export_disentangler(output / "disentangler.onnx", training.network, metadata)
    return output / "disentangler.onnx"
