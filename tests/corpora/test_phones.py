from pathlib import Path

import numpy as np
import pytest

from evp.clock import SAMPLE_RATE
from evp.corpora.phones import Phone, align, stored_phones
from evp.errors import InputError
from evp.media import read_speech
from tiny import tone

GRID = Path(__file__).parents[3] / "shared" / "data" / "grid_s1"
TICKS = 25_000


def test_the_phones_of_known_words_are_found_where_the_words_are():
    if not GRID.is_dir():
        pytest.skip(f"there is no folder {GRID}")
    rows = [line.split() for line in (GRID / "bbaf2n.align").read_text().splitlines()]
    words = {word: (int(begin) / TICKS, int(end) / TICKS) for begin, end, word in rows}
    phones = align(read_speech(GRID / "bbaf2n.mp4"), "Bin blue, at F two now!")
    names = [phone.name for phone in phones]
    assert names[0] == names[-1] == "SIL"
    assert names[1:7] == ["B", "IH", "N", "B", "L", "UW"]
    assert abs(phones[1].begin - words["bin"][0]) < 0.06
    assert abs(phones[4].begin - words["blue"][0]) < 0.06
    assert abs(phones[-1].begin - words["now"][1]) < 0.1
    assert all(phone.end == after.begin for phone, after in zip(phones, phones[1:], strict=False))


def test_a_word_without_pronunciation_is_named():
    with pytest.raises(InputError, match="no pronunciation is known of xyzzyq"):
        align(tone(1.0), "kids xyzzyq")
    with pytest.raises(InputError, match="an empty transcript"):
        align(tone(1.0), " 123 ")


def test_words_that_cannot_be_in_the_sound_are_refused():
    with pytest.raises(InputError, match="does not say"):
        align(tone(0.2)[: SAMPLE_RATE // 10], "this sentence needs more than a tenth of a second")


def test_phones_are_read_from_an_archive():
    archive = {"phones": np.array(["SIL", "M"]), "phone_times": np.array([[0.0, 0.5], [0.5, 0.75]])}
    assert stored_phones(archive) == (Phone("SIL", 0.0, 0.5), Phone("M", 0.5, 0.75))
    assert stored_phones({}) == ()
