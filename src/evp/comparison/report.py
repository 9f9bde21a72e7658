"""An evaluation as JSON and as a Markdown table."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from evp.comparison.compare import FORMAT, KIND, Evaluation, Row, checksum
from evp.comparison.figures import ARROWS, GROUPS
from evp.comparison.measure import GENERATED, WHO, Clip
from evp.evaluation.statistics import Mean

COLUMNS = {
    "generated": "generated",
    "real": "real",
    "still": "still face",
    "loudness": "loudness",
    "ridge": "ridge",
}
"""Who -> how the tables call it."""

EXPLANATION = (
    "**generated**: mean over clips, and its 95 % interval (percentile bootstrap over clips). "
    "**real**: the real footage against itself, written again by the same encoder and tracked anew; "
    "where a figure needs no comparison, the real footage alone. "
    "**still face**: the recorded person's face at rest. **loudness**, **ridge**: a mouth moved by the loudness, or "
    "by a ridge regression from the spectrum, fitted to the other clips (with a single clip, to its other "
    "half), on the recorded person's own face. Baselines are faces, not pictures, except that the still "
    "face has the pixels of one recorded frame."
)


def as_json(evaluation: Evaluation) -> str:
    """Everything, with what it was measured with."""
    stored = {
        "kind": KIND,
        "format": FORMAT,
        **evaluation.about,
        "figures": [_figure(row) for row in evaluation.rows],
        "clips": [_clip(clip) for clip in evaluation.clips],
    }
    return json.dumps(_numbers(stored), indent=1, ensure_ascii=False)


def as_markdown(evaluation: Evaluation, rows: Sequence[Row] | None = None) -> str:
    """The table of figures, with their meaning below."""
    shown = {row.figure.key: row for row in (evaluation.rows if rows is None else rows)}
    lines = [
        "| figure | unit | better | " + " | ".join(COLUMNS.values()) + " |",
        "| --- | --- | --- |" + " --- |" * 5,
    ]
    for heading, figures in GROUPS.items():
        group = [shown[figure.key] for figure in figures if figure.key in shown]
        if group:
            lines.append(f"| **{heading}** | | |" + " |" * 5)
        lines += [
            f"| {row.figure.name} | {row.figure.unit} | {ARROWS[row.figure.direction]} | "
            + " | ".join(cell(row, who) for who in WHO)
            + " |"
            for row in group
        ]
    meanings = [f"- *{row.figure.name}*: {row.figure.meaning}" for row in shown.values()]
    absent = [f"- *{row.figure.name}* is missing: {row.missing}." for row in shown.values() if row.missing]
    return "\n".join([*lines, "", EXPLANATION, "", *meanings, *([""] if absent else []), *absent, ""])


def cell(row: Row, who: str) -> str:
    """What a table says of one figure."""
    if who not in row.means:
        return "missing" if who == GENERATED else ""
    mean = row.means[who]
    text = number(mean.mean, row.figure.digits)
    return (
        f"{text} ({interval(mean, row.figure.digits)})" if who == GENERATED and has_interval(mean) else text
    )


def has_interval(mean: Mean) -> bool:
    """One clip has none."""
    return math.isfinite(mean.low)


def interval(mean: Mean, digits: int) -> str:
    """As text."""
    return f"{number(mean.low, digits)} to {number(mean.high, digits)}"


def number(value: float, digits: int) -> str:
    """Rounded, with a true minus sign; never minus zero."""
    text = f"{round(value, digits) + 0.0:.{digits}f}"
    return text.replace("-", "\N{MINUS SIGN}")


def _figure(row: Row) -> dict[str, Any]:
    return {
        **{key: value for key, value in asdict(row.figure).items() if key != "digits"},
        **{who: mean._asdict() for who, mean in row.means.items()},
        **({"missing": row.missing} if row.missing else {}),
    }


def _clip(clip: Clip) -> dict[str, Any]:
    pair = clip.pair
    return {
        "name": pair.name,
        "generated": {"file": pair.generated.name, "sha256": checksum(pair.generated)},
        "recorded": {"file": pair.recorded.name, "sha256": checksum(pair.recorded)},
        "portrait": None if pair.portrait is None else pair.portrait.name,
        "frames": clip.frames,
        "frames left out": clip.left_out,
        "emotions": clip.emotions,
        "values": clip.values,
        "missing": clip.missing,
        "curves": {name: np.round(curve, 3) for name, curve in clip.curves.items()},
    }


def _numbers(stored: Any) -> Any:
    """The same in types that JSON has; what is not a number becomes null."""
    if isinstance(stored, dict):
        return {key: _numbers(value) for key, value in stored.items()}
    if isinstance(stored, list | tuple | np.ndarray):
        return [_numbers(value) for value in stored]
    if isinstance(stored, float | np.floating):
        return round(float(stored), 6) if math.isfinite(stored) else None
    return int(stored) if isinstance(stored, np.integer) else stored
