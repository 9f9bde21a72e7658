"""Trains the networks that hear emotion on a prepared corpus: stage 1 of the paper."""

import json
import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from evp.audio.augment import AugmentConfig
from evp.corpora.archives import told_apart
from evp.corpora.manifest import ClipEntry
from evp.emotion.dataset import (
    Batch,
    Batcher,
    ChangedWindow,
    classes_of,
    emotion_clips,
    group_speakers,
    plain_window,
    read_plain_recordings,
    read_recordings,
    read_waveform,
)
from evp.emotion.functionals.network import Recognised, RidgeEncoder
from evp.emotion.functionals.ridge import Ridge, RidgeConfig, fit_ridge, likeliest_weights
from evp.emotion.hearing import FORMAT, EmotionModel, softmax
from evp.emotion.losses import emotion_losses
from evp.emotion.network import (
    EMOTION_SIZE,
    PAPER_EMOTION,
    ClassifierConfig,
    EmotionClassifier,
    EmotionEncoder,
    EncoderConfig,
)
from evp.emotion.windows import EARS, Features, ear_for
from evp.errors import InputError
from evp.evaluation.recognition import average_recall, confusion
from evp.losses import weighted_sum
from evp.training import Part, Progress, Resumable
from evp.weights import export_weights

LABELS = ("angry", "calm", "contempt", "disgusted", "fear", "happy", "neutral", "sad", "surprised")
WEIGHTS = {"classification": 1.0}
NETWORKS = 4

RIDGE = RidgeConfig(size=EMOTION_SIZE // NETWORKS)
"""A network's way from 1.6 s of sound to its part of the code, of which it uses a number for each class."""


@dataclass(frozen=True)
class EmotionConfig:
    """One training run; see `PAPER_RUN` for the published settings. What the shipped model had is in its metadata."""

    steps: int = 750
    """Training steps of all networks, and batches of windows that are measured for what is fitted in closed form."""
    networks: int = NETWORKS
    """Networks that hear together: each gives its part of the code, and what they hear is averaged. Each is trained
    without its share of the speakers, and measured on them."""
    batch: int = 32
    """Windows in a batch, each of another recording; every network learns from those that its speakers say."""
    learning_rate: float = 2e-3
    """Peak learning rate of AdamW, which is Adam without decay."""
    schedule: Literal["cosine", "constant"] = "cosine"
    """Whether the rate rises over the first 5 % of the steps and falls to zero as a cosine, or stays."""
    betas: tuple[float, float] = (0.9, 0.999)
    """Decay of Adam's running means of the gradient and of its square."""
    weight_decay: float = 0.05
    """Decay of the weights."""
    largest_gradient: float | None = 2.0
    """Norm to which a larger gradient is cut down."""
    averaging: float = 0.99
    """Decay of the running average of the weights, which is what is stored; 0 stores the last weights."""
    smoothing: float = 0.1
    """Share of every label that is spread over all classes."""
    labels: tuple[str, ...] = LABELS
    """Emotions of the corpus that count."""
    least_speakers: int = 2
    """An emotion of fewer speakers gets a code, but is not a class: it could not be told from their voices."""
    features: Features = "energies"
    """What the networks hear: see `evp.emotion.windows`."""
    encoders: tuple[EncoderConfig, ...] = ()
    """What every network learns step by step: each encoder gives a part of its code and learns to classify alone."""
    ridge: RidgeConfig | None = RIDGE
    """What is fitted in closed form, on fixed measurements, and gives the rest of the code; not for MFCC."""
    masked_rows: int = 24
    """Largest number of neighbouring rows that are blanked in a window of an encoder; not for MFCC."""
    augment: AugmentConfig = field(
        default_factory=lambda: AugmentConfig(speed=0.12, formants=0.12, pitch=0.25, masked_bands=8)
    )
    """Changes of voice, room and level; MFCC are heard as recorded."""
    weights: dict[str, float] = field(default_factory=lambda: dict(WEIGHTS))
    """Weight of every loss of ``emotion_losses``."""
    leave_out: tuple[str, ...] = ()
    """Speakers and files that are not trained on."""
    seed: int = 0
    """Start of every random choice."""
    checkpoint_every: int = 250
    """Steps between checkpoints."""

    def __post_init__(self) -> None:
        if min(self.steps, self.networks, self.batch - 1) < 1:
            raise ValueError("steps and networks must be at least 1, and a batch at least 2")
        fitted = (self.ridge,) if self.ridge else ()
        size = sum(part.size for part in (*self.encoders, *fitted))
        if size * self.networks != EMOTION_SIZE:
            raise ValueError(f"{self.networks} codes of {size} do not make one of {EMOTION_SIZE}")
        ear = EARS[self.features]
        if self.ridge and self.features == "mfcc":
            raise ValueError("the ridge is for energies")
        if self.ridge and self.ridge.size < len(self.labels):
            raise ValueError(f"the code of the ridge needs a number for each of {len(self.labels)} labels")
        if any(encoder.windows != (ear.rows, ear.columns) for encoder in self.encoders):
            raise ValueError(
                f"the encoder does not take windows of {ear.rows} rows of {ear.columns} {self.features}"
            )


PAPER_RUN = EmotionConfig(
    steps=10_000,
    networks=1,
    batch=16,
    learning_rate=2e-4,
    schedule="constant",
    betas=(0.5, 0.999),
    weight_decay=0,
    largest_gradient=None,
    averaging=0,
    smoothing=0,
    labels=("angry", "contempt", "disgusted", "fear", "happy", "neutral", "sad", "surprised"),
    least_speakers=1,
    features="mfcc",
    encoders=(PAPER_EMOTION,),
    ridge=None,
    checkpoint_every=400,
)
"""The published network, sampling and settings; how many steps were taken is not known."""


class EmotionNetwork(nn.Module):
    """Encoder and classifier."""

    def __init__(self, encoder: EncoderConfig | RidgeEncoder, classes: int) -> None:
        super().__init__()
        self.encoder = EmotionEncoder(encoder) if isinstance(encoder, EncoderConfig) else encoder
        self.classifier = EmotionClassifier(ClassifierConfig(classes, encoder.size))

    def forward(self, windows: Tensor) -> tuple[Tensor, Tensor]:
        """Windows (B, rows, columns) -> codes (B, size) and logits (B, classes)."""
        codes = self.encoder(windows)
        return codes, self.classifier(codes)

    @classmethod
    def fitted(cls, measure: nn.Module, ridge: Ridge, size: int) -> "EmotionNetwork":
        """What hears by a ``ridge`` on what ``measure`` gives: its scores are the code of ``size``."""
        network = cls(RidgeEncoder(measure, ridge, size), ridge.weights.shape[1])
        nn.init.eye_(network.classifier.output.weight)
        nn.init.zeros_(network.classifier.output.bias)
        return network


class Together(nn.Module):
    """Networks that hear together: the encoders of one network, and the networks that are shipped."""

    def __init__(self, networks: Sequence[nn.Module]) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)

    def forward(self, windows: Tensor) -> tuple[Tensor, Tensor]:
        """Windows (B, rows, columns) -> codes side by side (B, 128) and mean logits (B, classes), linear in them."""
        codes, logits = zip(*(network(windows) for network in self.networks), strict=True)
        return torch.cat(codes, dim=1), torch.stack(logits).mean(dim=0)

    @torch.no_grad()
    def member_scores(self, codes: Sequence[NDArray[np.float32]]) -> NDArray[np.floating]:
        """N codes of one network -> what the classifier of each of its M encoders says: (N, M, classes)."""
        sizes = [classifier.config.size for classifier in self._classifiers()]
        parts = torch.split(torch.from_numpy(np.reshape(codes, (-1, sum(sizes)))).float(), sizes, dim=1)
        said = [classifier(part) for classifier, part in zip(self._classifiers(), parts, strict=True)]
        return torch.stack(said, dim=1).double().numpy()

    @torch.no_grad()
    def weigh(self, weights: Iterable[float]) -> None:
        """The logits of one network become the sum of its encoders' with these ``weights``."""
        for classifier, weight in zip(self._classifiers(), weights, strict=True):
            for parameter in classifier.parameters():
                parameter.mul_(weight * len(self.networks))

    def _classifiers(self) -> list[EmotionClassifier]:
        return [cast(EmotionNetwork, member).classifier for member in self.networks]


class Training(Resumable):
    """Several networks, each without its group of speakers."""

    def __init__(
        self, batcher: Batcher[Any], groups: Sequence[Collection[str]], classes: int, config: EmotionConfig
    ) -> None:
        """A network for each of ``groups``, fed by ``batcher`` with all that others say."""
        torch.manual_seed(config.seed)
        self.config, self.batcher, self.groups = config, batcher, groups
        self._each = [
            Together([EmotionNetwork(encoder, classes) for encoder in config.encoders]) for _ in groups
        ]
        self.networks = nn.ModuleList(self._each)
        self.networks.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # faster on a CPU
        average = torch.optim.swa_utils.get_ema_multi_avg_fn(config.averaging)  # type: ignore[no-untyped-call]
        self.averages = [
            torch.optim.swa_utils.AveragedModel(network, multi_avg_fn=average, use_buffers=True)
            for network in self._each
        ]
        self.optimizer = torch.optim.AdamW(
            self.networks.parameters(),
            lr=config.learning_rate,
            betas=config.betas,
            weight_decay=config.weight_decay,
        )

    def advance(self) -> dict[str, float]:
        """One training step of all networks; returns their mean named losses and ``total``.

        Not a number when no network may hear the batch.
        """
        batch = self.batcher.batch(self.config.seed, self.step)
        if self.config.schedule == "cosine":
            for parameters in self.optimizer.param_groups:
                parameters["lr"] = self.config.learning_rate * _cosine(self.step / self.config.steps)
        self.optimizer.zero_grad()
        found = []
        for number, (network, group) in enumerate(zip(self._each, self.groups, strict=True)):
            torch.manual_seed(hash((self.config.seed, self.step, number)))
            found.append(self._learn(network, batch.without(group)))
        self.optimizer.step()
        for average, network in zip(self.averages, self._each, strict=True):
            average.update_parameters(network)
        self.step += 1
        silent = dict.fromkeys((*self.config.weights, "total"), math.nan)
        heard = [losses for losses in found if losses] or [silent]
        return {name: float(np.mean([losses[name] for losses in heard])) for name in silent}

    def _learn(self, network: Together, batch: Batch) -> dict[str, float]:
        """The gradient of one network, of which every encoder learns to classify; returns its losses.

        None, and no losses, when the batch has fewer than two windows, of which no deviation can be measured.
        """
        if len(batch.windows) < 2:
            return {}
        windows, classes = torch.from_numpy(batch.windows), torch.from_numpy(batch.classes)
        network.train()
        heard = [member(windows)[1] for member in network.networks]
        found = [emotion_losses(logits, classes, self.config.smoothing) for logits in heard]
        losses = {name: torch.stack([own[name] for own in found]).mean() for name in found[0]}
        total = weighted_sum(losses, self.config.weights)
        total.backward()  # type: ignore[no-untyped-call]
        if self.config.largest_gradient is not None:
            nn.utils.clip_grad_norm_(network.parameters(), self.config.largest_gradient)
        return {name: float(loss.detach()) for name, loss in losses.items()} | {
            "total": float(total.detach())
        }

    def together(self) -> list[Together]:
        """The averaged networks, as they are shipped."""
        return [deepcopy(cast(Together, average.module)).eval() for average in self.averages]

    def settings(self) -> dict[str, Any]:
        return asdict(self.config) | ({"steps": None} if self.config.schedule == "constant" else {})

    def parts(self) -> Mapping[str, Part]:
        averages = nn.ModuleList(self.averages)
        return {"networks": self.networks, "averages": averages, "optimizer": self.optimizer}


def export_emotion(path: Path, together: Together, metadata: Mapping[str, Any]) -> None:
    """Write the weights that ``EmotionModel`` loads; ``metadata`` has ``features``, ``labels`` and ``label_codes``."""
    ear = ear_for(metadata)
    example = {"windows": torch.zeros(2, ear.rows, ear.columns)}
    described = {"kind": "emotion", "format": FORMAT, **metadata}
    free = {"windows": {0: torch.export.Dim("count", min=1, max=4096)}}
    export_weights(path, together, example, ["codes", "logits"], described, free, half=True, eight_bits=True)


@dataclass(frozen=True)
class Listening:
    """What one of the networks heard in one voiced recording."""

    clip: ClipEntry
    strange: bool
    """The network was not trained on the speaker."""
    code: NDArray[np.float32]
    """The network's part of the code."""
    probabilities: NDArray[np.float32]


def listen(
    model: EmotionModel, corpus: Path, clips: Sequence[ClipEntry], strangers: Collection[str]
) -> Iterator[Listening]:
    """What ``model`` hears in those of ``clips`` that ``strangers`` speak, and of labels that have no such in all."""
    lacking = {clip.emotion for clip in clips} - {clip.emotion for clip in clips if clip.speaker in strangers}
    for clip in clips:
        if (strange := clip.speaker in strangers) or clip.emotion in lacking:
            heard = model.hear(read_waveform(corpus, clip))
            if heard.voiced.any():
                yield Listening(clip, strange, heard.code, heard.whole)


def mean_codes(listenings: Iterable[Listening]) -> dict[str, NDArray[np.float64]]:
    """The mean code of every emotion: over a speaker's recordings, then over speakers."""
    codes: dict[str, dict[str, list[NDArray[np.float32]]]] = defaultdict(lambda: defaultdict(list))
    for listening in listenings:
        codes[listening.clip.emotion or ""][listening.clip.speaker].append(listening.code)
    return {
        label: np.mean([np.mean(own, axis=0) for own in speakers.values()], axis=0)
        for label, speakers in sorted(codes.items())
    }


class Measuring(Resumable):
    """Windows are drawn and measured, for what is fitted in closed form to all of them; nothing is learned yet."""

    def __init__(
        self, plain: Batcher[Any], changed: Batcher[Any], speakers: Sequence[str], config: EmotionConfig
    ) -> None:
        """``plain`` draws windows as recorded, ``changed`` with other voices; both of these ``speakers``."""
        self.config, self.speakers, self.ridge = config, sorted(set(speakers)), config.ridge or RIDGE
        self._plain, self._changed = plain, changed
        self.measure, ear = Recognised().eval(), EARS[config.features]
        with torch.no_grad():
            count = self.measure(torch.zeros(1, ear.rows, ear.columns)).shape[1]
        self.found = nn.Module()
        windows = config.steps * config.batch
        self.found.register_buffer("measured", torch.zeros(windows, count, dtype=torch.half))
        self.found.register_buffer("classes", torch.zeros(windows, dtype=torch.int16))
        self.found.register_buffer("speakers", torch.zeros(windows, dtype=torch.int16))

    def advance(self) -> dict[str, float]:
        """Measure one batch; there are no losses."""
        plainly = self.step < self.ridge.as_recorded * self.config.steps
        batch = (self._plain if plainly else self._changed).batch(self.config.seed, self.step)
        rows = slice(self.step * self.config.batch, (self.step + 1) * self.config.batch)
        with torch.no_grad():
            self.found.get_buffer("measured")[rows] = self.measure(torch.from_numpy(batch.windows)).half()
        self.found.get_buffer("classes")[rows] = torch.from_numpy(batch.classes)
        numbers = [self.speakers.index(speaker) for speaker in batch.speakers]
        self.found.get_buffer("speakers")[rows] = torch.tensor(numbers)
        self.step += 1
        return {}

    def settings(self) -> dict[str, Any]:
        return asdict(self.config) | {"speakers": self.speakers}

    def parts(self) -> Mapping[str, Part]:
        return {"found": self.found}

    def fit(self, groups: Sequence[Collection[str]], classes: int) -> list[EmotionNetwork]:
        """For each of ``groups`` a network that is fitted to the windows of everybody else."""
        measured, right, numbers = (
            self.found.get_buffer(name).numpy() for name in ("measured", "classes", "speakers")
        )
        names = [self.speakers[number] for number in numbers]
        networks = []
        for group in groups:
            kept = np.array([name not in group for name in names])
            known = [name for name in names if name not in group]
            ridge = fit_ridge(measured[kept], right[kept], known, classes, self.ridge)
            networks.append(EmotionNetwork.fitted(self.measure, ridge, self.ridge.size))
        return networks


def measuring_of(
    corpus: Path, clips: Sequence[ClipEntry], labels: Sequence[str], config: EmotionConfig
) -> Measuring:
    """What measures windows of ``clips``."""
    ear = EARS[config.features]
    change = ChangedWindow(0, replace(config.augment, untouched=0, masked_bands=0), ear.columns)
    plain: Batcher[Any] = Batcher(
        read_plain_recordings(corpus, clips, ear), labels, config.batch, plain_window
    )
    changed: Batcher[Any] = Batcher(read_recordings(corpus, clips), labels, config.batch, change)
    return Measuring(plain, changed, [clip.speaker for clip in clips], config)


def weigh_encoders(
    networks: Sequence[Together], parts: Sequence[Sequence[Listening]], labels: Sequence[str]
) -> list[list[Listening]]:
    """Lets every encoder of each of ``networks`` count as suits what all *other* networks heard of their strangers.

    So nobody is measured with weights that were chosen on him. ``parts`` are what each network heard before; returned
    is what it hears then. Where no other network heard strangers, nothing changes.
    """
    scores, classes = [], []
    for network, part in zip(networks, parts, strict=True):
        judged = [found for found in part if found.strange and found.clip.emotion in labels]
        scores.append(network.member_scores([found.code for found in judged]))
        classes.append([labels.index(found.clip.emotion or "") for found in judged])
    weighed = []
    for number, (network, part) in enumerate(zip(networks, parts, strict=True)):
        told = np.concatenate([*scores[:number], *scores[number + 1 :], scores[number][:0]])
        if len(told):
            right = np.concatenate([*classes[:number], *classes[number + 1 :]]).astype(int)
            network.weigh(likeliest_weights(told.swapaxes(0, 1), right))
        probabilities = softmax(network.member_scores([found.code for found in part]).mean(axis=1))
        weighed.append(
            [replace(found, probabilities=own) for found, own in zip(part, probabilities, strict=True)]
        )
    return weighed


def measured(listenings: Iterable[Listening], labels: Sequence[str]) -> dict[str, Any]:
    """Unweighted average recall and confusion matrix over the recordings of these emotions by strangers."""
    judged = [found for found in listenings if found.strange and found.clip.emotion in labels]
    matrix = confusion(
        [found.clip.emotion or "" for found in judged],
        [labels[int(found.probabilities.argmax())] for found in judged],
        labels,
    )
    return {"recall": round(average_recall(matrix), 4), "confusion": matrix[:, :-1].tolist()}


def batcher_of(
    corpus: Path, clips: Sequence[ClipEntry], labels: Sequence[str], config: EmotionConfig
) -> Batcher[Any]:
    """What feeds the networks with ``clips``."""
    if config.features == "mfcc":
        plain = read_plain_recordings(corpus, clips, EARS["mfcc"])
        return Batcher(plain, labels, config.batch, plain_window)
    window = ChangedWindow(config.masked_rows, config.augment, EARS[config.features].columns)
    return Batcher(read_recordings(corpus, clips), labels, config.batch, window)


def train_emotion(
    corpus: Path,
    output: Path,
    config: EmotionConfig,
    progress: Progress | None = None,
) -> Path:
    """Train on the training speakers of a prepared ``corpus`` and write ``output``/emotion.onnx; returns its path.

    ``output``/checkpoint.pt, of what is trained step by step, and measured.pt, of what is measured for the ridge, are
    written as the run goes; when they are there, the run continues from them and ends as if it had never stopped.
    ``progress`` is called after every step with the number of steps done and the named losses, if there are any. How
    well each network hears the speakers that it was not trained on is in the metadata under ``strangers``, and
    recording by recording in ``output``/strangers.json; how well all of them hear the corpus's validation and test
    speakers, if there are any, under ``validation`` and ``test``. Raises InputError when the corpus cannot be used.
    """
    clips = emotion_clips(corpus, config.leave_out)
    labels = classes_of(clips["train"], config.labels, config.least_speakers)
    if len(labels) < 2:
        shared = f" that {config.least_speakers} or more speakers show" if config.least_speakers > 1 else ""
        raise InputError(f"{corpus} has fewer than two emotions{shared}")
    known = [clip for clip in clips["train"] if clip.emotion in config.labels]
    groups = group_speakers((clip.speaker for clip in known), config.networks)
    shown = [clip for clip in known if clip.emotion in labels]
    networks = [Together([]) for _ in groups]
    trained_on = told_apart(corpus, known)
    if config.encoders:
        training = Training(batcher_of(corpus, shown, labels, config), groups, len(labels), config)
        training.corpus = trained_on
        training.run(output / "checkpoint.pt", config.steps, config.checkpoint_every, progress)
        networks = training.together()
    if config.ridge:
        measuring = measuring_of(corpus, shown, labels, config)
        measuring.corpus = trained_on
        told = None if config.encoders else progress
        measuring.run(output / "measured.pt", config.steps, config.checkpoint_every, told)
        for network, member in zip(networks, measuring.fit(groups, len(labels)), strict=True):
            network.networks.append(member)
    metadata: dict[str, Any] = {
        "config": asdict(config),
        "features": config.features,
        "labels": labels,
        "groups": [sorted(group) for group in groups],
    }
    with TemporaryDirectory(dir=output) as folder:
        draft = Path(folder) / "emotion.onnx"
        parts = []
        for network, group in zip(networks, groups, strict=True):
            export_emotion(draft, Together([network]), metadata)
            parts.append(list(listen(EmotionModel.load(draft, threads=1), corpus, known, group)))
        codes = [mean_codes(part) for part in parts]
        metadata["label_codes"] = {
            label: np.concatenate([code[label] for code in codes]).round(5).tolist() for label in codes[0]
        }
        listenings = [found for part in weigh_encoders(networks, parts, labels) for found in part]
        if any(found.strange for found in listenings):
            metadata["strangers"] = measured(listenings, labels)
            _write_strangers(output / "strangers.json", listenings, labels)
        if clips["validation"] or clips["test"]:
            export_emotion(draft, Together(networks), metadata)
            model = EmotionModel.load(draft, threads=1)
            for split in ("validation", "test"):
                if everybody := {clip.speaker for clip in clips[split]}:
                    metadata[split] = measured(listen(model, corpus, clips[split], everybody), labels)
    export_emotion(output / "emotion.onnx", Together(networks), metadata)
    return output / "emotion.onnx"


def _write_strangers(path: Path, listenings: Iterable[Listening], labels: Sequence[str]) -> None:
    lines = [
        {
            "file": found.clip.file, "speaker": found.clip.speaker, "emotion": found.clip.emotion,
            "heard": dict(zip(labels, found.probabilities.astype(float).round(4).tolist(), strict=True)),
        }
        for found in listenings
        if found.strange
    ]  # fmt: skip
    path.write_text("[\n" + ",\n".join(json.dumps(line) for line in lines) + "\n]\n")


def _cosine(done: float) -> float:
    return min(done / 0.05 + 0.01, 1.0) * (0.5 + 0.5 * math.cos(math.pi * done))
