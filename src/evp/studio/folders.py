"""Where the files of a studio lie: under identifiers that the server made, never under a user's words."""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from evp.portrait.builtin import builtin_portrait

BUILTIN = "builtin"
"""The identifier of the portrait that comes with the package."""

_IDENTIFIER = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True)
class Folders:
    """The data folder of a studio: portraits (bundles put there by hand are found), speech, results, uploads, cache."""

    data: Path

    def make(self) -> None:
        """Make what is missing, and remove what was being uploaded when the server was stopped."""
        shutil.rmtree(self.uploads, ignore_errors=True)
        for folder in (self.portraits, self.speeches, self.jobs, self.uploads, self.cache):
            folder.mkdir(parents=True, exist_ok=True)

    @property
    def database(self) -> Path:
        return self.data / "studio.sqlite3"

    @property
    def portraits(self) -> Path:
        return self.data / "portraits"

    @property
    def speeches(self) -> Path:
        return self.data / "speech"

    @property
    def jobs(self) -> Path:
        return self.data / "jobs"

    @property
    def uploads(self) -> Path:
        return self.data / "uploads"

    @property
    def cache(self) -> Path:
        return self.data / "cache"

    def every_portrait(self) -> dict[str, Path]:
        """Identifier -> bundle; the built-in one first."""
        comes_along = builtin()
        found = {} if comes_along is None else {BUILTIN: comes_along}
        own = {path.stem: path for path in sorted(self.portraits.glob("*.evp")) if not path.is_symlink()}
        return found | {
            name: path for name, path in own.items() if _IDENTIFIER.fullmatch(name) and name not in found
        }

    def portrait(self, portrait_id: str) -> Path | None:
        """The bundle with an identifier, if there is one."""
        return self.every_portrait().get(portrait_id)

    def new_portrait(self, job_id: str) -> Path:
        """The bundle that a job makes."""
        return self.portraits / f"{job_id}.evp"

    def speech(self, speech_id: str) -> Path:
        return self.speeches / speech_id

    def sound(self, speech_id: str) -> Path:
        return self.speech(speech_id) / "sound.wav"

    def job(self, job_id: str) -> Path:
        return self.jobs / job_id

    def film(self, job_id: str) -> Path:
        return self.job(job_id) / "film.mp4"

    def footage_of(self, job_id: str) -> Path:
        """The footage that a portrait is being built from."""
        return self.job(job_id) / "footage"


def builtin() -> Path | None:
    """The bundle of the built-in portrait; None when the package carries none."""
    path = builtin_portrait()
    return path if path.exists() else None
