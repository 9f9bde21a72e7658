"""vid2vid's composite generator (Wang et al. 2018): edges and the frames before -> the next frame.

The parts have the names that they have in its checkpoints, so a state dict fits as it is.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from evp.original.vid2vid.edges import CHANNELS


@dataclass(frozen=True)
class GeneratorConfig:
    """The layers; the defaults are those of the original's ``latest_net_G0.pth``."""

    channels: int = 128
    """At full resolution; doubled whenever the resolution is halved."""
    halvings: int = 3
    """How often the resolution is halved."""
    blocks: int = 9
    """Residual blocks: the larger half before the branches meet, the others after it, in both branches."""
    edges: int = CHANNELS
    """Channels of an edge map."""
    frames: int = 3
    """Edge maps that are seen: of the frame and of those before it."""

    @property
    def deepest(self) -> int:
        """Channels at the lowest resolution."""
        return self.channels << self.halvings


class Residual(nn.Module):
    """Two convolutions with a shortcut."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv_block = nn.Sequential(
            nn.ReflectionPad2d(1), nn.Conv2d(channels, channels, 3), nn.BatchNorm2d(channels), nn.ReLU(),
            nn.ReflectionPad2d(1), nn.Conv2d(channels, channels, 3), nn.BatchNorm2d(channels),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, H, W)."""
        return x + self.conv_block(x)


class CompositeGenerator(nn.Module):
    """Draws a frame, and tells how the frame before it moves and how much of it to keep."""

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        after = config.blocks // 2
        self.model_down_seg = _down(config, config.frames * config.edges, config.blocks - after)
        self.model_down_img = _down(config, (config.frames - 1) * 3, config.blocks - after)
        self.model_res_img = nn.Sequential(*(Residual(config.deepest) for _ in range(after)))
        self.model_up_img = _up(config)
        self.model_final_img = _final(config, 3, nn.Tanh())
        self.model_res_flow = nn.Sequential(*(Residual(config.deepest) for _ in range(after)))
        self.model_up_flow = _up(config)
        self.model_final_flow = _final(config, 2)
        self.model_final_w = _final(config, 1, nn.Sigmoid())

    def forward(self, edges: Tensor, previous: Tensor) -> Tensor:
        """The frame (B, 3, H, W), -1..1.

        ``edges`` (B, 3 * 15, H, W), 0..1, of the two frames before and of this one; ``previous`` (B, 2 * 3, H, W),
        -1..1: the two frames before. H and W are multiples of 8.
        """
        seen = self.model_down_seg(edges) + self.model_down_img(previous)
        drawn = self.model_final_img(self.model_up_img(self.model_res_img(seen)))
        moving = self.model_up_flow(self.model_res_flow(seen))
        weight = self.model_final_w(moving)
        return weight * drawn + (1 - weight) * warped(previous[:, -3:], 20 * self.model_final_flow(moving))


def warped(picture: Tensor, flow: Tensor) -> Tensor:
    """A picture (B, C, H, W) looked up at every pixel's place plus ``flow`` (B, 2, H, W), pixels x and y."""
    height, width = picture.shape[2:]
    rows = torch.arange(height, device=flow.device, dtype=flow.dtype)[:, None] + flow[:, 1]
    columns = torch.arange(width, device=flow.device, dtype=flow.dtype) + flow[:, 0]
    places = torch.stack([2 * columns / (width - 1) - 1, 2 * rows / (height - 1) - 1], dim=3)
    return F.grid_sample(picture, places, padding_mode="border", align_corners=True)


def _down(config: GeneratorConfig, channels: int, blocks: int) -> nn.Sequential:
    layers: list[nn.Module] = [
        nn.ReflectionPad2d(3),
        nn.Conv2d(channels, config.channels, 7),
        nn.BatchNorm2d(config.channels),
        nn.ReLU(),
    ]
    for halving in range(config.halvings):
        width = config.channels << halving
        layers += [nn.Conv2d(width, 2 * width, 3, stride=2, padding=1), nn.BatchNorm2d(2 * width), nn.ReLU()]
    return nn.Sequential(*layers, *(Residual(config.deepest) for _ in range(blocks)))


def _up(config: GeneratorConfig) -> nn.Sequential:
    layers: list[nn.Module] = []
    for halving in reversed(range(config.halvings)):
        width = config.channels << halving
        up = nn.ConvTranspose2d(2 * width, width, 3, stride=2, padding=1, output_padding=1)
        layers += [up, nn.BatchNorm2d(width), nn.ReLU()]
    return nn.Sequential(*layers)


def _final(config: GeneratorConfig, channels: int, *bound: nn.Module) -> nn.Sequential:
    return nn.Sequential(nn.ReflectionPad2d(3), nn.Conv2d(config.channels, channels, 7), *bound)
