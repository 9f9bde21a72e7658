"""Numpy's own files: arrays of numbers, without pickles."""

import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evp.errors import InputError
from evp.original.files import check_size, write_whole
from evp.original.pickles import check_shape


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


def write_array(path: Path, array: NDArray[Any]) -> None:
    """Write an ``.npy`` file that appears only when it is whole. Raises OutputError."""
    content = io.BytesIO()
    np.save(content, array, allow_pickle=False)
    write_whole(path, content.getvalue())
