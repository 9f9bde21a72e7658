"""The command line: a table of verbs; what they do stands in :mod:`evp.commands`.

Errors that a user can act on (:mod:`evp.errors`) become one line on standard error and exit code 1, an
interruption (Ctrl-C or SIGTERM) becomes exit code 130; anything else is a bug and keeps its traceback.
"""

import errno
import functools
import signal
from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Annotated, Any

import typer

from evp.commands import bench, corpus, emotion, evaluate, film, original, portrait, still, studio, train
from evp.errors import EvpError

COMMANDS: dict[str, Callable[..., None]] = {
    "studio": studio.studio,
    "animate": film.animate,
    "still": still.still,
    "portrait build": portrait.build,
    "portrait show": portrait.show,
    "emotion hear": emotion.hear,
    "emotion code": emotion.code,
    "emotion list": emotion.list_labels,
    "evaluate": evaluate.evaluate,
    "corpus prepare": corpus.prepare,
    "bench": bench.bench,
    "import-evp": original.import_evp,
    "match-evp": original.match_evp,
    "landmarks": original.landmarks,
    "fit-face": original.fit_face,
    "align-face": original.align_face,
    "edges": original.edges,
    "import-vid2vid": original.import_vid2vid,
    "vid2vid": original.vid2vid,
    "train basis": train.basis,
    "train emotion": train.emotion,
    "train disentangle": train.disentangle,
    "train motion": train.motion,
    "train faces": train.faces,
    "train renderer": train.renderer,
    "train wrinkles": train.wrinkles,
}

GROUPS = {
    "portrait": "Make portraits, and look at them.",
    "emotion": "Hear emotion, and make codes of it.",
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
            typer.echo(f"evp: {str(error) or 'interrupted'}", err=True)
            raise typer.Exit(130) from error

    return command


app = application(COMMANDS)
