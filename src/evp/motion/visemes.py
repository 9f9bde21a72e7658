"""Classes of mouth shapes that the sounds of speech ask for: labels that need no video, so any voice can give them."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evp.clock import FEATURE_RATE

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

SAMPA: dict[str, str] = {
    **dict.fromkeys(["p", "b", "m", "!p", "!b", "_p", "_b"], "P"),
    **dict.fromkeys(["f", "v", "V"], "F"),
    **dict.fromkeys(["t", "d", "n", "l", "!t", "!d", "_t", "_d", "nn"], "T"),
    **dict.fromkeys(["s", "z"], "S"),
    **dict.fromkeys(["S", "Z"], "SH"),
    **dict.fromkeys(["k", "g", "N", "x", "C", "h", "!k", "!g", "_k", "_g", "NN", "R", "X"], "K"),
    **dict.fromkeys(["u", "U", "y", "Y"], "UW"),
    **dict.fromkeys(["o", "O", "2", "9"], "AO"),
    "OY": "OY",
    **dict.fromkeys(["a", "a:"], "AA"),
    "aI": "AY",
    "aU": "AW",
    **dict.fromkeys(["E", "e"], "EH"),
    **dict.fromkeys(["i", "I", "j"], "IY"),
    **dict.fromkeys(["@", "6"], "AH"),
    ".": "SIL",
    "(": "SIL",
}
"""German SAMPA, as in EmoDB's hand labels, -> the ARPAbet phone of the same class. ``!`` marks a closure."""


@dataclass(frozen=True)
class Phone:
    """One ARPAbet phone (upper case, no stress digit) from ``begin`` to ``end`` seconds."""

    name: str
    begin: float
    end: float


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
