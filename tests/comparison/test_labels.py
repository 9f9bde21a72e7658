import sys

import numpy as np
import pytest

from evp.comparison.labels import labelled_closures, spoken_closures
from evp.errors import InputError, MissingExtraError
from tiny import voice


def test_m_b_and_p_are_found_in_any_alphabet(tmp_path):
    labels = tmp_path / "a.phones"
    labels.write_text("0.0 0.1 SIL\n0.1\t0.2\tM\n\n0.2 0.3 AH0\n0.3 0.4 !b\n0.4 0.45 p\n0.5 0.6 bird\n")
    assert labelled_closures(labels) == [(0.1, 0.2), (0.3, 0.4), (0.4, 0.45)]


@pytest.mark.parametrize(
    ("text", "told"),
    [("0.1 M\n", "line 1"), ("0 0.1 M\nx 2 P", "line 2"), ("2 1 M", "ends before it begins")],
)
def test_labels_that_are_wrong_are_told(tmp_path, text, told):
    labels = tmp_path / "a.phones"
    labels.write_text(text)
    with pytest.raises(InputError, match=told):
        labelled_closures(labels)


def test_words_that_nobody_says_do_not_fit(tmp_path):
    words = tmp_path / "a.txt"
    words.write_text("Perhaps Bob's mum: pumpernickel!")
    with pytest.raises(InputError, match="do not fit the sound"):
        spoken_closures(words, np.zeros(1600, np.float32))
    words.write_text("42 !")
    with pytest.raises(InputError, match="has no words"):
        spoken_closures(words, voice(1, 120))
    with pytest.raises(InputError, match="cannot be read"):
        spoken_closures(tmp_path / "nowhere.txt", voice(1, 120))


def test_without_pocketsphinx_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pocketsphinx", None)
    words = tmp_path / "a.txt"
    words.write_text("bob")
    with pytest.raises(MissingExtraError, match=r"evp\[evaluate\]"):
        spoken_closures(words, voice(1, 120))
