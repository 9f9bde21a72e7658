"""Prints how well the mouth follows the sound, speaker by speaker, on a prepared corpus.

    python benchmarks/motion_bars.py CORPUS --model motion.onnx --only SPEAKER --only FILE ...
    python benchmarks/motion_bars.py CORPUS --folds runs/folds --hold-out 60

The second form trains, in turn, without each group of speakers and measures on that group: hours on two cores, resumed
where it was interrupted. The biggest speaker is never left out as a whole; its last ``--hold-out`` clips always are.
"""

import argparse
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evp.clock import FRAME_RATE, ROWS_PER_FRAME, SAMPLE_RATE
from evp.corpora.manifest import Manifest
from evp.corpora.phones import stored_phones
from evp.corpora.synchrony import best_lag
from evp.face.basis import FaceBasis
from evp.face.layouts import LOWER_LIP_INNER, MOUTH_CORNER_LEFT, MOUTH_CORNER_RIGHT, UPPER_LIP_INNER
from evp.motion.model import MotionModel
from evp.motion.visemes import BILABIAL, viseme_rows

MAX_LAG = 4
CLOSED = 0.02


@dataclass(frozen=True)
class Measured:
    """Figures of one clip; lengths in face heights. ``nan`` where the clip has nothing to measure."""

    opening_r: float
    opening_lag: int
    width_r: float
    opening_travel: float
    """Standard deviation of the predicted opening over that of the tracked one."""
    width_travel: float
    closures: int
    closed: int
    """How many of the bilabial sounds bring the inner lips within 2 % of face height."""


def opening_and_width(
    basis: FaceBasis, coefficients: NDArray[np.floating]
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Change against the neutral face, face heights, (frames,) each."""
    moved = basis.displacement(coefficients[:, : basis.mouth_count])
    opening = moved[:, LOWER_LIP_INNER, 1] - moved[:, UPPER_LIP_INNER, 1]
    return opening, moved[:, MOUTH_CORNER_RIGHT, 0] - moved[:, MOUTH_CORNER_LEFT, 0]


def measure(path: Path, model: MotionModel, basis: FaceBasis) -> Measured:
    """One clip of a prepared corpus against the model's prediction from its sound."""
    with np.load(path) as stored:
        clip = {name: stored[name] for name in stored.files}
    opening, width = opening_and_width(basis, model.predict(clip["waveform"].astype(np.float32)))
    r, lag, width_r, travel, width_travel, neutral = (
        float("nan"),
        0,
        float("nan"),
        float("nan"),
        float("nan"),
        0.0,
    )
    if "coefficients" in clip:
        frames = min(len(opening), len(clip["valid"]))
        known = clip["valid"][:frames]
        true_opening, true_width = opening_and_width(basis, clip["coefficients"][:frames])
        lag, r = best_lag(opening[:frames], true_opening, known, MAX_LAG)
        width_r = best_lag(width[:frames], true_width, known, MAX_LAG).r
        travel = float(opening[:frames][known].std() / true_opening[known].std())
        width_travel = float(width[:frames][known].std() / true_width[known].std())
        neutral = float(np.median(clip["opening"][:frames][known] - true_opening[known]))
    rows = len(opening) * ROWS_PER_FRAME
    closures = bilabials(viseme_rows(stored_phones(clip), rows))
    lips = np.clip(opening + neutral, 0, None)
    closed = sum(bool(lips[begin:end].min() <= CLOSED) for begin, end in closures)
    return Measured(r, lag, width_r, travel, width_travel, len(closures), closed)


def bilabials(visemes: NDArray[np.floating]) -> list[tuple[int, int]]:
    """Video frames (begin, end) touched by each m, b or p."""
    held = np.concatenate([[False], visemes == BILABIAL, [False]])
    edges = np.flatnonzero(held[1:] != held[:-1]).reshape(-1, 2)
    return [(begin // ROWS_PER_FRAME, -(-end // ROWS_PER_FRAME)) for begin, end in edges]


def rest(
    model: MotionModel, basis: FaceBasis, speech: NDArray[np.floating]
) -> dict[str, tuple[float, float]]:
    """(opening, change of opening or width), the largest in the middle half second of a second without speech."""
    random = np.random.default_rng(0)
    level = np.sqrt(np.mean(speech**2))
    second = SAMPLE_RATE
    noises = {"silence": np.zeros(second), "noise -40 dB": 0.01 * level * random.standard_normal(second),
              "noise -20 dB": 0.1 * level * random.standard_normal(second)}  # fmt: skip
    results = {}
    for name, noise in noises.items():
        bed = np.tile(noise, 1 + 2 * len(speech) // second)
        quiet = np.concatenate([speech, np.zeros(second), speech])
        middle = (len(speech) + second // 2) * FRAME_RATE // SAMPLE_RATE
        for place, waveform, centre in (
            ("within speech", quiet + bed[: len(quiet)], middle),
            ("alone", noise, 12),
        ):
            opening, width = opening_and_width(basis, model.predict(waveform.astype(np.float32)))
            span = slice(centre - 6, centre + 7)
            results[f"{name}, {place}"] = (
                float(np.abs(opening[span]).max()), float(max(np.ptp(opening[span]), np.ptp(width[span])))
            )  # fmt: skip
    return results


def mean(values: list[float]) -> float:
    kept = [value for value in values if np.isfinite(value)]
    return float(np.mean(kept)) if kept else float("nan")


def report(results: dict[str, list[Measured]]) -> None:
    """One line a speaker, then the mean over speakers."""
    columns = ("opening_r", "opening_lag", "width_r", "opening_travel", "width_travel")
    line = "{:28} {:>5}  {:6.2f} {:+5.1f}  {:7.2f}  {:6.2f}  {:8.2f}  {}"
    print("speaker                      clips  open r   lag  width r  travel  w.travel  closed")
    rows = []
    for speaker, clips in sorted(results.items()):
        closures, closed = sum(c.closures for c in clips), sum(c.closed for c in clips)
        row = [mean([getattr(clip, column) for clip in clips]) for column in columns]
        rows.append([*row, closed / closures if closures else float("nan")])
        print(line.format(speaker, len(clips), *row, f"{closed}/{closures}"))
    each = [mean(list(column)) for column in zip(*rows, strict=True)]
    print(line.format("mean over speakers", len(rows), *each[:-1], f"{each[-1]:.2f}"))


def measure_all(
    corpus: Path, model: MotionModel, basis: FaceBasis, only: set[str]
) -> dict[str, list[Measured]]:
    results = defaultdict(list)
    for clip in Manifest.read(corpus).clips:
        if clip.voiced and (not only or {clip.speaker, clip.file} & only):
            results[clip.speaker].append(measure(corpus / clip.file, model, basis))
    return results


def run_folds(
    corpus: Path, runs: Path, folds: int, hold_out: int, steps: int, never: tuple[str, ...]
) -> dict[str, list[Measured]]:
    """Train without each group of speakers, measure on it, and write the mean of the networks to runs/motion.onnx.

    A network has met nobody of the group it is measured on; what is fitted behind it has met everybody but the one
    speaker, for whom it is fitted anew. The mean of the networks has met everybody but the speakers in ``never``,
    voices that are kept to measure on.
    """
    from evp.motion.dataset import read_clips
    from evp.motion.train import (
        MotionConfig,
        ReadoutNetwork,
        export_motion,
        fit_readouts,
        read_network,
        train_motion,
    )

    tracked = [clip for clip in Manifest.read(corpus).clips if clip.filmed and clip.voiced]
    (biggest, _), *others = Counter(clip.speaker for clip in tracked).most_common()
    clips = sorted(clip.file for clip in tracked if clip.speaker == biggest)[-hold_out:]
    groups = [sorted(speaker for speaker, _ in others)[fold::folds] for fold in range(folds)]
    results: dict[str, list[Measured]] = defaultdict(list)
    basis = FaceBasis.load()
    everybody = read_clips(corpus, basis.mouth_count, [*clips, *never])
    trained = []
    for fold, group in enumerate(groups):
        config = MotionConfig(leave_out=(*group, *clips, *never), steps=steps)
        train_motion(corpus, runs / f"fold{fold}", config)
        network = read_network(runs / f"fold{fold}" / "checkpoint.pt")
        fits = fit_readouts(network, everybody, config.readout)
        for left in (*group, None):
            readouts = [fit.solve([] if left is None else [left]) for fit in fits]
            whole = ReadoutNetwork(network, readouts, config.decoder_share)
            weights = runs / f"fold{fold}" / "measured.onnx"
            export_motion(weights, [whole], {"left_out": group, "held_out": clips})
            only = {*clips, *never} if left is None else {left}
            for speaker, measured in measure_all(corpus, MotionModel.load(weights), basis, only).items():
                results[speaker] += measured
        trained.append(whole)
    export_motion(runs / "motion.onnx", trained, {"left_out": groups, "held_out": clips})
    return results


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--model", type=Path, help="weights to measure (default: the packaged model)")
    parser.add_argument(
        "--only", action="append", default=[], help="speaker or file to measure on (default: all)"
    )
    parser.add_argument("--folds", type=Path, help="folder of runs: train without each group of speakers")
    parser.add_argument("--groups", type=int, default=4)
    parser.add_argument("--hold-out", type=int, default=60)
    parser.add_argument("--steps", type=int, default=1600)
    parser.add_argument("--never", action="append", default=[], help="voice that is only measured on")
    arguments = parser.parse_args()
    basis = FaceBasis.load()
    if arguments.folds:
        report(
            run_folds(
                arguments.corpus,
                arguments.folds,
                arguments.groups,
                arguments.hold_out,
                arguments.steps,
                tuple(arguments.never),
            )
        )
        return
    model = MotionModel.load(arguments.model)
    results = measure_all(arguments.corpus, model, basis, set(arguments.only))
    report(results)
    voiced = next(clip for clip in Manifest.read(arguments.corpus).clips if clip.voiced)
    with np.load(arguments.corpus / voiced.file) as stored:
        speech = stored["waveform"].astype(np.float32)
    for name, (opening, change) in rest(model, basis, speech).items():
        print(f"{name}: opening {100 * opening:.2f} %, moves {100 * change:.2f} % of face height")


if __name__ == "__main__":
    main()
