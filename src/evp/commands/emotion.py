"""evp emotion: hear the emotion in a recording."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evp.commands.console import check_written

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
    from evp.emotion.hearing import EmotionModel
    from evp.media import read_speech

    model = EmotionModel.load()
    heard = model.hear(read_speech(speech))
    typer.echo(json.dumps(_numbers(heard, model.labels)) if as_json else _table(heard, model.labels))
    if plot is not None:
        from evp.emotion.picture import write_picture

        write_picture(plot, heard, model.labels, speech.name)


def labels() -> None:
    """List the emotions that are known, and whether they can be heard."""
    from evp.emotion.hearing import EmotionModel

    model = EmotionModel.load()
    for label in model.label_codes:
        typer.echo(label if label in model.labels else f"{label} (can be shown, but is not heard)")


def _numbers(heard: "Heard", labels: tuple[str, ...]) -> dict[str, object]:
    return {
        "labels": labels,
        "whole": {label: round(float(p), 4) for label, p in zip(labels, heard.whole, strict=True)},
        "code": heard.code.round(5).tolist(),
        "times": heard.times.round(3).tolist(),
        "voiced": heard.voiced.tolist(),
        "probabilities": heard.probabilities.round(4).tolist(),
    }


def _table(heard: "Heard", labels: tuple[str, ...]) -> str:
    """The whole recording, likeliest first, then every stretch that has the same likeliest emotion."""
    lines = [
        f"{labels[n]:10} {heard.whole[n]:4.0%}  {'#' * round(BAR * heard.whole[n])}"
        for n in (-heard.whole).argsort()
    ] + [""]
    hop = float(heard.times[0]) * 2
    named = [
        int(p.argmax()) if voiced else None
        for p, voiced in zip(heard.probabilities, heard.voiced, strict=True)
    ]
    first = 0
    for last in range(1, len(named) + 1):
        if last == len(named) or named[last] != named[first]:
            number = named[first]
            told = (
                "(no voice)"
                if number is None
                else f"{labels[number]} {heard.probabilities[first:last, number].mean():.0%}"
            )
            lines.append(f"{first * hop:7.1f} - {last * hop:.1f} s  {told}")
            first = last
    return "\n".join(lines)
