"""The losses of the second stage, named and numbered as in section 3.1 of the paper."""

from typing import NamedTuple

from torch import Tensor
from torch.nn.functional import cross_entropy, l1_loss


class Truth(NamedTuple):
    """What is reconstructed, and the classes of the emotions; see `evp.emotion.disentangle.dataset`."""

    x1: Tensor
    """(B, W, 28, 12) emotion 1, sentence 1."""
    x4: Tensor
    """(B, W, 28, 12) emotion 2, sentence 1, in the timing of x1."""
    emotion1: Tensor
    """(B,)"""
    emotion2: Tensor
    """(B,)"""


class Apart(NamedTuple):
    """What the networks make of fours."""

    c1: Tensor
    """(B, W, C) content of x1."""
    c2: Tensor
    """(B, W, C) content of x4."""
    c1_e1: Tensor
    """(B, W, 28, 12) decoded: ought to be x1."""
    c1_e2: Tensor
    """Ought to be x4, whose sentence was never heard in emotion 2."""
    c2_e1: Tensor
    """Ought to be x1, whose sentence was never heard in emotion 1."""
    c2_e2: Tensor
    """Ought to be x4."""
    scores1: Tensor
    """(B, classes) logits of the emotion code of x2."""
    scores2: Tensor
    """(B, classes) logits of the emotion code of x3."""
    e1: Tensor
    """(B, E) emotion of x2."""
    e2: Tensor
    """(B, E) emotion of x3."""


def disentangle_losses(truth: Truth, said: Apart) -> dict[str, Tensor]:
    """The four terms of L_dis; reconstructions by mean absolute difference (MFCC units), as in the released code."""
    return {
        "cross": l1_loss(said.c1_e2, truth.x4) + l1_loss(said.c2_e1, truth.x1),
        "self": l1_loss(said.c1_e1, truth.x1) + l1_loss(said.c2_e2, truth.x4),
        "cla": cross_entropy(said.scores1, truth.emotion1) + cross_entropy(said.scores2, truth.emotion2),
        "con": l1_loss(said.c1, said.c2),
    }
