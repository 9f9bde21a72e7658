"""Training the renderer: across people (the packaged weights) and on one person (a portrait's own)."""

import os
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import Tensor

from evp.background import run_ahead
from evp.corpora.archives import filmed_by_speaker, told_apart
from evp.corpora.manifest import Manifest
from evp.face.basis import FaceBasis
from evp.face.crop import CROP
from evp.losses import weighted_sum
from evp.render.dataset import Crops, example, sampling_weights
from evp.render.inputs import INPUT_CHANNELS
from evp.render.losses import render_losses
from evp.render.network import RenderNetwork
from evp.render.warp import WarpMesh
from evp.training import Part, Resumable
from evp.weights import export_weights, weights_file

KIND = "renderer"
FORMAT = 1

Progress = Callable[[int, int, dict[str, float]], None]
"""Called with steps done, steps in all, and named values to show."""


@dataclass(frozen=True)
class RenderConfig:
    """How the renderer is trained. The packaged weights took 8450 steps in two stages: see the model card."""

    steps: int = 8500
    """Optimiser steps."""
    batch: int = 4
    """Examples a step."""
    learning_rate: float = 1e-3
    """Peak of the learning rate (Adam); it rises over the first steps and falls along a cosine to a fiftieth."""
    pixel: float = 1.0
    """Weight of the absolute error."""
    square: float = 8.0
    """Weight of the squared error."""
    edge: float = 0.5
    """Weight of the error of neighbouring differences."""
    structure: float = 0.1
    """Weight of 1 - SSIM."""
    seed: int = 0
    """Everything random follows from this."""
    checkpoint_every: int = 250
    """Steps between checkpoints."""
    seconds: float = float("inf")
    """Stop early, with the schedule compressed to fit, when training would take longer than this."""

    def __post_init__(self) -> None:
        if self.steps < 1 or self.batch < 1 or self.checkpoint_every < 1:
            raise ValueError("steps, batch and checkpoint_every must be positive")

    @property
    def loss_weights(self) -> dict[str, float]:
        return {"pixel": self.pixel, "square": self.square, "edge": self.edge, "structure": self.structure}


PATCH = 192
"""Training looks at a part of the crop, of this side, that always holds the mouth: it costs half as much."""
_PATCH_RANGE = (16, CROP - PATCH)


class Examples:
    """The endless training sequence: item k is the same whenever and wherever it is asked for."""

    def __init__(self, people: list[Crops], mesh: WarpMesh, count: int, seed: int) -> None:
        self._people, self._mesh, self._count, self._seed = people, mesh, count, seed
        self._weights = sampling_weights(people)

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, item: int) -> tuple[Tensor, Tensor]:
        rng = np.random.default_rng((self._seed, item))
        crops = self._people[int(rng.choice(len(self._people), p=self._weights))]
        inputs, true = example(self._mesh, crops, int(rng.integers(len(crops))), rng)
        top, left = rng.integers(_PATCH_RANGE[0], _PATCH_RANGE[1] + 1, 2)
        inputs = inputs[:, top : top + PATCH, left : left + PATCH]
        target = true[top : top + PATCH, left : left + PATCH].transpose(2, 0, 1).astype(np.float32) / 255
        if rng.random() < 0.5:
            inputs, target = inputs[..., ::-1], target[..., ::-1]
        inputs = np.ascontiguousarray(inputs)
        gain = rng.uniform(0.85, 1.15, (3, 1, 1)).astype(np.float32)
        for pictures in (inputs[:3], inputs[3:6]):
            np.minimum(pictures * gain, 1, out=pictures)
        return torch.from_numpy(inputs), torch.from_numpy(np.minimum(target * gain, 1))


def compose_output(network: RenderNetwork, inputs: Tensor) -> tuple[Tensor, Tensor]:
    """The made picture (B, 3, S, S), 0..1, and the mask (B, 1, S, S) of where it may differ from the warped one."""
    mask = inputs[:, 6:7]
    return inputs[:, :3] + network(inputs) * mask, mask


def training_losses(network: RenderNetwork, inputs: Tensor, true: Tensor) -> dict[str, Tensor]:
    """One forward pass and its named losses."""
    made, mask = compose_output(network, inputs)
    mouth = (inputs[:, 3:6].amax(dim=1, keepdim=True) > 0).to(mask.dtype)
    return render_losses(made, true, mask, mouth)


class Training(Resumable):
    """The network of one run, its optimizer, and the time it took."""

    def __init__(
        self, network: RenderNetwork, people: list[Crops], config: RenderConfig, device: str | None = None
    ) -> None:
        """``network`` is trained in place."""
        self.config, self.device = config, device or ("cuda" if torch.cuda.is_available() else "cpu")
        self.network = network
        network.to(device=self.device, memory_format=torch.channels_last).train()  # type: ignore[call-overload]
        self.optimizer = torch.optim.Adam(network.parameters(), lr=config.learning_rate, betas=(0.9, 0.99))
        mesh = WarpMesh.build(FaceBasis.load())
        self._examples = Examples(people, mesh, config.steps * config.batch, config.seed)
        self._batches: Generator[tuple[Tensor, Tensor], None, None] | None = None
        self._watch = _Watch()

    def advance(self) -> dict[str, float]:
        """One training step; returns its named losses and their ``total``."""
        config = self.config
        if self._batches is None:
            self._batches = run_ahead(_batches(self._examples, config.batch, self.step))
        inputs, true = next(self._batches)
        rate = config.learning_rate * min(1.0, (self.step + 1) / 100)
        rate *= 0.51 + 0.49 * np.cos(np.pi * self._portion())
        for group in self.optimizer.param_groups:
            group["lr"] = float(rate)
        inputs = inputs.to(self.device, memory_format=torch.channels_last)
        losses = training_losses(self.network, inputs, true.to(self.device))
        total = weighted_sum(losses, config.loss_weights)
        self.optimizer.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        self.step += 1
        return {name: float(value.detach()) for name, value in (losses | {"total": total}).items()}

    def out_of_time(self) -> bool:
        return self._portion() >= 1

    def parts(self) -> Mapping[str, Part]:
        return {"network": self.network, "optimizer": self.optimizer, "watch": self._watch}

    def settings(self) -> dict[str, Any]:
        return asdict(self.config)

    def close(self) -> None:
        """Stop the thread that makes the examples."""
        if self._batches is not None:
            self._batches.close()

    def _portion(self) -> float:
        """How much of the training is done, in steps or in time."""
        return max(self.step / self.config.steps, self._watch.seconds() / self.config.seconds)


class _Watch:
    """Seconds since training began, those of interrupted runs too."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def seconds(self) -> float:
        return time.monotonic() - self._began

    def state_dict(self) -> dict[str, Any]:
        return {"seconds": self.seconds()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._began = time.monotonic() - state_dict["seconds"]


def fit(
    network: RenderNetwork,
    people: list[Crops],
    config: RenderConfig,
    checkpoint: Path | None = None,
    progress: Progress | None = None,
    device: str | None = None,
    corpus: Mapping[str, Any] | None = None,
) -> None:
    """Train ``network`` in place. With ``checkpoint`` an interrupted run goes on where it stopped, if it was on the
    same ``corpus``, as `told_apart` tells it.

    ``device`` is torch's name of one; None takes a GPU when there is one. On the CPU one core is left to the thread
    that makes the examples: more threads than free cores wait for each other.
    """
    torch.set_num_threads(max(1, (os.cpu_count() or 2) - 1))

    def report(done: int, losses: dict[str, float]) -> None:
        if progress is not None:
            progress(done, config.steps, losses)

    with closing(Training(network, people, config, device)) as training:
        training.corpus = corpus or {}
        training.run(checkpoint, config.steps, config.checkpoint_every, report)


def _batches(examples: Examples, size: int, done: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches of the training sequence from number ``done`` on."""
    for first in range(done * size, len(examples), size):
        inputs, true = zip(*(examples[item] for item in range(first, first + size)), strict=True)
        yield torch.stack(inputs), torch.stack(true)


def export(network: RenderNetwork, path: Path, config: RenderConfig) -> None:
    """Write the network as a weights file."""
    inputs = torch.zeros(1, INPUT_CHANNELS, CROP, CROP)
    metadata = {"kind": KIND, "format": FORMAT, "crop": CROP, "channels": INPUT_CHANNELS,
                "training": {k: v for k, v in asdict(config).items() if np.isfinite(v)}}  # fmt: skip
    network = network.to(device="cpu", memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    free = {
        2: 16 * torch.export.Dim("rows", min=2, max=64),
        3: 16 * torch.export.Dim("columns", min=2, max=64),
    }
    export_weights(path, network, {"inputs": inputs}, ["correction"], metadata, {"inputs": free})


def restore(content: bytes) -> RenderNetwork:
    """A network with the parameters of a weights file, for fine-tuning."""
    stored = {i.name: onnx.numpy_helper.to_array(i) for i in onnx.load_from_string(content).graph.initializer}
    network = RenderNetwork()
    parameters: dict[str, NDArray[np.float32]] = {name: stored[name] for name in network.state_dict()}
    network.load_state_dict({name: torch.from_numpy(value.copy()) for name, value in parameters.items()})
    return network


def packaged() -> RenderNetwork:
    """A network with the packaged weights."""
    return restore(weights_file("evp.render", "renderer.onnx").read_bytes())


def train_renderer(
    corpus: Path, output: Path, config: RenderConfig | None = None, progress: Progress | None = None
) -> None:
    """Train across the people of a prepared corpus and write a weights file; resumes from ``OUTPUT.checkpoint``.

    The last fifth of every clip is never trained on. Raises InputError when the corpus cannot be used.
    """
    config = config or RenderConfig()
    filmed = filmed_by_speaker(corpus)
    archives = {path.name for paths in filmed.values() for path in paths}
    trained_on = told_apart(corpus, (clip for clip in Manifest.read(corpus).clips if clip.file in archives))
    people = [Crops.read(paths)[0] for paths in filmed.values()]
    torch.manual_seed(config.seed)
    network = RenderNetwork()
    checkpoint = output.with_name(f"{output.name}.checkpoint")
    fit(network, people, config, checkpoint, progress, corpus=trained_on)
    export(network, output, config)
    checkpoint.unlink(missing_ok=True)
