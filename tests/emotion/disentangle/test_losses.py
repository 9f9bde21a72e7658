import math

import pytest
import torch

from evp.emotion.disentangle.losses import Apart, Truth, disentangle_losses
from evp.emotion.disentangle.train import WEIGHTS


def test_values_are_those_computed_by_hand():
    x1, x4 = torch.zeros(1, 1, 2, 2), torch.ones(1, 1, 2, 2)
    truth = Truth(x1, x4, torch.tensor([0]), torch.tensor([1]))
    said = Apart(
        c1=torch.tensor([[[1.0, 3.0]]]),
        c2=torch.tensor([[[2.0, -1.0]]]),
        c1_e1=x1 + 0.5,
        c1_e2=x4 + torch.tensor([[2.0, -2.0], [0.0, 0.0]]),
        c2_e1=x1 - 3.0,
        c2_e2=x4,
        scores1=torch.tensor([[0.0, 0.0]]),
        scores2=torch.tensor([[0.0, math.log(3.0)]]),
        e1=torch.zeros(1, 1),
        e2=torch.zeros(1, 1),
    )
    losses = {name: loss.item() for name, loss in disentangle_losses(truth, said).items()}
    assert losses == pytest.approx({
        "cross": 1.0 + 3.0, "self": 0.5, "cla": math.log(2) + math.log(4 / 3), "con": (1 + 4) / 2
    })  # fmt: skip
    assert losses.keys() == WEIGHTS.keys()
