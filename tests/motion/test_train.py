import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from evp.face.basis import FaceBasis
from evp.motion.dataset import Batcher, read_clips
from evp.motion.model import CONTEXT_FRAMES, MotionModel
from evp.motion.train import MotionConfig, Training, mouth_geometry, train_motion

TINY = MotionConfig(steps=2, batch=2, crop_seconds=2, channels=8, checkpoint_every=1)
CLIPS = (("anna", 40), ("bert", 60), ("voice", 50))


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three short made-up clips, the last one without a face."""
    folder, random = tmp_path_factory.mktemp("corpus"), np.random.default_rng(0)
    for name, frames in CLIPS:
        arrays = {"waveform": 0.1 * random.standard_normal(frames * 640).astype(np.float32)}
        if name != "voice":
            arrays |= {"coefficients": random.standard_normal((frames, 36)), "valid": np.ones(frames, bool)}
        np.savez(folder / f"{name}.npz", **arrays)
    entries = [{"file": f"{name}.npz", "speaker": name} for name, _ in CLIPS]
    (folder / "manifest.json").write_text(json.dumps({"clips": entries}))
    return folder


def training(corpus: Path, config: MotionConfig) -> Training:
    basis = FaceBasis.load()
    clips = read_clips(corpus, basis.mouth_count)
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
    import torch

    from evp.motion.train import export_motion, read_network

    run = training(corpus, TINY)
    run.advance()
    run.save(tmp_path / "checkpoint.pt")
    network = read_network(tmp_path / "checkpoint.pt")
    export_motion(tmp_path / "motion.onnx", [network, network], {"note": "twice the same"}, travel=1.5)
    features, emotion = torch.randn(1, 4 * 37, 64), torch.randn(1, 128)
    with torch.no_grad():
        expected = network(features, emotion)
    session = MotionModel.load(tmp_path / "motion.onnx").session
    coefficients, speech = session.run(features=features.numpy(), emotion=emotion.numpy())
    np.testing.assert_allclose(coefficients, 1.5 * expected.coefficients, atol=1e-4)
    np.testing.assert_allclose(speech, expected.speech.sigmoid(), atol=1e-4)


def test_context_covers_what_the_network_hears(corpus: Path) -> None:
    import torch

    network = training(corpus, TINY).network.eval()
    sound = torch.randn(1, 4 * 120, 64, requires_grad=True)
    output = network(sound, torch.zeros(1, 128))
    (output.coefficients[0, 60].sum() + output.speech[0, 60]).backward()
    heard = sound.grad.abs().sum(dim=(0, 2)).nonzero() // 4
    assert 60 - heard.min() < CONTEXT_FRAMES and heard.max() - 60 < CONTEXT_FRAMES


def test_contradictory_configuration_is_refused() -> None:
    with pytest.raises(ValueError, match="at least"):
        MotionConfig(steps=0)
