"""How every stage is trained: step by step, with checkpoints, so that an interrupted run goes on as before."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from evp.errors import InputError

Progress = Callable[[int, dict[str, float]], None]
"""Called after every step with the number of steps done and the named losses."""


class Part(Protocol):
    """A network, an average of networks or an optimizer."""

    def state_dict(self) -> dict[str, Any]: ...
    def load_state_dict(self, state_dict: dict[str, Any]) -> Any: ...


class Resumable(ABC):
    """The state of a run: everything that a checkpoint holds."""

    step: int = 0
    """Steps done."""

    @abstractmethod
    def advance(self) -> dict[str, float]:
        """Take one step, which depends on the state alone, and count it; returns named losses and their ``total``."""

    @abstractmethod
    def parts(self) -> Mapping[str, Part]:
        """What changes from step to step, under the names it has in a checkpoint."""

    @abstractmethod
    def settings(self) -> str:
        """What two runs must share for one to go on from the other's checkpoint."""

    def save(self, path: Path) -> None:
        """Write a checkpoint; ``path`` appears only when it is whole."""
        import torch

        partial = path.with_name(path.name + ".part")
        stored = {name: part.state_dict() for name, part in self.parts().items()}
        torch.save(stored | {"step": self.step, "run": self.settings()}, partial)
        partial.replace(path)

    def restore(self, path: Path) -> None:
        """Go on from a checkpoint. Raises InputError when it is of a run with other settings."""
        import torch

        stored = torch.load(path, weights_only=True)
        if stored["run"] != self.settings():
            raise InputError(f"{path} is of a run with another corpus or other settings: give another folder")
        for name, part in self.parts().items():
            part.load_state_dict(stored[name])
        self.step = stored["step"]

    def run(self, checkpoint: Path, steps: int, every: int, progress: Progress | None = None) -> None:
        """Train up to ``steps``, from ``checkpoint`` if it is there, written ``every`` so many steps and at last.

        Its folder is made if need be. Raises InputError when the checkpoint is of another run.
        """
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
        if checkpoint.exists():
            self.restore(checkpoint)
        while self.step < steps:
            losses = self.advance()
            if self.step % every == 0 or self.step == steps:
                self.save(checkpoint)
            if progress is not None:
                progress(self.step, losses)
