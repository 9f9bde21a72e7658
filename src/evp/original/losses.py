"""What the landmark network learns from (EVP section 3.2, and the release's weights)."""

from torch import Tensor

WEIGHTS = {"coefficients": 1.0, "landmarks": 10.0}


def landmark_losses(predicted: Tensor, true: Tensor, basis: Tensor) -> dict[str, Tensor]:
    """Mean squared errors of coefficients (B, T, C) and of the landmarks they mean by the PCA ``basis`` (212, C)."""
    off = predicted - true
    return {"coefficients": off.square().mean(), "landmarks": (off @ basis.T).square().mean()}
