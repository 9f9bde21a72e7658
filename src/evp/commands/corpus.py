"""evp corpus: make recordings into something to train on."""

import functools
from pathlib import Path
from typing import Annotated, Literal

import typer

from evp.commands.console import check_folder, needs_extra, progress_bars
from evp.commands.options import Folder
from evp.corpora.readers import READERS, Layout


def prepare(
    layout: Annotated[
        Layout, typer.Argument(help="The data set, or 'folder' for videos and sound files of your own.")
    ],
    sources: Annotated[list[Path], typer.Argument(help="Its folders.")],
    output: Folder,
    speaker: Annotated[
        Literal["folder", "file"],
        typer.Option(
            help="In a 'folder': whether each holds one person's files, or every file shows another person."
        ),
    ] = "folder",
    view: Annotated[str, typer.Option(help="Of 'mead': the camera.")] = "front",
    validation: Annotated[
        float, typer.Option(min=0, max=0.5, help="Share of speakers to watch training on.")
    ] = 0.1,
    test: Annotated[float, typer.Option(min=0, max=0.5, help="Share of speakers never trained on.")] = 0.2,
    hold_out: Annotated[
        list[str] | None, typer.Option(help="A sentence that only test speakers may say; can be repeated.")
    ] = None,
    lend_sound: Annotated[
        bool, typer.Option(help="Give silent videos the sound of a video in which the same sentence is said.")
    ] = False,
    crops: Annotated[int, typer.Option(min=1, help="Most face pictures to keep of one video.")] = 400,
) -> None:
    """Make recordings of people talking into something to train on; repeat it to go on, or to add more."""
    check_folder(output)
    from evp.corpora.manifest import NAME
    from evp.corpora.prepare import PrepareConfig, prepare_corpus
    from evp.face.basis import FaceBasis
    from evp.motion.model import MotionModel
    from evp.motion.opening import heard_opening

    options: dict[Layout, dict[str, str]] = {"folder": {"speaker": speaker}, "mead": {"view": view}}
    reader = functools.partial(READERS[layout], **options.get(layout, {}))
    config = PrepareConfig(crops, validation, test, tuple(hold_out or ()), lend_sound)
    hear_opening = functools.partial(heard_opening, model=MotionModel.load(), basis=FaceBasis.load())
    with progress_bars() as report, needs_extra("train"):
        manifest = prepare_corpus(
            reader, sources, output, config, functools.partial(report, "preparing"), hear_opening
        )
    people = len({clip.speaker for clip in manifest.clips})
    typer.echo(f"{output}: {len(manifest.clips)} clips of {people} people, {len(manifest.dropped)} dropped")
    if manifest.dropped:
        typer.echo(f"dropped (each in {NAME}): {manifest.reasons()}")
    if lend_sound:
        borrowed = sum(clip.borrowed for clip in manifest.clips)
        typer.echo(
            f"{borrowed} clips borrowed sound, {sum(not clip.voiced for clip in manifest.clips)} have none"
        )
