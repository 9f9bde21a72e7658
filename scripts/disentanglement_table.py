"""Trains the second stage whole and without each of its losses and means, and prints what came apart as a table.

    python scripts/disentanglement_table.py CORPUS RUNS [--steps N] [--seed N] [--threads N]

CORPUS is what 'evp corpus prepare' wrote, with speakers for training and for testing. RUNS is a folder for the runs,
which go on where they were stopped, and for table.json and table.md. What the columns mean: docs/disentanglement.md.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch

from evp.emotion.disentangle.dataset import Recording, read_recordings
from evp.emotion.disentangle.probes import Codes, chance, encode, errors, leaks, transcribed, unlearned
from evp.emotion.disentangle.train import DisentangleConfig, train_disentangler
from evp.weights import load_session

LEAKS = {
    "emotion_from_emotion": "emotion from e",
    "sentence_from_emotion": "sentence from e",
    "sentence_from_content": "sentence from c",
    "emotion_from_content": "emotion from c",
    "emotion_from_phones": "a phone",
    "emotion_from_window": "a window",
    "emotion_among_strangers": "strangers",
}
ERRORS = {"self": "self", "cross": "cross", "unchanged": "e kept"}

Row = dict[str, Any]


def rows(corpus: Path, runs: Path, config: DisentangleConfig) -> Iterator[Row]:
    """One row of the table after the other: chance, nothing learned, everything, and without one thing each."""
    train, test = read_recordings(corpus, "train"), read_recordings(corpus, "test")
    yield {"run": "chance", "linear": asdict(chance(test))}
    yield {"run": "nothing learned", **probed(train, unlearned(train), test, unlearned(test))}
    names = sorted({name for recording in train for name in recording.phones if name})
    if names:
        codes = transcribed(train, names), transcribed(test, names)
        yield {"run": "phones alone", **probed(train, codes[0], test, codes[1])}
    for run, ablated in ablations(config):
        folder = runs / run.replace(" ", "-")
        session = load_session(train_disentangler(corpus, folder, ablated))
        read = probed(train, encode(session, train), test, encode(session, test))
        yield {"run": run, **read, "errors": asdict(errors(session, train, test))}


def ablations(config: DisentangleConfig) -> Iterator[tuple[str, DisentangleConfig]]:
    """The run as it is, without each of the paper's losses, and without each of the means that the paper has not."""
    yield "everything", config
    for lost in config.weights:
        yield f"without {lost}", replace(config, weights={**config.weights, lost: 0.0})
    yield "without readers", replace(config, reading={})
    yield "without levelling", replace(config, ear=replace(config.ear, level=False))
    yield "without voices", replace(config, ear=replace(config.ear, tract=0.0, speed=0.0))
    content = config.network.content
    networks = {
        "dropout": replace(config.network, content=replace(content, dropout=0.0)),
        "units": replace(config.network, content=replace(content, rectified=True), units=False),
    }
    for lost, network in networks.items():
        yield f"without {lost}", replace(config, network=network)


def probed(
    train: Sequence[Recording], known: Sequence[Codes], test: Sequence[Recording], unknown: Sequence[Codes]
) -> Row:
    """What linear and curved probes read."""
    return {
        "linear": asdict(leaks(train, known, test, unknown, "linear")),
        "curved": asdict(leaks(train, known, test, unknown, "curved")),
    }


def markdown(table: Sequence[Row]) -> str:
    """Recall of the linear probe (of the curved one), and errors in MFCC units."""
    titles = ["", *LEAKS.values(), *ERRORS.values()]
    lines = [titles, ["---"] * len(titles)]
    for row in table:
        read = [
            f"{row['linear'][name]:.2f}" + (f" ({row['curved'][name]:.2f})" if "curved" in row else "")
            for name in LEAKS
        ]
        error = [f"{row['errors'][name]:.2f}" if "errors" in row else "" for name in ERRORS]
        lines.append([row["run"], *read, *error])
    first = next(row["errors"] for row in table if "errors" in row)
    note = f"x1 itself is {first['source']:.2f} from x4, the mean window {first['mean']:.2f}."
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + f"\n\n{note}\n"


def main() -> None:
    """Read the command line and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpus", type=Path)
    parser.add_argument("runs", type=Path)
    parser.add_argument("--steps", type=int, default=DisentangleConfig.steps)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    arguments.runs.mkdir(parents=True, exist_ok=True)
    table = []
    for row in rows(
        arguments.corpus, arguments.runs, DisentangleConfig(steps=arguments.steps, seed=arguments.seed)
    ):
        table.append(row)
        (arguments.runs / "table.json").write_text(json.dumps(table, indent=1))
    (arguments.runs / "table.md").write_text(markdown(table))
    print(markdown(table))


if __name__ == "__main__":
    main()
