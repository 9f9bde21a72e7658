import json
from dataclasses import asdict, replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from evp.cli import app
from evp.corpora.manifest import ClipEntry, Manifest
from evp.emotion.disentangle.curves import STRIP, WIDTH
from evp.emotion.disentangle.dataset import Fours
from evp.emotion.disentangle.network import PAPER, Disentangler, DisentanglerConfig
from evp.emotion.disentangle.probes import encode, errors, leaks
from evp.emotion.disentangle.train import (
    PAPER_RUN,
    READING,
    WEIGHTS,
    DisentangleConfig,
    Training,
    export_disentangler,
    train_disentangler,
)
from evp.emotion.network import Conv, DecoderConfig, EncoderConfig, Pool, Up
from evp.errors import InputError
from evp.weights import load_session
from planted import recordings

TINY_NETWORK = DisentanglerConfig(
    EncoderConfig((Conv(8), Pool((4, 3), (4, 3))), size=16, hidden=32),
    EncoderConfig((Pool((1, 4), (1, 4)), Conv(4), Pool((12, 7), (12, 7))), 8, columns_first=True, hidden=16),
    DecoderConfig((Up(32, (7, 3), (1, 1), (0, 0)), Up(1, (4, 4), (4, 4), (0, 0))), 16 + 8),
)
TINY = DisentangleConfig(
    TINY_NETWORK, steps=4, batch=2, content_windows=3, emotion_windows=3, checkpoint_every=2
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
    """Noise by a speaker who is trained on and by one who is not."""
    folder, random, clips = tmp_path_factory.mktemp("corpus"), np.random.default_rng(0), []
    for speaker, split in (("anna", "train"), ("bert", "test")):
        for sentence in ("dogs", "kids"):
            for emotion in ("calm", "sad"):
                file = f"{speaker}-{sentence}-{emotion}.npz"
                np.savez(folder / file, waveform=random.uniform(-0.5, 0.5, 6400).astype(np.float32))
                labels = {"emotion": emotion, "sentence": sentence, "split": split}
                clips.append(ClipEntry(file, speaker, source=file, frames=10, filmed=False, **labels))
    Manifest(tuple(clips)).write(folder)
    return folder


@pytest.fixture(scope="module")
def run(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list]:
    """A run that was never stopped, and what it told of every step."""
    folder, told = tmp_path_factory.mktemp("runs") / "whole", []
    train_disentangler(corpus, folder, TINY, lambda step, losses: told.append((step, losses)))
    return folder, told


def test_training_gives_weights_that_run_and_curves(run):
    folder, told = run
    assert [step for step, _ in told] == [1, 2, 3, 4]
    assert all(losses.keys() == WEIGHTS.keys() | READING.keys() | {"total"} for _, losses in told)
    assert all(np.isfinite(list(losses.values())).all() for _, losses in told)
    curves = [json.loads(line) for line in (folder / "curves.jsonl").read_text().splitlines()]
    assert curves == [{"step": step} | losses for step, losses in told]
    assert cv2.imread(str(folder / "curves.png")).shape == (9 * STRIP, WIDTH, 3)
    session = load_session(folder / "disentangler.onnx")
    assert session.metadata["labels"] == ["calm", "sad"]
    assert session.metadata["speakers"] == ["anna"]
    windows = np.zeros((9, 28, 12), np.float32)
    content, emotion, mixed = session.run(says=windows[:7], feels=windows)
    assert content.shape == (7, 16) and emotion.shape == (8,) and mixed.shape == (7, 28, 12)


def test_stop_and_resume_equals_no_stop(corpus, run, tmp_path):
    def stop(step, _):
        if step == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_disentangler(corpus, tmp_path, TINY, stop)
    steps = []
    train_disentangler(corpus, tmp_path, TINY, lambda step, _: steps.append(step))
    assert steps == [3, 4]
    for name in ("curves.jsonl", "disentangler.onnx"):
        assert (tmp_path / name).read_bytes() == (run[0] / name).read_bytes()


def test_a_checkpoint_of_other_settings_is_refused(corpus, run):
    with pytest.raises(InputError, match="other settings"):
        train_disentangler(corpus, run[0], replace(TINY, learning_rate=1.0))


@pytest.mark.parametrize("lost", WEIGHTS)
def test_a_weight_of_zero_leaves_a_loss_out(lost):
    fours = Fours(recordings(("anna", "bert")))
    full, without = (
        Training(fours, replace(TINY, weights={**WEIGHTS, lost: weight})).advance()
        for weight in (WEIGHTS[lost], 0.0)
    )
    assert without["total"] == pytest.approx(full["total"] - WEIGHTS[lost] * full[lost], rel=1e-4)


@pytest.mark.parametrize("lost", READING)
def test_a_weight_of_zero_leaves_a_reader_out(lost):
    fours = Fours(recordings(("anna", "bert")))
    full, without = (
        Training(fours, replace(TINY, reading={**READING, lost: weight})).advance()
        for weight in (READING[lost], 0.0)
    )
    assert without["total"] == pytest.approx(full["total"] - READING[lost] * full[lost], rel=1e-4)


def test_without_readers_the_four_losses_are_the_papers():
    losses = Training(Fours(recordings(("anna", "bert"))), replace(TINY, reading={})).advance()
    assert losses.keys() == WEIGHTS.keys() | {"total"}


def test_a_content_code_is_a_choice():
    network = Disentangler(TINY_NETWORK, 3).eval()
    windows = torch.from_numpy(np.random.default_rng(0).normal(0, 20, (9, 28, 12))).float()
    with torch.no_grad():
        torch.testing.assert_close(network.content(windows).sum(dim=-1), torch.full((9,), 16**0.5))


def test_planted_content_and_emotion_come_apart(tmp_path):
    """On speakers nobody was trained on, the sentence takes on the emotion that was heard in another sentence."""
    train, test = recordings(("anna", "bert", "carl")), recordings(("dora", "emil", "fred"))
    training = Training(
        Fours(train),
        replace(TINY, steps=240, batch=8, content_windows=6, emotion_windows=6, learning_rate=1e-2),
    )
    first = training.advance()
    while training.step < training.config.steps:
        last = training.advance()
    assert last["cross"] < 0.5 * first["cross"]
    export_disentangler(tmp_path / "planted.onnx", training.network, {"config": asdict(training.config)})
    session = load_session(tmp_path / "planted.onnx")
    found = errors(session, train, test, 20)
    assert found.cross < 0.7 * min(found.unchanged, found.source, found.mean)
    assert found.cross < 1.2 * found.self
    read = leaks(train, encode(session, train), test, encode(session, test))
    assert read.emotion_from_emotion == 1 and read.sentence_from_content == 1
    assert read.sentence_from_emotion < 0.7


def test_the_papers_layers_fit_together():
    network = Disentangler(PAPER, 8).eval()
    with torch.no_grad():
        content, emotion, mixed = network(torch.zeros(2, 28, 12), torch.zeros(3, 28, 12))
    assert content.shape == (2, 256) and emotion.shape == (128,) and mixed.shape == (2, 28, 12)


def test_contradictory_configuration_is_refused():
    with pytest.raises(ValueError, match="at least"):
        DisentangleConfig(batch=1)


def test_command_takes_our_settings_or_the_papers(monkeypatch, tmp_path):
    taken = []
    monkeypatch.setattr(
        "evp.emotion.disentangle.train.train_disentangler",
        lambda *arguments, **_: taken.append(arguments),
    )
    for options in ([], ["--recipe", "paper", "--steps", "7", "--seed", "3"]):
        result = CliRunner().invoke(app, ["train", "disentangle", "corpus", "-o", str(tmp_path), *options])
        assert result.exit_code == 0, result.output
    assert taken[0] == (Path("corpus"), tmp_path, DisentangleConfig())
    assert taken[1][2] == replace(PAPER_RUN, steps=7, seed=3)
    assert set(PAPER_RUN.weights.values()) == {1.0} and PAPER_RUN.reading == {} and PAPER_RUN.network == PAPER
