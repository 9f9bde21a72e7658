"""An evaluation as one HTML page that needs no network: table, pictures, curves."""

import base64
import html
import json
import math
from collections.abc import Callable, Iterable, Iterator
from importlib.resources import files
from string import Template

import cv2
import numpy as np
from numpy.typing import NDArray

from evp.clock import FRAME_RATE
from evp.comparison.compare import Evaluation, Row
from evp.comparison.figures import ARROWS, FIGURES, GROUPS
from evp.comparison.measure import GENERATED, REAL, SHOWN, WHO, Clip
from evp.comparison.report import COLUMNS, EXPLANATION, has_interval, interval, number

TILES = ("m_ld", "f_ld", "opening_r", "opening_lag", "mouth_sharpness", "emotion_agrees")
"""Figures that stand at the top."""
FACTS = ("m_ld", "f_ld", "opening_r", "opening_lag", "opening_travel", "closures", "ssim", "psnr", "seam")
"""Figures that stand with every pair."""

_WIDTH, _HEIGHT, _LEFT, _BOTTOM = 1000, 150, 34, 20
_LOUDEST, _QUIETEST = 5.0, -50.0
_JPEG_QUALITY = 88


def as_page(evaluation: Evaluation, title: str = "Generated against recorded") -> str:
    """The page."""
    seconds = sum(clip.frames for clip in evaluation.clips) / FRAME_RATE
    count = len(evaluation.clips)
    parts = [
        f"<h1>{html.escape(title)}</h1>",
        f'<p class="soft">{count} {"pair" if count == 1 else "pairs"} of films, {seconds:.0f} s, '
        f"measured by evp {html.escape(str(evaluation.about['versions']['evp']))}</p>",
        _tiles(evaluation.rows),
        "<h2>Figures</h2>",
        f'<div class="card scroll">{_table(evaluation.rows)}</div>',
        f'<p class="soft small">{_emphasised(EXPLANATION)}</p>',
        "<h2>Pairs</h2>",
        *(_pair(clip) for clip in evaluation.clips),
        "<h2>Measured with</h2>",
        '<details class="card"><summary>Versions, checksums, settings</summary><pre>'
        f"{html.escape(json.dumps(evaluation.about, indent=1, ensure_ascii=False))}</pre></details>",
    ]
    template = Template((files("evp.comparison") / "page.html").read_text())
    return template.substitute(title=html.escape(title), body="\n".join(parts), shown=SHOWN)


def _tiles(rows: Iterable[Row]) -> str:
    known = {row.figure.key: row for row in rows if GENERATED in row.means}
    tiles = []
    for row in (known[key] for key in TILES if key in known):
        unit = f' <span class="unit">{html.escape(row.figure.unit)}</span>'
        real = row.means.get(REAL)
        beside = "" if real is None else f"real {number(real.mean, row.figure.digits)}, "
        tiles.append(
            f'<div class="tile"><span class="small soft">{html.escape(row.figure.name)}</span>'
            f"<b>{number(row.means[GENERATED].mean, row.figure.digits)}{unit}</b>"
            f'<span class="small soft">{beside}better {ARROWS[row.figure.direction]}</span></div>'
        )
    return f'<div class="tiles">{"".join(tiles)}</div>'


def _table(rows: Iterable[Row]) -> str:
    known = {row.figure.key: row for row in rows}
    lines = ["<table><thead><tr><th>figure</th><th>better</th>"]
    lines += [f"<th>{name}</th>" for name in COLUMNS.values()]
    lines.append("</tr></thead><tbody>")
    for heading, figures in GROUPS.items():
        lines.append(f'<tr class="group"><th colspan="{2 + len(WHO)}">{html.escape(heading)}</th></tr>')
        for row in (known[figure.key] for figure in figures if figure.key in known):
            unit = f' <span class="unit">{html.escape(row.figure.unit)}</span>' if row.figure.unit else ""
            lines.append(
                f"<tr><td>{html.escape(row.figure.name)}{unit}<small>{html.escape(row.figure.meaning)}</small></td>"
                f"<td>{ARROWS[row.figure.direction]}</td>{''.join(_cells(row))}</tr>"
            )
    return "".join([*lines, "</tbody></table>"])


def _cells(row: Row) -> Iterable[str]:
    if row.missing:
        yield f'<td class="missing" colspan="{len(WHO)}">missing: {html.escape(row.missing)}</td>'
        return
    for who in WHO:
        mean = row.means.get(who)
        if mean is None:
            yield "<td></td>"
        elif who == GENERATED:
            between = f"<br><small>{interval(mean, row.figure.digits)}</small>" if has_interval(mean) else ""
            yield f'<td class="made">{number(mean.mean, row.figure.digits)}{between}</td>'
        else:
            yield f"<td>{number(mean.mean, row.figure.digits)}</td>"


def _pair(clip: Clip) -> str:
    name = html.escape(clip.pair.name)
    left_out = f", {clip.left_out} of them without a face" if clip.left_out else ""
    about = f"{clip.frames} frames{left_out}"
    if clip.emotions:
        about += "; emotion " + ", ".join(f"{who}: {label}" for who, label in clip.emotions.items())
    values = clip.values[GENERATED]
    facts = [
        f"<span>{html.escape(figure.name)} <b>{number(values[key], figure.digits)}</b> "
        f'<span class="soft">{html.escape(figure.unit)}</span></span>'
        for key, figure in ((key, FIGURES[key]) for key in FACTS)
        if math.isfinite(values.get(key, float("nan")))
    ]
    return (
        f'<section class="card"><h3>{name}</h3><p class="soft small">{html.escape(about)}</p>'
        f'<div class="facts">{"".join(facts)}</div>{_strip(clip)}'
        f"{_curves(clip, 'opening', 'Opening of the lips, % of face height')}"
        f"{_curves(clip, 'width', 'Width of the mouth, % of face height')}</section>"
    )


def _strip(clip: Clip) -> str:
    """Real above generated."""
    rows = [
        "<span></span>"
        + "".join(f'<span class="time">{seconds:.2f} s</span>' for seconds, _, _ in clip.pictures)
    ]
    recorded, generated = ([pair[side] for _, *pair in clip.pictures] for side in (0, 1))
    for label, style, pictures in (("recorded", "real", recorded), ("generated", "made-ink", generated)):
        images = "".join(
            f'<img alt="{label} at {moment[0]:.2f} s" src="{_data(picture)}">'
            for moment, picture in zip(clip.pictures, pictures, strict=True)
        )
        rows.append(f'<span class="{style}">{label}</span>{images}')
    return f'<div class="strip">{"".join(rows)}</div>'


def _data(picture: NDArray[np.uint8]) -> str:
    colours = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    _, stream = cv2.imencode(".jpg", colours, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    return "data:image/jpeg;base64," + base64.b64encode(stream.tobytes()).decode()


def _curves(clip: Clip, what: str, title: str) -> str:
    styles = {"recorded": "r", "generated": "g", "ridge": "b"}
    colours = {"r": "var(--real)", "g": "var(--made)", "b": "var(--other)"}
    curves = {
        who: clip.curves[f"{what}, {who}"]
        for who in ("ridge", "recorded", "generated")
        if f"{what}, {who}" in clip.curves
    }
    everything = np.concatenate(list(curves.values()))
    low, high = float(np.nanmin(everything)), float(np.nanmax(everything))
    low = 0.0 if what == "opening" else low
    step = _round_step(high - low)
    low, high = step * math.floor(low / step), step * math.ceil(high / step + 1e-9)
    frames = clip.frames

    def x(frame: float) -> float:
        return _LEFT + (_WIDTH - _LEFT) * frame / max(frames - 1, 1)

    def y(value: float) -> float:
        return 6 + (_HEIGHT - _BOTTOM - 6) * (high - value) / (high - low)

    marks = []
    if "loudness" in clip.curves:
        heard = np.clip((clip.curves["loudness"] - _QUIETEST) / (_LOUDEST - _QUIETEST), 0, 1)
        points = " ".join(f"{x(n):.1f},{y(low + share * (high - low)):.1f}" for n, share in enumerate(heard))
        marks.append(
            f'<polygon class="sound" points="{x(0):.1f},{y(low):.1f} {points} {x(frames - 1):.1f},{y(low):.1f}"/>'
        )
    for value in np.arange(low, high + step / 2, step):
        marks.append(
            f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH}" y1="{y(value):.1f}" y2="{y(value):.1f}"/>'
        )
        marks.append(f'<text x="{_LEFT - 6}" y="{y(value) + 4:.1f}" text-anchor="end">{value:g}</text>')
    every = max(1, round(frames / FRAME_RATE / 10))
    for second in range(0, int((frames - 1) / FRAME_RATE) + 1, every):
        place = min(max(x(second * FRAME_RATE), _LEFT + 8), _WIDTH - 8)
        marks.append(f'<text x="{place:.1f}" y="{_HEIGHT - 4}" text-anchor="middle">{second} s</text>')
    for who, curve in curves.items():
        marks += [f'<polyline class="curve {styles[who]}" points="{run}"/>' for run in _runs(curve, x, y)]
    legend = "".join(
        f'<span><i style="color:{colours[styles[who]]};border-top-style:{"dashed" if who == "ridge" else "solid"}"></i>'
        f"{'ridge regression' if who == 'ridge' else who}</span>"
        for who in ("recorded", "generated", "ridge")
        if who in curves
    )
    if "loudness" in clip.curves:
        legend += '<span><i class="area"></i>loudness of the sound</span>'
    return (
        f"<figure><figcaption><span>{html.escape(title)}</span>{legend}</figcaption>"
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{html.escape(title)}">'
        f"{''.join(marks)}</svg></figure>"
    )


def _runs(
    curve: NDArray[np.floating], x: Callable[[float], float], y: Callable[[float], float]
) -> Iterator[str]:
    """The curve as points, broken where it is not known."""
    run: list[str] = []
    for number_, value in enumerate([*curve, float("nan")]):
        if math.isfinite(value):
            run.append(f"{x(number_):.1f},{y(value):.1f}")
        elif run:
            yield " ".join(run)
            run = []


def _round_step(extent: float) -> float:
    """A step of 1, 2 or 5 times a power of ten that cuts an extent into three to six."""
    rough = max(extent, 1e-6) / 4
    power = 10.0 ** math.floor(math.log10(rough))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= rough)


def _emphasised(text: str) -> str:
    """The bold of Markdown, in HTML."""
    pieces = html.escape(text).split("**")
    return "".join(f"<b>{piece}</b>" if n % 2 else piece for n, piece in enumerate(pieces))
