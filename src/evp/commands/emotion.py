"""evp emotion: hear the emotion in a recording."""

import itertools
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer

from evp.commands.console import check_written
from evp.commands.options import Output

if TYPE_CHECKING:
    from evp.emotion.hearing import Heard

BAR = 30


def hear(
    speech: Annotated[Path, typer.Argument(help="Any sound file, or a video with a sound track.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print all numbers.")] = False,
    plot: Annotated[Path | None, typer.Option(help="Draw it over time, as a PNG.")] = None,
) -> None:
    """Tell which emotion is heard in a recording, in the whole and over time."""
    if plot is not None:
        check_written(plot, speech)
    from evp.clock import SAMPLE_RATE
    from evp.emotion.description import describe
    from evp.emotion.hearing import EmotionModel
    from evp.emotion.space import EmotionSpace
    from evp.media import read_speech

    model = EmotionModel.load()
    waveform = read_speech(speech)
    heard = model.hear(waveform)
    if as_json:
        track = describe(heard, model.labels, EmotionSpace(model.label_codes), len(waveform) / SAMPLE_RATE)
        typer.echo(json.dumps({"track": track, **_numbers(heard, model.labels)}))
    else:
        typer.echo(_table(heard, model.labels))
    if plot is not None:
        from evp.emotion.picture import write_picture

        write_picture(plot, heard, model.labels, speech.name)


def code(
    output: Output,
    emotion: Annotated[
        str | None, typer.Argument(help="A description as for 'animate', like 'happy:0.4+surprised:0.3'.")
    ] = None,
    audio: Annotated[Path | None, typer.Option(help="A recording to hear the emotion in, instead.")] = None,
) -> None:
    """Save the code of an emotion as a .npy file, for 'animate --emotion-feature' or for your own mixing."""
    check_written(output, audio)
    from evp.pipeline import save_emotion

    save_emotion(output, emotion, audio)
    typer.echo(output)


def list_labels() -> None:
    """List the emotions that are known."""
    from evp.emotion.hearing import EmotionModel

    model = EmotionModel.load()
    for label in model.label_codes:
        typer.echo(label if label in model.labels else f"{label} (can be shown, but is not heard)")


def _numbers(heard: "Heard", labels: tuple[str, ...]) -> dict[str, object]:
    return {
        "labels": labels,
        "whole": {label: round(float(p), 4) for label, p in zip(labels, heard.whole, strict=True)},
        "code": heard.code.astype(float).round(5).tolist(),
        "times": heard.times.round(3).tolist(),
        "voiced": heard.voiced.tolist(),
        "probabilities": heard.probabilities.astype(float).round(4).tolist(),
    }


def _table(heard: "Heard", labels: tuple[str, ...]) -> str:
    """The whole recording, likeliest first, then every stretch that has the same likeliest emotion."""
    whole = [
        f"{labels[n]:10} {heard.whole[n]:4.0%}  {'#' * round(BAR * heard.whole[n])}"
        for n in (-heard.whole).argsort()
    ]
    hop = 2 * heard.times[0]
    likeliest = np.where(heard.voiced, heard.probabilities.argmax(axis=1), -1)
    borders = [0, *(np.flatnonzero(np.diff(likeliest)) + 1), len(likeliest)]
    stretches = []
    for first, last in itertools.pairwise(borders):
        number = likeliest[first]
        share = heard.probabilities[first:last, number].mean()
        told = f"{labels[number]} {share:.0%}" if number >= 0 else "(no voice)"
        stretches.append(f"{first * hop:6.1f} -{last * hop:6.1f} s  {told}")
    return "\n".join([*whole, "", *stretches])
