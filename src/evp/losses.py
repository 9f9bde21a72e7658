"""How the losses of every training stage become one number."""

from collections.abc import Mapping

import torch
from torch import Tensor


def weighted_sum(losses: Mapping[str, Tensor], weights: Mapping[str, float]) -> Tensor:
    """Sum of ``losses`` times ``weights``; raises ValueError when the names differ: no loss is forgotten silently."""
    if losses.keys() != weights.keys():
        raise ValueError(f"losses {sorted(losses)} but weights {sorted(weights)}")
    return torch.stack([weights[name] * loss for name, loss in losses.items()]).sum()
