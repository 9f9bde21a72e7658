"""The page reads and writes emotion as the command line does: both are held to the same cases."""

import json
from pathlib import Path

import numpy as np
import pytest

from evp.emotion.space import EmotionSpace
from evp.emotion.track import parse_track
from evp.errors import InputError
from tiny import emotion_codes

FILE = Path(__file__).resolve().parents[3] / "studio" / "src" / "lane" / "syntax-cases.json"
CASES = json.loads(FILE.read_text())
SPACE = EmotionSpace(emotion_codes(tuple(CASES["labels"])))


@pytest.mark.parametrize(("text", "points", "written"), CASES["read"])
def test_what_the_page_reads_means_the_same_here(text: str, points: list, written: str):
    track = parse_track(text, SPACE, CASES["seconds"])
    np.testing.assert_allclose(track.times, [time for time, _ in points])
    np.testing.assert_allclose(track.codes, [SPACE.code(mixture) for _, mixture in points], atol=1e-6)
    again = parse_track(written, SPACE, CASES["seconds"])
    np.testing.assert_allclose(again.codes, track.codes, atol=1e-6)


@pytest.mark.parametrize("text", CASES["refused"])
def test_what_the_page_refuses_is_refused_here(text: str):
    with pytest.raises(InputError):
        parse_track(text, SPACE, CASES["seconds"])
