"""The portraits of a studio: what they say of themselves, and pictures of them, made once."""

import threading
from pathlib import Path
from typing import Any

from fastapi import HTTPException

from evp.errors import EvpError
from evp.studio.folders import BUILTIN, Folders
from evp.studio.problems import missing
from evp.studio.processes import Assistant
from evp.studio.schema import Portrait
from evp.studio.store import Store

BUILTIN_NAME = "The actor"


class Library:
    """Looks portraits up, and asks the assistant about them."""

    def __init__(self, folders: Folders, store: Store, assistant: Assistant) -> None:
        self._folders, self._store, self._assistant = folders, store, assistant
        self._known: dict[tuple[Path, int], dict[str, Any]] = {}
        self._making = threading.Lock()

    def all(self) -> list[Portrait]:
        """The built-in one first. A file that is no portrait is passed over."""
        found = []
        for portrait_id in self._folders.every_portrait():
            try:
                found.append(self.get(portrait_id))
            except (EvpError, HTTPException):
                continue
        return found

    def get(self, portrait_id: str) -> Portrait:
        """One portrait. Raises PortraitError when it is broken, HTTPException when it is not there."""
        path = self.path(portrait_id)
        version = (path, path.stat().st_mtime_ns)
        if version not in self._known:
            self._known[version] = self._ask("describe", portrait_id)
        described = dict(self._known[version])
        source = described.pop("source")
        return Portrait(
            id=portrait_id, name=self.name(portrait_id, source), builtin=portrait_id == BUILTIN, **described
        )

    def name(self, portrait_id: str, otherwise: str = "") -> str:
        """What a portrait is called."""
        if portrait_id == BUILTIN:
            return BUILTIN_NAME
        return self._store.portrait_names().get(portrait_id) or portrait_id or otherwise

    def path(self, portrait_id: str) -> Path:
        """The bundle. Raises HTTPException."""
        path = self._folders.portrait(portrait_id)
        if path is None:
            raise missing("portrait")
        return path

    def file(self, portrait_id: str, name: str, task: str, **arguments: str) -> Path | None:
        """A file about a portrait, made when it is first asked for; None when the task says that there is none."""
        path = self.path(portrait_id)
        folder = self._folders.cache / f"{portrait_id}.{path.stat().st_mtime_ns}"
        made = folder / name
        with self._making:
            if not made.exists():
                folder.mkdir(exist_ok=True)
                if self._ask(task, portrait_id, output=str(made), **arguments) is False:
                    return None
        return made

    def _ask(self, task: str, portrait_id: str, **arguments: Any) -> Any:
        path = self.path(portrait_id)
        names = {str(path): self.name(portrait_id)}
        return self._assistant.ask(task, names=names, portrait=str(path), **arguments)
