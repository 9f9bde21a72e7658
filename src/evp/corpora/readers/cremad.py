"""CREMA-D (Cao et al. 2014): 91 actors, twelve sentences, six emotions; one sentence at three intensities.

    AudioWAV/1001_IEO_ANG_HI.wav
    VideoFlash/1001_IEO_ANG_HI.flv

A file name says speaker, sentence, emotion and level (LO, MD, HI, or XX for none) and is all that counts, whatever the
folders are called.
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
    "ANG": "angry",
    "DIS": "disgusted",
    "FEA": "fear",
    "HAP": "happy",
    "NEU": "neutral",
    "SAD": "sad",
}
INTENSITIES = {"LO": 1, "MD": 2, "HI": 3, "XX": None, "X": None}  # one published name says X

SENTENCES = {
    "IEO": "it's eleven o'clock",
    "TIE": "that is exactly what happened",
    "IOM": "i'm on my way to the meeting",
    "IWW": "i wonder what this is about",
    "TAI": "the airplane is almost full",
    "MTI": "maybe tomorrow it will be cold",
    "IWL": "i would like a new alarm clock",
    "ITH": "i think i have a doctor's appointment",
    "DFA": "don't forget a jacket",
    "ITS": "i think i've seen this before",
    "TSI": "the surface is slick",
    "WSI": "we'll stop in a couple of minutes",
}

_NAME = re.compile(rf"(\d{{4}})_([A-Z]{{3}})_({'|'.join(EMOTIONS)})_({'|'.join(INTENSITIES)})")


def read_cremad(*folders: Path) -> Listing:
    """All clips; the videos joined with the sound files of the same name, either of which may be missing."""
    videos: dict[str, Path] = {}
    sounds: dict[str, Path] = {}
    dropped: dict[Path, str] = {}
    for path in media_files(folders, AUDIO_SUFFIXES + VIDEO_SUFFIXES):
        files = videos if path.suffix.lower() in VIDEO_SUFFIXES else sounds
        if not _NAME.fullmatch(path.stem):
            dropped[path] = "its name is not one of CREMA-D"
        elif (other := files.setdefault(path.stem, path)) != path:
            dropped[path] = f"{other} has the same name"
    recordings = []
    for name in sorted(videos.keys() | sounds.keys()):
        speaker, sentence, emotion, level = name.split("_")
        recordings.append(
            Recording(
                name=name,
                speaker=speaker,
                video=videos.get(name),
                audio=sounds.get(name),
                emotion=EMOTIONS[emotion],
                intensity=INTENSITIES[level],
                sentence=sentence,
                transcript=SENTENCES.get(sentence),
            )
        )
    expected = "CREMA-D files such as AudioWAV/1001_IEO_ANG_HI.wav or VideoFlash/1001_IEO_ANG_HI.flv"
    return refuse_empty(Listing(tuple(recordings), dropped), folders, expected)
