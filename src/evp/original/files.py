"""Somebody else's files, read with a bound on their size."""

from pathlib import Path

from evp.errors import InputError

LARGEST = 4 << 30
"""Bytes: the largest file that is opened. vid2vid's generator has 1.5 GB."""


def read_bounded(path: Path, largest: int = LARGEST) -> bytes:
    """The content of a file. Raises InputError when it is missing or larger than ``largest`` bytes."""
    check_size(path, largest)
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error


def check_size(path: Path, largest: int = LARGEST) -> int:
    """The size of a file in bytes. Raises InputError when it is missing, not a file, or larger than ``largest``."""
    try:
        size = path.stat().st_size
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    if not path.is_file():
        raise InputError(f"cannot read {path}: it is not a file")
    if size > largest:
        raise InputError(f"{path}: refused: {size} bytes, at most {largest} are read")
    return size


def read_text(path: Path) -> str:
    """A text file. Raises InputError when it is missing, too large, or not text."""
    try:
        return read_bounded(path).decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not a text file") from error
