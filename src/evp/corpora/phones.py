"""Which phone is said when: known from labels, or found in the sound of known words."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from evp.clock import FEATURE_RATE, SAMPLE_RATE
from evp.errors import InputError

SILENCE = "SIL"


class Phone(NamedTuple):
    """One ARPAbet phone (upper case, no stress digit; SILENCE is one too) from ``begin`` to ``end`` seconds."""

    name: str
    begin: float
    end: float


def align(waveform: NDArray[np.floating], transcript: str) -> tuple[Phone, ...]:
    """The phones of the English words ``transcript`` in ``waveform`` (samples,), 16 kHz, by forced alignment.

    Raises InputError when a word is not in the dictionary, or the words are not what is said.
    """
    from pocketsphinx import Config, Decoder

    words = re.findall(r"[a-z']+", transcript.lower())
    decoder = Decoder(Config(samprate=float(SAMPLE_RATE), frate=FEATURE_RATE, loglevel="FATAL", lm=None))
    unknown = sorted({word for word in words if decoder.lookup_word(word) is None})
    if unknown or not words:
        raise InputError(f"no pronunciation is known of {', '.join(unknown) or 'an empty transcript'}")
    samples = (np.clip(waveform, -1, 1) * np.iinfo(np.int16).max).astype("<i2").tobytes()
    decoder.set_align_text(" ".join(words))
    try:
        _hear(decoder, samples)
        decoder.set_alignment()
        _hear(decoder, samples)
    except RuntimeError as error:  # all that the decoder says when the words do not fit
        raise InputError(f"the sound does not say '{transcript}'") from error
    return tuple(
        Phone(
            phone.name.strip("+"), phone.start / FEATURE_RATE, (phone.start + phone.duration) / FEATURE_RATE
        )
        for word in decoder.get_alignment()
        for phone in word
    )


def stored_phones(archive: Mapping[str, NDArray[Any]]) -> tuple[Phone, ...]:
    """The phones in a prepared clip's archive; none where they are not known."""
    if "phones" not in archive:
        return ()
    times = archive["phone_times"].tolist()
    return tuple(Phone(str(name), *span) for name, span in zip(archive["phones"], times, strict=True))


def _hear(decoder, samples: bytes) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    decoder.start_utt()
    decoder.process_raw(samples, full_utt=True)
    decoder.end_utt()
