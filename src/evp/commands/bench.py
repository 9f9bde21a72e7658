"""evp bench: how fast a portrait speaks on this machine, and where the time goes."""

import functools
import json
from pathlib import Path
from typing import Annotated

import typer

from evp.commands.console import check_written, progress_bars
from evp.emotion.track import AUTO


def bench(
    speech: Annotated[Path, typer.Argument(help="What is said; repeated to the lengths.")],
    portrait: Annotated[
        Path, typer.Option("--portrait", "-p", help="Who speaks: a bundle from 'portrait build'.")
    ],
    side: Annotated[
        list[int],
        typer.Option(
            min=64, help="Shorter side of the footage, pixels: the portrait is brought to it. Repeat."
        ),
    ] = [256, 512],  # noqa: B006  read only
    seconds: Annotated[list[int], typer.Option(min=1, help="Length of a film. Repeat.")] = [10, 60],  # noqa: B006
    emotion: Annotated[str, typer.Option("--emotion", "-e", help="As for 'animate'.")] = AUTO,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write all figures here, as JSON.")
    ] = None,
) -> None:
    """Time films and every stage of them, for sizes, lengths and inference engines."""
    if output is not None:
        check_written(output, portrait, speech)
    from evp.benchmark import benchmark
    from evp.files import write_whole
    from evp.media import read_speech
    from evp.portrait.bundle import Portrait

    with progress_bars() as report:
        measured = benchmark(
            Portrait.open(portrait), read_speech(speech), side, seconds, emotion, functools.partial(report)
        )
    typer.echo(measured.as_table())
    if output is not None:
        write_whole(output, json.dumps(measured.as_json(), indent=1).encode())
