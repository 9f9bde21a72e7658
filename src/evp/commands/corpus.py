"""evp corpus: make recordings into something to train on."""

import functools
from pathlib import Path
from typing import Annotated, Literal

import typer

from evp.commands.console import check_folder, progress_bars
from evp.commands.options import Folder


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
    check_folder(output)
    from evp.corpora.prepare import PrepareConfig, prepare_corpus

    config = PrepareConfig(speaker, crops)
    with progress_bars() as report:
        manifest = prepare_corpus(sources, output, config, progress=functools.partial(report, "preparing"))
    people = len({clip.speaker for clip in manifest.clips})
    typer.echo(f"{output}: {len(manifest.clips)} clips of {people} people, {len(manifest.dropped)} dropped")
