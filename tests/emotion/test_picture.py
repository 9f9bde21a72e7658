from pathlib import Path

import cv2
import numpy as np
import pytest

from evp.emotion.hearing import Heard
from evp.emotion.picture import (
    BOTTOM,
    COLOURS,
    LEFT,
    PAPER,
    QUIET,
    RIGHT,
    STRIP,
    TOP,
    WIDTH,
    draw,
    write_picture,
)
from evp.errors import InputError, OutputError

LABELS = ("angry", "sad")


def heard(voiced: tuple[bool, ...] = (True, True, False, True)) -> Heard:
    """Angry all the time, with a pause."""
    probabilities = np.tile(np.array([[1.0, 0.0]], np.float32), (len(voiced), 1))
    times = 0.2 + 0.4 * np.arange(len(voiced))
    return Heard(times, np.zeros((len(voiced), 128), np.float32), probabilities, np.array(voiced))


def test_strips_are_as_high_as_emotions_are_likely_and_pauses_are_grey() -> None:
    picture = draw(heard(), LABELS, "speech.wav")
    assert picture.shape == (TOP + 2 * STRIP + BOTTOM, WIDTH, 3)
    quarter = (WIDTH - LEFT - RIGHT) // 4
    columns = [LEFT + quarter * n + quarter // 2 for n in range(4)]
    for strip, expected in enumerate(
        [(COLOURS[0], COLOURS[0], QUIET, COLOURS[0]), (PAPER, PAPER, QUIET, PAPER)]
    ):
        middle = TOP + STRIP * strip + STRIP // 2
        assert [tuple(picture[middle, column]) for column in columns] == list(expected)


def test_written_whole_or_not_at_all(tmp_path: Path) -> None:
    write_picture(tmp_path / "heard.png", heard(), LABELS, "speech.wav")
    drawn = cv2.cvtColor(draw(heard(), LABELS, "speech.wav"), cv2.COLOR_RGB2BGR)
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / "heard.png")), drawn)
    with pytest.raises(OutputError, match="cannot write"):
        write_picture(tmp_path / "nowhere" / "heard.png", heard(), LABELS, "speech.wav")
    assert [path.name for path in tmp_path.iterdir()] == ["heard.png"]


def test_nothing_to_draw_without_voice() -> None:
    with pytest.raises(InputError, match="has no voice in it"):
        draw(heard((False, False)), LABELS, "silence.wav")
