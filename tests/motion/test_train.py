import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from evp.audio.augment import AugmentConfig
from evp.audio.loudness import measure
from evp.audio.mel import BANDS, log_mel_rows
from evp.corpora.manifest import ClipEntry, Manifest
from evp.emotion.space import CODE_SIZE
from evp.face.basis import FaceBasis
from evp.motion import train
from evp.motion.dataset import Batcher, EmotionCoder, read_clips
from evp.motion.features import FEATURES, motion_features
from evp.motion.model import CONTEXT_FRAMES, MotionModel
from evp.motion.network import EAR, MotionNetwork
from evp.motion.readout import Readout, ReadoutConfig
from evp.motion.train import (
    CERTAINTY,
    PARTS,
    Hearing,
    MotionConfig,
    ReadoutNetwork,
    Training,
    export_motion,
    fit_readouts,
    hear,
    mouth_geometry,
    read_network,
    train_motion,
)

torch.set_num_threads(1)
TINY = MotionConfig(
    steps=2, batch=2, crop_seconds=2, channels=8, checkpoint_every=1, readout=ReadoutConfig(waves=20)
)
CLIPS = (("anna", 40), ("bert", 60), ("voice", 50))


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three short made-up clips, the last one without a face."""
    folder, random = tmp_path_factory.mktemp("corpus"), np.random.default_rng(0)
    for name, frames in CLIPS:
        arrays = {"waveform": 0.1 * random.standard_normal(frames * 640).astype(np.float32)}
        arrays["waveform"][:400] = arrays["waveform"][-400:] = 0
        if name != "voice":
            arrays |= {"coefficients": random.standard_normal((frames, 36)), "valid": np.ones(frames, bool)}
        np.savez(folder / f"{name}.npz", **arrays)
    entries = [ClipEntry(f"{name}.npz", name, f"{name}.wav", frames) for name, frames in CLIPS]
    Manifest(tuple(entries)).write(folder)
    return folder


def training(corpus: Path, config: MotionConfig, coder: EmotionCoder | None = None) -> Training:
    basis = FaceBasis.load()
    clips = read_clips(corpus, basis.mouth_count, coder=coder)
    batcher = Batcher(clips, 50, config.batch, config.unfilmed, config.balance, config.augment)
    return Training(batcher, mouth_geometry(basis), config)


def test_two_steps_give_a_model_that_runs(corpus: Path, tmp_path: Path) -> None:
    steps = []
    weights = train_motion(corpus, tmp_path, TINY, lambda step, losses: steps.append((step, losses)))
    assert [step for step, _ in steps] == [1, 2]
    assert all(np.isfinite(list(losses.values())).all() for _, losses in steps)
    model = MotionModel.load(weights)
    assert model.session.metadata["speakers"] == ["anna", "bert"]
    assert model.predict(np.zeros(1000, np.float32)).shape == (2, FaceBasis.load().mouth_count)


def test_stop_and_resume_equals_no_stop(corpus: Path, tmp_path: Path) -> None:
    whole = training(corpus, TINY)
    losses = [whole.advance() for _ in range(2)]
    first = training(corpus, TINY)
    first.advance()
    first.save(tmp_path / "checkpoint.pt")
    second = training(corpus, replace(TINY))
    second.restore(tmp_path / "checkpoint.pt")
    assert second.advance() == losses[1]
    for ours, theirs in zip(whole.average.parameters(), second.average.parameters(), strict=True):
        np.testing.assert_array_equal(ours.detach(), theirs.detach())


def test_torch_and_exported_network_agree(corpus: Path, tmp_path: Path) -> None:
    run = training(corpus, TINY)
    run.advance()
    run.save(tmp_path / "checkpoint.pt")
    network = read_network(tmp_path / "checkpoint.pt")
    export_motion(tmp_path / "motion.onnx", [network, network], {"note": "twice the same"}, travel=1.5)
    features, emotion = torch.randn(1, 4 * 37, FEATURES), torch.randn(1, 128)
    with torch.no_grad():
        expected = network(*Hearing()(features), emotion)
    session = MotionModel.load(tmp_path / "motion.onnx").session
    coefficients, speech = session.run(features=features.numpy(), emotion=emotion.numpy())
    tolerance = 0.1 * float(expected.coefficients.std())  # numbers are stored in a byte each
    np.testing.assert_allclose(coefficients, 1.5 * expected.coefficients, atol=1.5 * tolerance)
    np.testing.assert_allclose(speech, expected.speech.sigmoid(), atol=0.01)


def readouts(network: MotionNetwork, corpus: Path) -> list[Readout]:
    clips = read_clips(corpus, FaceBasis.load().mouth_count)
    return [fit.solve() for fit in fit_readouts(network, clips, ReadoutConfig(waves=20))]


def test_what_was_fitted_runs_in_the_network_as_it_was_fitted(corpus: Path) -> None:
    network = training(corpus, TINY).network.eval()
    fitted = readouts(network, corpus)
    inputs = torch.randn(1, 4 * 30, BANDS), torch.randn(1, 2 * 30, EAR), torch.zeros(1, 128)
    with torch.no_grad():
        plain = network(*inputs)
        mixed = ReadoutNetwork(network, fitted, 0.25)(*inputs)
        heard = plain.heard[0].numpy()
        mouth = np.mean([r.mouth(heard[:, part]) for r, part in zip(fitted, PARTS, strict=True)], axis=0)
        expected = 0.75 * torch.tensor(mouth[None], dtype=torch.float32) + 0.25 * plain.coefficients
        torch.testing.assert_close(
            mixed.coefficients, network.closure(expected, plain.closure**CERTAINTY), atol=1e-4, rtol=1e-3
        )
    torch.testing.assert_close(mixed.speech, plain.speech)


def test_what_is_heard_of_a_clip_is_what_the_model_hears(corpus: Path, tmp_path: Path) -> None:
    run = training(corpus, TINY)
    run.save(tmp_path / "checkpoint.pt")
    network = read_network(tmp_path / "checkpoint.pt")
    [anna] = [clip for clip in read_clips(corpus, FaceBasis.load().mouth_count) if clip.speaker == "anna"]
    with np.load(corpus / "anna.npz") as stored:
        waveform = stored["waveform"]
    rows = log_mel_rows(waveform, -CONTEXT_FRAMES * 4, (40 + CONTEXT_FRAMES) * 4)
    features = torch.from_numpy(motion_features(rows, measure(waveform)))[None]
    with torch.no_grad():
        heard = network(*Hearing()(features), torch.zeros(1, 128)).heard[0, CONTEXT_FRAMES:-CONTEXT_FRAMES]
    middle = slice(17, -17)  # further out, the window of a row beyond the ends still holds some sound
    np.testing.assert_allclose(hear(network, anna)[middle], heard[middle], atol=1e-3)


def test_context_covers_what_the_network_hears(corpus: Path) -> None:
    encoder = training(corpus, TINY).network.eval()
    network = ReadoutNetwork(encoder, readouts(encoder, corpus), 0.5)
    sound = torch.randn(1, 4 * 120, FEATURES, requires_grad=True)
    output = network(*Hearing()(sound), torch.zeros(1, 128))
    (output.coefficients[0, 60].sum() + output.speech[0, 60]).backward()
    heard = sound.grad.abs().sum(dim=(0, 2)).nonzero() // 4
    assert 60 - heard.min() < CONTEXT_FRAMES and heard.max() - 60 < CONTEXT_FRAMES


def planted_code(label: str, voice: np.ndarray | None) -> np.ndarray:
    """Of two emotions, in opposite directions."""
    assert voice is not None
    return {"happy": 1.0, "sad": -1.0}[label] * np.eye(CODE_SIZE)[7]


def test_emotion_moves_the_mouth(tmp_path: Path) -> None:
    """One person, the same sound in three clips; a coefficient is high when happy, low when sad, and else 0."""
    random = np.random.default_rng(0)
    waveform = 0.1 * random.standard_normal(60 * 640).astype(np.float32)
    entries = []
    for emotion, shift in (("happy", 3.0), ("sad", -3.0), (None, 0.0)):
        coefficients = np.zeros((60, 36))
        coefficients[:, 1] = shift
        np.savez(
            tmp_path / f"{emotion}.npz", waveform=waveform, coefficients=coefficients, valid=np.ones(60, bool)
        )
        entries.append(ClipEntry(f"{emotion}.npz", "anna", "a.mp4", 60, emotion=emotion))
    Manifest(tuple(entries)).write(tmp_path)

    config = replace(TINY, steps=25, batch=6, learning_rate=3e-2, augment=AugmentConfig(silence=0))
    run = training(tmp_path, config, planted_code)
    for _ in range(config.steps):
        run.advance()
    features, ear = torch.zeros(3, 200, BANDS), torch.zeros(3, 100, EAR)
    codes = torch.tensor(np.outer([1, 0, -1], np.eye(CODE_SIZE)[7]))
    with torch.no_grad():
        happy, neutral, sad = (
            run.network.eval()(features, ear, codes.float()).coefficients[..., 1].mean(dim=1)
        )
    assert happy > neutral + 0.2 and neutral > sad + 0.2


@pytest.mark.parametrize("emotion", [True, False])
def test_emotion_codes_are_asked_for_only_if_wanted(
    corpus: Path, tmp_path: Path, emotion: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train, "export_motion", lambda *_: None)
    asked: list[str] = []

    def coder(label: str, voice: np.ndarray | None) -> np.ndarray:
        asked.append(label)
        return planted_code(label, voice)

    shutil.copytree(corpus, tmp_path, dirs_exist_ok=True)
    clips = Manifest.read(corpus).clips
    Manifest((replace(clips[0], emotion="happy"), *clips[1:])).write(tmp_path)
    train_motion(tmp_path, tmp_path / "run", replace(TINY, steps=1, emotion=emotion), coder=coder)
    assert asked == ["happy"] * emotion


def test_contradictory_configuration_is_refused() -> None:
    with pytest.raises(ValueError, match="at least"):
        MotionConfig(steps=0)
