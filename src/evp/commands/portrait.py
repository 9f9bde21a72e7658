"""evp portrait: make portraits, and look at them."""

import json
from pathlib import Path
from typing import Annotated

import typer

from evp.commands.console import check_written, progress_bars
from evp.commands.options import Output, Seed


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
    check_written(output, footage)
    from evp.portrait.build import build_portrait

    with progress_bars() as report:
        result = build_portrait(footage, output, consent=consent, quick=quick, seed=seed, progress=report)
    typer.echo(result)


def show(
    bundle: Annotated[
        Path | None, typer.Argument(help="A bundle from 'portrait build', if not the built-in portrait.")
    ] = None,
) -> None:
    """Tell what is in a portrait."""
    from evp.portrait.builtin import builtin_portrait
    from evp.portrait.bundle import read_manifest

    typer.echo(json.dumps(read_manifest(bundle or builtin_portrait()), indent=2, ensure_ascii=False))
