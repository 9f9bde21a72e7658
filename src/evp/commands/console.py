"""What every command needs around its work: checks before it, progress during it, the name of what is missing."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from evp.errors import MissingExtraError, OutputError
from evp.media import check_output


def check_written(output: Path, *inputs: Path | None) -> None:
    """Raises OutputError when ``output`` cannot be written, or is one of the ``inputs``."""
    check_output(output)
    if output.resolve() in [path.resolve() for path in inputs if path is not None]:
        raise OutputError(f"cannot write {output}: it is also an input")


def check_folder(output: Path) -> None:
    """Raises OutputError when ``output`` is something else than a folder."""
    if output.exists() and not output.is_dir():
        raise OutputError(f"cannot write into {output}: it is not a folder")


@contextmanager
def needs_extra(name: str) -> Iterator[None]:
    """Names the extra to install when what is imported inside is missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise MissingExtraError(f"this command needs {error.name}: pip install 'evp[{name}]'") from error


@contextmanager
def training_bar(steps: int) -> Iterator[Callable[..., None]]:
    """A bar for a training of so many steps, told the number of steps done, and more that it does not show."""
    with progress_bars() as report:
        yield lambda done, *_: report("training", done, steps)


@contextmanager
def progress_bars() -> Iterator[Callable[[str, int, int], None]]:
    """Bars with time estimates on standard error, one for each stage that is reported: (stage, done, total)."""
    columns = TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn()
    bars = Progress(*columns, console=Console(stderr=True))
    tasks: dict[str, TaskID] = {}

    def report(stage: str, done: int, total: int) -> None:
        bars.start()
        if stage not in tasks:
            tasks[stage] = bars.add_task(stage, total=total)
        bars.update(tasks[stage], completed=done, total=total)

    try:
        yield report
    finally:
        if tasks:
            bars.stop()
