"""The server's side of child processes: to ask them, to stop them, and to tell why one died."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import evp
from evp.errors import EvpError

Progress = Callable[[str, int, int], None]


class TaskError(EvpError):
    """A child could not do what it was asked to; the message is its one line for the user."""


class BusyError(EvpError):
    """Too many are waiting for an answer already."""


def _this_program() -> str:
    """Where a child finds the same program, wherever this one was imported from."""
    return os.pathsep.join([str(Path(evp.__file__).parents[1]), os.environ.get("PYTHONPATH", "")])


class Child:
    """A process that does one task at a time. It has its own memory, and ends when this process does."""

    def __init__(
        self,
        *,
        memory: int | None = None,
        processor_seconds: int | None = None,
        niceness: int = 0,
        environment: Mapping[str, str] = {},
    ) -> None:
        limits = {"memory": memory, "processor_seconds": processor_seconds, "niceness": niceness}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "evp.studio.child", json.dumps(limits)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": _this_program(), **environment},
            text=True,
            encoding="utf-8",
            start_new_session=True,  # Ctrl-C is for the server, which tells its children
        )
        self._reason: str | None = None

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def ask(
        self,
        task: str,
        arguments: Mapping[str, Any],
        *,
        names: Mapping[str, str] = {},
        progress: Progress | None = None,
        seconds: float | None = None,
    ) -> Any:
        """What comes of a task. ``names`` are told to the user in the place of paths.

        Raises TaskError with the sentence of the task, or when it takes more than ``seconds``, or when the child dies.
        """
        assert self._process.stdin is not None and self._process.stdout is not None
        timer = threading.Timer(
            seconds or 0, self.kill, [f"it took longer than {seconds:g} s" if seconds else ""]
        )
        timer.daemon = True
        if seconds is not None:
            timer.start()
        try:
            with suppress(BrokenPipeError):
                self._process.stdin.write(
                    json.dumps({"task": task, "arguments": arguments, "names": dict(names)}) + "\n"
                )
                self._process.stdin.flush()
            for line in self._process.stdout:
                message = json.loads(line)
                if "progress" in message:
                    if progress is not None:
                        progress(*message["progress"])
                elif "done" in message:
                    return message["done"]
                elif "failed" in message:
                    raise TaskError(message["failed"])
                else:
                    raise TaskError(
                        f"this failed inside the program ({message['broken']}): its log tells more"
                    )
        finally:
            timer.cancel()
        raise TaskError(self._death())

    def kill(self, reason: str | None = None) -> None:
        """End the process at once, whatever it does; ``reason`` is what `ask` then says."""
        self._reason = self._reason or reason
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def close(self) -> None:
        """End the process, and wait for it."""
        self.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()

    def _death(self) -> str:
        code = self._process.wait()
        if self._reason:
            return f"this was stopped: {self._reason}"
        if code == -signal.SIGXCPU or code == -signal.SIGKILL:
            return "this was stopped: it needed more time or memory than is allowed here"
        return f"the process that did this died ({code}): a file may be broken in a way that is not known"


class Assistant:
    """A long-lived child for quick answers: it is started when it is first needed, and again when it died."""

    def __init__(self, seconds: float, most_waiting: int = 16) -> None:
        self._seconds = seconds
        self._room = threading.BoundedSemaphore(most_waiting)
        self._lock = threading.Lock()
        self._child: Child | None = None
        self._closed = False

    def start(self, task: str) -> None:
        """Begin to start it with a task, so that the first answer is quick."""

        def ask() -> None:
            with suppress(EvpError):  # whoever asks for the answer is told
                self.ask(task)

        threading.Thread(target=ask, daemon=True).start()

    def ask(self, task: str, names: Mapping[str, str] = {}, **arguments: Any) -> Any:
        """What comes of a task; one is done at a time. Raises TaskError, and BusyError when too many wait."""
        if not self._room.acquire(blocking=False):
            raise BusyError("too many pictures are asked for at once: try again in a moment")
        try:
            with self._lock:
                return self._ready().ask(task, arguments, names=names, seconds=self._seconds)
        finally:
            self._room.release()

    def close(self) -> None:
        self._closed = True
        if self._child is not None:
            self._child.close()

    def _ready(self) -> Child:
        if self._closed:
            raise BusyError("the studio is closing")
        if self._child is None or not self._child.alive:
            if self._child is not None:
                self._child.close()
            self._child = Child()
        return self._child


@contextmanager
def one_child(**limits: Any) -> Iterator[Child]:
    """A child for one task."""
    child = Child(**limits)
    try:
        yield child
    finally:
        child.close()
