"""Interruptions of a run, for `test_training.test_interruptions`, which runs this file in a process of its own."""

import signal
from pathlib import Path

import pytest
from test_training import Counting


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    return tmp_path / "run" / "checkpoint.pt"


def test_an_interruption_ends_the_step_saves_and_tells_where(checkpoint: Path):
    with pytest.raises(KeyboardInterrupt, match="interrupted at step 3 of 9; the same command goes on"):
        Counting(signal_at=(3,)).run(checkpoint, 9, 100)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    resumed, told = Counting(), []
    resumed.run(checkpoint, 9, 100, lambda step, losses: told.append((step, losses["total"])))
    assert told == [(step, step * (step + 1) / 2) for step in range(4, 10)]
    assert resumed.sum.first == resumed.sum.second == 45


def test_an_interruption_of_the_last_step_is_not_lost(checkpoint: Path):
    with pytest.raises(KeyboardInterrupt, match="step 2 of 2"):
        Counting(signal_at=(2,)).run(checkpoint, 2, 100)


def test_a_second_interruption_does_not_wait_and_saves_no_half_step(checkpoint: Path):
    with pytest.raises(KeyboardInterrupt) as raised:
        Counting(signal_at=(3, 3)).run(checkpoint, 9, 2)
    assert str(raised.value) == ""
    resumed = Counting()
    resumed.restore(checkpoint)
    assert (resumed.step, resumed.sum.first, resumed.sum.second) == (2, 3, 3)


def test_no_checkpoint_is_no_word_of_going_on():
    with pytest.raises(KeyboardInterrupt) as raised:
        Counting(signal_at=(1,)).run(None, 9, 1)
    assert str(raised.value) == ""
