"""Pairs of films -> figures with baselines and confidence: what ``evp evaluate`` does, between files."""

import hashlib
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from evp.comparison.figures import FIGURES, Figure
from evp.comparison.measure import (
    GENERATED,
    LOUDNESS,
    REAL,
    RIDGE,
    WHO,
    Clip,
    Progress,
    baseline_values,
    measure,
)
from evp.comparison.networks import Networks
from evp.comparison.pairs import Pair
from evp.evaluation.baselines import BANDS, PENALTY, REACH, cross_fitted
from evp.evaluation.faces import CLOSED, QUIET_DECIBELS, QUIET_MARGIN
from evp.evaluation.frechet import frechet_distance
from evp.evaluation.statistics import RESAMPLES, SHARE, Mean, bootstrap
from evp.weights import weights_file

FORMAT = 1
KIND = "evp evaluation"
_LIBRARIES = ("evp", "numpy", "opencv-python-headless", "mediapipe", "onnxruntime", "av")
_MODELS = ("face/basis.npz", "emotion/emotion.onnx", "motion/motion.onnx", "motion/expression.npz",
           "render/renderer.onnx", "render/wrinkles.npz")  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One figure over all clips."""

    figure: Figure
    means: dict[str, Mean]
    """Who -> mean and interval; those that it cannot be told of are not there."""
    missing: str = ""
    """Why the generated films have none."""


@dataclass(frozen=True)
class Evaluation:
    """What came out."""

    rows: tuple[Row, ...]
    clips: tuple[Clip, ...]
    about: dict[str, Any]
    """Versions, checksums, settings."""


def evaluate(
    pairs: Sequence[Pair], networks: Networks | None = None, seed: int = 0, progress: Progress | None = None
) -> Evaluation:
    """Figures of generated against recorded films. Raises EvpError for what the user can mend."""
    networks = networks or Networks()
    report = progress or (lambda *_: None)
    clips = []
    for number, pair in enumerate(pairs):

        def told(stage: str, done: int, total: int, name: str = pair.name) -> None:
            report(f"{name}: {stage}", done, total)

        clips.append(measure(pair, networks, told))
        report("films", number + 1, len(pairs))
    heard = [clip for clip in clips if clip.examples]
    for name in (LOUDNESS, RIDGE):
        if heard:
            baseline_values(heard, name, cross_fitted([clip.examples[name] for clip in heard]))
    rows = tuple(_row(figure, clips, seed) for figure in FIGURES.values())
    return Evaluation(rows, tuple(clips), _about(pairs, networks, seed))


def _row(figure: Figure, clips: Sequence[Clip], seed: int) -> Row:
    means = {
        who: bootstrap([clip.values.get(who, {}).get(figure.key, float("nan")) for clip in clips], seed)
        for who in WHO
    }
    if figure.key == "fid":
        means = _distances(clips)
    means = {who: mean for who, mean in means.items() if mean.clips}
    if GENERATED in means:
        return Row(figure, means)
    reasons = [clip.missing[figure.key] for clip in clips if figure.key in clip.missing]
    return Row(figure, means, reasons[0] if reasons else "it could not be told of any of these films")


def _distances(clips: Sequence[Clip]) -> dict[str, Mean]:
    """FID over all frames of all clips at once: there is nothing to resample."""
    found = {}
    with_features = [clip for clip in clips if GENERATED in clip.features]
    for who in (GENERATED, REAL):
        if with_features:
            made, real = (np.concatenate([c.features[w] for c in with_features]) for w in (who, "recorded"))
            none = float("nan")
            found[who] = Mean(frechet_distance(made, real), none, none, len(with_features))
    return found


def _about(pairs: Sequence[Pair], networks: Networks, seed: int) -> dict[str, Any]:
    given = {
        name: {"file": network.path.name, "sha256": network.sha256}
        for name, network in vars(networks).items()
        if network is not None
    }
    portraits = sorted({pair.portrait for pair in pairs if pair.portrait is not None})
    return {
        "versions": {"python": platform.python_version()} | {name: _version(name) for name in _LIBRARIES},
        "models": {name: checksum(weights_file(f"evp.{Path(name).parent}", Path(name).name)) for name in _MODELS},
        "portraits": {path.name: checksum(path) for path in portraits},
        "networks": given,
        "settings": {
            "seed": seed, "resamples": RESAMPLES, "interval": SHARE, "crop pixels": 256,
            "closed up to, of face height": CLOSED, "silence below, dB": QUIET_DECIBELS,
            "silence margin, frames": QUIET_MARGIN,
            "ridge": {"bands": BANDS, "frames to either side": REACH, "penalty": PENALTY},
        },
    }  # fmt: skip


def checksum(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _version(library: str) -> str | None:
    try:
        return version(library)
    except PackageNotFoundError:
        return None
