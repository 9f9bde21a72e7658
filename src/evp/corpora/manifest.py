"""The list of what a prepared corpus holds, and of what was left out and why."""

import json
from collections import Counter
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, get_args

from evp.errors import InputError
from evp.files import write_whole

NAME = "manifest.json"
FORMAT = 2

Split = Literal["train", "validation", "test"]


@dataclass(frozen=True)
class ClipEntry:
    """One prepared clip. In the file, what has its default is not written."""

    file: str
    """Name of the clip's archive in the corpus folder."""
    speaker: str
    source: str
    """Name of the recording it was made from."""
    frames: int
    """Length in frames of 1/25 s."""
    filmed: bool = True
    """Whether the archive has the face: everything but ``waveform``."""
    voiced: bool = True
    """Whether the archive has sound: a ``waveform`` that is not empty."""
    borrowed: bool = False
    """Whether the sound is that of another clip, brought to this one's timing: the same words, felt differently."""
    late: int = 0
    """Frames by which the sound came after the picture before it was moved into step."""
    emotion: str | None = None
    intensity: int | None = None
    """As the corpus counts it, from 1 for the weakest."""
    sentence: str | None = None
    """What is said: clips of a corpus with the same name have the same words."""
    split: Split = "train"
    """What the clip is for; a speaker is in one split only."""
    words: tuple[tuple[float, float, str], ...] = ()
    """Start and end in seconds, and the word, where the source gives them."""

    def __post_init__(self) -> None:
        if self.split not in get_args(Split):
            raise ValueError(f"{self.file} is in the split {self.split!r}, not in one of {get_args(Split)}")


@dataclass(frozen=True)
class Manifest:
    """What is in a prepared corpus."""

    clips: tuple[ClipEntry, ...] = ()
    dropped: dict[str, str] = field(default_factory=dict)
    """Recording -> why it, or a part of it, was left out."""

    @staticmethod
    def read(corpus: Path) -> "Manifest":
        """The manifest of a corpus folder. Raises InputError when there is none, or it is old or broken."""
        try:
            stored = json.loads((corpus / NAME).read_text())
            if stored["format"] != FORMAT:
                raise InputError(
                    f"{corpus} was prepared in format {stored['format']}, this version reads format {FORMAT}: "
                    "prepare it again into an empty folder"
                )
            return Manifest(tuple(_read_entry(clip) for clip in stored["clips"]), stored["dropped"])
        except OSError as error:
            raise InputError(
                f"{corpus}: not a prepared corpus, it has no {NAME} (evp corpus prepare makes one)"
            ) from error
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"{corpus}: not a prepared corpus, its {NAME} is damaged or of another version ({error})"
            ) from error

    def write(self, corpus: Path) -> None:
        """Write atomically into the corpus folder, a line for each clip."""
        clips = ",\n".join(json.dumps(_written_entry(clip)) for clip in self.clips)
        dropped = json.dumps(self.dropped, indent=0)
        text = f'{{"format": {FORMAT},\n"clips": [\n{clips}\n],\n"dropped": {dropped}}}\n'
        write_whole(corpus / NAME, text.encode())

    def reasons(self, most: int = 3) -> str:
        """Why recordings were dropped, in a line: the ``most`` frequent reasons, and how often each."""
        counted = Counter(self.dropped.values()).most_common()
        told = [reason if count == 1 else f"{reason} ({count} times)" for reason, count in counted[:most]]
        return "; ".join(told + ["..."] * (len(counted) > most))

    def clips_by_speaker(self, corpus: Path) -> dict[str, list[Path]]:
        """Paths of the filmed clips of every speaker who is trained on."""
        speakers: dict[str, list[Path]] = {}
        for clip in self.clips:
            if clip.filmed and clip.split == "train":
                speakers.setdefault(clip.speaker, []).append(corpus / clip.file)
        return speakers


def _read_entry(stored: dict[str, Any]) -> ClipEntry:
    return ClipEntry(**{**stored, "words": tuple((b, e, word) for b, e, word in stored.get("words", ()))})


def _written_entry(clip: ClipEntry) -> dict[str, Any]:
    values = {f.name: getattr(clip, f.name) for f in fields(clip)}
    return {f.name: values[f.name] for f in fields(clip) if values[f.name] != f.default}
