"""evp still: one frame of a film, before the film is made."""

from pathlib import Path
from typing import Annotated

import typer

from evp.commands.console import check_written
from evp.commands.options import Output
from evp.emotion.track import AUTO


def still(
    output: Output,
    speech: Annotated[
        Path | None, typer.Argument(help="What is said, as for 'animate'; without it the face is at rest.")
    ] = None,
    portrait: Annotated[
        Path | None,
        typer.Option(
            "--portrait",
            "-p",
            help="Whose face: a bundle from 'portrait build', if not the built-in portrait.",
        ),
    ] = None,
    emotion: Annotated[
        str, typer.Option("--emotion", "-e", help="What the face feels, as for 'animate'.")
    ] = AUTO,
    at: Annotated[float, typer.Option(help="The moment, in seconds.")] = 0.0,
) -> None:
    """Show the frame of a film at one moment, as a PNG or JPEG, without making the film."""
    check_written(output, portrait, speech)
    from evp.still import still_file

    still_file(speech, portrait, output, emotion=emotion, at=at)
    typer.echo(output)
