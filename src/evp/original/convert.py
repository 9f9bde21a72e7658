"""Turns checkpoints of the original into weights of this project. Needs torch, inside the functions."""

import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from evp.clock import WINDOW_ROWS
from evp.errors import InputError
from evp.original.arrays import read_array
from evp.original.checkpoints import Match
from evp.original.landmarks import EMOTION_SIZE, FORMAT, KIND
from evp.original.networks import load_landmark_network
from evp.original.parameters import POINTS
from evp.weights import export_weights

if TYPE_CHECKING:
    from evp.original.network import LandmarkConfig, LandmarkNetwork


def import_landmarks(
    checkpoint: Path,
    basis: Path,
    mean: Path,
    output: Path,
    features: Path | None = None,
    config: "LandmarkConfig | None" = None,
) -> Match:
    """Make a motion model, for :class:`evp.original.landmarks.OriginalMotion`, of a landmark network of the original.

    ``checkpoint`` is its ``M003_20.pth``, ``basis`` and ``mean`` the PCA of the same person's landmarks
    (``M003_U_106.npy``, ``M003_mean_106.npy``), ``features`` a folder of emotion codes (``angry.npy``). ``config`` is
    for networks of other sizes. Raises InputError, which names the file and the key, and OutputError.
    """
    _check_person(checkpoint, basis, mean, *([features] if features else []))
    size = 2 * POINTS
    directions = read_array(basis, (size, size))
    centre = read_array(mean, (size,))
    codes = read_features(features) if features else {}
    network, match = load_landmark_network(checkpoint, config)
    export_landmarks(output, network, directions, centre, codes, {"source": checkpoint.name})
    return match


def export_landmarks(
    output: Path,
    network: "LandmarkNetwork",
    basis: NDArray[np.float32],
    mean: NDArray[np.float32],
    features: Mapping[str, NDArray[np.float32]],
    metadata: Mapping[str, Any],
) -> None:
    """Write a landmark network with its PCA, ``basis`` (212, 212) and ``mean`` (212,), and its emotion codes (128,)."""
    import torch

    from evp.original.network import LandmarkModel

    config = network.config
    directions = np.ascontiguousarray(basis[:, : config.components])
    model = LandmarkModel(network, torch.from_numpy(directions), torch.from_numpy(mean))
    state = config.layers, 1, config.hidden
    examples = {
        "window": torch.zeros(1, WINDOW_ROWS, config.content.columns),
        "emotion": torch.zeros(1, EMOTION_SIZE),
        "hidden": torch.zeros(state),
        "cell": torch.zeros(state),
    }
    described = {
        "kind": KIND,
        "format": FORMAT,
        "state": state,
        "features": {name: code.tolist() for name, code in features.items()},
        **metadata,
    }
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The tensor attributes .*_flat_weights", UserWarning)
        export_weights(
            output, model, examples, ["landmarks", "next_hidden", "next_cell", "own_emotion"], described
        )


def read_features(folder: Path) -> dict[str, NDArray[np.float32]]:
    """The emotion codes (128,) of a folder, by file name without ``.npy``. Raises InputError."""
    if not folder.is_dir():
        raise InputError(f"cannot read {folder}: it is not a folder")
    files = sorted(folder.glob("*.npy"))
    if not files:
        raise InputError(f"{folder} holds no emotion features (.npy)")
    return {file.stem: read_array(file, (EMOTION_SIZE,)) for file in files}


def _check_person(*paths: Path) -> None:
    """Raises InputError when the names of files that belong together name different people (M003, W009)."""
    named = {path: found[0] for path in paths if (found := re.search(r"[MW]\d{3}", path.name))}
    for path, person in named.items():
        first, expected = next(iter(named.items()))
        if person != expected:
            raise InputError(f"{path} belongs to {person}, but {first} to {expected}")
