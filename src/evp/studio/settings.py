"""Where the studio keeps things, and how much of everything it allows."""

import ipaddress
import os
import secrets
import sys
from dataclasses import dataclass, field
from pathlib import Path

MEBIBYTE = 1 << 20
GIBIBYTE = 1 << 30


@dataclass(frozen=True)
class Limits:
    """What uploads, jobs and what is kept may take."""

    speech_bytes: int = 200 * MEBIBYTE
    """Largest upload of speech."""
    speech_seconds: float = 1800.0
    """Longest speech."""
    footage_bytes: int = 2 * GIBIBYTE
    """Largest upload of footage."""
    footage_seconds: float = 600.0
    """Longest footage; a portrait uses its first minute."""
    footage_pixels: int = 4096 * 2304
    """Largest picture of footage."""
    body_bytes: int = 64 * 1024
    """Largest body of any other request."""
    check_seconds: int = 120
    """Processor time in which an upload must be understood."""
    check_memory: int = 3 * GIBIBYTE
    """Address space of the process that does it."""
    job_seconds: float = 6 * 3600.0
    """Longest time that a job may run."""
    job_memory: int = 12 * GIBIBYTE
    """Memory of the process that runs a job."""
    answer_seconds: float = 60.0
    """Longest time that a quick answer, such as a still, may take."""
    waiting: int = 64
    """Jobs that may wait; one more is refused."""
    attempts: int = 3
    """How often a job is started again after the server was stopped under it."""
    keep_days: float = 30.0
    """Finished jobs, and speech that nothing uses, are removed after this time."""
    keep_bytes: int = 20 * GIBIBYTE
    """When results and speech take more than this, the oldest are removed."""


@dataclass(frozen=True)
class Settings:
    """One studio."""

    data: Path
    """The folder of the database, portraits, speech and results."""
    host: str = "127.0.0.1"
    """The address to listen on."""
    port: int = 8765
    token: str | None = None
    """What every request must show; None on loopback."""
    devices: tuple[str, ...] = ("cpu",)
    """One job runs on each: "cpu", or the number of a GPU."""
    limits: Limits = field(default_factory=Limits)


LOOPBACK = ("127.0.0.1", "localhost", "::1")
"""How this machine calls itself."""


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host in LOOPBACK


def new_token() -> str:
    """A token that nobody guesses."""
    return secrets.token_urlsafe(24)


def data_folder() -> Path:
    """The user's data folder for evp, as the platform has it."""
    home = Path.home()
    if sys.platform == "darwin":
        return home / "Library" / "Application Support" / "evp"
    return Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share") / "evp"
