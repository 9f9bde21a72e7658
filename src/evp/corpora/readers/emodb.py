"""EmoDB, the Berlin database of emotional speech (Burkhardt et al. 2005): ten speakers, ten German sentences.

A file name says speaker (two digits), sentence (a letter and two digits), emotion (the first letter of its German
word) and take (a letter): ``03a01Fa.wav``. Its hand-made phone labels are read from a folder ``lablaut`` beside it.
"""

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from evp.corpora.phones import Phone
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

SAMPA: dict[str, str] = {
    **dict.fromkeys(["p", "b", "m", "B", "!p", "!b", "_p", "_b", "pasp", "basp"], "P"),
    **dict.fromkeys(["f", "v", "V"], "F"),
    **dict.fromkeys(["t", "d", "n", "l", "nn", "L", "D", "4", "!t", "!d", "_t", "_d", "tasp", "dasp"], "T"),
    **dict.fromkeys(["s", "z"], "S"),
    **dict.fromkeys(["S", "Z"], "SH"),
    **dict.fromkeys(
        ["k", "g", "N", "NN", "x", "X", "C", "h", "H", "R", "G", "!k", "!g", "_k", "_g", "kasp", "gasp"], "K"
    ),
    **dict.fromkeys(["u", "U", "y", "Y"], "UW"),
    **dict.fromkeys(["o", "O", "2", "9"], "AO"),
    "OY": "OY",
    **dict.fromkeys(["a", "a6"], "AA"),
    "aI": "AY",
    **dict.fromkeys(["aU", "AU", "aO", "ao"], "AW"),
    **dict.fromkeys(["E", "e", "E6"], "EH"),
    **dict.fromkeys(["i", "I", "j", "i6", "I6"], "IY"),
    **dict.fromkeys(["@", "6", "@6"], "AH"),
    ".": "SIL",
    "(": "SIL",
}
"""German SAMPA, as in EmoDB's hand labels, -> the ARPAbet phone of the same class. ``!`` marks a closure."""

_NAME = re.compile(rf"(\d\d)([ab]\d\d)([{''.join(EMOTIONS)}])[a-z]")


def read_emodb(*folders: Path) -> Listing:
    """All takes; boredom keeps its name, and those who train choose what they need."""
    recordings: dict[str, Recording] = {}
    dropped: dict[Path, str] = {}
    for path in media_files(folders, AUDIO_SUFFIXES):
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
                phones=tuple(_phones(path.parent / "lablaut" / f"{path.stem}xx.lablaut")),
            )
    return refuse_empty(
        Listing(tuple(recordings.values()), dropped), folders, "EmoDB files such as 03a01Fa.wav"
    )


def _phones(labels: Path) -> Iterator[Phone]:
    """The phones of a label file, whose lines say when each *begins*; none where it does not exist.

    ``  0.244223   -1 l`` is an l, up to the next line; marks behind the symbol grade it. Other symbols are no phones.
    """
    lines = labels.read_text(encoding="latin-1").splitlines() if labels.exists() else []
    split = [line.split() for line in (lines[lines.index("#") + 1 :] if "#" in lines else [])]
    marks = [fields for fields in split if len(fields) >= 2]
    for fields, following in pairwise(marks):
        if phone := SAMPA.get(fields[2] if len(fields) > 2 else ""):
            yield Phone(phone, float(fields[0]), float(following[0]))
