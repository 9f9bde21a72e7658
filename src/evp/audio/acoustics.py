"""What a phone recogniser's ear makes of a sound: it has listened to far more voices than we have.

The recogniser is that of hama (extra ``train``), a conformer that writes down the phones of many languages. Only the
first two of its four blocks are used: what they say changes as smoothly as a mouth moves, while the last ones say
which phone it is at one moment and nothing around it. Each row hears a bounded stretch of sound here, so that long
sound can be processed in blocks.
"""

import struct
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import gelu, glu, scaled_dot_product_attention, silu

from evp.audio.mel import BANDS, HIGHEST_HZ, LOWEST_HZ, WINDOW_SAMPLES
from evp.clock import SAMPLE_RATE
from evp.errors import MissingExtraError

EAR = 144
"""Numbers of a row of what is heard."""
BLOCKS = 2
"""Of the recogniser's four."""
HEADS = 4
ATTENTION_ROWS = 32
"""How far, in rows of 20 ms, each block attends to; the recogniser's own attends to everything."""
_KERNEL_ROWS = 15
EAR_ROWS = BLOCKS * (ATTENTION_ROWS + _KERNEL_ROWS) + 1
"""Rows of 20 ms on both sides that a row depends on."""
MEAN_SPEECH = (0, 7, 19, 43, 63), (-1.0, -2.0, -7.6, -8.3, -12.0)
"""Bands, and the natural logarithm of their energy in the speech the recogniser is used to; straight lines between."""
PIECE_ROWS = 1000
"""Rows of 10 ms that are heard at once."""

_MAGIC = b"HAMAPK\x01\x02"
_PREFIX = "acoustic_model.model.blocks.{}."
_CONVOLUTION, _CONVOLUTIONS = 801, 3
_MATRICES = {"forth1": 829, "back1": 830, "attend": 831, "attended": 835, "forth2": 836, "back2": 837}
_MATRICES_OF_A_BLOCK = 9


@cache
def read_recogniser() -> dict[str, NDArray[np.floating]]:
    """The recogniser's named arrays, float32. Raises MissingExtraError where hama is not installed.

    The package is not imported: its arrays are all that is wanted.
    """
    found = find_spec("hama")
    if found is None or not found.submodule_search_locations:
        raise MissingExtraError("this training needs hama: pip install 'evp[train]'")
    content = (Path(found.submodule_search_locations[0]) / "assets" / "asr_waveform.hama").read_bytes()
    if content[:8] != _MAGIC:
        raise ValueError("hama's recogniser has another layout than expected")
    place, entries = 12, []
    for _ in range(int.from_bytes(content[8:12], "little")):
        (length,) = struct.unpack_from("<H", content, place)
        name = content[place + 2 : place + 2 + length].decode()
        place += 2 + length
        half, axes = content[place : place + 2]
        shape = struct.unpack_from(f"<{axes}I", content, place + 2)
        begin, size = struct.unpack_from("<QQ", content, place + 2 + 4 * axes)
        place += 18 + 4 * axes
        entries.append((name, "<f2" if half else "<f4", shape, begin, size))
    start = len(content) - max(begin + size for *_, begin, size in entries)
    return {
        name: np.frombuffer(content, kind, size // int(kind[-1]), start + begin)
        .reshape(shape)
        .astype(np.float32)
        for name, kind, shape, begin, size in entries
    }


def mean_speech() -> NDArray[np.floating]:
    """(BANDS,) natural logarithm of the energies in the speech that the recogniser is used to."""
    return np.interp(np.arange(BANDS), *MEAN_SPEECH)


def filters(bank: NDArray[np.floating]) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Log energies of the recogniser's filters, ``bank`` (bins, filters), from ours: (BANDS, filters) and (filters,).

    Each is interpolated between the two of our bands around its centre; ours have the sum 1, these have not.
    """
    centres = np.arange(len(bank)) * SAMPLE_RATE / 2 / (len(bank) - 1) @ bank / bank.sum(axis=0)
    lowest, highest = _mel(np.array([LOWEST_HZ, HIGHEST_HZ]))
    place = (_mel(centres) - lowest) / (highest - lowest) * (BANDS + 1) - 1
    below = np.clip(np.floor(place).astype(int), 0, BANDS - 2)
    share = np.clip(place - below, 0, 1)
    mix, column = np.zeros((BANDS, len(centres))), np.arange(len(centres))
    mix[below, column] = 1 - share
    mix[below + 1, column] += share
    window = np.hanning(WINDOW_SAMPLES + 1)[:-1]
    return mix, np.log(bank.sum(axis=0) * np.sum(window**2))


def _mel(hertz: NDArray[np.floating]) -> NDArray[np.floating]:
    return np.asarray(2595 * np.log10(1 + hertz / 700))


class Block(nn.Module):
    """One block of a conformer: a step forward, attention, convolution, a step forward."""

    def __init__(self) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(EAR) for _ in range(5))
        self.forth1, self.back1 = nn.Linear(EAR, 4 * EAR), nn.Linear(4 * EAR, EAR)
        self.attend, self.attended = nn.Linear(EAR, 3 * EAR), nn.Linear(EAR, EAR)
        self.before = nn.Conv1d(EAR, 2 * EAR, 1)
        self.around = nn.Conv1d(EAR, EAR, 2 * _KERNEL_ROWS + 1, padding=_KERNEL_ROWS, groups=EAR)
        self.after = nn.Conv1d(EAR, EAR, 1)
        self.forth2, self.back2 = nn.Linear(EAR, 4 * EAR), nn.Linear(4 * EAR, EAR)

    def forward(self, x: Tensor, near: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(B, T, EAR) -> what goes on to the next block, and what is found around each row: each (B, T, EAR).

        ``near`` (T, T) says which rows attend to which: otherwise all to all.
        """
        x = x + self.back1(silu(self.forth1(self.norms[0](x)))) / 2
        heads = self.attend(self.norms[1](x)).unflatten(2, (3, HEADS, -1)).permute(2, 0, 3, 1, 4)
        heard = scaled_dot_product_attention(heads[0], heads[1], heads[2], attn_mask=near)
        x = x + self.attended(heard.transpose(1, 2).flatten(2))
        around = silu(self.around(glu(self.before(self.norms[2](x).transpose(1, 2)), dim=1)))
        x = x + self.after(around).transpose(1, 2)
        x = x + self.back2(silu(self.forth2(self.norms[3](x)))) / 2
        return self.norms[4](x), around.transpose(1, 2)


class Ear(nn.Module):
    """From our rows to what the recogniser hears; nothing in it is trained."""

    def __init__(self, arrays: Mapping[str, NDArray[np.floating]]) -> None:
        super().__init__()
        mix, gain = filters(arrays["mel_fb"])
        self.mix: Tensor
        self.plain: Tensor
        self.register_buffer("mix", torch.tensor(mix, dtype=torch.float32))
        plain = mean_speech() @ mix + gain
        self.register_buffer("plain", torch.tensor(plain, dtype=torch.float32))
        self.first = nn.Conv1d(mix.shape[1], EAR, 3, stride=2, padding=1)
        self.blocks = nn.ModuleList(Block() for _ in range(BLOCKS))
        self.load_state_dict({name: torch.from_numpy(array) for name, array in _named(arrays)}, strict=False)
        self.requires_grad_(False)

    def forward(self, rows: Tensor) -> Tensor:
        """Rows minus mean speech (B, R, BANDS) -> (B, R / 2, EAR)."""
        x = self.rows(rows)
        place = torch.arange(x.shape[1])
        near = (place[:, None] - place[None]).abs() <= ATTENTION_ROWS
        for block in self.blocks:
            x, _ = block(x, near)
        return x

    def rows(self, rows: Tensor) -> Tensor:
        """Rows minus mean speech (B, R, BANDS) -> what the first block is given (B, R / 2, EAR)."""
        energies = rows @ self.mix + self.plain
        return gelu(self.first(energies.transpose(1, 2))).transpose(1, 2)


def _named(arrays: Mapping[str, NDArray[np.floating]]) -> Iterator[tuple[str, NDArray[np.floating]]]:
    """The arrays under the names that ``Ear`` has for them. Those folded by an exporter only have numbers."""
    yield "first.weight", arrays[f"onnx::Conv_{_CONVOLUTION}"]
    yield "first.bias", arrays[f"onnx::Conv_{_CONVOLUTION + 1}"]
    norms = ("ffn1.norm", "attn_norm", "conv.norm", "ffn2.norm", "norm")
    biases = {
        "forth1": "ffn1.fc1.bias", "back1": "ffn1.fc2.bias", "attend": "attn.in_proj_bias",
        "attended": "attn.out_proj.bias", "forth2": "ffn2.fc1.bias", "back2": "ffn2.fc2.bias",
    }  # fmt: skip
    for block in range(BLOCKS):
        ours, theirs = f"blocks.{block}.", _PREFIX.format(block)
        for name, number in _MATRICES.items():
            matrix = arrays[f"onnx::MatMul_{number + _MATRICES_OF_A_BLOCK * block}"]
            yield f"{ours}{name}.weight", np.ascontiguousarray(matrix.T)
            yield f"{ours}{name}.bias", arrays[theirs + biases[name]]
        around = _CONVOLUTION + _CONVOLUTIONS * (block + 1)
        for kind, number in (("weight", around), ("bias", around + 1)):
            yield f"{ours}before.{kind}", arrays[f"{theirs}conv.pointwise1.{kind}"]
            yield f"{ours}around.{kind}", arrays[f"onnx::Conv_{number}"]
            yield f"{ours}after.{kind}", arrays[f"{theirs}conv.pointwise2.{kind}"]
            for k, norm in enumerate(norms):
                yield f"{ours}norms.{k}.{kind}", arrays[f"{theirs}{norm}.{kind}"]


@cache
def ear() -> Ear:
    """The one that everybody uses."""
    return Ear(read_recogniser()).eval()


def heard_by_ear(rows: NDArray[np.floating], silence: float) -> NDArray[np.floating]:
    """``Ear`` of rows minus mean speech (R, BANDS), R even: float32 (R / 2, EAR), in pieces of bounded memory.

    Around the rows there is ``silence``.
    """
    margin = 2 * EAR_ROWS
    padded = np.pad(rows.astype(np.float32), ((margin, margin), (0, 0)), constant_values=silence)
    pieces = [np.zeros((0, EAR), np.float32)]
    for first in range(0, len(rows), PIECE_ROWS):
        last = min(first + PIECE_ROWS, len(rows))
        with torch.no_grad():
            heard = ear()(torch.from_numpy(padded[first : last + 2 * margin])[None])[0]
        pieces.append(heard[EAR_ROWS : len(heard) - EAR_ROWS].numpy())
    return np.concatenate(pieces)
