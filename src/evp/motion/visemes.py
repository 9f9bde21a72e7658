"""Classes of mouth shapes that the sounds of speech ask for: labels that need no video, so any voice can give them."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from evp.clock import FEATURE_RATE
from evp.corpora.phones import Phone

VISEMES: dict[str, str] = {
    "silence": "SIL",
    "bilabial": "P B M",
    "labiodental": "F V",
    "alveolar": "T D N L TH DH DX",
    "sibilant": "S Z",
    "postalveolar": "SH ZH CH JH",
    "velar": "K G NG HH",
    "rhotic": "R ER",
    "round_close": "W UW UH",
    "round_mid": "OW AO OY",
    "open": "AA AY AW",
    "open_front": "AE EH EY",
    "close_front": "IY IH Y",
    "central": "AH AX IX AXR",
}
"""Class -> the ARPAbet phones in it; the order is that of the class numbers."""

NAMES = tuple(VISEMES)
SILENCE = NAMES.index("silence")
BILABIAL = NAMES.index("bilabial")
UNLABELLED = -1
"""The class number of a row without a label."""

GLIDES = {"AY": ("AA", "IY"), "EY": ("EH", "IY"), "OY": ("AO", "IY"), "AW": ("AA", "UW"), "OW": ("AO", "UW")}
"""Diphthongs as the two vowels they glide between, changing at GLIDE_POINT of their duration."""
GLIDE_POINT = 0.6


def viseme_of(phone: str) -> int:
    """The class number of an ARPAbet phone; UNLABELLED for a name that is not one."""
    return next(
        (number for number, phones in enumerate(VISEMES.values()) if phone in phones.split()), UNLABELLED
    )


def viseme_rows(phones: Iterable[Phone], rows: int) -> NDArray[np.int8]:
    """Class number of every feature row (row r is centred on (r + 0.5) / 100 s): int8 (rows,), UNLABELLED in gaps."""
    labels = np.full(rows, UNLABELLED, np.int8)
    for phone in phones:
        middle = phone.begin + GLIDE_POINT * (phone.end - phone.begin)
        first, second = GLIDES.get(phone.name, (phone.name, phone.name))
        for name, begin, end in ((first, phone.begin, middle), (second, middle, phone.end)):
            span = (round(max(begin, 0) * FEATURE_RATE), round(max(end, 0) * FEATURE_RATE))
            labels[slice(*span)] = viseme_of(name)
    return labels
