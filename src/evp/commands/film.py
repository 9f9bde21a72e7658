"""evp animate: a portrait says something."""

import functools
from pathlib import Path
from typing import Annotated

import typer

from evp.commands.console import check_written, progress_bars
from evp.commands.options import Output
from evp.emotion.track import AUTO


def animate(
    output: Output,
    speech: Annotated[
        Path | None, typer.Argument(help="What is said: any sound file, or a video with a sound track.")
    ] = None,
    portrait: Annotated[
        Path | None,
        typer.Option(
            "--portrait",
            "-p",
            help="Whose video: a bundle from 'portrait build', if not the built-in portrait.",
        ),
    ] = None,
    emotion: Annotated[
        str,
        typer.Option(
            "--emotion",
            "-e",
            help="What the face feels: 'auto' as heard in the speech, a label like 'happy', with a strength like "
            "'happy:0.8', mixed like 'happy:0.5+surprised:0.5', or changing like '0 neutral, 2.5 happy:0.8, 6 sad'. "
            "'evp emotion list' has the labels.",
        ),
    ] = AUTO,
    emotion_audio: Annotated[
        Path | None, typer.Option(help="Feel what is heard in this other recording instead.")
    ] = None,
    emotion_feature: Annotated[
        Path | None,
        typer.Option(
            help="Feel this emotion code instead: a .npy file with (128,) or (frames, 128) numbers."
        ),
    ] = None,
    motion: Annotated[
        Path | None,
        typer.Option(
            help="Move by this motion model instead: from 'train motion', or from 'import-evp' with its own emotions."
        ),
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
    if motion_from is not None and (emotion != AUTO or emotion_audio or emotion_feature or motion):
        raise typer.BadParameter("with --motion-from the face moves and feels as it does in that video")
    check_written(output, portrait, speech, emotion_audio, emotion_feature, motion, motion_from)
    from evp.pipeline import animate_file

    with progress_bars() as report:
        animate_file(
            speech,
            portrait,
            output,
            emotion=emotion,
            emotion_audio=emotion_audio,
            emotion_feature=emotion_feature,
            motion=motion,
            motion_from=motion_from,
            progress=functools.partial(report, "rendering"),
        )
    typer.echo(output)
