"""What must not be read in the codes of whole recordings, and what must: losses beside the paper's four."""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

MEMORY = 0.99
"""What a reader keeps of what it knew before a batch."""
RIDGE = 5e-4
"""Penalty of a reader's weights, as a share of all that it has seen."""


class Whole(NamedTuple):
    """What R recordings are written as, and what they are."""

    content: Tensor
    """(R, W, C) content codes of windows from all over a recording, in its own timing."""
    emotion: Tensor
    """(R, E) emotion codes."""
    emotions: Tensor
    """(R,) the classes of the emotions."""
    sentences: Tensor
    """(R,) the numbers of the sentences."""


class Reader(nn.Module):
    """Reads a class in codes by ridge regression on all that it was shown, the last batches above all.

    It is solved anew for every batch, so that codes cannot run away from it. Its own weights are not trained through.
    """

    moments: Tensor
    products: Tensor

    def __init__(self, size: int, classes: int) -> None:
        super().__init__()
        self.classes = classes
        self.standardise = nn.BatchNorm1d(size, affine=False, momentum=0.05)
        self.register_buffer("moments", torch.zeros(size + 1, size + 1))
        self.register_buffer("products", torch.zeros(size + 1, classes))

    def forward(self, codes: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Codes (N, size) of the classes ``labels`` (N,) -> what is read, and the truth, both (N, classes).

        Zero is what guessing gives; every class counts alike.
        """
        standard = self.standardise(codes) / codes.shape[1] ** 0.5
        seen = torch.cat([standard, standard.new_ones(len(codes), 1)], dim=1)
        truth = one_hot(labels, self.classes) - 1 / self.classes
        with torch.no_grad():
            share = 1 / torch.bincount(labels, minlength=self.classes)[labels]
            weighted = seen * (share / share.mean())[:, None]
            self.moments.mul_(MEMORY).add_(weighted.T @ seen)
            self.products.mul_(MEMORY).add_(weighted.T @ truth)
            ridge = RIDGE * self.moments.trace() * torch.eye(len(self.moments))
            weights = torch.linalg.solve(self.moments + ridge, self.products)
        read = seen @ weights
        return read - read.mean(dim=0), truth


class Readers(nn.Module):
    """One reader for each thing that a code must tell or must keep to itself."""

    def __init__(self, content: int, emotion: int, emotions: int, sentences: int) -> None:
        super().__init__()
        self.emotion_in_content = Reader(2 * content, emotions)
        self.emotion_in_window = Reader(content, emotions)
        self.sentence_in_content = Reader(2 * content, sentences)
        self.sentence_in_emotion = Reader(emotion, sentences)

    def forward(self, whole: Whole) -> dict[str, Tensor]:
        """Named losses, 0..1 or so: how much is read that ought not to be, and how much is not that ought to be."""
        recording = torch.cat(torch.std_mean(whole.content, dim=1, unbiased=False), dim=1)
        window, of_window = (
            whole.content.flatten(0, 1),
            whole.emotions.repeat_interleave(whole.content.shape[1]),
        )
        return {
            "emotion in c": _read(*self.emotion_in_content(recording, whole.emotions)),
            "emotion in one c": _read(*self.emotion_in_window(window, of_window)),
            "sentence in e": _read(*self.sentence_in_emotion(whole.emotion, whole.sentences)),
            "sentence not in c": _unread(*self.sentence_in_content(recording, whole.sentences)),
        }


def _read(read: Tensor, truth: Tensor) -> Tensor:
    """Share of the classes' variance that is claimed to be known."""
    return read.square().mean() / truth.square().mean()


def _unread(read: Tensor, truth: Tensor) -> Tensor:
    """Share of the classes' variance that is not known."""
    return (read - truth).square().mean() / truth.square().mean()
