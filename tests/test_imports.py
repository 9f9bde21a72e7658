"""Imports point one way, and running a portrait imports neither torch nor mediapipe."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src"
FILES = sorted((SOURCE / "evp").rglob("*.py"))

LAYERS = [
    {"clock", "errors", "background", "smoothing"},
    {"files"},
    {"media", "weights", "losses", "training"},
    {"audio", "face"},
    {"corpora"},
    {"evaluation"},
    {"emotion"},
    {"motion"},
    {"render"},
    {"portrait"},
    {"comparison"},
    {"original"},
    {"pipeline"},
    {"still"},
    {"benchmark"},
    {"studio"},
    {"__init__"},
    {"commands"},
    {"cli"},
    {"__main__"},
]
"""A module imports from its own folder and from the layers above its own in this list, and from nowhere else."""

TRAINING = {"acoustics.py", "network.py", "losses.py", "reading.py", "train.py"}
"""The files that may import torch as they are imported."""


def _layer(folder: str) -> int:
    return next(depth for depth, layer in enumerate(LAYERS) if folder in layer)


def _imported_folders(file: Path) -> set[str]:
    """The parts of evp that a file imports, wherever in the file it does so."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file} has a relative import"
            names |= (
                {f"{node.module}.{alias.name}" for alias in node.names}
                if node.module == "evp"
                else {node.module}
            )
    return {name.split(".")[1] for name in names if name.startswith("evp.")}


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(SOURCE)))
def test_imports_point_one_way(file):
    own = file.relative_to(SOURCE / "evp").parts[0].removesuffix(".py")
    for folder in _imported_folders(file) - {own}:
        assert _layer(folder) < _layer(own), f"evp.{own} may not import evp.{folder}"


def test_only_training_imports_torch_and_nothing_imports_mediapipe_until_it_is_needed():
    modules = [
        ".".join(file.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")
        for file in FILES
        if file.name not in TRAINING | {"__main__.py"}
    ]
    code = f"import sys, {', '.join(modules)}; print(*{{'torch', 'mediapipe'}} & sys.modules.keys())"
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    result = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert result.stdout.split() == []
