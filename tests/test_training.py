"""Runs that are stopped, killed, and begun with something else, on a counter that stands for a network."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from evp import training
from evp.errors import InputError
from evp.training import Part, Resumable


class Sum:
    """A part: the sum of all steps, twice, which a half-taken step would leave apart."""

    def __init__(self) -> None:
        self.first = self.second = 0

    def state_dict(self) -> dict[str, Any]:
        return {"first": self.first, "second": self.second}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.first, self.second = state_dict["first"], state_dict["second"]


class Counting(Resumable):
    """Signals may come in the middle of its steps."""

    def __init__(self, signal_at: tuple[int, ...] = (), **settings: Any) -> None:
        self.sum, self.signal_at, self.own = Sum(), signal_at, {"seed": 0, "network": {"size": 3}} | settings

    def advance(self) -> dict[str, float]:
        self.sum.first += self.step + 1
        for number in self.signal_at:
            if number == self.step + 1:
                signal.raise_signal(signal.SIGINT)
        self.sum.second += self.step + 1
        self.step += 1
        return {"total": float(self.sum.second)}

    def parts(self) -> Mapping[str, Part]:
        return {"sum": self.sum}

    def settings(self) -> dict[str, Any]:
        return self.own


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    return tmp_path / "run" / "checkpoint.pt"


def test_interruptions():
    """In a process of their own: what a signal does must not depend on what ran before in this one."""
    place = Path(__file__).with_name("interruptions.py")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--quiet",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
        str(place),
    ]
    told = subprocess.run(command, capture_output=True, text=True)
    assert told.returncode == 0 and "4 passed" in told.stdout, told.stdout + told.stderr


def test_a_checkpoint_is_written_when_the_last_one_is_old(checkpoint: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(training, "SAVE_SECONDS", -1.0)
    seen = []

    def look(step: int, _: object) -> None:
        stored = Counting()
        stored.restore(checkpoint)
        seen.append((step, stored.step))

    Counting().run(checkpoint, 3, 100, look)
    assert seen == [(1, 1), (2, 2), (3, 3)]


def test_without_a_reason_there_is_one_only_now_and_then(checkpoint: Path):
    seen = []
    Counting().run(checkpoint, 5, 2, lambda step, _: seen.append((step, checkpoint.exists())))
    assert seen == [(1, False), (2, True), (3, True), (4, True), (5, True)]
    stored = torch.load(checkpoint, weights_only=True)
    assert stored["step"] == 5
    assert [path.name for path in checkpoint.parent.iterdir()] == ["checkpoint.pt"]


@pytest.mark.parametrize(
    ("settings", "corpus", "named"),
    [
        ({"seed": 1}, {"clips": "one"}, r"\(seed\)"),
        ({"network": {"size": 4}}, {"clips": "one"}, r"\(network\.size\)"),
        ({"more": 1}, {"clips": "one"}, r"\(more\)"),
        ({}, {"clips": "two"}, r"\(corpus\.clips\)"),
        ({}, {}, r"\(corpus\.clips\)"),
    ],
)
def test_what_is_of_another_run_is_refused_by_name(
    checkpoint: Path, settings: dict[str, Any], corpus: dict[str, Any], named: str
):
    first = Counting()
    first.corpus = {"clips": "one"}
    first.run(checkpoint, 2, 1)
    second = Counting(**settings)
    second.corpus = corpus
    with pytest.raises(InputError, match=named) as raised:
        second.run(checkpoint, 4, 1)
    assert "\n" not in str(raised.value)
    assert second.step == 0


def test_how_often_checkpoints_come_makes_no_other_run(checkpoint: Path):
    Counting(checkpoint_every=1).run(checkpoint, 2, 1)
    second = Counting(checkpoint_every=7)
    second.run(checkpoint, 4, 7)
    assert second.sum.first == 10


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04 cut off", b"no checkpoint", "other", "old"])
def test_a_checkpoint_that_cannot_be_read_is_one_line(checkpoint: Path, content: bytes | str | None):
    Counting().run(checkpoint, 2, 1)
    if content is None:
        checkpoint.write_bytes(checkpoint.read_bytes()[:-200])
    elif content == "other":
        torch.save(torch.zeros(3), checkpoint)
    elif content == "old":
        torch.save({"sum": {}, "step": 2}, checkpoint)
    else:
        checkpoint.write_bytes(content)
    with pytest.raises(InputError, match=r"checkpoint\.pt is damaged, or not of this version") as raised:
        Counting().run(checkpoint, 4, 1)
    assert "\n" not in str(raised.value)


def test_networks_that_have_changed_are_of_another_version(checkpoint: Path, monkeypatch: pytest.MonkeyPatch):
    Counting().run(checkpoint, 2, 1)
    monkeypatch.setattr(Counting, "parts", lambda run: {"sum": run.sum, "new": Sum()})
    with pytest.raises(InputError, match="another version"):
        Counting().run(checkpoint, 4, 1)


def test_the_command_ends_with_130_and_goes_on(tmp_path: Path):
    """A whole process, which is sent what Ctrl-C and ``kill`` send."""
    code = (
        "import os, sys, signal; from pathlib import Path; from evp import cli\n"
        "sys.path.insert(0, sys.argv.pop()); from test_training import Counting\n"
        "def stop(step, _):\n"
        "    if step == 2: os.kill(os.getpid(), signal.SIGTERM)\n"
        f"def wait() -> None: Counting().run(Path({str(tmp_path / 'c.pt')!r}), 9, 100, stop)\n"
        "cli.app = cli.application({'wait': wait}); cli.main()"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    result = subprocess.run(
        [sys.executable, "-c", code, "wait", str(Path(__file__).parent)],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert (result.returncode, result.stderr) == (
        130,
        "evp: interrupted at step 2 of 9; the same command goes on\n",
    )
    resumed = Counting()
    resumed.run(tmp_path / "c.pt", 9, 100)
    assert resumed.sum.first == resumed.sum.second == 45
