"""Files are written whole or not at all."""

import os
import tempfile
from pathlib import Path

from evp.errors import OutputError


def write_whole(path: Path, content: bytes) -> None:
    """Write a file that appears only when it is whole. Raises OutputError when it cannot be written."""
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(temporary, 0o644)
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from error
