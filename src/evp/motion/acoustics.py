"""Which phone a sound is, by the acoustic model of a speech recogniser, which has heard more voices than we have.

The model is the English one of CMU Sphinx that comes with pocketsphinx (extra ``train``): for each of 42 phones 128
Gaussians in each of three streams (13 cepstra, their first and their second differences), which its states mix. Of its
states only those of phones without a context are used, and no words: a phone is as likely as its likeliest state.
"""

import re
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import avg_pool1d, pad

from evp.audio.mel import BANDS, HIGHEST_HZ, LOWEST_HZ
from evp.clock import SAMPLE_RATE
from evp.errors import MissingExtraError

CEPSTRA = 13
STATES = 3
"""Of every phone."""
LIFTER = 22
FILTERS, FILTERS_FROM_HZ, FILTERS_TO_HZ = 25, 130.0, 6800.0
EMPHASIS = 0.97
SPEECH_LOUDNESS = 10.0
"""Cepstrum 0 of the mean speech: the model takes away the mean over recordings, in which there is silence too."""
CAUTION = 2.0
"""Divides log likelihoods: neighbouring rows are not as independent as the model takes them for."""
PIECE_ROWS = 1000
"""Rows that are scored at once."""
_MARGIN = 4
"""Rows before and after a piece that its differences need."""
LOG_SCALE = -0.1024
"""Natural logarithm of a mixture weight for every step of its byte in the model's file."""


class Gaussians(NamedTuple):
    """The model's numbers: P phones, 3 streams, D densities."""

    mean: NDArray[np.floating]
    """(P, 3, D, CEPSTRA)."""
    variance: NDArray[np.floating]
    """(P, 3, D, CEPSTRA)."""
    mixture: NDArray[np.floating]
    """(P, 3, D, STATES), positive, sum over D is 1."""


@cache
def read_gaussians() -> Gaussians:
    """From the files of pocketsphinx's English model. Raises MissingExtraError where it is not installed."""
    try:
        folder = files("pocketsphinx") / "model" / "en-us" / "en-us"
    except ModuleNotFoundError as error:
        raise MissingExtraError("training motion needs pocketsphinx: pip install 'evp[train]'") from error
    means, variances = (_parameters((folder / name).read_bytes()) for name in ("means", "variances"))
    phones, streams, densities, _ = means.shape
    senones = (folder / "sendump").read_bytes()
    head = 0
    while length := int.from_bytes(senones[head : head + 4], "little"):
        head += 4 + length
    rows, columns = np.frombuffer(senones, "<i4", 2, head + 4)
    if rows != densities:
        raise ValueError("pocketsphinx's English model has another layout than expected")
    weights = np.frombuffer(senones, np.uint8, streams * rows * columns, head + 12).reshape(streams, rows, -1)
    mixture = np.exp(LOG_SCALE * weights[:, :, : phones * STATES].astype(np.float64))
    mixture = (mixture / mixture.sum(axis=1, keepdims=True)).reshape(streams, densities, phones, STATES)
    return Gaussians(means, np.maximum(variances, 1e-4), mixture.transpose(2, 0, 1, 3))


def phone_names() -> tuple[str, ...]:
    """The names of the P phones, ARPAbet; SIL and two kinds of noise are among them."""
    model = (files("pocketsphinx") / "model" / "en-us" / "en-us" / "mdef").read_bytes()
    count = len(read_gaussians().mean)
    return tuple(name.decode() for name in re.findall(rb"[A-Z+]{1,5}(?=\0)", model[:3000])[:count])


def _parameters(content: bytes) -> NDArray[np.floating]:
    """A file of means or variances: a text head, the byte order, sizes, and the numbers."""
    place = content.index(b"endhdr\n") + len(b"endhdr\n") + 4
    codebooks, streams, densities, *lengths = np.frombuffer(content, "<u4", 6, place)
    place += 4 * 7
    count = codebooks * densities * sum(lengths)
    return np.frombuffer(content, "<f4", count, place).reshape(codebooks, streams, densities, -1)


def filters() -> NDArray[np.floating]:
    """(FILTERS, BANDS): the model's triangular filters, each of sum 1, on the energies of our bands."""
    centres = _hertz(np.linspace(_mel(LOWEST_HZ), _mel(HIGHEST_HZ), BANDS + 2)[1:-1])
    edges = _hertz(np.linspace(_mel(FILTERS_FROM_HZ), _mel(FILTERS_TO_HZ), FILTERS + 2))
    rows = []
    for (left, middle), (_, right) in pairwise(pairwise(edges)):
        triangle = np.minimum((centres - left) / (middle - left), (right - centres) / (right - middle))
        rows.append(np.clip(triangle, 0, None) * np.gradient(centres))
    return np.stack([row / row.sum() for row in rows])


def emphasis() -> NDArray[np.floating]:
    """(BANDS,): what the model's first difference of the samples adds to log energies."""
    centres = _hertz(np.linspace(_mel(LOWEST_HZ), _mel(HIGHEST_HZ), BANDS + 2)[1:-1])
    return np.log(np.abs(1 - EMPHASIS * np.exp(-2j * np.pi * centres / SAMPLE_RATE)) ** 2)


def cepstrum() -> NDArray[np.floating]:
    """(CEPSTRA, FILTERS): orthonormal cosines, liftered."""
    order, place = np.arange(CEPSTRA)[:, None], np.arange(FILTERS) + 0.5
    cosines = np.cos(np.pi * order * place / FILTERS) * np.sqrt(2 / FILTERS)
    cosines[0] = np.sqrt(1 / FILTERS)
    return cosines * (1 + LIFTER / 2 * np.sin(np.pi * order / LIFTER))


def _mel(hertz: float) -> float:
    return 2595 * float(np.log10(1 + hertz / 700))


def _hertz(mel: NDArray[np.floating]) -> NDArray[np.floating]:
    return 700 * (10 ** (mel / 2595) - 1)


class PhoneScores(nn.Module):
    """How likely every phone is at every moment; nothing in it is trained."""

    def __init__(self, gaussians: Gaussians) -> None:
        super().__init__()
        self.phones = len(gaussians.mean)
        self.filters: Tensor
        self.emphasis: Tensor
        self.cepstrum: Tensor
        self.loudness: Tensor
        self.form: Tensor
        self.constant: Tensor
        self.mixture: Tensor
        mean, variance = (array.astype(np.float64) for array in (gaussians.mean, gaussians.variance))
        form = np.concatenate([-0.5 / variance, mean / variance], axis=3)
        constant = -0.5 * (np.log(2 * np.pi * variance) + mean**2 / variance).sum(axis=3)
        flat = form.transpose(1, 3, 0, 2).reshape(form.shape[1], 2 * CEPSTRA, -1)
        loudness = np.zeros(CEPSTRA)
        loudness[0] = SPEECH_LOUDNESS
        mean_speech = cepstrum() @ np.log(filters() @ np.exp(emphasis()))
        for name, array in {
            "filters": filters().T, "emphasis": emphasis(), "cepstrum": cepstrum().T,
            "loudness": loudness - mean_speech, "form": flat,
            "constant": constant.transpose(1, 0, 2).reshape(len(flat), 1, -1),
            "mixture": gaussians.mixture.transpose(1, 0, 2, 3),
        }.items():  # fmt: skip
            self.register_buffer(name, torch.tensor(np.ascontiguousarray(array), dtype=torch.float32))

    def forward(self, rows: Tensor) -> Tensor:
        """Rows minus mean speech (B, R, BANDS) -> (B, R / 2, P) natural logarithms of probabilities."""
        energies = (rows + self.emphasis).exp() @ self.filters
        each = (energies + 1e-12).log() @ self.cepstrum + self.loudness
        total = torch.zeros(())
        for stream, form, constant, mixture in zip(
            _streams(each), self.form, self.constant, self.mixture, strict=True
        ):
            x = avg_pool1d(stream.transpose(1, 2), 2).transpose(1, 2)
            density = torch.cat([x * x, x], dim=2) @ form + constant
            density = density.unflatten(2, (self.phones, -1))
            largest = density.amax(dim=3, keepdim=True)
            mixed = (density - largest).exp().transpose(1, 2) @ mixture
            total = total + (mixed.transpose(1, 2) + 1e-30).log() + largest
        return (total.amax(dim=3) / CAUTION).log_softmax(dim=2)


@cache
def phone_scores() -> PhoneScores:
    """The one that everybody uses."""
    return PhoneScores(read_gaussians())


def scores_of(rows: NDArray[np.floating]) -> NDArray[np.floating]:
    """``PhoneScores`` of rows minus mean speech (R, BANDS), R even: float32 (R / 2, P), in pieces of bounded memory."""
    padded = np.pad(rows.astype(np.float32), ((_MARGIN, _MARGIN), (0, 0)), mode="edge")
    pieces = []
    for first in range(0, len(rows), PIECE_ROWS):
        last = min(first + PIECE_ROWS, len(rows))
        with torch.no_grad():
            scores = phone_scores()(torch.from_numpy(padded[first : last + 2 * _MARGIN])[None])[0]
        pieces.append(scores[_MARGIN // 2 : len(scores) - _MARGIN // 2].numpy())
    return np.concatenate(pieces)


def _streams(cepstra: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """(B, R, CEPSTRA) -> these, their differences over +-2 rows, and the differences of those over +-1."""
    around = pad(cepstra.transpose(1, 2), (3, 3), mode="replicate").transpose(1, 2)
    rows = cepstra.shape[1]

    def at(offset: int) -> Tensor:
        return around[:, 3 + offset : 3 + offset + rows]

    return cepstra, at(2) - at(-2), (at(3) - at(-1)) - (at(1) - at(-3))
