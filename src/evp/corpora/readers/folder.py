"""Folders of one's own: videos and sounds without labels.

What is said (in English) may lie beside, as a text file or as GRID's ``.align`` with the times of the words, under the
same name: ``visit.mp4`` and ``visit.txt``.
"""

from pathlib import Path
from typing import Literal

from evp.corpora.recording import (
    AUDIO_SUFFIXES,
    VIDEO_SUFFIXES,
    Listing,
    Recording,
    media_files,
    refuse_empty,
)
from evp.errors import InputError

_GRID_TICKS = 25_000
"""Of a second, in a GRID alignment."""
_GRID_PAUSES = ("sil", "sp")


def read_folder(*folders: Path, speaker: Literal["folder", "file"] = "folder") -> Listing:
    """Every video, and every sound file that is not beside a video of the same name: then they are joined.

    A folder holds one ``speaker``'s recordings, or every file shows another person.
    """
    files: dict[Path, list[Path]] = {}
    for path in media_files(folders, VIDEO_SUFFIXES + AUDIO_SUFFIXES):
        files.setdefault(path.with_suffix(""), []).append(path)
    recordings, dropped = [], dict[Path, str]()
    for place, paths in sorted(files.items()):
        videos = [path for path in paths if path.suffix.lower() in VIDEO_SUFFIXES]
        sounds = [path for path in paths if path not in videos]
        if len(videos) > 1 or len(sounds) > 1:
            raise InputError(f"{paths[0]} and {paths[1]} would have the same name in the corpus")
        person = place.absolute().parent.name if speaker == "folder" else place.name
        try:
            words = _words(paths[0].with_suffix(".align"))
            transcript = _transcript(paths[0].with_suffix(".txt"), words)
        except ValueError:  # also when it is no UTF-8
            dropped[paths[0]] = "what is said in it, in the .align or .txt beside it, cannot be read"
            continue
        recordings.append(
            Recording(
                name=f"{person}__{place.name}",
                speaker=person,
                video=videos[0] if videos else None,
                audio=sounds[0] if sounds else None,
                words=words,
                transcript=transcript,
            )
        )
    return refuse_empty(
        Listing(tuple(recordings), dropped), folders, "videos or sound files of people talking"
    )


def _words(alignment: Path) -> tuple[tuple[float, float, str], ...]:
    """Word times of a GRID alignment; none where it does not exist."""
    if not alignment.exists():
        return ()
    rows = (line.split() for line in alignment.read_text().splitlines() if line.strip())
    return tuple((int(begin) / _GRID_TICKS, int(end) / _GRID_TICKS, word) for begin, end, word in rows)


def _transcript(text: Path, words: tuple[tuple[float, float, str], ...]) -> str | None:
    """The text, else the words; None without either."""
    if text.exists():
        return text.read_text().strip() or None
    return " ".join(word for _, _, word in words if word not in _GRID_PAUSES) or None
