"""Files from outside: kept under names of the server's own, and understood in a process with limits."""

import hashlib
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fastapi import UploadFile

from evp.studio.folders import Folders
from evp.studio.processes import one_child
from evp.studio.settings import Limits
from evp.studio.store import new_id

_BLOCK = 1 << 20
_AT_ONCE = threading.BoundedSemaphore(2)
"""Uploads that are understood at the same time: each may take the memory that is allowed."""
_MOST_NAME = 120


def shown_name(name: str | None) -> str:
    """What a user's file is called in sentences and lists: never a path, never more than a line."""
    last = re.split(r"[\\/]", name or "")[-1]
    plain = "".join(letter for letter in last if letter.isprintable()).strip()
    return plain[:_MOST_NAME] or "the file"


@contextmanager
def kept(upload: UploadFile, folders: Folders) -> Iterator[tuple[Path, str]]:
    """The file on disk while it is being looked at, and the SHA-256 of its content."""
    path = folders.uploads / new_id()
    digest = hashlib.sha256()
    try:
        with path.open("xb") as file:
            while block := upload.file.read(_BLOCK):
                digest.update(block)
                file.write(block)
        os.chmod(path, 0o600)
        yield path, digest.hexdigest()
    finally:
        path.unlink(missing_ok=True)


def understood(task: str, upload: Path, name: str, limits: Limits, **arguments: Any) -> dict[str, Any]:
    """What a task says of an upload. Raises TaskError, with the user's ``name`` in its sentence."""
    with (
        _AT_ONCE,
        one_child(memory=limits.check_memory, processor_seconds=limits.check_seconds) as child,
    ):
        answer: dict[str, Any] = child.ask(
            task,
            {"upload": str(upload), **arguments},
            names={str(upload): name},
            seconds=2 * limits.check_seconds,
        )
        return answer
