"""Making the next items while the last one is used: decoding, rendering and encoding overlap."""

import queue
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

Item = TypeVar("Item")


def run_ahead(items: Iterator[Item], ahead: int = 3) -> Generator[Item, None, None]:
    """The same items in the same order, made by a thread that is up to ``ahead`` items in front.

    What the making raises is raised here; leaving early stops the thread.
    """
    ready: queue.Queue[tuple[Item | None, BaseException | None]] = queue.Queue(ahead)
    stopped = threading.Event()

    def give(entry: tuple[Item | None, BaseException | None]) -> bool:
        while not stopped.is_set():
            try:
                ready.put(entry, timeout=0.1)
                return True
            except queue.Full:
                continue
        return False

    def make() -> None:
        try:
            for item in items:
                if not give((item, None)):
                    return
        except BaseException as error:  # handed over to the caller's thread
            give((None, error))
        else:
            give((None, StopIteration()))
        finally:
            if isinstance(items, Generator):
                items.close()

    thread = threading.Thread(target=make, daemon=True)
    thread.start()
    try:
        while True:
            item, error = ready.get()
            if isinstance(error, StopIteration):
                return
            if error is not None:
                raise error
            yield item  # type: ignore[misc]
    finally:
        stopped.set()
        thread.join()


@contextmanager
def meanwhile(work: Callable[[], object]) -> Iterator[None]:
    """Do ``work`` in a thread beside what the block does; both are done when the block is left, however it is.

    What ``work`` raises is dropped: it is for what would be done later anyway, and would fail again then.
    """

    def try_it() -> None:
        with suppress(Exception):
            work()

    thread = threading.Thread(target=try_it, daemon=True)
    thread.start()
    try:
        yield
    finally:
        thread.join()
