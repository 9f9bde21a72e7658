"""The list of what a prepared corpus holds, and of what was left out and why."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from evp.errors import InputError

NAME = "manifest.json"
FORMAT = 1


@dataclass(frozen=True)
class ClipEntry:
    """One prepared clip."""

    file: str
    """Name of the clip's archive in the corpus folder."""
    speaker: str
    source: str
    """Name of the recording it was made from."""
    frames: int
    words: tuple[tuple[float, float, str], ...] = ()
    """Start and end in seconds, and the word, where the source gives them."""


@dataclass(frozen=True)
class Manifest:
    """What is in a prepared corpus."""

    clips: tuple[ClipEntry, ...] = ()
    dropped: dict[str, str] = field(default_factory=dict)
    """Recording -> why it, or a part of it, was left out."""

    @staticmethod
    def read(corpus: Path) -> "Manifest":
        """The manifest of a corpus folder. Raises InputError when there is none or it is broken."""
        try:
            stored = json.loads((corpus / NAME).read_text())
            if stored["format"] != FORMAT:
                raise InputError(f"{corpus}: prepared corpus of format {stored['format']}, expected {FORMAT}")
            clips = tuple(
                ClipEntry(**{**clip, "words": tuple(tuple(w) for w in clip["words"])})
                for clip in stored["clips"]
            )
            return Manifest(clips, stored["dropped"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"{corpus}: not a prepared corpus (evp corpus prepare makes one): {error}"
            ) from error

    def write(self, corpus: Path) -> None:
        """Write atomically into the corpus folder."""
        partial = corpus / f".{NAME}.partial"
        partial.write_text(json.dumps({"format": FORMAT, **asdict(self)}, indent=1))
        partial.replace(corpus / NAME)

    def clips_by_speaker(self, corpus: Path) -> dict[str, list[Path]]:
        """Paths of the clips of every speaker."""
        speakers: dict[str, list[Path]] = {}
        for clip in self.clips:
            speakers.setdefault(clip.speaker, []).append(corpus / clip.file)
        return speakers
