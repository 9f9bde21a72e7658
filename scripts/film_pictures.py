"""Makes a strip of frames and a short animation of a film, for the README.

    python scripts/film_pictures.py out/demo.mp4 --at 2.0 7.5 11.4 --span 5.5 11.5 -o docs/pictures

They are demo-strip.jpg and demo.webp.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from evp.clock import FRAME_RATE
from evp.media import read_frames

STRIP_HEIGHT = 240
ANIMATION_HEIGHT = 288
ANIMATION_EVERY = 2
"""One frame in two is shown: 12.5 a second."""


def scaled(picture: NDArray[np.uint8], height: int) -> NDArray[np.uint8]:
    width = round(picture.shape[1] * height / picture.shape[0])
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("film", type=Path)
    parser.add_argument(
        "--at", type=float, nargs="+", required=True, help="seconds of the frames in the strip"
    )
    parser.add_argument("--span", type=float, nargs=2, required=True, help="seconds that the animation shows")
    parser.add_argument("-o", "--output", type=Path, default=Path("docs/pictures"))
    arguments = parser.parse_args()
    wanted = [round(second * FRAME_RATE) for second in arguments.at]
    first, last = (round(second * FRAME_RATE) for second in arguments.span)
    strip, animation = [], []
    for number, picture in enumerate(read_frames(arguments.film)):
        if number in wanted:
            strip.append(scaled(picture, STRIP_HEIGHT))
        if first <= number < last and (number - first) % ANIMATION_EVERY == 0:
            animation.append(Image.fromarray(scaled(picture, ANIMATION_HEIGHT)))
    if len(strip) != len(wanted) or not animation:
        raise SystemExit(f"{arguments.film} is shorter than the moments asked for")
    Image.fromarray(np.hstack(strip)).save(arguments.output / "demo-strip.jpg", quality=88)
    animation[0].save(
        arguments.output / "demo.webp", save_all=True, append_images=animation[1:], quality=70, method=6,
        duration=1000 * ANIMATION_EVERY // FRAME_RATE, loop=0,
    )  # fmt: skip


if __name__ == "__main__":
    main()
