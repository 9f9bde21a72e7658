"""When a recording has an m, b or p: from labels, or from its words."""

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evp.clock import FEATURE_RATE, SAMPLE_RATE
from evp.errors import InputError, MissingExtraError

Spans = list[tuple[float, float]]
"""Begin and end in seconds."""

BILABIAL = {"m", "b", "p"}


def labelled_closures(path: Path) -> Spans:
    """The m, b and p of a file of labels (begin and end in seconds, and the sound: ARPAbet, SAMPA or IPA).

    Raises InputError.
    """
    spans = []
    for number, line in enumerate(_text(path).splitlines(), start=1):
        if not line.strip():
            continue
        try:
            begin, end, label = line.split(maxsplit=2)
            span = float(begin), float(end)
        except ValueError:
            raise InputError(
                f"{path}, line {number}: begin and end in seconds and a sound are needed"
            ) from None
        if span[1] < span[0]:
            raise InputError(f"{path}, line {number}: it ends before it begins")
        if label.strip().lstrip("!_").rstrip("0123456789").lower() in BILABIAL:
            spans.append(span)
    return spans


def spoken_closures(transcript: Path, waveform: NDArray[np.floating]) -> Spans:
    """The m, b and p of English words in the sound that says them, by forced alignment.

    Raises InputError, and MissingExtraError without pocketsphinx.
    """
    words = re.sub(r"[^a-z' ]+", " ", _text(transcript).lower()).split()
    if not words:
        raise InputError(f"{transcript} has no words")
    return [
        (begin, end) for name, begin, end in aligned(" ".join(words), waveform) if name.lower() in BILABIAL
    ]


def aligned(words: str, waveform: NDArray[np.floating]) -> list[tuple[str, float, float]]:
    """The phones (ARPAbet, begin and end in seconds) of lower-case English ``words`` in the sound that says them."""
    try:
        from pocketsphinx import Decoder
    except ImportError as error:
        raise MissingExtraError(
            "finding the sounds of a transcript needs pocketsphinx: pip install 'evp[evaluate]'"
        ) from error
    decoder = Decoder(samprate=SAMPLE_RATE, bestpath=False, loglevel="FATAL")
    sound = (np.clip(waveform, -1, 1) * 32767).astype("<i2").tobytes()
    try:
        decoder.set_align_text(words)
        _listen(decoder, sound)
        decoder.set_alignment()
        _listen(decoder, sound)
        found = decoder.get_alignment()
    except RuntimeError as error:
        raise InputError(f"the words '{words}' do not fit the sound: {error}") from error
    return [
        (phone.name, phone.start / FEATURE_RATE, (phone.start + phone.duration) / FEATURE_RATE)
        for word in found
        for phone in word
    ]


def _listen(decoder: Any, sound: bytes) -> None:
    decoder.start_utt()
    decoder.process_raw(sound, full_utt=True)
    decoder.end_utt()


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}") from error
