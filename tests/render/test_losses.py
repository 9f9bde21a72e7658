import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity

from evp.render.losses import _ssim, render_losses

SIZE = 32


def pictures(seed: int, batch: int = 2) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).random((batch, 3, SIZE, SIZE), np.float32))


def planes(value: float, batch: int = 2) -> torch.Tensor:
    return torch.full((batch, 1, SIZE, SIZE), float(value))


def test_true_picture_costs_nothing():
    losses = render_losses(pictures(0), pictures(0), planes(1), planes(0))
    assert set(losses) == {"pixel", "square", "edge", "structure"}
    for name, value in losses.items():
        assert value.ndim == 0, name
        assert abs(float(value)) < 1e-5, name


def test_values_of_an_even_error():
    losses = render_losses(pictures(0) + 0.1, pictures(0), planes(1), planes(0))
    assert float(losses["pixel"]) == pytest.approx(3 * 0.1, rel=1e-4)  # at three scales
    assert float(losses["square"]) == pytest.approx(0.01, rel=1e-4)
    assert float(losses["edge"]) == pytest.approx(0, abs=1e-5)


def test_batch_is_the_mean_of_its_examples():
    made, true = pictures(0), pictures(1)
    true[0] = made[0] * 0.9
    mask, mouth = planes(1), planes(0)
    mask[0, :, : SIZE // 2] = 0
    mouth[1, :, 20:, 20:] = 1
    together = render_losses(made, true, mask, mouth)
    alone = [render_losses(*(x[k : k + 1] for x in (made, true, mask, mouth))) for k in range(2)]
    for name, value in together.items():
        expected = (float(alone[0][name]) + float(alone[1][name])) / 2
        assert float(value) == pytest.approx(expected, rel=1e-4), name


def test_only_the_mask_counts_and_the_mouth_more():
    true, mask, mouth = pictures(0, 1), planes(1, 1), planes(0, 1)
    mask[..., :8, :] = 0
    mouth[..., 24:, :] = 1
    outside, face, lips = (true.clone() for _ in range(3))
    outside[..., :4, :] += 0.2
    face[..., 12:16, :] += 0.2
    lips[..., 28:32, :] += 0.2
    costs = [float(render_losses(made, true, mask, mouth)["square"]) for made in (outside, face, lips)]
    assert costs[0] == 0
    assert costs[2] == pytest.approx(4 * costs[1], rel=1e-3)


def test_structure_is_that_of_an_independent_implementation():
    a, b = pictures(0, 1), (pictures(0, 1) + 0.3 * pictures(1, 1)) / 1.3
    luma = [(x[0].numpy() * np.array([0.299, 0.587, 0.114])[:, None, None]).sum(axis=0) for x in (a, b)]
    _, values = structural_similarity(
        *luma, win_size=7, data_range=1.0, use_sample_covariance=False, full=True
    )
    made = _ssim(a, b)
    assert made.shape == (1, 1, SIZE // 2, SIZE // 2)
    np.testing.assert_allclose(made[0, 0, 2:-2, 2:-2], values[4:-4:2, 4:-4:2], atol=1e-4)
