"""Child processes: what they are asked, what they say, how they die, and that they never outlive the server."""

import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
import wave
from pathlib import Path

import pytest

from evp.errors import InputError
from evp.studio import child as child_module
from evp.studio.child import answer
from evp.studio.processes import Assistant, BusyError, Child, TaskError, one_child
from studio_stand_ins import eventually
from tiny import tone, voice, write_media

MEBIBYTE = 1 << 20


def answers(task, names=None, **arguments) -> list[dict]:
    written = io.StringIO()
    request = {"task": "it", "arguments": arguments, "names": names or {}}
    answer(request, {"it": task}, written)
    return [json.loads(line) for line in written.getvalue().splitlines()]


def test_task_says_its_progress_and_then_what_came_of_it():
    def task(count: int, progress) -> str:
        for done in range(count):
            progress("counting", done + 1, count)
        return "counted"

    assert answers(task, count=2) == [
        {"progress": ["counting", 1, 2]}, {"progress": ["counting", 2, 2]}, {"done": "counted"},
    ]  # fmt: skip
    assert answers(lambda a: a + 1, a=1) == [{"done": 2}]


def test_errors_for_the_user_name_files_as_the_user_does():
    def task(path: str) -> None:
        raise InputError(f"the sound of {path} is silent")

    told = answers(task, names={"/srv/x/abc": "my song.mp3"}, path="/srv/x/abc")
    assert told == [{"failed": "the sound of my song.mp3 is silent"}]


def test_bugs_are_told_by_name_and_keep_their_traceback(capsys: pytest.CaptureFixture[str]):
    def task() -> None:
        raise KeyError("secret detail")

    assert answers(task) == [{"broken": "KeyError"}]
    assert "secret detail" in capsys.readouterr().err


def test_too_little_memory_is_told():
    def task() -> None:
        raise MemoryError

    assert answers(task) == [{"failed": "this needs more memory than is allowed here"}]


def test_child_answers_one_request_after_the_other(tmp_path: Path):
    path = write_media(tmp_path / "a.wav", waveform=voice(1.0, 140))
    with one_child() as child:
        for _ in range(2):
            told = child.ask(
                "check_speech", {"upload": str(path), "sound": str(tmp_path / "b.wav"), "most_seconds": 5}
            )
            assert told["seconds"] == 1.0
            assert len(told["peaks"]) == 800
            assert max(told["peaks"]) == 1.0
        with pytest.raises(TaskError, match=r"^the sound of song is longer than 0.5 s$"):
            child.ask(
                "check_speech",
                {"upload": str(path), "sound": "", "most_seconds": 0.5},
                names={str(path): "song"},
            )
    assert not child.alive


def test_memory_of_a_child_is_limited(tmp_path: Path):
    with wave.open(str(tmp_path / "hour.wav"), "wb") as file:
        file.setparams((1, 1, 8000, 0, "NONE", ""))
        file.writeframes(b"\x10\xf0" * 4000 * 3600)  # 230 MB as this program keeps sound
    asked = {"upload": str(tmp_path / "hour.wav"), "sound": str(tmp_path / "b"), "most_seconds": 1e9}
    with one_child(memory=200 * MEBIBYTE) as child:
        with pytest.raises(TaskError, match="this needs more memory than is allowed here"):
            child.ask("check_speech", asked)
        with pytest.raises(TaskError, match="is longer than 60 s"):
            child.ask("check_speech", {**asked, "most_seconds": 60})


def test_processor_time_of_a_child_is_limited(tmp_path: Path):
    path = write_media(tmp_path / "long.wav", waveform=tone(600), sample_rate=16000)
    with one_child(processor_seconds=1) as child, pytest.raises(TaskError, match="more time or memory"):
        for _ in range(100):
            child.ask(
                "check_speech", {"upload": str(path), "sound": str(tmp_path / "b"), "most_seconds": 1e9}
            )


def test_child_that_takes_too_long_is_stopped(tmp_path: Path):
    os.mkfifo(tmp_path / "never")
    with one_child() as child, pytest.raises(TaskError, match=r"it took longer than 0\.5 s"):
        asked = {"upload": str(tmp_path / "never"), "most_seconds": 1, "most_pixels": 1}
        child.ask("check_footage", asked, seconds=0.5)


def test_child_that_dies_is_an_error(tmp_path: Path):
    os.mkfifo(tmp_path / "never")
    child = Child()
    threading.Timer(0.5, os.kill, [child._process.pid, signal.SIGSEGV]).start()
    with pytest.raises(TaskError, match=r"died \(-11\)"):
        child.ask("check_footage", {"upload": str(tmp_path / "never"), "most_seconds": 1, "most_pixels": 1})
    with pytest.raises(TaskError, match="died"):
        child.ask("check_footage", {})
    child.close()


@pytest.mark.parametrize("busy", [False, True])
def test_child_ends_when_the_server_is_killed(tmp_path: Path, busy: bool):
    """The server is a process that starts a child, and is killed without a chance to clear up."""
    os.mkfifo(tmp_path / "never")
    code = (
        "import sys; from evp.studio.processes import Child; c = Child(); print(c._process.pid, flush=True);"
        f"{busy} and c.ask('check_footage', dict(upload=sys.argv[1], most_seconds=1, most_pixels=1));"
        "import time; time.sleep(600)"
    )
    source = Path(child_module.__file__).parents[2]
    server = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "never")], stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(source)},
    )  # fmt: skip
    assert server.stdout is not None
    pid = int(server.stdout.readline())
    time.sleep(0.5)
    server.kill()
    server.wait()
    server.stdout.close()
    eventually(lambda: not _alive(pid))


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_assistant_starts_again_after_a_death(tmp_path: Path):
    os.mkfifo(tmp_path / "never")
    assistant = Assistant(seconds=5)
    with pytest.raises(TaskError, match="longer than 5 s"):
        assistant.ask("check_footage", upload=str(tmp_path / "never"), most_seconds=1, most_pixels=1)
    path = write_media(tmp_path / "a.wav", waveform=tone(0.2))
    told = assistant.ask("check_speech", upload=str(path), sound=str(tmp_path / "b.wav"), most_seconds=1)
    assert told["seconds"] == pytest.approx(0.2)
    assistant.close()
    with pytest.raises(BusyError, match="closing"):
        assistant.ask("status")


def test_too_many_waiting_for_the_assistant_are_refused(tmp_path: Path):
    os.mkfifo(tmp_path / "never")
    assistant = Assistant(seconds=60, most_waiting=2)

    def ask() -> None:
        with pytest.raises((TaskError, BusyError)):
            assistant.ask("check_footage", upload=str(tmp_path / "never"), most_seconds=1, most_pixels=1)

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    eventually(lambda: assistant._room._value == 0)
    with pytest.raises(BusyError, match="try again in a moment"):
        assistant.ask("status")
    eventually(lambda: assistant._child is not None)
    assistant.close()
    for thread in threads:
        thread.join()
