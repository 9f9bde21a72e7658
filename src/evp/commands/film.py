"""evp animate: a portrait says something."""

import functools
from pathlib import Path
from typing import Annotated

import typer

from evp.commands.console import check_written, progress_bars
from evp.commands.options import Output


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
    check_written(output, portrait, speech, motion_from)
    from evp.pipeline import animate_file

    with progress_bars() as report:
        animate_file(
            speech, portrait, output, motion_from=motion_from, progress=functools.partial(report, "rendering")
        )
    typer.echo(output)
