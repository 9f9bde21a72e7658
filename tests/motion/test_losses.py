from dataclasses import replace

import numpy as np
import pytest
import torch

from evp.motion.losses import Geometry, Targets, motion_losses
from evp.motion.network import MotionOutput
from evp.motion.visemes import BILABIAL, NAMES, SILENCE

FRAMES, COEFFICIENTS = 50, 3
GEOMETRY = Geometry(torch.eye(3) / 3, torch.tensor([0.04, 0.0, 0.01]), torch.tensor([0.0, 0.02, 0.0]))


@pytest.fixture
def targets() -> Targets:
    torch.manual_seed(0)
    frames, rows = torch.ones(2, FRAMES), torch.full((2, 2 * FRAMES), SILENCE)
    coefficients = torch.randn(2, FRAMES, COEFFICIENTS)
    return Targets(
        coefficients, frames, frames, rows, torch.zeros(2, FRAMES, 1), torch.ones(2), torch.tensor([0, 1])
    )


def perfect(targets: Targets) -> MotionOutput:
    visemes = 50 * torch.nn.functional.one_hot(targets.visemes, len(NAMES)).float()
    closure, heard = torch.zeros(2, FRAMES), torch.zeros(2, FRAMES, 1)
    speech = 50 * (2 * targets.speech - 1)
    return MotionOutput(targets.coefficients, speech, visemes, targets.auxiliary, closure, heard)


def test_truth_costs_nothing(targets: Targets) -> None:
    losses = motion_losses(perfect(targets), targets.coefficients, targets, GEOMETRY)
    assert all(abs(float(loss)) < 1e-3 for loss in losses.values()), losses


@pytest.mark.parametrize("name", ["shape", "velocity", "measures", "correlation"])
def test_noise_costs_and_untracked_frames_do_not(targets: Targets, name: str) -> None:
    output = perfect(targets)._replace(coefficients=torch.randn(2, FRAMES, COEFFICIENTS))
    assert motion_losses(output, output.coefficients, targets, GEOMETRY)[name] > 0.3
    unknown = replace(targets, tracked=torch.zeros(2, FRAMES))
    assert motion_losses(output, output.coefficients, unknown, GEOMETRY)[name] == 0


def test_mumbling_costs_travel_but_not_correlation(targets: Targets) -> None:
    output = perfect(targets)._replace(coefficients=0.5 * targets.coefficients)
    losses = motion_losses(output, output.coefficients, targets, GEOMETRY)
    assert float(losses["travel"]) == pytest.approx(np.log(2) ** 2, rel=1e-2)
    assert losses["correlation"] < 1e-3


def test_only_an_open_bilabial_costs_closure(targets: Targets) -> None:
    opened = perfect(targets)._replace(coefficients=torch.ones(2, FRAMES, COEFFICIENTS))
    bilabial = replace(targets, visemes=torch.full((2, 2 * FRAMES), BILABIAL))
    closed = opened._replace(coefficients=-opened.coefficients)
    cost = [
        motion_losses(output, output.coefficients, truth, GEOMETRY)["closure"]
        for output, truth in ((opened, bilabial), (opened, targets), (closed, bilabial))
    ]
    assert float(cost[0]) == pytest.approx((0.05 / 0.02) ** 2) and cost[1] == cost[2] == 0


def test_unknown_auxiliary_and_labels_cost_nothing(targets: Targets) -> None:
    output = perfect(targets)._replace(auxiliary=torch.ones(2, FRAMES, 1), speech=torch.zeros(2, FRAMES))
    unknown = replace(targets, auxiliary_known=torch.zeros(2), speech=-torch.ones(2, FRAMES))
    losses = motion_losses(output, output.coefficients, unknown, GEOMETRY)
    assert losses["auxiliary"] == losses["speech"] == 0
