"""evp evaluate: how close generated films come to recorded ones."""

from pathlib import Path
from typing import Annotated

import typer

from evp.commands.console import check_folder, progress_bars
from evp.commands.options import Folder, Seed


def evaluate(
    generated: Annotated[
        Path,
        typer.Argument(
            help="A generated film, a folder of them, or a manifest: a .csv file with the columns generated, recorded "
            "and, if you like, name, portrait, neutral, labels, transcript, emotion."
        ),
    ],
    output: Folder,
    recorded: Annotated[
        Path | None,
        typer.Argument(
            help="The recorded film, or a folder with films of the same names; beside a film may lie NAME.txt (what is "
            "said) or NAME.phones (begin and end in seconds, and the sound). Not with a manifest."
        ),
    ] = None,
    portrait: Annotated[
        Path | None, typer.Option("--portrait", "-p", help="The portrait that the films were made from.")
    ] = None,
    neutral: Annotated[
        Path | None,
        typer.Option(help="A film of the person talking without emotion, to tell the emotion of the face."),
    ] = None,
    emotion: Annotated[str | None, typer.Option(help="The emotion that was asked for.")] = None,
    inception: Annotated[Path | None, typer.Option(help="Inception as an ONNX file, for FID.")] = None,
    syncnet: Annotated[
        Path | None, typer.Option(help="SyncNet as an ONNX file, for LSE-C and LSE-D.")
    ] = None,
    identity: Annotated[Path | None, typer.Option(help="A network of faces as an ONNX file.")] = None,
    sha256: Annotated[
        list[str] | None,
        typer.Option(help="The checksum of a network that is given; once for each of them."),
    ] = None,
    seed: Seed = 0,
) -> None:
    """Compare generated films with recorded ones: figures with baselines, as JSON, Markdown and HTML."""
    check_folder(output)
    from evp.comparison.evaluation import evaluate_files

    with progress_bars() as report:
        written = evaluate_files(
            generated,
            recorded,
            output,
            portrait=portrait,
            neutral=neutral,
            emotion=emotion,
            inception=inception,
            syncnet=syncnet,
            identity=identity,
            checksums=sha256 or [],
            seed=seed,
            progress=report,
        )
    for path in written:
        typer.echo(path)
