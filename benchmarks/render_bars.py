"""Held-out figures of the renderer on several people: face >= 29 dB and 0.88, mouth >= 27 dB, flicker <= 1.2.

    python benchmarks/render_bars.py [--quick] FOOTAGE [FOOTAGE ...]

FOOTAGE is a video, or a folder of videos of one person, which are joined (at most a minute). Every portrait is built as
`evp portrait build` does; the last fifth of every shot is held out.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np

from evp.clock import FRAME_RATE
from evp.media import FilmWriter, probe, read_frames
from evp.portrait.build import MOST_SECONDS, build_portrait


def joined(folder: Path, target: Path) -> Path:
    """One film of the videos in a folder, in the order of their names."""
    videos = sorted(folder.glob("*.mp4"))
    info = probe(videos[0])
    left = round(MOST_SECONDS * FRAME_RATE)
    with FilmWriter(target, info.width, info.height, None, crf=10) as film:
        for video in videos:
            frames = list(read_frames(video)) if left > 0 else []
            for frame in frames[:left]:
                film.write(frame)
            left -= len(frames)
    return target


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("footage", type=Path, nargs="+")
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    print(
        f"{'':24s} {'face dB':>8s} {'SSIM':>6s} {'mouth dB':>8s} {'SSIM':>6s} {'flicker':>7s} {'built in':>8s}"
    )
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for footage in arguments.footage:
            film = joined(footage, Path(folder) / f"{footage.name}.mp4") if footage.is_dir() else footage
            report = build_portrait(
                film,
                Path(folder) / f"{footage.stem}.evp",
                consent="measurement only, not kept",
                quick=arguments.quick,
            )
            figures = report.manifest.held_out
            names = ("face_psnr", "face_ssim", "mouth_psnr", "mouth_ssim", "flicker")
            row = [figures[name] for name in names] + [report.seconds]
            rows.append(row)
            print(
                "{:24s} {:8.2f} {:6.3f} {:8.2f} {:6.3f} {:7.2f} {:6.0f} s".format(footage.stem, *row),
                flush=True,
            )
    print("{:24s} {:8.2f} {:6.3f} {:8.2f} {:6.3f} {:7.2f} {:6.0f} s".format("mean", *np.mean(rows, axis=0)))


if __name__ == "__main__":
    main()
