"""What the readers of data sets give to the preparation: recordings and their labels, no media opened yet."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from evp.corpora.phones import Phone
from evp.errors import InputError

Emotion = Literal[
    "angry", "contempt", "disgusted", "fear", "happy", "neutral", "sad", "surprised", "calm", "bored"
]
"""The labels of all data sets, in the spelling of the paper."""

AUDIO_SUFFIXES = (".wav", ".flac", ".m4a", ".mp3", ".ogg", ".opus", ".aac")
VIDEO_SUFFIXES = (".mp4", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".m4v", ".flv")


@dataclass(frozen=True)
class Recording:
    """One utterance of one person: a video, a sound file, or both of the same moment."""

    name: str
    """Unique in the corpus; the name of its archive."""
    speaker: str
    video: Path | None
    audio: Path | None
    """Sound that is kept in a file of its own; without it, the sound of the video counts, if it has any."""
    emotion: Emotion | None = None
    intensity: int | None = None
    """As the data set counts it, from 1 for the weakest."""
    sentence: str | None = None
    words: tuple[tuple[float, float, str], ...] = ()
    """Start and end in seconds, and the word."""
    transcript: str | None = None
    """What is said, if it is English: where its phones lie is found in the sound."""
    phones: tuple[Phone, ...] = ()
    """Where the phones lie, if the source says it."""

    def __post_init__(self) -> None:
        if self.video is None and self.audio is None:
            raise ValueError(f"the recording {self.name} has neither picture nor sound")

    @property
    def source(self) -> Path:
        """The file that stands for the recording."""
        path = self.video or self.audio
        assert path is not None
        return path


@dataclass(frozen=True)
class Listing:
    """What a reader found in a folder."""

    recordings: tuple[Recording, ...] = ()
    dropped: dict[Path, str] = field(default_factory=dict)
    """File -> why it is not among the recordings."""


Reader = Callable[..., Listing]
"""Lists the recordings in one folder or more. Raises InputError when they are not laid out as the reader expects."""


def media_files(folders: Sequence[Path], suffixes: tuple[str, ...]) -> list[Path]:
    """The files under ``folders`` with one of these suffixes, sorted, each once; a folder may be a file itself."""
    files: dict[Path, Path] = {}
    for folder in folders:
        if not folder.exists():
            raise InputError(f"there is no file or folder {folder}")
        found: Iterable[Path] = [folder] if folder.is_file() else folder.rglob("*")
        own = {path.resolve(): path for path in found if path.suffix.lower() in suffixes}
        if not own and len(folders) > 1:
            raise InputError(f"nothing to prepare in {folder}")
        files = own | files
    return sorted(files.values())


def refuse_empty(listing: Listing, folders: Sequence[Path], expected: str) -> Listing:
    """The listing. Raises InputError when it has no recordings, saying what was ``expected``."""
    if not listing.recordings:
        reasons = sorted(set(listing.dropped.values()))
        found = f"; what is there was left out: {'; '.join(reasons)}" if reasons else ""
        places = ", ".join(map(str, folders))
        raise InputError(f"nothing to prepare in {places}: expected {expected}{found}")
    return listing
