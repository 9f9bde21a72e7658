"""The total of the losses: added by name, and none forgotten."""

import pytest
import torch

from evp.losses import weighted_sum


def test_losses_meet_their_weights_by_name():
    losses = {"a": torch.tensor(2.0), "b": torch.tensor(3.0)}
    assert float(weighted_sum(losses, {"b": 10.0, "a": 0.5})) == 31.0
    for wrong in ({"a": 1.0}, {"a": 1.0, "b": 1.0, "c": 1.0}):
        with pytest.raises(ValueError, match="losses"):
            weighted_sum(losses, wrong)
