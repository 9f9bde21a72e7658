"""Losses of the renderer: a pure function from pictures to named values."""

import torch
from torch import Tensor
from torch.nn import functional as F

_WINDOW = 7
"""Side of the SSIM window in pixels."""


def render_losses(made: Tensor, true: Tensor, mask: Tensor, mouth: Tensor) -> dict[str, Tensor]:
    """Losses of made against true pictures (B, 3, S, S), 0..1; ``mask`` and ``mouth`` (B, 1, S, S) weigh the places.

    ``pixel``: mean absolute error at three scales. ``square``: mean squared error, which minds gross faults most.
    ``edge``: the same of differences between neighbours.
    ``structure``: 1 - SSIM (Wang et al. 2004). The mouth counts four times.
    """
    weight = mask + 3 * mouth
    weight = weight / weight.mean(dim=(1, 2, 3), keepdim=True).clamp_min(1e-6)
    difference = made - true
    pixel = (difference.abs() * weight).mean()
    for scale in (2, 4):
        small = F.avg_pool2d(difference, scale)
        pixel = pixel + (small.abs() * F.avg_pool2d(weight, scale)).mean()
    square = (difference.square() * weight).mean()
    across = (difference[..., 1:] - difference[..., :-1]).abs() * weight[..., 1:]
    down = (difference[..., 1:, :] - difference[..., :-1, :]).abs() * weight[..., 1:, :]
    structure = ((1 - _ssim(made, true)) * F.avg_pool2d(weight, 2)).mean()
    return {"pixel": pixel, "square": square, "edge": across.mean() + down.mean(), "structure": structure}


def _ssim(a: Tensor, b: Tensor) -> Tensor:
    """Structural similarity of the luma in uniform windows, one value for every second pixel: (B, 1, S/2, S/2)."""
    luma = a.new_tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)
    x, y = (a * luma).sum(1, keepdim=True), (b * luma).sum(1, keepdim=True)
    moments = torch.cat([x, y, x * x, y * y, x * y], dim=1)
    means = F.avg_pool2d(moments, _WINDOW, 2, _WINDOW // 2, count_include_pad=False)
    mx, my, xx, yy, xy = torch.chunk(means, 5, dim=1)
    vx, vy, covariance = xx - mx * mx, yy - my * my, xy - mx * my
    return (2 * mx * my + 1e-4) * (2 * covariance + 9e-4) / ((mx * mx + my * my + 1e-4) * (vx + vy + 9e-4))
