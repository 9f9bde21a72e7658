"""What the motion network is asked for, as named numbers."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from evp.motion.network import MotionOutput
from evp.motion.visemes import BILABIAL, UNLABELLED

TYPICAL_TRAVEL = (0.025, 0.015)
"""Standard deviation of opening and width in speech, face heights: makes their errors comparable."""


@dataclass(frozen=True)
class Geometry:
    """What mouth coefficients mean on the face; face heights per coefficient."""

    metric: Tensor
    """(M, M): c @ metric @ c is the mean square displacement of the mouth's vertices, relative to its usual size."""
    opening: Tensor
    """(M,) distance of the inner lips."""
    width: Tensor
    """(M,) distance of the mouth corners."""

    def measures(self, coefficients: Tensor) -> Tensor:
        """(B, F, M) -> (B, F, 2): change of opening and width against the neutral face."""
        return coefficients @ torch.stack([self.opening, self.width], dim=1)


@dataclass(frozen=True)
class Targets:
    """The truth for a batch of B crops of F frames."""

    coefficients: Tensor
    """(B, F, M)."""
    tracked: Tensor
    """(B, F) 1 where coefficients are known, else 0."""
    speech: Tensor
    """(B, F) 1 where somebody speaks, 0 in silence, -1 unknown."""
    visemes: Tensor
    """(B, 2 F) class numbers at 50 Hz, UNLABELLED where unknown."""
    auxiliary: Tensor
    """(B, F, A)."""
    auxiliary_known: Tensor
    """(B,) 1 where auxiliary is given, else 0."""
    speaker: Tensor
    """(B,) speaker number."""


def motion_losses(
    output: MotionOutput, styled: Tensor, targets: Targets, geometry: Geometry
) -> dict[str, Tensor]:
    """Named losses, each near 1 for a network that knows nothing.

    ``styled`` (B, F, M) are the coefficients in the style of each crop's speaker; the lips must close, and travel far
    enough, in the coefficients without style too, which are what the network gives for an unknown speaker.
    """
    known = targets.tracked
    error = styled - targets.coefficients
    both = known[:, 1:] * known[:, :-1]
    true, said = geometry.measures(targets.coefficients), geometry.measures(styled)
    return {
        "shape": _mean(_squared(error, geometry.metric), known),
        "velocity": _mean(_squared(error.diff(dim=1), geometry.metric), both),
        "measures": _mean(((said - true) / said.new_tensor(TYPICAL_TRAVEL)).square().mean(dim=2), known),
        "correlation": _decorrelation(geometry.measures(output.coefficients), true, known),
        "travel": _travel(geometry.measures(output.coefficients), true, known),
        "closure": _closure(geometry.measures(output.coefficients)[..., 0], targets.visemes),
        "visemes": cross_entropy(
            output.visemes.flatten(0, 1), targets.visemes.flatten(), ignore_index=UNLABELLED
        ),
        "speech": _activity(output.speech, targets.speech),
        "auxiliary": _mean(_mean_square(output.auxiliary - targets.auxiliary), targets.auxiliary_known),
    }


def _mean(values: Tensor, mask: Tensor) -> Tensor:
    return (values * mask).sum() / mask.sum().clamp_min(1)


def _mean_square(error: Tensor) -> Tensor:
    """(B, F, A) -> (B,); 0 when A is 0."""
    return error.square().sum(dim=(1, 2)) / max(error[0].numel(), 1)


def _squared(error: Tensor, metric: Tensor) -> Tensor:
    return (error @ metric * error).sum(dim=2)


def _centred(values: Tensor, mask: Tensor) -> Tensor:
    """(B, F, 2) minus the mean over each crop's known frames; 0 elsewhere."""
    count = mask.sum(dim=1).clamp_min(1)[:, None, None]
    return (values - (values * mask[..., None]).sum(dim=1, keepdim=True) / count) * mask[..., None]


def _masked_variance(values: Tensor, mask: Tensor) -> Tensor:
    """(B, F, 2) -> (B, 2)."""
    return _centred(values, mask).square().sum(dim=1) / mask.sum(dim=1).clamp_min(1)[:, None]


def _decorrelation(said: Tensor, true: Tensor, mask: Tensor) -> Tensor:
    """1 - Pearson r of each crop, mean over crops that have enough known frames and move."""
    a, b = _centred(said, mask), _centred(true, mask)
    r = (a * b).sum(dim=1) / (a.square().sum(dim=1) * b.square().sum(dim=1) + 1e-9).sqrt()
    return _mean(1 - r, _measurable(mask, true))


def _travel(said: Tensor, true: Tensor, mask: Tensor) -> Tensor:
    """Squared logarithm of the ratio of standard deviations."""
    ratio = (_masked_variance(said, mask) + 1e-7).log() - (_masked_variance(true, mask) + 1e-7).log()
    return _mean((ratio / 2).square(), _measurable(mask, true))


def _measurable(mask: Tensor, true: Tensor) -> Tensor:
    """(B, 2): crops with at least a second of known frames."""
    return (mask.sum(dim=1, keepdim=True) >= 25).float().expand(-1, true.shape[2])


def _closure(opening: Tensor, visemes: Tensor) -> Tensor:
    """Opening beyond the closed lips, in units of 2 % of face height, squared, where a bilabial is held."""
    held = (visemes == BILABIAL).float().reshape(len(visemes), -1, 2).mean(dim=2)
    return _mean((torch.relu(opening) / 0.02).square().clamp_max(9), (held == 1).float())


def _activity(logits: Tensor, speech: Tensor) -> Tensor:
    each = binary_cross_entropy_with_logits(logits, speech.clamp_min(0), reduction="none")
    return _mean(each, (speech >= 0).float())
