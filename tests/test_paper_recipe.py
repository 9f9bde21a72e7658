"""The paper's recipe (``--recipe paper``) against the published numbers, and two steps of each of its stages."""

import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from torch import nn
from typer.testing import CliRunner

from evp.cli import app
from evp.corpora.manifest import ClipEntry, Manifest
from evp.emotion import train as emotion
from evp.emotion.disentangle import train as disentangle
from evp.emotion.disentangle.network import PAPER, Disentangler
from evp.emotion.hearing import EmotionModel
from evp.emotion.network import Conv, DecoderConfig, Encoder, EncoderConfig, Pool, Up
from evp.emotion.windows import MFCC
from evp.errors import InputError
from evp.face.basis import FaceBasis
from evp.original import train as motion
from evp.original.network import LandmarkConfig, LandmarkNetwork
from evp.original.networks import load_encoders
from tiny import voice

MEAD = ("angry", "contempt", "disgusted", "fear", "happy", "neutral", "sad", "surprised")
TINY_CONTENT = EncoderConfig((Conv(4), Pool((4, 3), (4, 3))), size=16, hidden=8)
TINY_EMOTION = EncoderConfig((Conv(4), Pool((4, 7), (4, 7))), size=128, columns_first=True, hidden=8)
TINY_DECODER = DecoderConfig((Up(8, (7, 3), (1, 1), (0, 0)), Up(1, (4, 4), (4, 4), (0, 0))), size=16 + 128)

TINY_STAGE_1 = replace(emotion.PAPER_RUN, steps=2, encoders=(TINY_EMOTION,))
TINY_STAGE_2 = replace(
    disentangle.PAPER_RUN,
    steps=2,
    network=replace(PAPER, content=TINY_CONTENT, emotion=TINY_EMOTION, decoder=TINY_DECODER),
)
TINY_STAGE_3 = motion.LandmarkTrainingConfig(
    LandmarkConfig(TINY_CONTENT, TINY_EMOTION, components=4, identity=(5, 6), hidden=7), steps=2
)


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Threads only wait for each other in networks as small as these."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One person, filmed, who says two sentences in two emotions."""
    folder, entries = tmp_path_factory.mktemp("corpus"), []
    basis = FaceBasis.load()
    for number, (feels, says) in enumerate((e, s) for e in ("angry", "sad") for s in ("dogs", "kids")):
        coefficients = np.random.default_rng(number).normal(size=(30, len(basis.components)))
        np.savez(
            folder / f"{number}.npz",
            waveform=voice(30 / 25, 120 + 20 * number),
            landmarks=basis.mean + basis.displacement(coefficients),
            valid=np.ones(30, bool),
        )
        entries.append(ClipEntry(f"{number}.npz", "M003", f"{number}.mp4", 30, emotion=feels, sentence=says))
    Manifest(tuple(entries)).write(folder)
    return folder


def described(layers: nn.Module) -> list[tuple[object, ...]]:
    """What layers compute: kind, sizes, kernel, stride, padding, and whether a bias is added."""
    found: list[tuple[object, ...]] = []
    for layer in layers.modules():
        if isinstance(layer, nn.Conv2d):
            sizes = layer.in_channels, layer.out_channels
            found.append(
                ("conv", *sizes, layer.kernel_size, layer.stride, layer.padding, layer.bias is not None)
            )
        elif isinstance(layer, nn.ConvTranspose2d):
            sizes = layer.in_channels, layer.out_channels
            found.append(
                ("up", *sizes, layer.kernel_size, layer.stride, layer.padding, layer.bias is not None)
            )
        elif isinstance(layer, nn.MaxPool2d):
            found.append(("pool", layer.kernel_size, layer.stride))
        elif isinstance(layer, nn.Linear):
            found.append(("linear", layer.in_features, layer.out_features))
        elif isinstance(layer, nn.BatchNorm2d):
            found.append(("norm", layer.num_features))
        elif isinstance(layer, nn.ReLU):
            found.append(("relu",))
    return found


def conv(before: int, after: int) -> list[tuple[object, ...]]:
    """``conv(a, b)`` of the published description."""
    return [("conv", before, after, (3, 3), (1, 1), (1, 1), False), ("norm", after), ("relu",)]


def reads_time_to_the_right(encoder: Encoder) -> bool:
    return encoder.config.columns_first and (encoder.config.rows, encoder.config.columns) == (28, 12)


EMOTION_ENCODER = [
    *conv(1, 64), ("pool", (1, 3), (1, 2)), *conv(64, 128), *conv(128, 256), ("pool", (12, 1), (12, 1)),
    *conv(256, 512), ("pool", (1, 2), (1, 2)), ("linear", 3072, 2048), ("relu",), ("linear", 2048, 128), ("relu",),
]  # fmt: skip
CONTENT_ENCODER = [
    *conv(1, 64), *conv(64, 128), ("pool", (3, 3), (1, 2)), *conv(128, 256), *conv(256, 256), *conv(256, 512),
    ("pool", (3, 3), (2, 2)), ("linear", 12288, 2048), ("relu",), ("linear", 2048, 256), ("relu",),
]  # fmt: skip
DECODER = [
    ("up", 384, 256, (6, 6), (2, 2), (1, 1), True), ("norm", 256), ("relu",),
    ("up", 256, 128, (4, 2), (2, 2), (1, 1), True), ("norm", 128), ("relu",),
    ("up", 128, 64, (4, 4), (2, 2), (1, 1), True), ("norm", 64), ("relu",),
    ("up", 64, 32, (4, 3), (2, 1), (3, 1), True), ("norm", 32), ("relu",),
    ("up", 32, 1, (3, 3), (1, 1), (1, 1), True),
]  # fmt: skip


def test_emotion_has_the_papers_layers_and_settings() -> None:
    run = emotion.PAPER_RUN
    with torch.device("meta"):
        network = emotion.EmotionNetwork(run.encoders[0], len(run.labels))
    assert run.labels == MEAD and run.networks == 1
    assert described(network.encoder) == EMOTION_ENCODER and reads_time_to_the_right(network.encoder)
    assert described(network.classifier) == [("linear", 128, 8)]
    assert (run.features, MFCC.rows, MFCC.columns, MFCC.hop) == ("mfcc", 28, 12, 4)
    assert (run.batch, run.learning_rate, run.betas, run.schedule) == (16, 2e-4, (0.5, 0.999), "constant")
    assert (run.smoothing, run.weight_decay, run.averaging, run.largest_gradient) == (0, 0, 0, None)
    assert run.weights == {"classification": 1} and not run.encoders[0].dropout


def test_disentanglement_has_the_papers_layers_and_settings() -> None:
    run = disentangle.PAPER_RUN
    with torch.device("meta"):
        network = Disentangler(run.network, len(MEAD))
    assert described(network.content_encoder) == CONTENT_ENCODER
    assert not reads_time_to_the_right(network.content_encoder)
    assert described(network.emotion_encoder) == EMOTION_ENCODER
    assert reads_time_to_the_right(network.emotion_encoder)
    assert described(network.decoder) == DECODER and run.network.decoder.scale == 90
    assert described(network.classifier) == [("linear", 128, 8)]
    assert isinstance(network.standardise, nn.Identity) and run.network.quiet_start == 1
    assert not (run.network.units or run.reading or any(asdict(run.ear).values()))
    assert (run.batch, run.content_windows, run.emotion_windows) == (16, 1, 1)
    assert (run.learning_rate, run.schedule) == (2e-4, "constant")
    assert run.weights == {"cross": 1, "self": 1, "cla": 1, "con": 1}


def test_motion_has_the_papers_layers_and_settings() -> None:
    run = motion.LandmarkTrainingConfig()
    with torch.device("meta"):
        network = LandmarkNetwork(run.network)
    assert described(network.content) == CONTENT_ENCODER and described(network.emotion) == EMOTION_ENCODER
    assert described(network.identity) == [("linear", 16, 256), ("relu",), ("linear", 256, 512), ("relu",)]
    lstm = network.lstm
    assert (lstm.input_size, lstm.hidden_size, lstm.num_layers, lstm.batch_first) == (896, 256, 3, True)
    assert not lstm.bidirectional and lstm.dropout == 0
    assert described(network.coefficients) == [("linear", 256, 16)]
    assert (run.batch, run.frames, run.learning_rate) == (16, 16, 2e-4)
    assert run.weights == {"coefficients": 1, "landmarks": 10}


def test_every_stage_takes_two_steps_of_the_papers_optimiser(corpus: Path) -> None:
    fours = disentangle.Fours(disentangle.read_recordings(corpus, "train"))
    runs = [
        emotion.Training(
            emotion.batcher_of(corpus, Manifest.read(corpus).clips, MEAD, TINY_STAGE_1),
            [()],
            8,
            TINY_STAGE_1,
        ),
        disentangle.Training(fours, TINY_STAGE_2),
        motion.Training(motion.read_person(corpus), TINY_STAGE_3),
    ]
    for run in runs:
        for _ in range(2):
            assert np.isfinite(run.advance()["total"])
            [group] = run.optimizer.param_groups
            assert isinstance(run.optimizer, torch.optim.Adam)
            assert (group["lr"], group["betas"], group["weight_decay"]) == (2e-4, (0.5, 0.999), 0)


def test_emotion_runs_on_the_papers_windows(corpus: Path, tmp_path: Path) -> None:
    steps: list[int] = []
    path = emotion.train_emotion(corpus, tmp_path, TINY_STAGE_1, lambda step, _: steps.append(step))
    model = EmotionModel.load(path, threads=1)
    assert steps == [1, 2] and model.labels == ("angry", "sad")
    assert model.session.metadata["features"] == "mfcc"
    heard = model.hear(voice(1.0, 150))
    np.testing.assert_allclose(heard.times, (np.arange(25) + 0.5) / 25)
    assert heard.codes.shape == (25, 128) and heard.whole.shape == (2,)


def test_motion_begins_with_the_encoders_of_disentanglement(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disentangle, "export_disentangler", lambda *_: None)
    disentangle.train_disentangler(corpus, tmp_path, TINY_STAGE_2)
    before = torch.load(tmp_path / "checkpoint.pt", weights_only=True)["network"]
    content, felt = load_encoders(tmp_path / "checkpoint.pt", TINY_STAGE_3.network)
    for name, encoder in (("content_encoder", content), ("emotion_encoder", felt)):
        for key, value in encoder.state_dict().items():
            torch.testing.assert_close(value, before[f"{name}.{key}"])
    started = []
    monkeypatch.setattr(motion.Training, "advance", lambda run: started.append(run) or sys.exit())
    with pytest.raises(SystemExit):
        motion.train_landmarks(corpus, tmp_path / "m", TINY_STAGE_3, disentangled=tmp_path / "checkpoint.pt")
    torch.testing.assert_close(started[0].network.content.state_dict(), content.state_dict())
    torch.testing.assert_close(started[0].network.emotion.state_dict(), felt.state_dict())
    with pytest.raises(
        InputError, match=r"checkpoint\.pt: content_encoder\.layers\.0\.0\.weight has the shape"
    ):
        load_encoders(tmp_path / "checkpoint.pt", LandmarkConfig())


def test_stored_are_the_weights_of_the_last_step(corpus: Path) -> None:
    clips = Manifest.read(corpus).clips
    run = emotion.Training(emotion.batcher_of(corpus, clips, MEAD, TINY_STAGE_1), [()], 8, TINY_STAGE_1)
    run.advance()
    [averaged], [network] = run.together(), run.networks
    for stored, own in zip(averaged.parameters(), network.parameters(), strict=True):
        torch.testing.assert_close(stored, own)


def test_the_option_reaches_every_stage(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    taken = []
    for name in (
        "evp.emotion.train.train_emotion",
        "evp.emotion.disentangle.train.train_disentangler",
        "evp.motion.train.train_motion",
        "evp.original.train.train_landmarks",
    ):
        monkeypatch.setattr(name, lambda *given, **_: taken.append(given[2]))
    for verb in ("emotion", "disentangle", "motion"):
        for options in ([], ["--recipe", "paper"], ["--recipe", "paper", "--steps", "7", "--seed", "3"]):
            result = CliRunner().invoke(app, ["train", verb, "corpus", "-o", str(tmp_path), *options])
            assert result.exit_code == 0, result.output
    papers = emotion.PAPER_RUN, disentangle.PAPER_RUN, motion.LandmarkTrainingConfig()
    assert taken[1::3] == [*papers]
    assert taken[2::3] == [replace(paper, steps=7, seed=3) for paper in papers]
    assert all(default != paper for default, paper in zip(taken[0::3], papers, strict=True))
    result = CliRunner().invoke(app, ["train", "emotion", "corpus", "-o", str(tmp_path), "--recipe", "mine"])
    assert result.exit_code == 2
