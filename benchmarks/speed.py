"""Speed and memory of `evp animate`, everything included: frames a second, and peak memory for one and ten minutes.

    python benchmarks/speed.py PORTRAIT.evp SPEECH

The speech is repeated to the wanted length. Each run is a process of its own.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
import wave
from pathlib import Path

import numpy as np

from evp.clock import FRAME_RATE, SAMPLE_RATE
from evp.media import read_speech
from evp.portrait.bundle import Portrait


def speech_of(seconds: int, source: Path, target: Path) -> None:
    """Write ``seconds`` of the source's sound, repeated, as 16-bit WAV."""
    sound = np.resize(read_speech(source), seconds * SAMPLE_RATE)
    with wave.open(str(target), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        file.writeframes((sound * 32767).astype("<i2").tobytes())


def measure(speech: Path, portrait: Path, film: Path) -> tuple[float, float]:
    """Seconds and peak memory in MiB of one run."""
    began = time.monotonic()
    command = [
        sys.executable,
        "-m",
        "evp",
        "animate",
        str(speech),
        "--portrait",
        str(portrait),
        "-o",
        str(film),
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = status
    if status:
        raise SystemExit(f"evp animate failed: {status}")
    return time.monotonic() - began, usage.ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("portrait", type=Path)
    parser.add_argument("speech", type=Path)
    parser.add_argument("--seconds", type=int, nargs="+", default=[10, 60, 600])
    arguments = parser.parse_args()
    height, width = Portrait.open(arguments.portrait).manifest.size
    print(f"target {width}x{height}")
    memory = {}
    with tempfile.TemporaryDirectory() as folder:
        for seconds in arguments.seconds:
            speech = Path(folder) / f"{seconds}.wav"
            speech_of(seconds, arguments.speech, speech)
            spent, memory[seconds] = measure(speech, arguments.portrait, Path(folder) / "film.mp4")
            frames = seconds * FRAME_RATE
            print(f"{seconds:4d} s of sound: {frames / spent:6.1f} frames/s ({seconds / spent:.2f} x real time), "
                  f"peak memory {memory[seconds]:.0f} MiB")  # fmt: skip
    shortest, longest = min(memory), max(memory)
    print(f"memory for {longest} s against {shortest} s: {memory[longest] / memory[shortest]:.3f}")


if __name__ == "__main__":
    main()
