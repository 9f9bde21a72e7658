"""Somebody else's torch checkpoints: tensors by name, and nothing else. Needs torch, inside the functions."""

import io
import mmap
import pickle
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from evp.errors import InputError
from evp.original.files import LARGEST, check_size
from evp.original.pickles import check_sizes

if TYPE_CHECKING:
    from torch import Tensor, nn

_ARCHIVE = b"PK\x03\x04"
"""How torch tells its two kinds of file apart."""
_LEGACY_PICKLES = 5
_ALLOCATORS = frozenset({"bytearray", "_codecs"})
"""What ``weights_only`` lets through although no state dict needs it: repeated, it takes any amount of memory."""
_READING = (
    zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError, TypeError, KeyError, AttributeError, EOFError,
    IndexError, OverflowError, MemoryError,
)  # fmt: skip
"""What damaged files raise while they are read."""
_PARALLEL = "module."
"""What ``DataParallel`` puts before every name."""


@dataclass(frozen=True)
class Match:
    """What of a checkpoint went into a network."""

    path: Path
    matched: tuple[str, ...]
    """Names of tensors, as in the checkpoint, that the network took."""
    left: tuple[str, ...]
    """Names of tensors that the network has no place for."""

    def __str__(self) -> str:
        left = f"left: {', '.join(self.left)}" if self.left else "nothing left"
        return f"{self.path}: {len(self.matched)} tensors matched, {left}"


def read_checkpoint(path: Path) -> "dict[str, Tensor]":
    """The tensors of a state dict, in memory, without the ``module.`` of parallel training.

    The file is the state dict, or a larger checkpoint with a state dict ``model`` (the original's) or ``network`` (this
    project's). Code in the file is never run, and sizes are checked before memory is taken. Raises InputError.
    """
    stored = _load(path)
    for part in ("model", "network"):
        if isinstance(stored, Mapping) and isinstance(stored.get(part), Mapping):
            stored = stored[part]
    return _tensors(stored, path)


def load_by_name(
    network: "nn.Module", tensors: "Mapping[str, Tensor]", names: Mapping[str, str], path: Path
) -> Match:
    """Give ``tensors`` to ``network``, uncopied; ``names``: beginnings of the checkpoint's names -> of the network's.

    Raises InputError, which names the file and the key, when a tensor is missing or has another shape.
    """
    import torch

    renamed = {name: _renamed(name, names) for name in tensors}
    sources = {new: old for old, new in renamed.items() if new is not None}
    state = {}
    for name, own in network.state_dict().items():
        if name not in sources:
            if name.endswith("num_batches_tracked"):  # torch before 0.4.1 did not count
                state[name] = torch.zeros(own.shape, dtype=own.dtype)
                continue
            raise InputError(f"{path}: {_original(name, names)} is missing")
        tensor = tensors[sources[name]]
        if tensor.shape != own.shape:
            raise InputError(
                f"{path}: {sources[name]} has the shape {tuple(tensor.shape)}, expected {tuple(own.shape)}"
            )
        state[name] = tensor.to(own.dtype)
    network.load_state_dict(state, assign=True)
    matched = tuple(sources[name] for name in state if name in sources)
    return Match(path, matched, tuple(name for name in tensors if name not in set(matched)))


def _renamed(name: str, names: Mapping[str, str]) -> str | None:
    for theirs, ours in names.items():
        if name.startswith(theirs):
            return ours + name.removeprefix(theirs)
    return None


def _original(name: str, names: Mapping[str, str]) -> str:
    for theirs, ours in names.items():
        if name.startswith(ours):
            return theirs + name.removeprefix(ours)
    return name


def _load(path: Path) -> Any:
    import torch

    size = check_size(path)
    try:
        with path.open("rb") as file:
            if file.read(len(_ARCHIVE)) == _ARCHIVE:
                _check_archive(file, size, path)
            elif size:
                _check_legacy(file, size, path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        found = re.search(r"GLOBAL (\S+)", str(error))
        why = f"it would run {found[1]}" if found else "it holds something else than tensors"
        raise InputError(f"{path}: refused: {why}") from error
    except _READING as error:
        raise InputError(f"{path}: not a checkpoint of torch, or it was cut off") from error
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error


def _check_archive(file: BinaryIO, size: int, path: Path) -> None:
    """The archives of torch since 1.6 hold one pickle and the tensors' bytes, none of them compressed."""
    with zipfile.ZipFile(file) as archive:
        unpacked = sum(member.file_size for member in archive.infolist())
        if unpacked > size:
            raise InputError(f"{path}: refused: {size} bytes that would become {unpacked}")
        for name in archive.namelist():
            if name.endswith(".pkl"):
                check_sizes(io.BytesIO(archive.read(name)), size, path, _ALLOCATORS)


def _check_legacy(file: BinaryIO, size: int, path: Path) -> None:
    """The files of torch before 1.6 begin with pickles: magic number, version, machine, content, names."""
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:  # reads no further than the file
        for _ in range(_LEGACY_PICKLES):
            check_sizes(mapped, size, path, _ALLOCATORS)


def _tensors(stored: Any, path: Path) -> "dict[str, Tensor]":
    import torch

    if not isinstance(stored, Mapping) or not stored:
        raise InputError(f"{path}: expected named tensors")
    tensors, total = {}, 0
    for name, tensor in stored.items():
        if (
            not isinstance(name, str)
            or not isinstance(tensor, torch.Tensor)
            or tensor.layout != torch.strided
        ):
            raise InputError(f"{path}: {name} is not a tensor")
        total += tensor.numel() * tensor.element_size()  # a view can be larger than what it is a view of
        if total > LARGEST:
            raise InputError(f"{path}: refused: {name} would take more than {LARGEST} bytes")
        if tensor.is_floating_point() and not tensor.isfinite().all():
            raise InputError(f"{path}: {name} holds values that are not finite numbers")
        tensors[name.removeprefix(_PARALLEL)] = tensor
    return tensors
