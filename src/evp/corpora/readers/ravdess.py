"""RAVDESS (Livingstone & Russo 2018): 24 actors, two sentences, spoken and sung.

A file name has seven numbers, MODALITY-CHANNEL-EMOTION-INTENSITY-STATEMENT-REPETITION-ACTOR, and is all that counts:
folders (``Actor_01/``, ``Video_Speech_Actor_01/``) may be there or not. Modality 01 is picture with sound, 02 the
picture, 03 the sound of the very same take; channel 01 is speech, 02 song; intensity 01 normal, 02 strong (neutral
has normal only); statement 01 "Kids are talking by the door", 02 "Dogs are sitting by the door".
"""

import re
from pathlib import Path

from evp.corpora.recording import (
    AUDIO_SUFFIXES,
    VIDEO_SUFFIXES,
    Emotion,
    Listing,
    Recording,
    media_files,
    refuse_empty,
)

EMOTIONS: dict[str, Emotion] = {
    "01": "neutral",
    "02": "calm",
    "03": "happy",
    "04": "sad",
    "05": "angry",
    "06": "fear",
    "07": "disgusted",
    "08": "surprised",
}

STATEMENTS = {"01": "kids are talking by the door", "02": "dogs are sitting by the door"}

_NAME = re.compile(r"(?P<modality>0[1-3])-(?P<take>(0[12])-(0[1-8])-(0[12])-(0[12])-(0[12])-(\d\d))")
_EXPECTED = "RAVDESS files such as Actor_01/03-01-05-02-01-01-01.wav"


def read_ravdess(*folders: Path) -> Listing:
    """The spoken takes: the file with picture and sound of each, or its picture joined with its sound, or either."""
    takes: dict[str, dict[str, Path]] = {}
    dropped: dict[Path, str] = {}
    for path in media_files(folders, AUDIO_SUFFIXES + VIDEO_SUFFIXES):
        if not (match := _NAME.fullmatch(path.stem)):
            dropped[path] = "its name is not one of RAVDESS"
        elif match["take"].startswith("02"):
            dropped[path] = "it is sung"
        elif (other := takes.setdefault(match["take"], {}).setdefault(match["modality"], path)) != path:
            dropped[path] = f"{other} has the same name"
    for files in takes.values():
        if whole := files.get("01"):
            parts = {files.pop(modality) for modality in ("02", "03") if modality in files}
            dropped |= dict.fromkeys(parts, f"{whole} is the same take with picture and sound")
    recordings = tuple(_recording(take, files) for take, files in sorted(takes.items()))
    return refuse_empty(Listing(recordings, dropped), folders, _EXPECTED)


def _recording(take: str, files: dict[str, Path]) -> Recording:
    _, emotion, intensity, statement, _, actor = take.split("-")
    speaker = f"Actor_{actor}"
    return Recording(
        name=f"{speaker}__{take}",
        speaker=speaker,
        video=files.get("01", files.get("02")),
        audio=files.get("03"),
        emotion=EMOTIONS[emotion],
        intensity=int(intensity),
        sentence=statement,
        transcript=STATEMENTS[statement],
    )
