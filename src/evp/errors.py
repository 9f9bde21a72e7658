"""Errors that a user can act on. The command line turns each into one line and a non-zero exit.

Anything else that is raised is a bug and keeps its traceback.
"""


class EvpError(Exception):
    """Base of every error whose message is meant for the user. The message is one line."""


class InputError(EvpError):
    """A file or value given by the user cannot be used (missing, not media, no sound, silent, too short)."""


class FaceError(InputError):
    """The footage does not show one face well enough, long enough or large enough."""


class PortraitError(EvpError):
    """A portrait bundle is missing, broken, foreign, or written by a newer version."""


class WeightsError(EvpError):
    """A weights file is missing, broken, or does not fit the program."""


class OutputError(EvpError):
    """The result cannot be written (no such folder, disk full, would overwrite)."""


class MissingExtraError(EvpError):
    """An optional part of the installation is needed; the message names the extra."""
