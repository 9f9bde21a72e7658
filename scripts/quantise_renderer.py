"""Writes the packaged renderer's int8 weights, for processors: to be run again whenever renderer.onnx changes.

    python scripts/quantise_renderer.py PORTRAIT.evp [PORTRAIT.evp ...]

The ranges of the numbers are taken from frames of the portraits, their mouths exchanged at random; nothing else of them
goes into the weights. Prints how far the pictures are from those of fp32 (PSNR within the part that the network sees).
"""

import argparse
from importlib.resources import files
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evp.files import write_whole
from evp.motion.facial import FacialMotion
from evp.portrait.bundle import Portrait
from evp.portrait.perform import drafts
from evp.render.engine import RendererWeights, Way, quantised

FRAMES = 24
"""Of every portrait: half of them to quantise on, half to compare."""


def seen(path: Path, rng: np.random.Generator) -> list[NDArray[np.float32]]:
    """What the network sees of frames that lie evenly in the footage, saying something else: (11, H, W) each."""
    portrait = Portrait.open(path)
    own = portrait.aligner.coefficients[:, : portrait.basis.mouth_count]
    first, last = portrait.turns
    every = max(1, (last - first) // FRAMES)
    said = (FacialMotion(own[rng.integers(len(own))]) for _ in range(FRAMES))
    frames = islice(portrait.play_stored(), 0, None, every)
    return [draft.prepared.working for _, draft in drafts(portrait, portrait.renderer(), said, frames)]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("portraits", type=Path, nargs="+")
    arguments = parser.parse_args()
    folder = Path(str(files("evp.render")))
    exact = (folder / "renderer.onnx").read_bytes()
    rng = np.random.default_rng(0)
    tensors = [tensor for path in arguments.portraits for tensor in seen(path, rng)]
    weights = RendererWeights(exact, quantised(exact, tensors[::2]))
    reference, small = (weights.open("renderer", Way("onnxruntime", numbers)) for numbers in ("fp32", "int8"))
    errors = [
        np.mean((reference.run(inputs=t[None])[0] - small.run(inputs=t[None])[0]) ** 2) for t in tensors[1::2]
    ]
    mean, worst = -10 * np.log10(np.mean(errors)), -10 * np.log10(max(errors))
    print(f"{len(errors)} frames: PSNR {mean:.1f} dB, worst {worst:.1f} dB")
    assert weights.int8 is not None
    write_whole(folder / "renderer.int8.onnx", weights.int8)


if __name__ == "__main__":
    main()
