"""The paper's sizes: every tensor of the original's checkpoints has its place, and the networks compute the same."""

import numpy as np
import pytest
import torch
from original.oracles import AudioToLandmarks, Disentanglement, EmotionEncoder, parallel, random_weights

from evp.errors import InputError
from evp.original.networks import load_classifier, load_disentangler, load_landmark_network, match_checkpoint

CLOSE = {"atol": 1e-4, "rtol": 1e-4}


@pytest.fixture
def windows():
    return torch.randn(6, 28, 12, generator=torch.Generator().manual_seed(0)) * 10


@torch.no_grad()
def test_the_landmark_network(tmp_path, windows):
    original = random_weights(AudioToLandmarks(small=False))
    torch.save(parallel(original.state_dict()), tmp_path / "M003_20.pth")
    network, match = load_landmark_network(tmp_path / "M003_20.pth")
    assert match.left == ("emo_encoder.last_fc.weight", "emo_encoder.last_fc.bias")
    codes = original.emo_encoder(windows[:, None])
    network.eval()
    torch.testing.assert_close(network.emotion(windows), codes, **CLOSE)
    moved, _ = network(torch.zeros(1, 16), windows[None], codes[None])
    expected = original.landmarks(windows, codes, np.eye(212), np.zeros(212))
    np.testing.assert_allclose(moved[0], expected.reshape(6, 212)[:, :16], atol=1e-4)


@torch.no_grad()
def test_the_classifier(tmp_path, windows):
    original = random_weights(EmotionEncoder(small=False))
    torch.save(parallel(original.state_dict()), tmp_path / "SER_99.pkl", _use_new_zipfile_serialization=False)
    encoder, classifier, match = load_classifier(tmp_path / "SER_99.pkl")
    assert match.left == ()
    scores = original.last_fc(original(windows[:, None]))
    torch.testing.assert_close(classifier(encoder.eval()(windows)), scores, **CLOSE)
    assert str(match_checkpoint(tmp_path / "SER_99.pkl")).endswith("nothing left")


@torch.no_grad()
def test_the_disentanglement(tmp_path, windows):
    original = random_weights(Disentanglement())
    stored = {"train_step": 5, "test_step": 1, "epoch": 99, "model": original.state_dict()}
    torch.save(stored, tmp_path / "99_pretrain.pth")
    network, match = load_disentangler(tmp_path / "99_pretrain.pth")
    assert [name.split(".")[1] for name in match.left] == ["last_fc", "last_fc", "re_id", "re_id"]
    content = original.con_encoder(windows[:, None])
    emotion = original.emo_encoder(windows[:, None]).mean(dim=0)
    said, felt, mixed = network.eval()(windows, windows)
    torch.testing.assert_close(said, content, **CLOSE)
    torch.testing.assert_close(felt, emotion, **CLOSE)
    torch.testing.assert_close(
        mixed, original.reconstruct(content, emotion.expand(6, -1)), atol=0.01, rtol=1e-4
    )
    torch.testing.assert_close(network.classifier(felt), original.classify.last_fc(emotion), **CLOSE)


def test_other_checkpoints_are_told(tmp_path):
    torch.save({"layer.weight": torch.zeros(3)}, tmp_path / "other.pth")
    with pytest.raises(InputError, match=r"other\.pth: none .* layer\.weight"):
        match_checkpoint(tmp_path / "other.pth")
