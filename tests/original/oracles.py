"""The original's networks as plain torch modules, by the names in its checkpoints, and files of made-up weights."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from evp.emotion.network import Conv, EncoderConfig, Pool
from evp.original.network import LandmarkConfig

TINY = LandmarkConfig(
    content=EncoderConfig(
        (Conv(3), Conv(4), Pool((3, 3), (1, 2)), Conv(5), Conv(5), Conv(6), Pool((3, 3), (2, 2))), 10, hidden=9
    ),
    emotion=EncoderConfig(
        (Conv(3), Pool((1, 3), (1, 2)), Conv(4), Conv(5), Pool((12, 1), (12, 1)), Conv(6), Pool((1, 2), (1, 2))),
        128, hidden=9, columns_first=True,
    ),
    identity=(7, 8),
    hidden=11,
)  # fmt: skip
"""The layers of :class:`AudioToLandmarks` with ``small=True``."""


def conv(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(before, after, 3, 1, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU())


class ContentEncoder(nn.Module):
    def __init__(self, small: bool) -> None:
        super().__init__()
        a, b, c, d, e, h, n = (3, 4, 5, 5, 6, 9, 10) if small else (64, 128, 256, 256, 512, 2048, 256)
        self.audio_eocder = nn.Sequential(
            conv(1, a),
            conv(a, b),
            nn.MaxPool2d(3, (1, 2)),
            conv(b, c),
            conv(c, d),
            conv(d, e),
            nn.MaxPool2d(3, (2, 2)),
        )
        self.audio_eocder_fc = nn.Sequential(nn.Linear(e * 24, h), nn.ReLU(), nn.Linear(h, n), nn.ReLU())

    def forward(self, windows: Tensor) -> Tensor:
        """(B, 1, 28, 12)."""
        return self.audio_eocder_fc(self.audio_eocder(windows).flatten(1))


class EmotionEncoder(nn.Module):
    def __init__(self, small: bool) -> None:
        super().__init__()
        a, b, c, d, h = (3, 4, 5, 6, 9) if small else (64, 128, 256, 512, 2048)
        self.emotion_eocder = nn.Sequential(
            conv(1, a), nn.MaxPool2d((1, 3), (1, 2)), conv(a, b), conv(b, c), nn.MaxPool2d((12, 1), (12, 1)),
            conv(c, d), nn.MaxPool2d((1, 2), (1, 2)),
        )  # fmt: skip
        self.emotion_eocder_fc = nn.Sequential(nn.Linear(d * 6, h), nn.ReLU(), nn.Linear(h, 128), nn.ReLU())
        self.last_fc = nn.Linear(128, 8)

    def forward(self, windows: Tensor) -> Tensor:
        """(B, 1, 28, 12)."""
        return self.emotion_eocder_fc(self.emotion_eocder(windows.transpose(2, 3)).flatten(1))


class LandmarkEncoder(nn.Module):
    def __init__(self, small: bool) -> None:
        super().__init__()
        first, second = (7, 8) if small else (256, 512)
        self.lmark_encoder = nn.Sequential(
            nn.Linear(16, first), nn.ReLU(), nn.Linear(first, second), nn.ReLU()
        )


class LandmarkDecoder(nn.Module):
    def __init__(self, small: bool) -> None:
        super().__init__()
        size, hidden = (8 + 10 + 128, 11) if small else (896, 256)
        self.lstm = nn.LSTM(size, hidden, 3, batch_first=True)
        self.lstm_fc = nn.Sequential(nn.Linear(hidden, 16))


class AudioToLandmarks(nn.Module):
    """``AT_emotion``."""

    def __init__(self, small: bool) -> None:
        super().__init__()
        self.con_encoder = ContentEncoder(small)
        self.emo_encoder = EmotionEncoder(small)
        self.lm_encoder = LandmarkEncoder(small)
        self.decoder = LandmarkDecoder(small)

    @torch.no_grad()
    def landmarks(self, windows: Tensor, emotion: Tensor, basis: np.ndarray, mean: np.ndarray) -> np.ndarray:
        """(T, 106, 2) from windows (T, 28, 12) and emotion (T, 128), as the test script computes them."""
        identity = self.lm_encoder.lmark_encoder(torch.zeros(len(windows), 16))
        code = torch.cat([identity, self.con_encoder(windows[:, None]), emotion], dim=1)
        coefficients = self.decoder.lstm_fc(self.decoder.lstm(code[None])[0])[0]
        return (coefficients.numpy() @ basis[:, :16].T + mean).reshape(-1, 106, 2)


class Deconvolution(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.decon = nn.Sequential(
            nn.ConvTranspose2d(384, 256, 6, 2, 1), nn.BatchNorm2d(256), nn.ReLU(),
            nn.ConvTranspose2d(256, 128, (4, 2), 2, 1), nn.BatchNorm2d(128), nn.ReLU(),
            nn.ConvTranspose2d(128, 64, 4, 2, 1), nn.BatchNorm2d(64), nn.ReLU(),
            nn.ConvTranspose2d(64, 32, (4, 3), (2, 1), (3, 1)), nn.BatchNorm2d(32), nn.ReLU(),
            nn.ConvTranspose2d(32, 1, 3, 1, 1), nn.Tanh(),
        )  # fmt: skip


class Classify(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.last_fc = nn.Linear(128, 8)


class Disentanglement(nn.Module):
    """The model of ``99_pretrain.pth``."""

    def __init__(self) -> None:
        super().__init__()
        self.con_encoder = ContentEncoder(small=False)
        self.emo_encoder = EmotionEncoder(small=False)
        self.emo_encoder.re_id = nn.Linear(128, 3)
        self.decoder = Deconvolution()
        self.classify = Classify()

    @torch.no_grad()
    def reconstruct(self, content: Tensor, emotion: Tensor) -> Tensor:
        """Windows (B, 28, 12) from codes."""
        code = torch.cat([content, emotion], dim=1)
        return 90 * self.decoder.decon(code[:, :, None, None])[:, 0]


def random_weights(network: nn.Module, seed: int = 0) -> nn.Module:
    """The network with made-up weights and statistics that keep numbers in a usual range, not training."""
    random = torch.Generator().manual_seed(seed)
    for name, tensor in network.state_dict().items():
        if name.endswith("running_var"):
            tensor.copy_(torch.rand(tensor.shape, generator=random) + 0.5)
        elif tensor.is_floating_point():
            spread = 1.5 / max(1, tensor[0].numel()) ** 0.5 if tensor.ndim > 1 else 0.2
            tensor.copy_(torch.randn(tensor.shape, generator=random) * spread)
    return network.eval()


def parallel(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A state dict as ``DataParallel`` names it."""
    return {f"module.{name}": tensor for name, tensor in state.items()}


def write_pca(folder: Path, person: str = "M003", seed: int = 0) -> tuple[Path, Path]:
    """Files of a made-up PCA basis and mean."""
    random = np.random.default_rng(seed)
    basis, mean = folder / f"{person}_U_106.npy", folder / f"{person}_mean_106.npy"
    np.save(basis, np.linalg.qr(random.normal(size=(212, 212)))[0].astype(np.float32))
    np.save(mean, random.uniform(0.2, 0.8, 212).astype(np.float32))
    return basis, mean
