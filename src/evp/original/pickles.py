"""Somebody else's pickles: looked at without running them, and read when they hold numbers in arrays and nothing else.

A pickle is a program. :func:`check_sizes` reads its instructions without following them; :func:`read_pickled_arrays`
follows them with stand-ins for the few functions that numpy's pickles call, so that no other function can be reached.
"""

import io
import mmap
import pickle
import pickletools
import re
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evp.errors import InputError
from evp.original.arrays import check_shape
from evp.original.files import read_bounded

_NUMBERS = re.compile(r"[<>|=]?(f[248]|[iu][1248]|b1)")
_LEAST_BOUND = 4096
"""Numbers up to this one are harmless whatever the size of the file."""

_TORCH_MAGIC = 0x1950A86A20F9469CFC6C
"""The one large number at the beginning of torch's old checkpoints."""
_READING = (
    pickle.UnpicklingError, ValueError, TypeError, KeyError, IndexError, EOFError, AttributeError, OverflowError,
)  # fmt: skip
"""What damaged or foreign pickles raise while they are read."""


def check_sizes(
    stream: io.BytesIO | mmap.mmap, size: int, path: Path, forbidden: Collection[str] = ()
) -> None:
    """Look through one pickle, from the stream's place to its end, for sizes that a file of ``size`` bytes cannot hold.

    Every length, shape and memo number in an honest pickle is at most the number of bytes of its file. Functions whose
    names are ``forbidden`` must not be named either. Nothing is run and no more memory taken than the file's.
    Raises InputError.
    """
    bound = max(size, _LEAST_BOUND)
    try:
        for _, argument, _ in pickletools.genops(stream):  # type: ignore[arg-type]
            if isinstance(argument, int) and abs(argument) > bound and argument != _TORCH_MAGIC:
                raise InputError(
                    f"{path}: refused: it declares a size of {argument}, the file has {size} bytes"
                )
            if isinstance(argument, str) and (named := set(argument.split()).intersection(forbidden)):
                raise InputError(f"{path}: refused: it would run {named.pop()}")
    except (ValueError, IndexError, KeyError) as error:
        raise InputError(f"{path}: not a pickle, or it was cut off") from error


def read_pickled_arrays(path: Path, shapes: dict[str, tuple[int | None, ...]]) -> dict[str, NDArray[Any]]:
    """The arrays of a pickled dictionary of numpy arrays, such as ``base_weight.pickle``.

    ``shapes`` are the keys that must be there and their shapes; None is any length. Raises InputError, which names the
    file and the key.
    """
    content = read_bounded(path)
    check_sizes(io.BytesIO(content), len(content), path)
    try:
        stored = _ArrayUnpickler(io.BytesIO(content), encoding="latin1").load()
    except _READING as error:
        raise InputError(f"{path}: refused: {error}") from error
    if not isinstance(stored, dict):
        raise InputError(f"{path}: expected a dictionary with {', '.join(shapes)}")
    return {key: _array(stored, key, shape, path) for key, shape in shapes.items()}


def _array(stored: dict[Any, Any], key: str, shape: tuple[int | None, ...], path: Path) -> NDArray[Any]:
    if key not in stored:
        raise InputError(f"{path}: {key} is missing")
    if not isinstance(stored[key], _Array):
        raise InputError(f"{path}: {key} is not an array of numbers")
    try:
        found: NDArray[Any] = stored[key].numbers()
    except _READING as error:
        raise InputError(f"{path}: {key} is not an array of numbers ({error})") from error
    check_shape(found, shape, f"{path}: {key}")
    return found


class _Type:
    """Stands in for ``numpy.dtype``: numbers only."""

    def __init__(self, code: str, *_: object) -> None:
        if not (isinstance(code, str) and _NUMBERS.fullmatch(code)):
            raise pickle.UnpicklingError("it holds text or objects where numbers should be")
        self.code = code.lstrip("<>|=")

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.code = ("" if state[1] == "|" else str(state[1])) + self.code
        if not _NUMBERS.fullmatch(self.code):
            raise pickle.UnpicklingError("it holds a strange type of number")


class _Array:
    """Stands in for ``numpy.ndarray``, and for the function that makes an empty one to be filled."""

    parts: tuple[Any, ...] = ()
    """Shape, type, order and bytes: nothing is made of them until the array is asked for."""

    def __init__(self, *_: object) -> None:
        pass

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, kind, fortran, raw = state
        self.parts = shape, kind, "F" if fortran else "C", raw

    def numbers(self) -> NDArray[Any]:
        """The array. Raises ValueError when it is not one of numbers."""
        shape, kind, order, raw = self.parts
        if isinstance(raw, str):
            raw = raw.encode("latin1")
        if not isinstance(raw, bytes | bytearray) or not isinstance(kind, _Type):
            raise ValueError("text or objects where numbers should be")
        return np.frombuffer(raw, np.dtype(kind.code)).reshape(shape, order=order)


def _from_buffer(raw: Any, kind: Any, shape: Any, order: Any) -> _Array:
    """Stands in for numpy's ``_frombuffer`` of protocol 5."""
    array = _Array()
    array.parts = shape, kind, order, raw
    return array


def _as_text(text: Any, _: Any) -> Any:
    """Stands in for ``_codecs.encode``, with which protocol 2 writes bytes: they stay text, as in the file."""
    return text


_STAND_INS = {
    ("numpy", "dtype"): _Type,
    ("numpy", "ndarray"): _Array,
    ("numpy.core.multiarray", "_reconstruct"): _Array,
    ("numpy._core.multiarray", "_reconstruct"): _Array,
    ("numpy.core.numeric", "_frombuffer"): _from_buffer,
    ("numpy._core.numeric", "_frombuffer"): _from_buffer,
    ("_codecs", "encode"): _as_text,
}


class _ArrayUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _STAND_INS:
            raise pickle.UnpicklingError(f"it would run {module}.{name}")
        return _STAND_INS[module, name]

    def persistent_load(self, number: Any) -> Any:
        raise pickle.UnpicklingError(f"it refers to something outside of it ({number})")
