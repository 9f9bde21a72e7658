"""Numpy's own files: arrays of numbers, without pickles."""

import io
import math
import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from evp.errors import InputError
from evp.files import write_whole
from evp.original.files import LARGEST, check_size


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


def read_array(path: Path, shape: tuple[int | None, ...]) -> NDArray[np.float32]:
    """An ``.npy`` file of finite numbers with this ``shape`` (None: any length), as float32.

    The file is mapped, so a header that declares more than the file holds takes no memory. Raises InputError.
    """
    check_size(path)
    try:
        stored: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, EOFError, ValueError, TypeError, SyntaxError, OverflowError, MemoryError) as error:
        raise InputError(f"{path}: not an array of numbers, or it was cut off") from error
    if not isinstance(stored, np.ndarray):
        raise InputError(f"{path}: expected one array (.npy), not an archive of several")
    check_shape(stored, shape, str(path))
    return np.array(stored, np.float32)


def read_archive(path: Path, shapes: dict[str, tuple[int | None, ...]]) -> dict[str, NDArray[Any]]:
    """The arrays of finite numbers with these keys and ``shapes`` (None: any length) in an ``.npz`` file.

    Raises InputError, which names the file and the key.
    """
    check_size(path)
    try:
        with zipfile.ZipFile(path) as archive:
            return {key: _member(archive, key, shape, path) for key, shape in shapes.items()}
    except (OSError, zipfile.BadZipFile, EOFError, ValueError, NotImplementedError, RuntimeError) as error:
        raise InputError(f"{path}: not an archive of arrays, or it was cut off") from error


def _member(archive: zipfile.ZipFile, key: str, shape: tuple[int | None, ...], path: Path) -> NDArray[Any]:
    try:
        member = archive.getinfo(f"{key}.npy")
    except KeyError:
        raise InputError(f"{path}: {key} is missing") from None
    if member.file_size > LARGEST:
        raise InputError(f"{path}: refused: {key} would take {member.file_size} bytes")
    with archive.open(member) as stream:
        declared = _declared_bytes(stream)
    if declared > member.file_size:
        raise InputError(f"{path}: refused: {key} declares {declared} bytes, more than the file holds")
    with archive.open(member) as stream:
        array: NDArray[Any] = np.lib.format.read_array(stream, allow_pickle=False)  # type: ignore[no-untyped-call]
    check_shape(array, shape, f"{path}: {key}")
    return array


def _declared_bytes(stream: IO[bytes]) -> int:
    """How much memory the header of an ``.npy`` file asks for."""
    version = np.lib.format.read_magic(stream)  # type: ignore[no-untyped-call]
    first = version == (1, 0)
    read = np.lib.format.read_array_header_1_0 if first else np.lib.format.read_array_header_2_0
    shape, _, kind = read(stream)  # type: ignore[no-untyped-call]
    return int(math.prod(shape) * kind.itemsize)


def write_array(path: Path, array: NDArray[Any]) -> None:
    """Write an ``.npy`` file that appears only when it is whole. Raises OutputError."""
    content = io.BytesIO()
    np.save(content, array, allow_pickle=False)
    write_whole(path, content.getvalue())
