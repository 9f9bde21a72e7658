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
        stored = _ArrayUnpickler(content).load()
    except _READING as error:
        raise InputError(f"{path}: refused: {error}") from error
    if not isinstance(stored, dict):
        raise InputError(f"{path}: expected a dictionary with {', '.join(shapes)}")
    return {key: _array(stored, key, shape, path) for key, shape in shapes.items()}


def _array(stored: dict[Any, Any], key: str, shape: tuple[int | None, ...], path: Path) -> NDArray[Any]:
    if key not in stored:
        raise InputError(f"{path}: {key} is missing")
    if not isinstance(stored[key], _Array) or stored[key].value is None:
        raise InputError(f"{path}: {key} is not an array of numbers")
    found: NDArray[Any] = stored[key].value
    check_shape(found, shape, f"{path}: {key}")
    return found


def check_shape(array: NDArray[Any], shape: tuple[int | None, ...], name: str) -> None:
    """Raises InputError, beginning with ``name``, unless ``array`` has this ``shape`` (None: any) of finite numbers."""
    fits = array.ndim == len(shape) and all(b in (None, a) for a, b in zip(array.shape, shape, strict=False))
    if not fits:
        wanted = ", ".join("any" if length is None else str(length) for length in shape)
        raise InputError(f"{name} has the shape {array.shape}, expected ({wanted})")
    if array.dtype.kind not in "fiub":
        raise InputError(f"{name} holds text or objects where numbers should be")
    if not np.isfinite(array).all():
        raise InputError(f"{name} holds values that are not finite numbers")


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
    """Stands in for ``numpy.ndarray``: takes the numbers out of the bytes in the pickle."""

    value: NDArray[Any] | None = None

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, kind, fortran, raw = state
        self.value = _from_bytes(raw, kind, shape, "F" if fortran else "C")


def _from_bytes(raw: Any, kind: Any, shape: Any, order: Any) -> NDArray[Any]:
    if isinstance(raw, str):  # Python 2 had one type for both
        raw = raw.encode("latin1")
    if not isinstance(raw, bytes | bytearray) or not isinstance(kind, _Type):
        raise pickle.UnpicklingError("it holds text or objects where numbers should be")
    flat: NDArray[Any] = np.frombuffer(raw, np.dtype(kind.code))
    return flat.reshape(shape, order="F" if order == "F" else "C")


def _rebuilt(*_: object) -> _Array:
    """Stands in for numpy's ``_reconstruct``, which would take as much memory as the file asks for."""
    return _Array()


def _from_buffer(raw: Any, kind: Any, shape: Any, order: Any) -> _Array:
    """Stands in for numpy's ``_frombuffer`` of protocol 5."""
    array = _Array()
    array.value = _from_bytes(raw, kind, shape, order)
    return array


_STAND_INS = {
    ("numpy", "dtype"): _Type,
    ("numpy", "ndarray"): _Array,
    ("numpy.core.multiarray", "_reconstruct"): _rebuilt,
    ("numpy._core.multiarray", "_reconstruct"): _rebuilt,
    ("numpy.core.numeric", "_frombuffer"): _from_buffer,
    ("numpy._core.numeric", "_frombuffer"): _from_buffer,
}


class _ArrayUnpickler(pickle.Unpickler):
    def __init__(self, content: bytes) -> None:
        super().__init__(io.BytesIO(content), encoding="latin1")
        self._left = len(content)

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("_codecs", "encode"):
            return self._encode
        if (module, name) not in _STAND_INS:
            raise pickle.UnpicklingError(f"it would run {module}.{name}")
        return _STAND_INS[module, name]

    def _encode(self, text: Any, encoding: Any) -> bytes:
        """Stands in for ``_codecs.encode``, with which protocol 2 writes bytes; a text is not to be written twice."""
        if not isinstance(text, str) or encoding != "latin1":
            raise pickle.UnpicklingError("it would run _codecs.encode on something else than bytes")
        self._left -= len(text)
        if self._left < 0:
            raise pickle.UnpicklingError("it would take more memory than the file has bytes")
        return text.encode("latin1")

    def persistent_load(self, number: Any) -> Any:
        raise pickle.UnpicklingError(f"it refers to something outside of it ({number})")
