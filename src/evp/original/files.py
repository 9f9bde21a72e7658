"""Files at the border: read with a bound on their size, written whole or not at all."""

import os
import tempfile
from pathlib import Path

from evp.errors import InputError, OutputError

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


def write_whole(path: Path, content: bytes) -> None:
    """Write a file that appears only when it is whole. Raises OutputError."""
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
            os.chmod(temporary, 0o644)
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from error
