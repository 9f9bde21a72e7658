import json
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
if find_spec("hama") is None:
    pytest.skip("hama is not installed", allow_module_level=True)

import torch

from evp.audio.augment import AugmentConfig
from evp.corpora.manifest import ClipEntry, Manifest
from evp.emotion import train
from evp.emotion.dataset import Batch, emotion_clips
from evp.emotion.functionals.ridge import Ridge, RidgeConfig, fit_ridge
from evp.emotion.hearing import EmotionModel, softmax
from evp.emotion.network import Conv, EncoderConfig, Pool
from evp.emotion.train import (
    PAPER_RUN,
    RIDGE,
    EmotionConfig,
    EmotionNetwork,
    Listening,
    Measuring,
    Together,
    Training,
    batcher_of,
    export_emotion,
    mean_codes,
    measured,
    measuring_of,
    train_emotion,
    weigh_encoders,
)
from evp.emotion.windows import COLUMNS, WINDOW_ROWS
from evp.errors import InputError
from tiny import voice

ENCODER = EncoderConfig(
    (Conv(4, (5, 5), 2), Pool((4, 4), (4, 4))), 40, WINDOW_ROWS, COLUMNS, hidden=16, statistics=True
)
TINY = EmotionConfig(
    steps=2, networks=2, batch=8, features="melody", encoders=(ENCODER,),
    ridge=RidgeConfig(24),
    augment=AugmentConfig(untouched=1), checkpoint_every=1,
)  # fmt: skip
PITCHES = {"angry": 320, "sad": 100}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four speakers, angry in high and sad in low voices, one of them for validation; contempt of one speaker."""
    folder, clips = tmp_path_factory.mktemp("corpus"), []
    for number, speaker in enumerate(["anna", "bert", "carl", "dora"]):
        for emotion, hertz in {**PITCHES, **({"contempt": 150} if speaker == "anna" else {})}.items():
            file = f"{speaker}_{emotion}.npz"
            np.savez(folder / file, waveform=voice(1.2, hertz * (1 + number / 20)))
            split = "validation" if speaker == "dora" else "train"
            clips.append(ClipEntry(file, speaker, file, 30, filmed=False, emotion=emotion, split=split))
    Manifest(tuple(clips)).write(folder)
    return folder


@pytest.fixture(scope="module")
def trained(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, EmotionModel, list[float]]:
    """A whole run: its folder, the model, and the total loss of every step."""
    folder, totals = tmp_path_factory.mktemp("run"), []
    config = replace(TINY, steps=100, learning_rate=1e-2, averaging=0.9, checkpoint_every=100)

    def follow(step: int, losses: dict[str, float]) -> None:
        totals.append(losses["total"])
        assert step == len(totals)

    return folder, EmotionModel.load(train_emotion(corpus, folder, config, follow)), totals


def training(corpus: Path, config: EmotionConfig, *groups: str) -> Training:
    clips, labels = emotion_clips(corpus)["train"], ("angry", "sad")
    left_out = [{name} for name in groups] or [set()] * config.networks
    return Training(batcher_of(corpus, clips, labels, config), left_out, 2, config)


def test_a_run_ends_with_a_model_and_leaves_nothing_else(trained) -> None:
    folder, model, totals = trained
    kept = {"emotion.onnx", "checkpoint.pt", "measured.pt", "strangers.json"}
    assert {path.name for path in folder.iterdir()} == kept
    assert model.labels == ("angry", "sad") and len(totals) == 100 and np.isfinite(totals).all()
    shapes = {label: code.shape for label, code in model.label_codes.items()}
    assert shapes == dict.fromkeys(("angry", "contempt", "sad"), (128,))


def test_planted_classes_are_learned_from_other_speakers(trained) -> None:
    _, model, _ = trained
    assert model.session.metadata["strangers"]["recall"] > 0.8
    assert model.session.metadata["validation"]["recall"] == 1
    for number, hertz in enumerate(PITCHES.values()):
        assert model.hear(voice(3, 1.1 * hertz)).whole.argmax() == number


def test_no_network_is_measured_on_speakers_it_was_trained_on(trained) -> None:
    folder, model, _ = trained
    metadata = model.session.metadata
    left_out = sorted(speaker for group in metadata["groups"] for speaker in group)
    assert left_out == ["anna", "bert", "carl"]  # dora is for validation
    strangers = json.loads((folder / "strangers.json").read_text())
    assert sorted((found["speaker"], found["emotion"]) for found in strangers) == [
        ("anna", "angry"), ("anna", "contempt"), ("anna", "sad"), ("bert", "angry"), ("bert", "sad"),
        ("carl", "angry"), ("carl", "sad"),
    ]  # fmt: skip
    assert np.sum(metadata["strangers"]["confusion"]) == 6
    assert np.sum(metadata["validation"]["confusion"]) == 2


def test_stop_and_resume_equals_no_stop(corpus: Path, tmp_path: Path) -> None:
    whole = training(corpus, TINY)
    losses = [whole.advance() for _ in range(2)]
    first = training(corpus, TINY)
    first.advance()
    first.save(tmp_path / "checkpoint.pt")
    second = training(corpus, TINY)
    second.restore(tmp_path / "checkpoint.pt")
    assert second.advance() == losses[1]
    ours, theirs = (Together(run.together()).state_dict() for run in (whole, second))
    assert ours.keys() == theirs.keys() and all(torch.equal(ours[key], theirs[key]) for key in ours)


def test_a_checkpoint_of_other_settings_is_refused(corpus: Path, tmp_path: Path) -> None:
    training(corpus, TINY).save(tmp_path / "checkpoint.pt")
    with pytest.raises(InputError, match="other settings"):
        training(corpus, replace(TINY, seed=1)).restore(tmp_path / "checkpoint.pt")


class Always:
    """A batcher that knows one batch."""

    def __init__(self, batch: Batch) -> None:
        self._batch = batch

    def batch(self, _seed: int, _step: int) -> Batch:
        return self._batch


def test_a_network_does_not_learn_from_its_group(corpus: Path) -> None:
    config = replace(TINY, batch=24)
    run = training(corpus, config, "anna", "bert")
    whole = run.batcher.batch(0, 0)
    assert set(whole.speakers) == {"anna", "bert", "carl"}
    others = whole.without({"anna", "bert"})
    assert set(others.speakers) == {"carl"} and len(others.windows) == len(others.classes) >= 2

    def heard_by(number: int) -> set[str]:
        """Whose windows leave their mark on a network: those without which its weights become others."""
        marks = set()
        for name in set(whole.speakers):
            after = []
            for batch in (whole, whole.without({name})):
                run = training(corpus, config, "anna", "bert")
                run.batcher = Always(batch)
                run.advance()
                after.append(torch.nn.utils.parameters_to_vector(run.networks[number].parameters()))
            if not torch.equal(*after):
                marks.add(name)
        return marks

    assert heard_by(0) == {"bert", "carl"} and heard_by(1) == {"anna", "carl"}


def test_a_network_of_whose_speakers_there_is_nothing_in_the_batch_waits(corpus: Path) -> None:
    run = training(corpus, TINY, "anna", "bert")
    run.batcher = Always(run.batcher.batch(0, 0).without({"bert", "carl"}))
    before = [torch.nn.utils.parameters_to_vector(network.parameters()) for network in run.networks]
    assert np.isfinite(run.advance()["total"])
    after = [torch.nn.utils.parameters_to_vector(network.parameters()) for network in run.networks]
    assert torch.equal(before[0], after[0]) and not torch.equal(before[1], after[1])


def test_every_encoder_of_every_network_learns(corpus: Path) -> None:
    run = training(corpus, TINY)
    before = [parameter.clone() for parameter in run.networks.parameters()]
    losses = run.advance()
    assert losses["total"] == pytest.approx(losses["classification"])
    changed = {
        name.split(".networks.")[0] + name.split(".networks.")[1][:2]
        for (name, after), own in zip(run.networks.named_parameters(), before, strict=True)
        if not torch.equal(after, own)
    }
    assert changed == {"00.", "10."}


class Means(torch.nn.Module):
    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        return windows.mean(1)


def hearing(seed: int) -> EmotionNetwork:
    """A network that says (2 classes) what a ridge of random weights says."""
    weights = np.random.default_rng(seed).normal(size=(COLUMNS, 2))
    return EmotionNetwork.fitted(Means(), Ridge(np.zeros(COLUMNS), np.ones(COLUMNS), 4.0, weights), 24)


def test_networks_together_are_linear_in_their_code(corpus: Path) -> None:
    networks = training(corpus, TINY).together()
    for number, network in enumerate(networks):
        network.networks.append(hearing(number))
    with torch.no_grad():
        codes, logits = Together(networks)(torch.randn(4, WINDOW_ROWS, COLUMNS))
        members = [member for network in networks for member in network.networks]
        parts = codes.split([40, 24, 40, 24], dim=1)
        scores = [member.classifier(part) for member, part in zip(members, parts, strict=True)]
    assert codes.shape == (4, 128)
    torch.testing.assert_close(logits, torch.stack(scores).mean(dim=0))
    np.testing.assert_allclose(
        networks[1].member_scores(codes[:, 64:].numpy()), torch.stack(scores[2:], dim=1).numpy()
    )


def pair(*codes: tuple[float, float, str]) -> tuple[Together, list[Listening]]:
    """A network of two encoders, and recordings: what each encoder says for angry, and the truth."""
    part = []
    for one, other, emotion in codes:
        code = np.zeros(48, np.float32)
        code[[0, 1, 24, 25]] = one, 0, other, 0
        clip = ClipEntry("x", "anna", "x", 1, emotion=emotion)
        part.append(Listening(clip, True, code, np.array([0.5, 0.5])))
    return Together([hearing(0), hearing(0)]), part


def weighed(*pairs: tuple[Together, list[Listening]]) -> tuple[list[float], list[list[Listening]]]:
    """How much the encoders of the first network count, and what all networks hear then."""
    networks, parts = zip(*pairs, strict=True)
    heard = weigh_encoders(networks, parts, ("angry", "sad"))
    return [
        member.classifier.output.weight.detach()[0, 0].item() / 2 for member in networks[0].networks
    ], heard


FIRST_RIGHT = [(one, other, "angry" if one > 0 else "sad") for one in (1, -1) for other in (1, -1)]
FIRST_RIGHT += [(-1, 1, "angry"), (-1, -1, "angry")]
SECOND_RIGHT = [(other, one, emotion) for one, other, emotion in FIRST_RIGHT]


def test_encoders_count_as_they_are_right_about_the_strangers_of_other_networks() -> None:
    (first, second), heard = weighed(pair(*SECOND_RIGHT), pair(*FIRST_RIGHT), pair(*FIRST_RIGHT))
    assert first > 1 > 0.5 > second > 0
    again, _ = weighed(pair(*FIRST_RIGHT), pair(*FIRST_RIGHT), pair(*FIRST_RIGHT))
    assert again == pytest.approx([first, second])
    turned, _ = weighed(pair(*FIRST_RIGHT), pair(*SECOND_RIGHT), pair(*SECOND_RIGHT))
    assert turned == pytest.approx([second, first])
    scores = (first + second) * np.array([[1.0, 0]])
    np.testing.assert_allclose(heard[0][0].probabilities, softmax(scores)[0], rtol=1e-5)


def test_a_network_without_others_is_left_as_it_is() -> None:
    counts, [[found, *_]] = weighed(pair((1, 0, "angry"), (-1, 0, "sad")))
    assert counts == [0.5, 0.5]
    np.testing.assert_allclose(found.probabilities, softmax(np.array([[0.5, 0]]))[0], rtol=1e-5)


def measuring(corpus: Path, config: EmotionConfig) -> Measuring:
    return measuring_of(corpus, emotion_clips(corpus)["train"], ("angry", "sad"), config)


def test_a_ridge_is_not_fitted_to_its_group(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learned = []

    def fit(found: np.ndarray, classes: np.ndarray, speakers: list[str], *others) -> Ridge:
        assert len(found) == len(classes) == len(speakers) and found.any(axis=1).all()
        learned.append(set(speakers))
        return fit_ridge(found, classes, speakers, *others)

    monkeypatch.setattr(train, "fit_ridge", fit)
    run = measuring(corpus, replace(TINY, steps=8))
    run.run(tmp_path / "measured.pt", 8, 8)
    for network in run.fit([{"anna"}, {"bert", "carl"}], 2):
        with torch.no_grad():
            codes, logits = network(torch.rand(2, WINDOW_ROWS, COLUMNS))
        torch.testing.assert_close(codes[:, :2], logits)
        assert codes.shape == (2, 24)
    assert learned == [{"bert", "carl"}, {"anna"}]


def test_measuring_goes_on_where_it_stopped(corpus: Path, tmp_path: Path) -> None:
    steps: list[int] = []
    whole, first, second = (measuring(corpus, replace(TINY, steps=8)) for _ in range(3))
    whole.run(tmp_path / "whole.pt", 8, 8)
    first.run(tmp_path / "measured.pt", 3, 3)
    second.run(tmp_path / "measured.pt", 8, 8, lambda step, _: steps.append(step))
    assert steps == [4, 5, 6, 7, 8]
    for name, found in whole.found.state_dict().items():
        assert torch.equal(found, second.found.state_dict()[name])
    with pytest.raises(InputError, match="other settings"):
        measuring(corpus, replace(TINY, seed=1)).restore(tmp_path / "measured.pt")


def test_the_default_learns_nothing_step_by_step(corpus: Path, tmp_path: Path) -> None:
    ridge, augment = replace(RIDGE, size=64), AugmentConfig(untouched=1)
    config = EmotionConfig(steps=12, networks=2, batch=8, ridge=ridge, augment=augment)
    steps: list[int] = []
    path = train_emotion(corpus, tmp_path, config, lambda step, _: steps.append(step))
    model = EmotionModel.load(path, threads=1)
    assert steps == list(range(1, 13)) and not (tmp_path / "checkpoint.pt").exists()
    assert model.session.metadata["strangers"]["recall"] > 0.8
    assert model.hear(voice(2, 150)).codes.shape[1] == 128


class Rows(torch.nn.Module):
    """The first rows of a window, nearly as many numbers as the recogniser's ear gives."""

    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        return windows[:, :10].flatten(1)


def test_what_is_exported_says_what_was_fitted(tmp_path: Path) -> None:
    """Of the scores of a ridge only a little is left when large terms have cancelled each other."""
    random = np.random.default_rng(0)
    windows = random.normal(size=(32, WINDOW_ROWS, COLUMNS)).astype(np.float32)
    windows[:, 5:10] = windows[:, :5]
    large, little = (random.normal(size=(5 * COLUMNS, 8)) for _ in range(2))
    weights = np.concatenate([40 * large, little - 40 * large])
    ridge = Ridge(np.zeros(10 * COLUMNS), np.ones(10 * COLUMNS), 9.0, weights)
    network = Together([EmotionNetwork.fitted(Rows(), ridge, 128)])
    described = {"features": "melody", "labels": list("abcdefgh"), "label_codes": {}}
    export_emotion(tmp_path / "emotion.onnx", network, described)
    model = EmotionModel.load(tmp_path / "emotion.onnx", threads=1)
    _, heard = model.session.run(windows=windows)
    with torch.no_grad():
        fitted = network(torch.from_numpy(windows))[1].numpy()
    assert np.abs(heard - fitted).max() < 0.1 * fitted.std()


def test_label_code_weighs_speakers_alike() -> None:
    def found(speaker: str, code: float, strange: bool = True) -> Listening:
        clip = ClipEntry("x", speaker, "x", 1, emotion="sad")
        return Listening(clip, strange, np.array([code]), np.array([0.2, 0.8]))

    listenings = [found("anna", 1), found("anna", 3), found("bert", 6), found("carl", 9, strange=False)]
    np.testing.assert_allclose(mean_codes(listenings)["sad"], (2 + 6 + 9) / 3)
    assert measured(listenings, ("angry", "sad")) == {"recall": 1.0, "confusion": [[0, 0], [0, 3]]}


def test_corpus_of_one_emotion_is_refused(corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="fewer than two emotions"):
        train_emotion(corpus, tmp_path, replace(TINY, labels=("sad",)))


def test_contradictory_configuration_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        EmotionConfig(steps=0)
    with pytest.raises(ValueError, match="at least 2"):
        EmotionConfig(batch=1)
    with pytest.raises(ValueError, match="do not make one of 128"):
        EmotionConfig(networks=3)
    with pytest.raises(ValueError, match="28 rows of 12 mfcc"):
        EmotionConfig(features="mfcc", encoders=(replace(ENCODER, size=32),), ridge=None)
    with pytest.raises(ValueError, match="for energies"):
        replace(PAPER_RUN, encoders=(), ridge=RidgeConfig(128))
    with pytest.raises(ValueError, match="each of 9 labels"):
        EmotionConfig(encoders=(replace(ENCODER, size=24),), ridge=RidgeConfig(8))
