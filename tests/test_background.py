import threading
import time
from collections.abc import Iterator

import pytest

from evp.background import meanwhile, run_ahead


def test_order_and_number_are_kept():
    assert list(run_ahead(iter(range(50)))) == list(range(50))
    assert list(run_ahead(iter(()))) == []


def test_nothing_is_not_the_end():
    assert list(run_ahead(iter([1, None, 2]))) == [1, None, 2]


def test_items_are_made_while_the_last_one_is_used():
    makers = set()

    def items() -> Iterator[int]:
        for number in range(3):
            makers.add(threading.current_thread())
            yield number

    assert list(run_ahead(items())) == [0, 1, 2]
    assert makers
    assert threading.current_thread() not in makers


@pytest.mark.parametrize("error", [ValueError("broken"), KeyboardInterrupt()])
def test_what_the_making_raises_comes_after_the_items_before_it(error: BaseException):
    def items() -> Iterator[int]:
        yield 1
        yield 2
        raise error

    got = []
    with pytest.raises(type(error)) as raised:
        for item in run_ahead(items()):
            got.append(item)
    assert raised.value is error
    assert got == [1, 2]


def test_maker_stays_at_most_so_far_ahead():
    made: list[int] = []

    def items() -> Iterator[int]:
        for number in range(100):
            made.append(number)
            yield number

    ahead = run_ahead(items(), ahead=3)
    assert next(ahead) == 0
    time.sleep(0.3)
    assert len(made) <= 1 + 3 + 1  # used, ready, in hand
    ahead.close()


def test_leaving_early_stops_the_thread():
    before = threading.active_count()
    made: list[int] = []

    def items() -> Iterator[int]:
        while True:
            made.append(0)
            yield 0

    ahead = run_ahead(items(), ahead=2)
    next(ahead)
    assert threading.active_count() == before + 1
    ahead.close()
    assert threading.active_count() == before
    count = len(made)
    time.sleep(0.05)
    assert len(made) == count


def test_error_of_the_user_stops_the_thread():
    before = threading.active_count()
    with pytest.raises(RuntimeError):
        for _ in (ahead := run_ahead(iter(range(1000)))):
            raise RuntimeError
    ahead.close()
    assert threading.active_count() == before


def test_meanwhile_both_things_are_done_when_the_block_is_left():
    begun, go, done = threading.Event(), threading.Event(), []

    def work() -> None:
        begun.set()
        assert go.wait(10)
        done.append(threading.current_thread())

    with meanwhile(work):
        assert begun.wait(10)
        go.set()
    assert done
    assert done[0] is not threading.current_thread()
    assert not done[0].is_alive()


def test_meanwhile_ends_the_work_of_a_block_that_fails():
    done = []
    with pytest.raises(ValueError, match="mine"), meanwhile(lambda: (time.sleep(0.05), done.append(1))):
        raise ValueError("mine")
    assert done


def test_meanwhile_leaves_errors_to_whoever_does_the_work_again():
    def broken() -> None:
        raise ValueError("broken")

    with meanwhile(broken):
        pass
