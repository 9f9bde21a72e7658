"""Trains the network from sound to mouth coefficients on a prepared corpus."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from evp.audio.acoustics import ear
from evp.audio.augment import AugmentConfig
from evp.audio.loudness import RANGE, crop_loudness, normalised
from evp.audio.mel import BANDS
from evp.clock import FRAME_RATE, ROWS_PER_FRAME
from evp.corpora.archives import told_apart
from evp.face.basis import FaceBasis
from evp.face.layouts import (
    LIPS_INNER,
    LIPS_OUTER,
    LOWER_LIP_INNER,
    MOUTH_CORNER_LEFT,
    MOUTH_CORNER_RIGHT,
    UPPER_LIP_INNER,
)
from evp.losses import weighted_sum
from evp.motion.codes import hearing_coder
from evp.motion.dataset import Batcher, Clip, EmotionCoder, read_clips, silent_ear, training_entries
from evp.motion.features import FEATURES
from evp.motion.losses import Geometry, Targets, motion_losses
from evp.motion.model import CONTEXT_FRAMES, FORMAT
from evp.motion.network import (
    EMOTION_SIZE,
    HEARD,
    SAID,
    MotionNetwork,
    MotionOutput,
    SpeakerStyle,
    Waves,
)
from evp.motion.readout import Example, Readout, ReadoutConfig, ReadoutFit
from evp.training import Part, Progress, Resumable
from evp.weights import export_weights

LIP_WEIGHT = 4.0
"""How much more a lip vertex counts than one of the cheeks or the jaw."""

WEIGHTS = {
    "shape": 1.0,
    "velocity": 1.0,
    "measures": 1.0,
    "correlation": 2.0,
    "travel": 0.5,
    "closure": 0.3,
    "visemes": 1.0,
    "speech": 0.5,
    "auxiliary": 0.3,
}


@dataclass(frozen=True)
class MotionConfig:
    """One training run; the defaults are the shipped model's."""

    steps: int = 1600
    """Training steps."""
    batch: int = 8
    """Crops in a batch."""
    crop_seconds: float = 3.2
    """Length of a crop."""
    learning_rate: float = 2e-3
    """Peak learning rate of AdamW; it rises over the first 5 % of the steps and falls to zero as a cosine."""
    weight_decay: float = 0.1
    """Decay of the network's weights."""
    averaging: float = 0.995
    """Decay of the running average of the weights, which is what is stored."""
    channels: int = 96
    """Channels of every layer."""
    dropout: float = 0.2
    """Share of channels dropped in training."""
    unfilmed: float = 0.38
    """Share of crops from recordings without a face (if there are any)."""
    balance: float = 0.45
    """Speakers are drawn by the amount of their footage to this power: 0 all alike, 1 every second alike."""
    style_penalty: float = 0.05
    """Weight of the distance of each speaker's style from the average speaker."""
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    """Changes of voice, room and level."""
    weights: dict[str, float] = field(default_factory=lambda: dict(WEIGHTS))
    """Weight of every loss of ``motion_losses``."""
    leave_out: tuple[str, ...] = ()
    """Speakers and files that are not trained on."""
    emotion: bool = True
    """Whether clips whose emotion is known bring their emotion code; otherwise all count as neutral."""
    readout: ReadoutConfig = field(default_factory=ReadoutConfig)
    """What is fitted behind the encoder when it is trained."""
    decoder_share: float = 0.25
    """How much of the mouth comes from the decoder that is trained by gradient, the rest from what is fitted."""
    seed: int = 0
    """Start of every random choice."""
    checkpoint_every: int = 500
    """Steps between checkpoints."""

    def __post_init__(self) -> None:
        if self.steps < 1 or self.batch < 1 or self.crop_seconds < 1:
            raise ValueError("steps and batch must be at least 1, crops at least a second")


def mouth_geometry(basis: FaceBasis) -> Geometry:
    """What the coefficients of the basis's ``mouth`` block mean on the face."""
    mouth = basis.mouth.astype(np.float64)
    emphasis = np.ones(mouth.shape[1])
    emphasis[list(LIPS_OUTER + LIPS_INNER)] = LIP_WEIGHT
    metric = np.einsum("kpd,p,lpd->kl", mouth, emphasis, mouth)
    metric = metric / np.trace(metric) + 1e-3 * np.eye(len(mouth))
    opening = mouth[:, LOWER_LIP_INNER, 1] - mouth[:, UPPER_LIP_INNER, 1]
    width = mouth[:, MOUTH_CORNER_RIGHT, 0] - mouth[:, MOUTH_CORNER_LEFT, 0]
    return Geometry(*(torch.tensor(array, dtype=torch.float32) for array in (metric, opening, width)))


class Hearing(nn.Module):
    """Splits features into what the networks are given: bands, and what the recogniser's ear hears."""

    def __init__(self) -> None:
        super().__init__()
        self.ear = ear()

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """(B, R, FEATURES) -> (B, R, BANDS), (B, R / 2, EAR)."""
        return features[..., :BANDS], self.ear(features[..., BANDS:])


class Training(Resumable):
    """The network, its running average and the speakers' styles."""

    def __init__(self, batcher: Batcher, geometry: Geometry, config: MotionConfig) -> None:
        torch.manual_seed(config.seed)
        self.config, self.batcher, self.geometry = config, batcher, geometry
        self.network = MotionNetwork(
            geometry.opening, geometry.metric, config.channels, config.dropout, batcher.auxiliary_count
        )
        self.style = SpeakerStyle(len(batcher.speakers), len(geometry.opening))
        self.average = torch.optim.swa_utils.AveragedModel(
            self.network,
            multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(config.averaging),  # type: ignore[no-untyped-call]
            use_buffers=True,
        )
        self.optimizer = torch.optim.AdamW(
            [
                {"params": self.network.parameters(), "weight_decay": config.weight_decay},
                {"params": self.style.parameters(), "weight_decay": 0.0},
            ],
            lr=config.learning_rate,
        )

    def advance(self) -> dict[str, float]:
        """One training step; returns its named losses and their ``total``."""
        torch.manual_seed(hash((self.config.seed, self.step)))
        batch = self.batcher.batch(self.config.seed, self.step)
        targets = Targets(
            **{name: torch.from_numpy(np.asarray(getattr(batch, name))) for name in Targets.__annotations__}
        )
        for group in self.optimizer.param_groups:
            group["lr"] = self.config.learning_rate * _schedule(self.step / self.config.steps)
        self.network.train()
        output = self.network(*map(torch.from_numpy, (batch.features, batch.ear, batch.emotion)))
        styled = self.style(output.coefficients, targets.speaker)
        losses = motion_losses(output, styled, targets, self.geometry)
        total = weighted_sum(losses, self.config.weights) + self.config.style_penalty * self.style.penalty()
        self.optimizer.zero_grad()
        total.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        self.average.update_parameters(self.network)
        self.step += 1
        return {name: float(loss.detach()) for name, loss in losses.items()} | {
            "total": float(total.detach())
        }

    def parts(self) -> Mapping[str, Part]:
        return {name: getattr(self, name) for name in ("network", "style", "average", "optimizer")}

    def settings(self) -> dict[str, Any]:
        return asdict(self.config)


PARTS = (slice(0, SAID), slice(SAID, HEARD))
"""What each readout is given of ``MotionOutput.heard``: what is said, and what the ear hears."""


CERTAINTY = 4
"""Power of the probability of closed lips with which what was fitted is closed: half a belief would only mumble."""


class ReadoutNetwork(nn.Module):
    """A network whose mouth comes, but for a share, from what was fitted behind its encoder."""

    def __init__(self, network: MotionNetwork, readouts: Sequence[Readout], decoder_share: float) -> None:
        """``readouts`` are those of PARTS."""
        super().__init__()
        self.network, self.decoder_share = network, decoder_share
        self.waves = nn.ModuleList(map(Waves, readouts))

    def forward(self, features: Tensor, ear: Tensor, emotion: Tensor) -> MotionOutput:
        output: MotionOutput = self.network(features, ear, emotion)
        fitted = [waves(output.heard[..., part]) for waves, part in zip(self.waves, PARTS, strict=True)]
        share = self.decoder_share
        mouth = (1 - share) * torch.stack(fitted).mean(dim=0) + share * output.coefficients
        return output._replace(coefficients=self.network.closure(mouth, output.closure**CERTAINTY))


def fit_readouts(
    network: MotionNetwork, clips: Iterable[Clip], config: ReadoutConfig
) -> tuple[ReadoutFit, ...]:
    """The readouts of PARTS, ready to be solved, on the clips whose mouth is tracked."""
    filmed = [clip for clip in clips if clip.tracked.any()]
    heard = [hear(network, clip) for clip in filmed]
    quiet = torch.zeros(1, 16 * ROWS_PER_FRAME, BANDS), torch.from_numpy(silent_ear()).expand(1, 32, -1)
    silence = network(*quiet, torch.zeros(1, EMOTION_SIZE)).heard[0, 8].detach().numpy()
    return tuple(
        ReadoutFit(
            [
                Example(clip.speaker, each[:, part], clip.coefficients, clip.tracked)
                for clip, each in zip(filmed, heard, strict=True)
            ],
            silence[part],
            network.closure.opening.numpy(),
            config,
        )
        for part in PARTS
    )


def hear(network: MotionNetwork, clip: Clip) -> NDArray[np.floating]:
    """``MotionOutput.heard`` of a clip as it was recorded, (F, HEARD)."""
    rows, context = clip.rows[: clip.frames * ROWS_PER_FRAME], CONTEXT_FRAMES * ROWS_PER_FRAME
    features = normalised(rows, crop_loudness(rows, silence=-1.7 * RANGE))
    features = np.pad(features, ((context, context), (0, 0)))
    silence = np.tile(silent_ear(), (context // 2, 1))
    heard_by_ear = np.concatenate([silence, clip.ear[: len(rows) // 2], silence])
    inputs = (torch.from_numpy(array.astype(np.float32))[None] for array in (features, heard_by_ear))
    with torch.no_grad():
        heard = network(*inputs, torch.zeros(1, EMOTION_SIZE)).heard[0].numpy()
    return np.asarray(heard[CONTEXT_FRAMES : CONTEXT_FRAMES + clip.frames])


class Deployed(nn.Module):
    """What is shipped: the weighted mean of one or more networks, its travel calibrated."""

    def __init__(self, networks: Sequence[nn.Module], shares: Sequence[float], travel: float) -> None:
        super().__init__()
        self.hearing = Hearing()
        self.networks = nn.ModuleList(networks)
        self.shares, self.travel = shares, travel

    def forward(self, features: Tensor, emotion: Tensor) -> tuple[Tensor, Tensor]:
        """Coefficients (1, F, M) and probability of speech (1, F)."""
        heard = self.hearing(features)
        outputs = [network(*heard, emotion) for network in self.networks]
        pairs = list(zip(self.shares, outputs, strict=True))
        coefficients = torch.stack([share * output.coefficients for share, output in pairs]).sum(dim=0)
        speech = torch.stack([share * output.speech.sigmoid() for share, output in pairs]).sum(dim=0)
        return coefficients * self.travel, speech


def export_motion(
    path: Path,
    networks: Sequence[nn.Module],
    metadata: Mapping[str, Any],
    travel: float = 1.0,
    shares: Sequence[float] | None = None,
) -> None:
    """Write the mean of ``networks``, its motion multiplied by ``travel``, as the weights that ``MotionModel`` loads.

    A network that does not know a voice moves the mouth too little: ``travel`` makes up for what was measured.
    ``shares`` (sum 1) weigh the networks; without them all count alike.
    """
    shares = list(shares or [1 / len(networks)] * len(networks))
    rows = ROWS_PER_FRAME * torch.export.Dim("frames", min=1, max=4096)
    example = {"features": torch.zeros(1, 96, FEATURES), "emotion": torch.zeros(1, EMOTION_SIZE)}
    described = {"kind": "motion", "format": FORMAT, "travel": travel, "shares": shares, **metadata}
    free = {"features": {1: rows}, "emotion": {}}
    deployed = Deployed(networks, shares, travel)
    export_weights(
        path, deployed, example, ["coefficients", "speech"], described, free, half=True, eight_bits=True
    )


def read_network(checkpoint: Path) -> MotionNetwork:
    """The averaged network of a run's checkpoint, to be exported alone or with others."""
    stored = torch.load(checkpoint, weights_only=True)["average"]
    state = {name.removeprefix("module."): tensor for name, tensor in stored.items() if name != "n_averaged"}
    geometry = mouth_geometry(FaceBasis.load())
    channels, auxiliary = state["visemes.weight"].shape[1], len(state["other_rig.bias"])
    network = MotionNetwork(geometry.opening, geometry.metric, channels, 0.0, auxiliary)
    network.load_state_dict(state)
    return network.eval()


def train_motion(
    corpus: Path,
    output: Path,
    config: MotionConfig,
    progress: Progress | None = None,
    coder: EmotionCoder | None = None,
) -> Path:
    """Train on a prepared ``corpus`` and write ``output``/motion.onnx; returns its path.

    ``output``/checkpoint.pt is written as the run goes; when it is there, the run continues from it and ends as if it
    had never stopped. ``progress`` is called after every step with the number of steps done and the named losses.
    ``coder`` gives the emotion codes; without it they are what the packaged emotion model hears. Raises InputError
    when the corpus cannot be used.
    """
    basis = FaceBasis.load()
    coder = (coder or hearing_coder()) if config.emotion else None
    clips = read_clips(corpus, basis.mouth_count, config.leave_out, coder)
    frames = round(config.crop_seconds * FRAME_RATE)
    batcher = Batcher(clips, frames, config.batch, config.unfilmed, config.balance, config.augment)
    training = Training(batcher, mouth_geometry(basis), config)
    training.corpus = told_apart(corpus, training_entries(corpus, config.leave_out))
    checkpoint = output / "checkpoint.pt"
    training.run(checkpoint, config.steps, config.checkpoint_every, progress)
    emotional = any(bool(clip.emotion.any()) for clip in clips)
    metadata = {"config": asdict(config), "speakers": batcher.speakers, "emotional": emotional}
    network = read_network(checkpoint)
    share = 1.0 if emotional else config.decoder_share  # what is fitted does not hear emotion
    readouts = [fit.solve() for fit in fit_readouts(network, clips, config.readout)]
    export_motion(output / "motion.onnx", [ReadoutNetwork(network, readouts, share)], metadata)
    return output / "motion.onnx"


def _schedule(done: float) -> float:
    return min(done / 0.05 + 0.01, 1.0) * (0.5 + 0.5 * math.cos(math.pi * done))
