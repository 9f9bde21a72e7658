"""The rendering network: a small U-Net that corrects warped footage. Modules only: no loss, no file, no device."""

from torch import Tensor, nn
from torch.nn import functional as F

from evp.render.inputs import INPUT_CHANNELS

_SLOPE = 0.2
"""Of the leaky rectifiers."""


class Down(nn.Module):
    """Halve the picture, widen the features, refine once."""

    def __init__(self, entering: int, leaving: int) -> None:
        super().__init__()
        self.halve = nn.Conv2d(entering, leaving, 3, 2, 1)
        self.refine = nn.Conv2d(leaving, leaving, 3, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = F.leaky_relu(self.halve(x), _SLOPE)
        return x + F.leaky_relu(self.refine(x), _SLOPE)


class Up(nn.Module):
    """Double the picture, add what the way down had seen at this size, refine once."""

    def __init__(self, entering: int, leaving: int) -> None:
        super().__init__()
        self.narrow = nn.Conv2d(entering, leaving, 1)
        self.refine = nn.Conv2d(leaving, leaving, 3, 1, 1)

    def forward(self, deep: Tensor, skipped: Tensor) -> Tensor:
        x = F.interpolate(self.narrow(deep), scale_factor=2.0, mode="nearest") + skipped
        return x + F.leaky_relu(self.refine(x), _SLOPE)


class RenderNetwork(nn.Module):
    """Rendering inputs (B, 11, S, S) -> correction (B, 3, S, S) to the warped picture, S a multiple of 16.

    Works at half resolution and below (pixel unshuffle), where a multiplication is cheapest; the detail at full
    resolution is in the warped footage that it corrects. Values: pictures 0..1, corrections -1..1.
    """

    def __init__(self, widths: tuple[int, int, int, int] = (24, 48, 96, 128)) -> None:
        super().__init__()
        first, second, third, fourth = widths
        self.enter = nn.Conv2d(4 * INPUT_CHANNELS, first, 3, 1, 1)
        self.down1 = Down(first, second)
        self.down2 = Down(second, third)
        self.down3 = Down(third, fourth)
        self.deep = nn.Conv2d(fourth, fourth, 3, 1, 1)
        self.up3 = Up(fourth, third)
        self.up2 = Up(third, second)
        self.up1 = Up(second, first)
        self.leave = nn.Conv2d(first, 12, 3, 1, 1)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, a=_SLOPE)
                nn.init.zeros_(module.bias)  # type: ignore[arg-type]
        nn.init.normal_(self.leave.weight, std=1e-5)

    def forward(self, inputs: Tensor) -> Tensor:
        a = F.leaky_relu(self.enter(F.pixel_unshuffle(inputs, 2)), _SLOPE)
        b = self.down1(a)
        c = self.down2(b)
        d = self.down3(c)
        d = d + F.leaky_relu(self.deep(d), _SLOPE)
        x = self.up1(self.up2(self.up3(d, c), b), a)
        return F.pixel_shuffle(self.leave(x), 2)
