"""The command line: a table of verbs, each a thin door to one function of the library.

Errors that a user can act on (:mod:`evp.errors`) become one line on standard error and exit code 1, an
interruption (Ctrl-C or SIGTERM) becomes exit code 130; anything else is a bug and keeps its traceback.
"""

import errno
import functools
import json
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from evp.errors import EvpError, MissingExtraError, OutputError
from evp.media import check_output

Output = Annotated[Path, typer.Option("--output", "-o", help="The file to write; its folder must exist.")]
Folder = Annotated[
    Path, typer.Option("--output", "-o", help="The folder to write into; it is made if need be.")
]
Seed = Annotated[int, typer.Option(help="Makes what is left to chance repeatable.")]
Steps = Annotated[
    int | None, typer.Option(min=1, help="Training steps, if not as many as the packaged weights had.")
]
Corpus = Annotated[Path, typer.Argument(help="What 'evp corpus prepare' wrote.")]


def animate(
    output: Output,
    portrait: Annotated[
        Path, typer.Option("--portrait", "-p", help="Whose video: a bundle from 'portrait build'.")
    ],
    speech: Annotated[
        Path | None, typer.Argument(help="What is said: any sound file, or a video with a sound track.")
    ] = None,
    motion_from: Annotated[
        Path | None,
        typer.Option(
            help="Take the facial motion from the face in this video; the sound is SPEECH, or else the video's own."
        ),
    ] = None,
) -> None:
    """Make a portrait say a recording."""
    if speech is None and motion_from is None:
        raise typer.BadParameter("give SPEECH, --motion-from, or both")
    _check_output(output, portrait, speech, motion_from)
    from evp.pipeline import animate_file

    with _progress() as report:
        animate_file(
            speech, portrait, output, motion_from=motion_from, progress=functools.partial(report, "rendering")
        )
    typer.echo(output)


def build(
    footage: Annotated[Path, typer.Argument(help="A video of one person talking to the camera.")],
    output: Output,
    consent: Annotated[
        str, typer.Option(help="How the person shown has agreed, and when. It is stored in the portrait.")
    ],
    quick: Annotated[
        bool, typer.Option("--quick", help="Leave out the fine-tuning: a minute, not several.")
    ] = False,
    seed: Seed = 0,
) -> None:
    """Make a portrait from a video of a person."""
    _check_output(output, footage)
    from evp.portrait.build import build_portrait

    with _progress() as report:
        result = build_portrait(footage, output, consent=consent, quick=quick, seed=seed, progress=report)
    typer.echo(result)


def show(bundle: Annotated[Path, typer.Argument(help="A bundle from 'portrait build'.")]) -> None:
    """Tell what is in a portrait."""
    from evp.portrait.bundle import read_manifest

    typer.echo(json.dumps(read_manifest(bundle), indent=2, ensure_ascii=False))


def prepare(
    sources: Annotated[list[Path], typer.Argument(help="Folders with videos of people talking.")],
    output: Folder,
    speaker: Annotated[
        Literal["folder", "file"],
        typer.Option(help="Whether a folder holds one person's videos, or every file shows another person."),
    ] = "folder",
    crops: Annotated[int, typer.Option(min=1, help="Most face pictures to keep of one video.")] = 400,
) -> None:
    """Make videos of people talking into something to train on; can be repeated to add more."""
    _check_folder(output)
    from evp.corpora.prepare import PrepareConfig, prepare_corpus

    config = PrepareConfig(speaker, crops)
    with _progress() as report:
        manifest = prepare_corpus(sources, output, config, progress=functools.partial(report, "preparing"))
    people = len({clip.speaker for clip in manifest.clips})
    typer.echo(f"{output}: {len(manifest.clips)} clips of {people} people, {len(manifest.dropped)} dropped")


def basis(corpus: Corpus, output: Output) -> None:
    """Learn the face basis: the mean face and the directions in which faces move."""
    _check_output(output)
    from evp.corpora.basis import train_basis

    train_basis(corpus, output)


def motion(corpus: Corpus, output: Folder, steps: Steps = None, seed: Seed = 0) -> None:
    """Train sound to facial motion."""
    _check_folder(output)
    with _extra("train"):
        from evp.motion.train import MotionConfig, train_motion
    config = MotionConfig(seed=seed, steps=steps or MotionConfig.steps)
    with _progress() as report:
        train_motion(corpus, output, config, progress=lambda done, *_: report("training", done, config.steps))


def renderer(corpus: Corpus, output: Output, steps: Steps = None, seed: Seed = 0) -> None:
    """Train landmarks to pictures."""
    _check_output(output)
    with _extra("train"):
        from evp.render.train import RenderConfig, train_renderer
    config = RenderConfig(seed=seed, steps=steps or RenderConfig.steps)
    with _progress() as report:
        train_renderer(
            corpus, output, config, progress=lambda done, *_: report("training", done, config.steps)
        )


COMMANDS: dict[str, Callable[..., None]] = {
    "animate": animate,
    "portrait build": build,
    "portrait show": show,
    "corpus prepare": prepare,
    "train basis": basis,
    "train motion": motion,
    "train renderer": renderer,
}

GROUPS = {
    "portrait": "Make portraits, and look at them.",
    "corpus": "Make recordings into something to train on.",
    "train": "Train the networks on your own recordings.",
}


def main() -> None:
    """Run the command line given to the process."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    app()


def application(commands: Mapping[str, Callable[..., None]]) -> typer.Typer:
    """The program whose verbs ("animate", "portrait build") call ``commands``."""
    program = typer.Typer(
        name="evp",
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
    program.callback()(_options)
    groups = {name: typer.Typer(help=text, no_args_is_help=True) for name, text in GROUPS.items()}
    for verbs, function in commands.items():
        *prefix, verb = verbs.split()
        (groups[prefix[0]] if prefix else program).command(verb)(_told(function))
    for name, group in groups.items():
        program.add_typer(group, name=name)
    return program


def _options(
    show_version: Annotated[bool, typer.Option("--version", is_eager=True, help="Show the version.")] = False,
) -> None:
    """A video of a person and a recording of speech become a video of that person saying it."""
    if show_version:
        typer.echo(f"evp {version('evp')}")
        raise typer.Exit


def _told(function: Callable[..., None]) -> Callable[..., None]:
    """The same command, whose errors are told in one line and an exit code."""

    @functools.wraps(function)
    def command(*arguments: Any, **options: Any) -> None:
        try:
            function(*arguments, **options)
        except EvpError as error:
            typer.echo(f"evp: {error}", err=True)
            raise typer.Exit(1) from error
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            typer.echo("evp: there is no room left on the disk", err=True)
            raise typer.Exit(1) from error
        except KeyboardInterrupt as error:
            typer.echo("evp: interrupted", err=True)
            raise typer.Exit(130) from error

    return command


def _check_output(output: Path, *inputs: Path | None) -> None:
    check_output(output)
    if output.resolve() in [path.resolve() for path in inputs if path is not None]:
        raise OutputError(f"cannot write {output}: it is also an input")


def _check_folder(output: Path) -> None:
    if output.exists() and not output.is_dir():
        raise OutputError(f"cannot write into {output}: it is not a folder")


@contextmanager
def _extra(name: str) -> Iterator[None]:
    """Names the extra to install when what is imported inside is missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise MissingExtraError(f"this command needs {error.name}: pip install 'evp[{name}]'") from error


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
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


app = application(COMMANDS)
