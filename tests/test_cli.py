"""The command line: every verb reaches its function, and every error is one line and an exit code."""

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from typer.testing import CliRunner

from evp import cli
from evp.corpora.manifest import Manifest
from evp.corpora.prepare import PrepareConfig
from evp.corpora.readers import READERS
from evp.errors import InputError, PortraitError
from tiny import portrait, tone, write_media


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs a command line in-process, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(cli.app, [str(argument) for argument in arguments])


@pytest.fixture
def calls(monkeypatch):
    """Puts a recorder in the place of every function behind a verb."""
    recorded = []

    def recorder(name):
        def record(*arguments, **options):
            recorded.append((name, arguments, options))
            return Manifest()

        return record

    for module, names in {
        "evp.pipeline": ["animate_file"],
        "evp.still": ["still_file"],
        "evp.portrait.build": ["build_portrait"],
        "evp.corpora.prepare": ["prepare_corpus"],
    }.items():
        stand_in = ModuleType(module)
        for name in names:
            setattr(stand_in, name, recorder(name))
        stand_in.PrepareConfig = PrepareConfig
        monkeypatch.setitem(sys.modules, module, stand_in)
    return recorded


def _fails_with(error):
    def command() -> None:
        raise error

    return command


def test_animate_calls_animate_file(run, calls):
    result = run(
        "animate", "speech.wav", "--portrait", "me.evp", "-o", "out.mp4", "--motion-from", "other.mp4"
    )
    assert result.exit_code == 0, result.output
    [(name, arguments, options)] = calls
    assert name == "animate_file"
    assert arguments == (Path("speech.wav"), Path("me.evp"), Path("out.mp4"))
    assert options["motion_from"] == Path("other.mp4")
    options["progress"](1, 2)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ((), {"emotion": "auto", "emotion_audio": None, "emotion_feature": None}),
        (("--emotion", "happy:0.8"), {"emotion": "happy:0.8"}),
        (("-e", "0 neutral, 2.5 happy:0.8, 6 sad"), {"emotion": "0 neutral, 2.5 happy:0.8, 6 sad"}),
        (("--emotion", "auto"), {"emotion": "auto"}),
        (
            ("--emotion-audio", "angry voice.wav"),
            {"emotion": "auto", "emotion_audio": Path("angry voice.wav")},
        ),
        (("--emotion-feature", "mix.npy"), {"emotion_feature": Path("mix.npy"), "emotion_audio": None}),
    ],
)
def test_animate_hands_the_emotion_on(run, calls, given, wanted):
    result = run("animate", "speech.wav", "--portrait", "me.evp", "-o", "out.mp4", *given)
    assert result.exit_code == 0, result.output
    [(_, _, options)] = calls
    assert {name: options[name] for name in wanted} == wanted
    assert options["motion_from"] is None


@pytest.mark.parametrize(
    "given", [("--emotion", "sad"), ("--emotion-audio", "a.wav"), ("--emotion-feature", "mix.npy")]
)
def test_animate_takes_no_emotion_for_a_film_that_gives_the_motion(run, calls, given):
    result = run("animate", "-p", "me.evp", "-o", "out.mp4", "--motion-from", "other.mp4", *given)
    assert result.exit_code == 2
    assert "the face moves and feels as it does" in result.stderr
    assert not calls


@pytest.mark.parametrize("option", ["--emotion-audio", "--emotion-feature"])
def test_animate_never_overwrites_what_lends_the_emotion(run, calls, option):
    result = run("animate", "a.wav", "-p", "me.evp", "-o", "other.mp4", option, "./other.mp4")
    assert result.exit_code == 1
    assert result.stderr == "evp: cannot write other.mp4: it is also an input\n"
    assert not calls


def test_still_calls_still_file(run, calls):
    result = run("still", "speech.wav", "-p", "me.evp", "-o", "a.png", "--at", "2.5", "-e", "happy:0.8")
    assert (result.exit_code, result.stdout) == (0, "a.png\n")
    assert run("still", "-o", "b.jpg").exit_code == 0
    given = {"emotion": "happy:0.8", "at": 2.5}
    usual = {"emotion": "auto", "at": 0.0}
    assert calls == [
        ("still_file", (Path("speech.wav"), Path("me.evp"), Path("a.png")), given),
        ("still_file", (None, None, Path("b.jpg")), usual),
    ]
    assert "it is also an input" in run("still", "a.wav", "-o", "a.wav").stderr


def test_animate_refuses_two_emotions_in_one_line_and_leaves_no_film(run):
    portrait(4).save(Path("me.evp"))
    write_media(Path("speech.wav"), waveform=tone(0.3))
    result = run(
        "animate", "speech.wav", "-p", "me.evp", "-o", "o.mp4", "-e", "sad", "--emotion-audio", "a.wav"
    )
    assert result.exit_code == 1
    assert result.stderr.startswith("evp: the emotion can come from a description")
    assert result.stderr.count("\n") == 1
    assert sorted(path.name for path in Path().iterdir()) == ["me.evp", "speech.wav"]


def test_animate_wants_speech_or_motion(run, calls):
    result = run("animate", "--portrait", "me.evp", "-o", "out.mp4")
    assert result.exit_code == 2
    assert "SPEECH" in result.stderr
    assert not calls


def test_build_calls_build_portrait(run, calls):
    result = run(
        "portrait", "build", "me.mp4", "-o", "me.evp", "--consent", "written", "--quick", "--seed", 3
    )
    assert result.exit_code == 0, result.output
    [(name, arguments, options)] = calls
    assert (name, arguments) == ("build_portrait", (Path("me.mp4"), Path("me.evp")))
    assert (options["consent"], options["quick"], options["seed"]) == ("written", True, 3)


def test_build_wants_consent(run, calls):
    result = run("portrait", "build", "me.mp4", "-o", "me.evp")
    assert result.exit_code == 2
    assert "--consent" in result.stderr
    assert not calls


def test_prepare_calls_prepare_corpus(run, calls):
    result = run(
        "corpus", "prepare", "folder", "one", "two", "-o", "clips", "--speaker", "file", "--crops", "8"
    )
    assert result.exit_code == 0
    assert "0 clips of 0 people, 0 dropped" in result.stdout
    [(name, (reader, *arguments), _)] = calls
    assert name == "prepare_corpus"
    assert (reader.func, reader.keywords) == (READERS["folder"], {"speaker": "file"})
    assert arguments[:3] == [[Path("one"), Path("two")], Path("clips"), PrepareConfig(8)]
    progress, hear_opening = arguments[3:]
    progress(1, 2)
    assert hear_opening(np.zeros(1280, np.float32)).shape == (2,)


@pytest.mark.parametrize("error", [InputError("a.wav is silent"), PortraitError("x.evp is broken")])
def test_an_error_is_one_line_and_exit_code_1(run, monkeypatch, error):
    monkeypatch.setattr(cli, "app", cli.application({"fail": _fails_with(error)}))
    result = run("fail")
    assert result.exit_code == 1
    assert result.stderr == f"evp: {error}\n"
    assert result.stdout == ""


def test_a_full_disk_is_one_line(run, monkeypatch):
    monkeypatch.setattr(
        cli, "app", cli.application({"fail": _fails_with(OSError(errno.ENOSPC, "No space left"))})
    )
    result = run("fail")
    assert result.exit_code == 1
    assert result.stderr == "evp: there is no room left on the disk\n"


def test_another_system_error_is_a_bug_and_keeps_its_traceback(run, monkeypatch):
    monkeypatch.setattr(cli, "app", cli.application({"fail": _fails_with(OSError(errno.EIO, "broken"))}))
    assert isinstance(run("fail").exception, OSError)


def test_an_interruption_is_exit_code_130(run, monkeypatch):
    monkeypatch.setattr(cli, "app", cli.application({"fail": _fails_with(KeyboardInterrupt())}))
    result = run("fail")
    assert result.exit_code == 130
    assert result.stderr == "evp: interrupted\n"


def test_a_bug_keeps_its_traceback(run, monkeypatch):
    monkeypatch.setattr(cli, "app", cli.application({"fail": _fails_with(ZeroDivisionError())}))
    assert isinstance(run("fail").exception, ZeroDivisionError)


@pytest.mark.parametrize(
    "arguments",
    [
        ("animate", "a.wav", "-p", "me.evp"),
        ("portrait", "build", "me.mp4", "--consent", "yes"),
        ("train", "renderer", "clips"),
    ],
)
def test_an_output_that_cannot_be_written_is_refused_before_any_work(run, calls, arguments):
    result = run(*arguments, "-o", "nowhere/out")
    assert result.exit_code == 1
    assert result.stderr == "evp: cannot write nowhere/out: there is no folder nowhere\n"
    assert not calls


@pytest.mark.parametrize("arguments", [("train", "motion", "clips"), ("corpus", "prepare", "mead", "raw")])
def test_a_file_in_the_place_of_an_output_folder_is_refused(run, calls, arguments):
    Path("taken").touch()
    result = run(*arguments, "-o", "taken")
    assert result.exit_code == 1
    assert result.stderr == "evp: cannot write into taken: it is not a folder\n"
    assert not calls


def test_an_input_is_never_overwritten(run, calls):
    result = run("animate", "a.mp4", "-p", "me.evp", "-o", "./a.mp4")
    assert result.exit_code == 1
    assert "also an input" in result.stderr
    assert not calls


@pytest.mark.parametrize("verb", ["faces", "wrinkles"])
def test_what_is_no_corpus_teaches_no_emotion(run, verb):
    result = run("train", verb, "nowhere", "-o", "learned.npz")
    assert result.exit_code == 1
    assert result.stderr.startswith("evp: nowhere: not a prepared corpus")
    assert result.stderr.count("\n") == 1
    assert not list(Path().iterdir())


def test_a_missing_extra_is_named(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "evp.motion.train", raising=False)
    result = run("train", "motion", "clips", "-o", "motion.onnx")
    assert result.exit_code == 1
    assert "torch" in result.stderr
    assert "evp[train]" in result.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_process_with_one_line(number):
    code = (
        "import time; from evp import cli\n"
        "def wait() -> None: print('ready', flush=True); time.sleep(60)\n"
        "cli.app = cli.application({'wait': wait}); cli.main()"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(
        [sys.executable, "-c", code, "wait"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        time.sleep(0.1)
        process.send_signal(number)
        _, told = process.communicate(timeout=30)
    assert process.returncode == 130
    assert told == "evp: interrupted\n"
