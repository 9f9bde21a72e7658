"""Puts the rendered frames together: `python film.py --frames FOLDER --out actor.mp4`, 25 frames a second.

H.264 at a quality where the codec is not seen, tagged and converted as BT.709, as `evp portrait build` reads footage.
"""

import argparse
import os
from fractions import Fraction
from pathlib import Path

import av
import cv2
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from performance import FRAME_RATE


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
            picture = av.VideoFrame.from_ndarray(cv2.imread(str(path)), format="bgr24")
            picture = picture.reformat(
                format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
            )
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
