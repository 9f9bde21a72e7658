"""Puts the rendered frames together, 25 a second.

    python film.py --frames FOLDER --truth truth.npz --out actor.mp4

Between two takes lies a slate, a moment of black, so that each take is a shot of its own. H.264 at a quality where the
codec is not seen, tagged and converted as BT.709, as `evp portrait build` reads footage.
"""

import argparse
import os
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from numpy.typing import NDArray
from performance import FRAME_RATE

SLATE = 5
"""Black frames between two takes."""
BLUE_GREEN_RED = np.array([0.0722, 0.7152, 0.2126])
"""What each counts in BT.709 brightness."""


def bt709(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """BGR (height, width, 3), even sizes, as limited-range Y'CbCr 4:2:0 planes (1.5 height, width), properly rounded:
    FFmpeg's own conversion darkens by one to two levels.
    """
    height, width = picture.shape[:2]
    full = picture / 255
    luma = full @ BLUE_GREEN_RED
    planes = [16 + 219 * luma.ravel()]
    for channel in (0, 2):
        chroma = (full[..., channel] - luma) / (2 * (1 - BLUE_GREEN_RED[channel]))
        small = chroma.reshape(height // 2, 2, width // 2, 2).mean((1, 3))
        planes.append(128 + 224 * small.ravel())
    return np.rint(np.concatenate(planes)).astype(np.uint8).reshape(-1, width)


def reel(takes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Which frame of the performance every frame of the film shows, -1 for a slate; `takes` (frames,) are the shots."""
    parts: list[NDArray[np.int64]] = []
    for take in np.unique(takes):
        parts += [np.full(SLATE, -1), np.flatnonzero(takes == take)]
    return np.concatenate(parts[1:])


def film(folder: Path, numbers: NDArray[np.int64], out: Path, quality: int = 10) -> None:
    """Encode the frames of these numbers, -1 black, and write the numbers beside the film.

    `quality` is x264's constant rate factor, 0 lossless.
    """
    part = out.with_name(f".{out.name}")
    slate = np.zeros_like(cv2.imread(str(folder / "00000.png")))
    height, width = slate.shape[:2]
    with av.open(str(part), "w", format="mp4") as container:
        stream = container.add_stream(
            "libx264", rate=FRAME_RATE, options={"crf": str(quality), "preset": "slow"}
        )
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        context = stream.codec_context
        context.time_base = Fraction(1, FRAME_RATE)
        context.colorspace, context.color_range = Colorspace.ITU709, ColorRange.MPEG
        context.color_primaries, context.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
        for moment, number in enumerate(numbers):
            shown = slate if number < 0 else cv2.imread(str(folder / f"{number:05d}.png"))
            picture = av.VideoFrame.from_ndarray(bt709(shown), format="yuv420p")
            picture.pts = moment
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    np.save(out.with_suffix(".frames.npy"), numbers)
    os.replace(part, out)


def main() -> None:
    """Film the unbroken run of frames from the first one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=Path, required=True)
    parser.add_argument("--truth", type=Path, required=True, help="truth.npz of the same rendering")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    with np.load(options.truth) as truth:
        takes = truth["take"]
    done = [(options.frames / f"{number:05d}.png").exists() for number in range(len(takes))]
    run = len(takes) if all(done) else int(np.argmin(done))
    if run == 0:
        raise SystemExit(f"{options.frames} holds no frame 00000.png: run render.py first")
    film(options.frames, reel(takes[:run]), options.out)


if __name__ == "__main__":
    main()
