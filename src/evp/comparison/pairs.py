"""Which generated film is compared with which recorded one."""

import csv
from dataclasses import dataclass, fields
from pathlib import Path

from evp.corpora.recording import VIDEO_SUFFIXES, media_files
from evp.errors import InputError

LABELS_SUFFIX, TRANSCRIPT_SUFFIX = ".phones", ".txt"


@dataclass(frozen=True)
class Pair:
    """Two films of the same person saying the same, one generated and one recorded, and what is known about them."""

    name: str
    generated: Path
    recorded: Path
    portrait: Path | None = None
    """The portrait it was generated from: for its checksum, and as what the person looks like without emotion."""
    neutral: Path | None = None
    """A film of the person talking without emotion; it goes before the portrait."""
    labels: Path | None = None
    """The sounds of the recording, a line for each: begin and end in seconds, and the sound."""
    transcript: Path | None = None
    """The words of the recording, in English: from them the sounds are found."""
    emotion: str | None = None
    """The emotion that was asked for."""


def find_pairs(
    generated: Path,
    recorded: Path | None,
    portrait: Path | None = None,
    neutral: Path | None = None,
    emotion: str | None = None,
) -> list[Pair]:
    """One pair of films, all pairs of the same name in two folders, or those of a manifest (a .csv file).

    Beside a recorded film may lie its labels (``.phones``) or its transcript (``.txt``). What is given here counts for
    every pair that a manifest does not give it for. Raises InputError.
    """
    if recorded is None:
        if generated.suffix.lower() != ".csv":
            raise InputError(
                "give a generated and a recorded film, two folders of them, or a manifest (a .csv file)"
            )
        pairs = _read(generated)
    elif generated.is_dir() and recorded.is_dir():
        pairs = _matched(generated, recorded)
    elif generated.is_dir() or recorded.is_dir():
        raise InputError(f"{generated} and {recorded}: give two films or two folders")
    else:
        pairs = [_pair(generated.stem, generated, recorded)]
    shared = {"portrait": portrait, "neutral": neutral, "emotion": emotion}
    filled = [
        _filled(pair, {key: value for key, value in shared.items() if value is not None}) for pair in pairs
    ]
    for pair in filled:
        for path in (
            pair.generated,
            pair.recorded,
            pair.portrait,
            pair.neutral,
            pair.labels,
            pair.transcript,
        ):
            if path is not None and not path.is_file():
                raise InputError(f"there is no file {path}")
    return filled


def _pair(name: str, generated: Path, recorded: Path) -> Pair:
    labels, transcript = (recorded.with_suffix(suffix) for suffix in (LABELS_SUFFIX, TRANSCRIPT_SUFFIX))
    return Pair(
        name,
        generated,
        recorded,
        labels=labels if labels.is_file() else None,
        transcript=transcript if transcript.is_file() else None,
    )


def _filled(pair: Pair, shared: dict[str, object]) -> Pair:
    own = {f.name: getattr(pair, f.name) for f in fields(Pair) if getattr(pair, f.name) is not None}
    return Pair(**{**shared, **own})


def _matched(generated: Path, recorded: Path) -> list[Pair]:
    made, real = (
        {
            path.relative_to(folder).with_suffix("").as_posix(): path
            for path in media_files([folder], VIDEO_SUFFIXES)
        }
        for folder in (generated, recorded)
    )
    if not made:
        raise InputError(f"there are no films in {generated}")
    if alone := sorted(made.keys() - real.keys()):
        raise InputError(
            f"{recorded} has no film of the name {alone[0]} ({len(alone)} generated films are alone)"
        )
    return [_pair(name, made[name], real[name]) for name in sorted(made)]


def _read(manifest: Path) -> list[Pair]:
    known = [f.name for f in fields(Pair)]
    try:
        with manifest.open(newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{manifest} cannot be read as a manifest: {error}") from error
    if not rows:
        raise InputError(f"{manifest} names no films")
    if unknown := sorted(str(column) for column in rows[0] if column not in known):
        raise InputError(f"{manifest}: unknown column {unknown[0]}; there are {', '.join(known)}")
    pairs = []
    for number, row in enumerate(rows, start=2):
        if not row.get("generated") or not row.get("recorded"):
            raise InputError(f"{manifest}, line {number}: a generated and a recorded film are needed")
        files = {
            key: manifest.parent / value
            for key, value in row.items()
            if value and key not in ("name", "emotion")
        }
        beside = _pair(row.get("name") or files["generated"].stem, files["generated"], files["recorded"])
        told = {**files, "emotion": row.get("emotion") or None}
        pairs.append(Pair(**{**{f.name: getattr(beside, f.name) for f in fields(Pair)}, **told}))
    return pairs
