"""Serving a studio: the address, the lock on its folder, the browser."""

import fcntl
import socket
import threading
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import uvicorn

from evp.errors import InputError, OutputError
from evp.studio.app import create_app
from evp.studio.settings import Settings, is_loopback, new_token
from evp.studio.studio import Studio

OPEN_TO_OTHERS = (
    "Other machines can reach this address: whoever knows the token below can see and delete everything in this "
    "studio and make films of its portraits, and nothing on the way is encrypted. It is shown this once."
)
"""What listening on another address than loopback means."""

_GRACE = 3
"""Seconds that open connections get when the studio stops."""


def serve(settings: Settings, say: Callable[[str], None], browser: bool) -> None:
    """Run a studio until it is interrupted. ``say`` is told the address, and the token when one is needed.

    Raises InputError when the address cannot be used or the folder belongs to a studio that runs.
    """
    if not is_loopback(settings.host):
        settings = replace(settings, token=new_token())
    with _listening(settings) as (listener, port), _alone(settings.data):
        shown = f"[{settings.host}]" if ":" in settings.host else settings.host
        address = f"http://{shown}:{port}/"
        if settings.token is not None:
            say(OPEN_TO_OTHERS)
            address += f"?token={settings.token}"
        studio = Studio(settings)
        app = create_app(studio)
        server = _Server(
            uvicorn.Config(
                app, log_level="warning", timeout_graceful_shutdown=_GRACE, server_header=False, access_log=False
            ),
            lambda: _ready(address, say, browser),
            studio.jobs.hang_up,
        )  # fmt: skip
        server.run(sockets=[listener])


class _Server(uvicorn.Server):
    """Tells when it is ready, and when it begins to stop: followers of jobs would never leave by themselves."""

    def __init__(
        self, config: uvicorn.Config, ready: Callable[[], None], stopping: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._ready, self._stopping = ready, stopping

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._stopping()
        await super().shutdown(sockets)


def _ready(address: str, say: Callable[[str], None], browser: bool) -> None:
    say(f"evp studio: {address}")
    if browser:
        threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()


@contextmanager
def _listening(settings: Settings) -> Iterator[tuple[socket.socket, int]]:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((settings.host, settings.port))
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise InputError(
                f"cannot listen on {settings.host}, port {settings.port}: {reason}; give another with --port"
            ) from error
        yield listener, listener.getsockname()[1]


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Two studios with one folder would run the same jobs."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / "lock").open("w")
    except OSError as error:
        raise OutputError(f"cannot write into {folder}: {error.strerror}") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InputError(
                f"a studio is running with {folder} already: give another folder with --data"
            ) from error
        yield
