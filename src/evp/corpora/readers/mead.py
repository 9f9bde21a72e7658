"""MEAD (Wang et al. 2020): 60 actors, eight emotions at three intensities (neutral at one), seven views.

    SPEAKER/video/VIEW/EMOTION/level_N/NNN.mp4
    SPEAKER/audio/EMOTION/level_N/NNN.m4a

Which sentence a number stands for is told in the supplement of the paper only: for every emotion a few sentences that
all emotions share, some that suit the emotion, and general ones. Here numbers 001 to 003 count as the same
sentence everywhere, higher numbers as the same sentence within an emotion. The data set's authors say that a
take of M003 is lost and its numbers are shifted; nothing in the folders tells.
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
    "angry": "angry",
    "contempt": "contempt",
    "disgusted": "disgusted",
    "fear": "fear",
    "happy": "happy",
    "neutral": "neutral",
    "sad": "sad",
    "surprised": "surprised",
}

_COMMON_SENTENCES = ("001", "002", "003")
_PLACE = re.compile(
    r"(?P<speaker>[^/]+)/(video/(?P<view>[^/]+)|audio)/(?P<emotion>[^/]+)/level_(?P<level>[1-3])/(?P<number>\d+)\.\w+"
)


def read_mead(*folders: Path, view: str = "front") -> Listing:
    """The clips that one camera saw, joined with the sound recorded beside it; either may be missing.

    Each of ``folders`` is the data set or a part of it, such as a speaker's folder. Other views are passed over.
    """
    videos: dict[tuple[str, str, str, str], Path] = {}
    sounds: dict[tuple[str, str, str, str], Path] = {}
    dropped: dict[Path, str] = {}
    for path in media_files(folders, AUDIO_SUFFIXES + VIDEO_SUFFIXES):
        if not (place := _PLACE.search(path.absolute().as_posix())):
            dropped[path] = "it does not lie where MEAD has videos or sounds"
        elif place["emotion"] not in EMOTIONS:
            dropped[path] = f"{place['emotion']} is not one of MEAD's emotions"
        elif place["view"] in (view, None):
            files = sounds if place["view"] is None else videos
            key = place["speaker"], place["emotion"], place["level"], place["number"]
            if (other := files.setdefault(key, path)) != path:
                dropped[path] = f"{other} has the same name"
    recordings = []
    for key in sorted(videos.keys() | sounds.keys()):
        speaker, emotion, level, number = key
        common = number in _COMMON_SENTENCES
        recordings.append(
            Recording(
                name=f"{speaker}__{view}_{emotion}_{level}_{number}",
                speaker=speaker,
                video=videos.get(key),
                audio=sounds.get(key),
                emotion=EMOTIONS[emotion],
                intensity=int(level),
                sentence=number if common else f"{emotion}/{number}",
            )
        )
    expected = f"MEAD's SPEAKER/video/{view}/EMOTION/level_N/NNN.mp4 or SPEAKER/audio/EMOTION/level_N/NNN.m4a"
    return refuse_empty(Listing(tuple(recordings), dropped), folders, expected)
