import numpy as np

from evp.corpora.phones import Phone
from evp.motion.visemes import (
    BILABIAL,
    GLIDES,
    NAMES,
    SILENCE,
    UNLABELLED,
    viseme_of,
    viseme_rows,
)


def test_every_phone_has_one_class() -> None:
    phones = {*GLIDES, *(part for pair in GLIDES.values() for part in pair)}
    assert all(viseme_of(phone) != UNLABELLED for phone in phones)
    assert [viseme_of(phone) for phone in ("M", "B", "P")] == [BILABIAL] * 3
    assert viseme_of("XYZ") == UNLABELLED


def test_rows_follow_the_times() -> None:
    rows = viseme_rows([Phone("SIL", 0.0, 0.05), Phone("M", 0.05, 0.10), Phone("AA", 0.2, 9.0)], 30)
    np.testing.assert_array_equal(rows[:5], SILENCE)
    np.testing.assert_array_equal(rows[5:10], BILABIAL)
    np.testing.assert_array_equal(rows[10:20], UNLABELLED)
    np.testing.assert_array_equal(rows[20:], NAMES.index("open"))


def test_diphthongs_glide() -> None:
    rows = viseme_rows([Phone("AY", 0.0, 0.1)], 10)
    np.testing.assert_array_equal(rows, [NAMES.index("open")] * 6 + [NAMES.index("close_front")] * 4)
