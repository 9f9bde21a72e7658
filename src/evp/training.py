"""How every stage is trained: step by step, with checkpoints, so that an interrupted run goes on as before."""

import json
import signal
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from pickle import UnpicklingError
from types import MappingProxyType
from typing import Any, Protocol

from evp.errors import InputError

SAVE_SECONDS = 45.0
"""A checkpoint is never much older than this: what is lost when a process is killed."""
_INDIFFERENT = "checkpoint_every"
"""The setting that changes nothing in the result."""
_READING = (OSError, EOFError, RuntimeError, UnpicklingError, ValueError, LookupError, TypeError)
"""What files that are no checkpoints raise while they are read."""

Progress = Callable[[int, dict[str, float]], None]
"""Called after every step with the number of steps done and the named losses."""


class Part(Protocol):
    """A network, an average of networks, an optimizer or anything else with a state."""

    def state_dict(self) -> dict[str, Any]: ...
    def load_state_dict(self, state_dict: dict[str, Any]) -> Any: ...


class Resumable(ABC):
    """The state of a run: everything that a checkpoint holds."""

    step: int = 0
    """Steps done."""
    corpus: Mapping[str, Any] = MappingProxyType({})
    """What is trained on, as `evp.corpora.archives.told_apart` tells it: a run goes on only with the same."""

    @abstractmethod
    def advance(self) -> dict[str, float]:
        """Take one step, which depends on the state alone, and count it; returns named losses and their ``total``."""

    @abstractmethod
    def parts(self) -> Mapping[str, Part]:
        """What changes from step to step, under the names it has in a checkpoint."""

    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """What two runs must share for one to go on from the other's checkpoint, as JSON can hold it."""

    def out_of_time(self) -> bool:
        """Whether training ends here, whatever the steps."""
        return False

    def save(self, path: Path) -> None:
        """Write a checkpoint; ``path`` appears only when it is whole."""
        import torch

        partial = path.with_name(path.name + ".part")
        stored = {name: part.state_dict() for name, part in self.parts().items()}
        torch.save(stored | {"step": self.step, "run": self._identity()}, partial)
        partial.replace(path)

    def restore(self, path: Path) -> None:
        """Go on from a checkpoint. Raises InputError when it cannot be read, or is of another run."""
        import torch

        try:
            stored = torch.load(path, weights_only=True, map_location="cpu")
            theirs, step = json.loads(stored["run"]), stored["step"]
        except _READING as error:
            raise InputError(
                f"{path} is damaged, or not of this version: delete it to begin anew, or give another folder"
            ) from error
        if differ := _different(theirs, json.loads(self._identity())):
            raise InputError(
                f"{path} is of a run with another corpus or other settings ({', '.join(differ)}): "
                "give another folder, or delete it to begin anew"
            )
        try:
            for name, part in self.parts().items():
                part.load_state_dict(stored[name])
        except (RuntimeError, ValueError, KeyError) as error:
            raise InputError(
                f"{path} is of another version of this program: delete it to begin anew"
            ) from error
        self.step = step

    def run(self, checkpoint: Path | None, steps: int, every: int, progress: Progress | None = None) -> None:
        """Train up to ``steps``, from ``checkpoint`` if it is there.

        That is written ``every`` so many steps, when the last one is SAVE_SECONDS old, at the end, and when the run is
        interrupted: the step that is being taken is finished first, and KeyboardInterrupt then tells how far it came.
        Its folder is made if need be. Raises InputError when the checkpoint cannot be read or is of another run.
        """
        if checkpoint is not None:
            checkpoint.parent.mkdir(parents=True, exist_ok=True)
            if checkpoint.exists():
                self.restore(checkpoint)
        saved = time.monotonic()
        with _interruption_waits() as interrupted:
            while self.step < steps and not self.out_of_time() and not interrupted():
                losses = self.advance()
                due = self.step % every == 0 or self.step == steps
                if checkpoint is not None and (due or time.monotonic() - saved > SAVE_SECONDS):
                    self.save(checkpoint)
                    saved = time.monotonic()
                if progress is not None:
                    progress(self.step, losses)
            if interrupted():
                if checkpoint is None:
                    raise KeyboardInterrupt
                self.save(checkpoint)
                raise KeyboardInterrupt(
                    f"interrupted at step {self.step} of {steps}; the same command goes on"
                )

    def _identity(self) -> str:
        return json.dumps({**self.settings(), "corpus": dict(self.corpus)})


def _different(one: Any, other: Any, name: str = "") -> list[str]:
    """Dotted names of what is not the same in two values of JSON."""
    if isinstance(one, dict) and isinstance(other, dict):
        inside = [
            _different(one.get(key), other.get(key), f"{name}.{key}" if name else key)
            for key in (one | other)
            if key != _INDIFFERENT
        ]
        return [found for part in inside for found in part]
    return [] if one == other else [name or "everything"]


@contextmanager
def _interruption_waits() -> Iterator[Callable[[], bool]]:
    """Ctrl-C and SIGTERM, where they would raise KeyboardInterrupt, are only noted: the function says whether.

    So no step is left half taken. Who is impatient interrupts a second time, which raises at once. Only the main
    thread can be interrupted.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    noted: list[int] = []
    before = {
        number: handler
        for number in (signal.SIGINT, signal.SIGTERM)
        if (handler := signal.getsignal(number)) is signal.default_int_handler
    }

    def give_back() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def note(number: int, _: object) -> None:
        noted.append(number)
        give_back()

    for number in before:
        signal.signal(number, note)
    try:
        yield lambda: bool(noted)
    finally:
        give_back()
