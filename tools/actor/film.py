"""Puts the rendered frames together: `python film.py --frames FOLDER --out actor.mp4`, 25 frames a second.

H.264 at a quality where the codec is not seen, tagged and converted as BT.709, as `evp portrait build` reads footage.
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


def film(frames: list[Path], out: Path, quality: int = 10) -> None:
    """Encode pictures in this order; `quality` is x264's constant rate factor, 0 lossless."""
    part = out.with_name(f".{out.name}")
    height, width = cv2.imread(str(frames[0])).shape[:2]
    with av.open(str(part), "w", format="mp4") as container:
        stream = container.add_stream(
            "libx264", rate=FRAME_RATE, options={"crf": str(quality), "preset": "slow"}
        )
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        context = stream.codec_context
        context.time_base = Fraction(1, FRAME_RATE)
        context.colorspace, context.color_range = Colorspace.ITU709, ColorRange.MPEG
        context.color_primaries, context.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
        for number, path in enumerate(frames):
            picture = av.VideoFrame.from_ndarray(bt709(cv2.imread(str(path))), format="yuv420p")
            picture.pts = number
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    os.replace(part, out)


def main() -> None:
    """Film the unbroken run of frames from the first one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    run = []
    while (path := options.frames / f"{len(run):05d}.png").exists():
        run.append(path)
    if not run:
        raise SystemExit(f"{options.frames} holds no frame 00000.png: run render.py first")
    film(run, options.out)


if __name__ == "__main__":
    main()
