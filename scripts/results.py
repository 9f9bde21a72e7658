"""Writes the results page: portraits from some of a person's footage say other recordings of that person.

    python scripts/results.py DATA --work out/results --page docs/results.md

Portraits are built with ``--quick`` from the footage that scripts/results.toml names for a person, and animated with
the sound of the recordings that it names beside it; the films are compared with those recordings. Portraits and films
that are there already are kept.
"""

import argparse
import csv
import math
import tomllib
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evp.clock import FRAME_RATE, SAMPLES_PER_FRAME
from evp.comparison.compare import Evaluation, evaluate
from evp.comparison.evaluation import write_reports
from evp.comparison.figures import FIGURES
from evp.comparison.measure import GENERATED, REAL, RIDGE, STILL, Clip
from evp.comparison.pairs import find_pairs
from evp.comparison.report import as_markdown, cell, number
from evp.files import write_whole
from evp.media import FilmWriter, read_frames, read_speech
from evp.pipeline import animate_file
from evp.portrait.build import build_portrait

LIST = Path(__file__).with_suffix(".toml")
PAGE = Path(__file__).with_suffix(".md")
PAPER_KEYS = ("m_ld", "m_lvd", "f_ld", "f_lvd", "ssim", "psnr", "fid")
CLIP_KEYS = (
    "m_ld",
    "f_ld",
    "opening_r",
    "opening_lag",
    "width_r",
    "opening_travel",
    "closures",
    "ssim",
    "psnr",
    "seam",
)
PAPER = """
| Chen et al. 2019 | 3.27 | 2.09 | 3.82 | 1.71 | 0.60 | 28.55 | 67.60 |
| MEAD baseline | 2.52 | 2.28 | 3.16 | 2.01 | 0.68 | 28.61 | 22.52 |
| Song et al. | 2.54 | 1.99 | 3.49 | 1.76 | 0.64 | 29.11 | 36.33 |
| EVP | 2.45 | 1.78 | 3.01 | 1.56 | 0.71 | 29.53 | 7.99 |
"""
"""Table of the EVP paper (Ji et al., CVPR 2021), on MEAD."""
CONSENT = "research recording, used as its terms allow, to measure this program"


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, help="the folder with the recordings")
    parser.add_argument("--work", type=Path, default=Path("out/results"), help="where portraits and films go")
    parser.add_argument("--page", type=Path, default=Path("docs/results.md"))
    options = parser.parse_args()
    people = tomllib.loads(LIST.read_text())["person"]
    options.work.mkdir(parents=True, exist_ok=True)
    rows = list(chain.from_iterable(make(options.data, options.work, person) for person in people))
    manifest = options.work / "pairs.csv"
    with manifest.open("w", newline="") as file:
        writer = csv.DictWriter(file, sorted(set(chain.from_iterable(rows))))
        writer.writeheader()
        writer.writerows(rows)
    evaluation = evaluate(find_pairs(manifest, None))
    write_reports(evaluation, options.work / "evaluation")
    write_whole(options.page, page(evaluation, people).encode())
    print(options.page)


def page(evaluation: Evaluation, people: list[dict[str, Any]]) -> str:
    """The results page."""
    rows = {row.figure.key: row for row in evaluation.rows}
    ours = [
        f"| {name} | " + " | ".join(cell(rows[key], who).split(" (")[0] or "-" for key in PAPER_KEYS) + " |"
        for name, who in (("evp", GENERATED), ("evp: real footage against itself", REAL),
                          ("evp: still face", STILL), ("evp: ridge regression", RIDGE))
    ]  # fmt: skip
    clips = [
        f"| {clip.pair.name} | {clip.frames} | " + " | ".join(value(clip, key) for key in CLIP_KEYS) + " |"
        for clip in evaluation.clips
    ]
    names = " | ".join(FIGURES[key].name for key in CLIP_KEYS)
    about = "\n".join(f"- `{person['name']}`: {person['about']}" for person in people)
    versions = ", ".join(f"{name} {number_}" for name, number_ in evaluation.about["versions"].items())
    return Template(PAGE.read_text()).substitute(
        paper=PAPER.strip(), ours="\n".join(ours), clips="\n".join(clips), names=names, rules=" --- |" * len(CLIP_KEYS),
        people=about, table=as_markdown(evaluation).strip(), versions=versions, count=len(evaluation.clips),
        speakers=len(people), seconds=round(sum(clip.frames for clip in evaluation.clips) / FRAME_RATE),
    )  # fmt: skip


def value(clip: Clip, key: str) -> str:
    """A figure of one film."""
    found = clip.values[GENERATED].get(key, float("nan"))
    return number(found, FIGURES[key].digits) if math.isfinite(found) else "-"


def make(data: Path, work: Path, person: dict[str, Any]) -> Iterator[dict[str, str]]:
    """The portrait and the films of one person; a row of the manifest for every film."""
    name = person["name"]
    portrait = work / f"{name}.evp"
    if not portrait.exists():
        footage = work / f"{name}-footage.mp4"
        write(footage, chain.from_iterable(pictures(data, part) for part in person["footage"]), None)
        print(build_portrait(footage, portrait, consent=CONSENT, quick=True))
    for place, part in enumerate(person["said"], start=1):
        stem = f"{name}-{place}"
        recorded, film = work / f"{stem}-recorded.mp4", work / f"{stem}-generated.mp4"
        if not recorded.exists():
            write(recorded, pictures(data, part), sound(data, person.get("sound", part)))
        if not film.exists():
            animate_file(recorded, portrait, film, emotion=person.get("emotion", "neutral"))
            print(film)
        row = {"name": stem, "generated": film.name, "recorded": recorded.name, "portrait": portrait.name}
        words = data / Path(part).with_suffix(".align")
        if words.exists():
            transcript = work / f"{stem}.txt"
            transcript.write_text(transcript_of(words.read_text()))
            row["transcript"] = transcript.name
        yield row


def part_of(part: str) -> tuple[str, slice]:
    """The file and the frames that "file@10-16" names."""
    file, _, seconds = part.partition("@")
    if not seconds:
        return file, slice(0, None)
    first, last = (round(float(second) * FRAME_RATE) for second in seconds.split("-"))
    return file, slice(first, last)


def pictures(data: Path, part: str) -> Iterator[NDArray[np.uint8]]:
    """The frames of a part of a recording."""
    file, frames = part_of(part)
    return islice(read_frames(data / file), frames.start, frames.stop)


def sound(data: Path, part: str) -> NDArray[np.float32]:
    """The sound of a part of a recording."""
    file, frames = part_of(part)
    stop = None if frames.stop is None else frames.stop * SAMPLES_PER_FRAME
    return read_speech(data / file)[frames.start * SAMPLES_PER_FRAME : stop]


def write(path: Path, frames: Iterator[NDArray[np.uint8]], waveform: NDArray[np.float32] | None) -> None:
    """A film of recorded frames, which says that it is one; frames and sound are cut to the same length."""
    first = next(frames)
    told = {"title": "Recorded video", "comment": "A part of a recording."}
    with FilmWriter(path, first.shape[1], first.shape[0], waveform, told, crf=10) as film:
        for frame in chain([first], frames):
            film.write(frame)


def transcript_of(words: str) -> str:
    """The words of a GRID alignment file."""
    return " ".join(
        word for _, _, word in (line.split() for line in words.splitlines()) if word not in ("sil", "sp")
    )


if __name__ == "__main__":
    main()
