"""The paper's recipe for facial motion, with a tiny everything."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from original.oracles import TINY as TINY_NETWORK

from evp.corpora.manifest import ClipEntry, Manifest
from evp.errors import InputError
from evp.face.basis import FaceBasis
from evp.face.layouts import from_mesh
from evp.original.dataset import Sequences, principal_components, read_person
from evp.original.landmarks import OriginalMotion
from evp.original.losses import landmark_losses
from evp.original.network import LandmarkConfig
from evp.original.train import LandmarkTrainingConfig, Training, train_landmarks
from tiny import voice

TINY = LandmarkTrainingConfig(network=TINY_NETWORK, steps=2, batch=2, frames=4, checkpoint_every=1)


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Threads only wait for each other in networks as small as these."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Two clips of M003, one of M030, a silent and a kept one; the mouth opens as the voice grows louder."""
    folder, entries = tmp_path_factory.mktemp("corpus"), []
    basis = FaceBasis.load()
    for number, (speaker, emotion, options) in enumerate([
        ("M003", "angry", {}), ("M003", "happy", {}), ("M030", "sad", {}),
        ("M003", "fear", {"voiced": False}), ("M003", "fear", {"split": "test"}),
    ]):  # fmt: skip
        random = np.random.default_rng(number)
        coefficients = random.normal(size=(30, len(basis.components)))
        valid = np.ones(30, bool)
        valid[number] = False
        np.savez(
            folder / f"{number}.npz",
            waveform=voice(30 / 25, 120 + 20 * number),
            landmarks=basis.mean + basis.displacement(coefficients),
            valid=valid,
        )
        entries.append(ClipEntry(f"{number}.npz", speaker, f"{number}.mp4", 30, emotion=emotion, **options))
    Manifest(tuple(entries)).write(folder)
    return folder


def test_a_persons_clips(corpus):
    clips = read_person(corpus, "M003")
    assert [clip.emotion for clip in clips] == ["angry", "happy"]
    assert clips[0].windows.shape == (30, 28, 12)
    assert clips[0].landmarks.shape == (30, 212)
    points = clips[0].landmarks.reshape(30, 106, 2)
    assert points.min() > 0 and points.max() < 1
    with np.load(corpus / "0.npz") as stored:
        head = from_mesh(stored["landmarks"].astype(np.float32), "evp106")[..., :2]
    np.testing.assert_allclose(points[3, 10] - points[3, 20], (head[3, 10] - head[3, 20]) / 1.45, atol=1e-6)
    with pytest.raises(InputError, match="M003, M030"):
        read_person(corpus)


def test_sequences_are_whole_repeatable_and_at_their_sound(corpus):
    clips = read_person(corpus, "M003")
    sequences = Sequences(clips, 4)
    heard, landmarks = sequences.batch(50, seed=0, step=3)
    np.testing.assert_array_equal(sequences.batch(50, seed=0, step=3)[1], landmarks)
    assert (sequences.batch(50, seed=0, step=4)[1] != landmarks).any()
    for windows, points in zip(heard, landmarks, strict=True):
        places = [
            (clip, first)
            for clip in clips
            for first in range(27)
            if (clip.landmarks[first : first + 4] == points).all()
        ]
        [(clip, first)] = places
        assert clip.valid[first : first + 4].all()
        np.testing.assert_array_equal(clip.windows[first : first + 4], windows)
    with pytest.raises(InputError, match="31 frames"):
        Sequences(clips, 31)


def test_principal_components_explain_the_landmarks(corpus):
    clips = read_person(corpus, "M003")
    basis, mean = principal_components(clips)
    np.testing.assert_allclose(basis.T @ basis, np.eye(212), atol=1e-4)
    known = np.concatenate([clip.landmarks[clip.valid] for clip in clips])
    spread = ((known - mean) @ basis).std(axis=0)
    assert (np.diff(spread) < 1e-5).all()
    np.testing.assert_allclose(spread[:5], np.linalg.svd(known - mean)[1][:5] / len(known) ** 0.5, rtol=1e-3)


def test_losses_by_a_plain_loop():
    random = np.random.default_rng(0)
    predicted, true, basis = (
        random.normal(size=(2, 3, 4)),
        random.normal(size=(2, 3, 4)),
        random.normal(size=(10, 4)),
    )
    losses = landmark_losses(*(torch.tensor(array) for array in (predicted, true, basis)))
    offs = [predicted[b, t] - true[b, t] for b in range(2) for t in range(3)]
    assert float(losses["coefficients"]) == pytest.approx(np.mean([off**2 for off in offs]))
    assert float(losses["landmarks"]) == pytest.approx(np.mean([(basis @ off) ** 2 for off in offs]))


def test_the_defaults_are_the_papers():
    config = LandmarkTrainingConfig()
    assert (config.batch, config.frames, config.learning_rate) == (16, 16, 2e-4)
    assert config.weights == {"coefficients": 1, "landmarks": 10}
    assert config.network == LandmarkConfig()


def test_learns(corpus):
    config = replace(TINY, steps=40, learning_rate=3e-3)
    training = Training(read_person(corpus, "M003")[:1], config)
    losses = [training.advance()["total"] for _ in range(40)]
    assert np.mean(losses[-5:]) < 0.9 * np.mean(losses[:3])


def test_the_result_is_a_motion_model_that_knows_the_emotions(corpus, tmp_path):
    motion = OriginalMotion.load(train_landmarks(corpus, tmp_path, replace(TINY, steps=1), "M003"), 1)
    assert sorted(motion.features) == ["angry", "happy"]
    assert motion.predict(voice(1.0, 150), motion.features["happy"]).shape == (24, 106, 2)


def test_a_run_that_was_stopped_ends_as_if_it_had_not(corpus, tmp_path, monkeypatch):
    monkeypatch.setattr("evp.original.train.export_landmarks", lambda *_: None)
    whole, parts = [], []
    train_landmarks(corpus, tmp_path / "a", TINY, "M003", progress=lambda *told: whole.append(told))
    for steps in (1, 2):
        config = replace(TINY, steps=steps)
        train_landmarks(corpus, tmp_path / "b", config, "M003", progress=lambda *told: parts.append(told))
    assert parts == whole
    with pytest.raises(InputError, match="other settings"):
        train_landmarks(corpus, tmp_path / "b", replace(TINY, seed=1), "M003")
