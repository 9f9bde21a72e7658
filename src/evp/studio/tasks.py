"""What child processes can be asked to do. Arguments and values are plain JSON; paths are the server's own."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evp.studio import previews
from evp.studio.child import Progress, Task

PEAKS = 800
"""Most bars of a waveform's picture."""


def check_speech(upload: str, sound: str, most_seconds: float) -> dict[str, Any]:
    """Decode an upload and write its sound as WAV; its length, and peaks (0..1) of equal parts. Raises InputError."""
    import numpy as np

    from evp.clock import SAMPLE_RATE
    from evp.media import read_speech, write_sound

    waveform = read_speech(Path(upload), most_seconds)
    write_sound(Path(sound), waveform)
    parts = np.array_split(np.abs(waveform), min(PEAKS, len(waveform)))
    peaks = np.array([part.max() for part in parts], np.float64)
    return {"seconds": len(waveform) / SAMPLE_RATE, "peaks": (peaks / peaks.max()).round(3).tolist()}


def check_footage(upload: str, most_seconds: float, most_pixels: int) -> dict[str, Any]:
    """Look at an upload of footage, without decoding all of it. Raises InputError."""
    from evp.errors import InputError
    from evp.media import length, probe

    info, seconds = probe(Path(upload)), length(Path(upload))
    if seconds > most_seconds:
        raise InputError(f"{upload} is longer than {most_seconds:g} s")
    if info.width * info.height > most_pixels:
        raise InputError(f"the picture of {upload} is larger than can be used: {info.width} x {info.height}")
    return {"width": info.width, "height": info.height, "seconds": seconds}


def film(speech: str, portrait: str, output: str, emotion: str, progress: Progress) -> dict[str, Any]:
    """`animate_file`, and what came of it."""
    from evp.media import probe
    from evp.pipeline import animate_file

    animate_file(
        Path(speech), Path(portrait), Path(output), emotion=emotion,
        progress=lambda done, total: progress("rendering", done, total),
    )  # fmt: skip
    info = probe(Path(output))
    return {"width": info.width, "height": info.height, "seconds": info.duration}


def build(
    footage: str, output: str, consent: str, quick: bool, seed: int, progress: Progress
) -> dict[str, Any]:
    """`build_portrait`, and what came of it."""
    from evp.clock import FRAME_RATE
    from evp.portrait.build import build_portrait

    report = build_portrait(
        Path(footage), Path(output), consent=consent, quick=quick, seed=seed, progress=progress
    )
    manifest = report.manifest
    height, width = manifest.size
    return {
        "width": width, "height": height, "seconds": manifest.frames / FRAME_RATE,
        "report": {
            "shots": len(manifest.shots), "source_frames": report.sources, "build_seconds": round(report.seconds, 1),
            "left_out": list(manifest.left_out), "held_out": manifest.held_out,
        },
    }  # fmt: skip


_ALL: tuple[Task, ...] = (check_speech, check_footage, film, build, *previews.TASKS)
TASKS: Mapping[str, Task] = {task.__name__: task for task in _ALL}
