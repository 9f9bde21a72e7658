"""The paper's sizes: every tensor of the original's checkpoint has its place, and the networks compute the same."""

import numpy as np
import torch
from original.oracles import AudioToLandmarks, parallel, random_weights

from evp.original.checkpoints import load_by_name, read_checkpoint
from evp.original.network import LANDMARK_NAMES, LandmarkConfig, LandmarkNetwork


@torch.no_grad()
def test_the_papers_landmark_network_is_the_default(tmp_path):
    original = random_weights(AudioToLandmarks(small=False))
    torch.save(parallel(original.state_dict()), tmp_path / "M003_20.pth")
    network = LandmarkNetwork(LandmarkConfig())
    match = load_by_name(
        network, read_checkpoint(tmp_path / "M003_20.pth"), LANDMARK_NAMES, tmp_path / "M003_20.pth"
    )
    assert all(name.startswith("emo_encoder.last_fc.") for name in match.left)
    windows = torch.randn(6, 28, 12, generator=torch.Generator().manual_seed(0)) * 10
    codes = original.emo_encoder(windows[:, None])
    network.eval()
    torch.testing.assert_close(network.emotion(windows), codes, atol=1e-5, rtol=1e-4)
    moved, _ = network(torch.zeros(1, 16), windows[None], codes[None])
    expected = original.landmarks(windows, codes, np.eye(212), np.zeros(212))
    np.testing.assert_allclose(moved[0], expected.reshape(6, 212)[:, :16], atol=1e-4)
