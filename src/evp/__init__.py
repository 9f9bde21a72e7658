"""Emotional video portraits: a video of a person and a recording of speech become a video of that person saying it.

The flow, one folder for each arrow: speech -> ``audio`` -> ``emotion`` -> ``motion`` -> ``face`` -> ``render`` ->
film, on one screen in ``pipeline``. What is learned from one person's video is a ``Portrait``.
"""

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evp.pipeline import animate, animate_file, choose_emotion
    from evp.portrait.build import build_portrait
    from evp.portrait.builtin import builtin_portrait
    from evp.portrait.bundle import Portrait

__version__ = version("evp")

__all__ = ["Portrait", "animate", "animate_file", "build_portrait", "builtin_portrait", "choose_emotion"]

_HOMES = {"Portrait": "evp.portrait.bundle", "build_portrait": "evp.portrait.build",
          "builtin_portrait": "evp.portrait.builtin",
          "animate": "evp.pipeline", "animate_file": "evp.pipeline",
          "choose_emotion": "evp.pipeline"}  # fmt: skip


def __getattr__(name: str) -> Any:
    """The public names, imported when they are first used: importing one stage does not load the others."""
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'evp' has no attribute '{name}'")
