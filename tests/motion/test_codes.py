from types import SimpleNamespace

import numpy as np
import pytest

from evp.errors import InputError
from evp.motion import codes
from evp.motion.codes import hearing_coder

SPEECH = np.ones(3200, np.float32)


class Planted:
    """Stands in for the emotion model: a voice has the code 5, silence has no voice."""

    loads = 0
    label_codes = {"neutral": np.full(128, 1.0), "sad": np.full(128, 3.0)}  # noqa: RUF012

    @classmethod
    def load(cls) -> "Planted":
        cls.loads += 1
        return cls()

    def hear(self, waveform: np.ndarray) -> SimpleNamespace:
        return SimpleNamespace(voiced=waveform > 0, code=np.full(128, 5.0))


@pytest.fixture(autouse=True)
def planted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Planted, "loads", 0)
    monkeypatch.setattr(codes, "EmotionModel", Planted)


def test_a_voice_has_what_is_heard_in_it_relative_to_neutral():
    np.testing.assert_array_equal(hearing_coder()("sad", SPEECH), np.full(128, 4.0))
    np.testing.assert_array_equal(hearing_coder()("bored", SPEECH), np.full(128, 4.0))


@pytest.mark.parametrize("voice", [None, 0 * SPEECH])
def test_without_a_voice_it_is_the_label_relative_to_neutral(voice: np.ndarray | None):
    np.testing.assert_array_equal(hearing_coder()("sad", voice), np.full(128, 2.0))
    assert not hearing_coder()("neutral", voice).any()
    with pytest.raises(InputError, match=r"labelled bored has no voice, and .* knows only neutral, sad"):
        hearing_coder()("bored", voice)


def test_the_model_is_loaded_once_and_not_before_it_is_needed():
    coder = hearing_coder()
    assert Planted.loads == 0
    for _ in range(3):
        coder("sad", None)
    assert Planted.loads == 1
