"""The portrait that comes with the package: a person who does not exist (``ACTOR_CARD.md`` beside this file)."""

from importlib.resources import files
from pathlib import Path


def builtin_portrait() -> Path:
    """The bundle of the built-in portrait."""
    return Path(str(files("evp.portrait") / "actor.evp"))
