"""What the emotion network is trained to do."""

from torch import Tensor
from torch.nn.functional import cross_entropy


def emotion_losses(logits: Tensor, classes: Tensor, smoothing: float) -> dict[str, Tensor]:
    """Named losses of B windows: ``logits`` (B, L), ``classes`` (B,).

    ``classification``: cross-entropy, L_cla of the paper, with ``smoothing`` of the labels, 0..1: not every moment of
    an angry recording is angry.
    """
    return {"classification": cross_entropy(logits, classes, label_smoothing=smoothing)}
