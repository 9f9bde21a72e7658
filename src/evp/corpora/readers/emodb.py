"""EmoDB, the Berlin database of emotional speech (Burkhardt et al. 2005): ten speakers, ten German sentences.

A file name says speaker (two digits), sentence (a letter and two digits), emotion (the first letter of its German
word) and take (a letter): ``03a01Fa.wav``.
"""

import re
from pathlib import Path

from evp.corpora.recording import AUDIO_SUFFIXES, Emotion, Listing, Recording, media_files, refuse_empty

EMOTIONS: dict[str, Emotion] = {
    "W": "angry",
    "L": "bored",
    "E": "disgusted",
    "A": "fear",
    "F": "happy",
    "T": "sad",
    "N": "neutral",
}

_NAME = re.compile(rf"(\d\d)([ab]\d\d)([{''.join(EMOTIONS)}])[a-z]")


def read_emodb(folder: Path) -> Listing:
    """All takes; boredom keeps its name, and those who train choose what they need."""
    recordings: dict[str, Recording] = {}
    dropped: dict[Path, str] = {}
    for path in media_files(folder, AUDIO_SUFFIXES):
        if not (name := _NAME.fullmatch(path.stem)):
            dropped[path] = "its name is not one of EmoDB"
        elif path.stem in recordings:
            dropped[path] = f"{recordings[path.stem].source} has the same name"
        else:
            speaker, sentence, emotion = name.groups()
            recordings[path.stem] = Recording(
                name=path.stem,
                speaker=speaker,
                video=None,
                audio=path,
                emotion=EMOTIONS[emotion],
                sentence=sentence,
            )
    return refuse_empty(
        Listing(tuple(recordings.values()), dropped), folder, "EmoDB files such as 03a01Fa.wav"
    )
