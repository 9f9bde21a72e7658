"""Stands in for what runs the studio's jobs, and waits for what other threads do."""

import threading
import time
from collections.abc import Callable
from typing import Any

from evp.studio.processes import Assistant, TaskError
from evp.studio.store import Job


class StandIn:
    """Runs jobs without work: each makes ``steps`` reports, and ends when it is let go, killed, or fails."""

    def __init__(self, steps: int = 3, error: Exception | None = None) -> None:
        self.steps, self.error = steps, error
        self.go = threading.Event()
        self.go.set()
        self.started: list[tuple[str, str]] = []
        self.most_at_once = self._now = 0

    def __call__(self, job: Job, device: str) -> "StandInRunning":
        self.started.append((job.id, device))
        return StandInRunning(self)


class StandInRunning:
    def __init__(self, stand_in: StandIn) -> None:
        self._stand_in, self._killed = stand_in, False

    def result(self, progress: Callable[[str, int, int], None]) -> dict[str, Any]:
        stand_in = self._stand_in
        stand_in._now += 1
        stand_in.most_at_once = max(stand_in.most_at_once, stand_in._now)
        try:
            for done in range(stand_in.steps):
                progress("rendering", done + 1, stand_in.steps)
                while not stand_in.go.wait(0.01):
                    if self._killed:
                        raise TaskError("this was stopped")
            if stand_in.error is not None:
                raise stand_in.error
        finally:
            stand_in._now -= 1
        return {"width": 144, "height": 128, "seconds": 1.0}

    def kill(self) -> None:
        self._killed = True


def eventually(condition: Callable[[], Any], seconds: float = 60.0) -> Any:
    """What ``condition`` gives as soon as it is true."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.02)
    return value


class Borrowed:
    """The assistant of all tests in the place of a studio's own."""

    def __init__(self, assistant: Assistant) -> None:
        self.ask = assistant.ask

    def start(self, task: str) -> None:
        pass

    def close(self) -> None:
        pass
