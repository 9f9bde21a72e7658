"""The verbs of evp emotion that hear, with a planted model."""

import json
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from evp import cli
from evp.emotion.hearing import EmotionModel, Heard
from tiny import emotion_codes, tone, write_media

VOICED = np.array([True, True, False, True])


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs a command line in a folder with speech.wav; the model hears sad twice, a pause, and angry."""
    monkeypatch.chdir(tmp_path)
    write_media(tmp_path / "speech.wav", waveform=tone(1.6))
    probabilities = np.array([[0.2, 0.8], [0.2, 0.8], [0.5, 0.5], [0.6, 0.4]], np.float32)
    heard = Heard(0.2 + 0.4 * np.arange(4), np.ones((4, 128), np.float32), probabilities, VOICED)
    codes = emotion_codes(("angry", "contempt", "neutral", "sad"))
    model = SimpleNamespace(labels=("angry", "sad"), label_codes=codes, hear=lambda _: heard)
    monkeypatch.setattr(EmotionModel, "load", lambda *_: model)
    return lambda *arguments: CliRunner().invoke(cli.app, list(arguments))


def test_table_of_the_whole_and_of_the_stretches(run) -> None:
    result = run("emotion", "hear", "speech.wav")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "sad         69%  " + 21 * "#",
        "angry       31%  " + 9 * "#",
        "",
        "   0.0 -   0.8 s  sad 80%",
        "   0.8 -   1.2 s  (no voice)",
        "   1.2 -   1.6 s  angry 60%",
    ]


def test_numbers(run) -> None:
    numbers = json.loads(run("emotion", "hear", "speech.wav", "--json").stdout)
    assert numbers["labels"] == ["angry", "sad"] and numbers["whole"].keys() == {"angry", "sad"}
    assert numbers["times"] == [0.2, 0.6, 1.0, 1.4] and numbers["voiced"] == VOICED.tolist()
    assert numbers["probabilities"][0] == [0.2, 0.8] and len(numbers["code"]) == 128
    assert numbers["track"].startswith("0 ") and "sad:" in numbers["track"]


def test_plot_is_a_picture_and_never_the_speech(run, tmp_path) -> None:
    assert run("emotion", "hear", "speech.wav", "--plot", "heard.png").exit_code == 0
    assert cv2.imread(str(tmp_path / "heard.png")).shape[1] == 1200
    result = run("emotion", "hear", "speech.wav", "--plot", "speech.wav")
    assert result.exit_code == 1 and result.stderr.count("\n") == 1


def test_list_says_what_can_only_be_shown(run) -> None:
    told = run("emotion", "list").stdout.splitlines()
    shown = "(can be shown, but is not heard)"
    assert told == ["angry", f"contempt {shown}", f"neutral {shown}", "sad"]


def test_silence_is_one_line(run, monkeypatch) -> None:
    silent = Heard(np.array([0.2]), np.ones((1, 128)), np.array([[0.5, 0.5]]), np.array([False]))
    model = SimpleNamespace(labels=("angry", "sad"), hear=lambda _: silent)
    monkeypatch.setattr(EmotionModel, "load", lambda *_: model)
    for options in ([], ["--json"], ["--plot", "heard.png"]):
        result = run("emotion", "hear", "speech.wav", *options)
        assert result.exit_code == 1 and result.stderr == "evp: the recording has no voice in it\n"
