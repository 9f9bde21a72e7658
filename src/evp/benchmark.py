"""How fast a portrait speaks here, where the time goes, what memory it takes, and what the machine could do at best.

Whole films are made by processes of their own, start and everything included. The stages are timed one after
the other, in processor time, which says the same on a busy machine; in a film they overlap.
"""

import io
import os
import platform
import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from evp.clock import FRAME_RATE, SAMPLE_RATE
from evp.errors import EvpError
from evp.evaluation.pictures import psnr
from evp.face.crop import CROP, Box
from evp.media import FilmWriter, Picture, read_stretch
from evp.pipeline import animate, choose_emotion, move
from evp.portrait.bundle import KEYFRAME_EVERY, Portrait, SourceFrames
from evp.portrait.perform import Painted, drafts
from evp.render.engine import EXACT
from evp.render.renderer import Draft, Renderer

STAGE_FRAMES = 50
"""Frames over which the stages are timed."""

NETWORK_MACS = 0.82e9
"""Multiply-adds of the rendering network for a whole crop; it works on a part."""

Item = TypeVar("Item")
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Film:
    """A whole film, made by `evp animate` in a process of its own."""

    size: str
    """Width x height."""
    seconds: float
    """Length."""
    took: float
    """Seconds on the clock, start included."""
    processor: float
    """Seconds of processor time, all cores together."""
    memory: float
    """MiB, the most that was resident."""

    @property
    def frames_a_second(self) -> float:
        """On the clock."""
        return self.seconds * FRAME_RATE / self.took


@dataclass(frozen=True)
class Network:
    """The rendering network in one engine and kind of numbers."""

    way: str
    milliseconds: float
    """Of processor time a frame."""
    decibels: float
    """PSNR of whole frames against fp32 in onnxruntime; infinite where equal."""


@dataclass(frozen=True)
class Stages:
    """Where the time of one portrait goes."""

    size: str
    milliseconds: dict[str, float]
    """Stage -> processor time a frame."""
    networks: list[Network]
    first_frame: float
    """Seconds from the call to the first frame, the models being warm."""
    macs: float
    """Multiply-adds of the network a frame."""


@dataclass(frozen=True)
class Benchmark:
    """All of it."""

    machine: dict[str, Any]
    films: list[Film] = field(default_factory=list)
    stages: list[Stages] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        films = [{**asdict(film), "frames_a_second": film.frames_a_second} for film in self.films]
        return {
            **asdict(self),
            "films": films,
            "growth": {size: growth(films) for size, films in self._by_size()},
        }

    def as_table(self) -> str:
        """What a person reads."""
        lines = [", ".join(f"{name} {value}" for name, value in self.machine.items()), ""]
        lines.append(f"{'size':>10} {'film':>7} {'frames/s':>9} {'CPU ms/frame':>13} {'memory':>9}")
        for film in self.films:
            each = 1000 * film.processor / film.seconds / FRAME_RATE
            what = f"{film.size:>10} {film.seconds:5.0f} s"
            lines.append(f"{what} {film.frames_a_second:9.1f} {each:13.1f} {film.memory:5.0f} MiB")
        for size, films in self._by_size():
            if len(films) > 1:
                grown = growth(films)
                lines.append(
                    f"{size:>10}: {grown['start']:.2f} s to start, {grown['a_second']:.3f} s for a second of film,"
                    f" memory of the longest over the shortest {grown['memory']:.3f}"
                )
        return "\n".join([*lines, *(line for stages in self.stages for line in self._profile(stages))])

    def _profile(self, stages: Stages) -> list[str]:
        whole, first = sum(stages.milliseconds.values()), 1000 * stages.first_frame
        floor = 1000 * stages.macs / float(self.machine["multiply-adds a second and core"])
        lines = [
            "",
            f"{stages.size}: first frame after {first:.0f} ms; processor time of the stages, a frame:",
        ]
        for name, value in [*stages.milliseconds.items(), ("in all", whole)]:
            lines.append(f"  {name:34} {value:6.2f} ms {value / whole:5.0%}")
        lines.append(
            f"  floor of the network in fp32: {stages.macs / 1e9:.2f} GMAC at the measured peak, {floor:.1f} ms"
        )
        for network in stages.networks:
            alike = (
                f"{network.decibels:5.1f} dB against fp32" if network.decibels < 140 else "the same as fp32"
            )
            lines.append(f"  network in {network.way:24} {network.milliseconds:5.2f} ms, {alike}")
        return lines

    def _by_size(self) -> list[tuple[str, list[Film]]]:
        sizes = dict.fromkeys(film.size for film in self.films)
        return [(size, [film for film in self.films if film.size == size]) for size in sizes]


def growth(films: Sequence[Film]) -> dict[str, float]:
    """How cost grows with length: seconds to ``start``, seconds for ``a_second`` of film, and ratio of ``memory``."""
    lengths, took = (np.array([getattr(film, name) for film in films]) for name in ("seconds", "took"))
    slope, start = np.polyfit(lengths, took, 1) if len(films) > 1 else (took[0] / lengths[0], 0.0)
    longest, shortest = max(films, key=lambda f: f.seconds), min(films, key=lambda f: f.seconds)
    return {"start": float(start), "a_second": float(slope), "memory": longest.memory / shortest.memory}


def benchmark(
    portrait: Portrait,
    speech: NDArray[np.floating],
    sides: Sequence[int],
    lengths: Sequence[int],
    emotion: str,
    progress: Progress | None = None,
) -> Benchmark:
    """Time a portrait, brought to every one of ``sides`` (its shorter side, pixels), with films of ``lengths`` seconds.

    ``speech`` is repeated to the length. Raises EvpError.
    """
    films, stages = [], []
    with tempfile.TemporaryDirectory() as folder:
        bundles = []
        for side in sides:
            bundles.append(Path(folder) / f"{side}.evp")
            resized(portrait, side).save(bundles[-1])
        # Films first: a new process starts with the most memory that this one ever had as its own.
        wanted = [(bundle, seconds) for bundle in bundles for seconds in lengths]
        for bundle, seconds in wanted:
            films.append(time_film(bundle, np.resize(speech, seconds * SAMPLE_RATE), emotion))
            if progress is not None:
                progress("making films", len(films), len(wanted))
        for bundle in bundles:
            stages.append(time_stages(Portrait.open(bundle), speech, emotion))
            if progress is not None:
                progress("timing stages", len(stages), len(bundles))
    return Benchmark(machine(), films, stages)


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {"processor": _processor(), "cores": cores, "multiply-adds a second and core": _peak(),
            "system": platform.system(), "python": platform.python_version(),
            **{name: found for name in ("onnxruntime", "openvino", "av", "opencv-python-headless", "evp")
               if (found := _version(name))}}  # fmt: skip


def resized(portrait: Portrait, side: int) -> Portrait:
    """The same portrait, filmed so that the shorter side of its footage had ``side`` pixels."""
    height, width = portrait.manifest.size
    scale = side / min(height, width)
    if scale == 1:
        return portrait
    new = round(height * scale / 2) * 2, round(width * scale / 2) * 2
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "footage.mp4"
        with FilmWriter(
            path, new[1], new[0], None, crf=15, keyframe_every=KEYFRAME_EVERY, read_back=True
        ) as film:
            for picture in read_stretch(
                io.BytesIO(portrait.footage), 0, portrait.manifest.frames - 1, KEYFRAME_EVERY
            ):
                film.write(cv2.resize(picture[:height, :width], new[::-1], interpolation=cv2.INTER_AREA))
        footage = path.read_bytes()
    pose = replace(
        portrait.head.pose, scale=portrait.head.pose.scale * scale, shift=portrait.head.pose.shift * scale
    )
    cuts = tuple(
        Box(round(cut.left * scale), round(cut.top * scale), 2 * max(1, round(cut.size * scale / 2)))
        for cut in portrait.cuts
    )
    small = replace(portrait, manifest=replace(portrait.manifest, size=new), footage=footage,
                    head=replace(portrait.head, pose=pose), cuts=cuts)  # fmt: skip
    pictures = []
    for number, stream in zip(portrait.sources.frames, portrait.sources.pictures, strict=True):
        crop = cv2.resize(cv2.imdecode(stream, cv2.IMREAD_COLOR), (small.boxes[number].size,) * 2)
        pictures.append(cv2.imencode(".jpg", crop)[1].ravel())
    return replace(small, sources=SourceFrames(portrait.sources.frames, tuple(pictures)))


def time_film(bundle: Path, speech: NDArray[np.floating], emotion: str) -> Film:
    """One whole film. Raises EvpError when it cannot be made."""
    with tempfile.TemporaryDirectory() as folder:
        sound = Path(folder) / "speech.wav"
        with wave.open(str(sound), "wb") as file:
            file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
            file.writeframes((speech * 32767).astype("<i2").tobytes())
        command = [sys.executable, "-m", "evp", "animate", str(sound), "--portrait", str(bundle),
                   "--emotion", emotion, "-o", str(Path(folder) / "film.mp4")]  # fmt: skip
        began = time.monotonic()
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        took = time.monotonic() - began
    if process.returncode:
        raise EvpError(f"evp animate failed with exit code {process.returncode}")
    return Film(
        _size(Portrait.open(bundle)),
        len(speech) / SAMPLE_RATE,
        took,
        usage.ru_utime + usage.ru_stime,
        usage.ru_maxrss / 1024,
    )


def time_stages(portrait: Portrait, speech: NDArray[np.floating], emotion: str) -> Stages:
    """The stages of a film one after the other, and the network in every way there is."""
    count = STAGE_FRAMES
    speech = np.resize(speech, (count + 1) * SAMPLE_RATE // FRAME_RATE)
    spent: dict[str, float] = {}

    def timed(stage: str, make: Callable[[], Iterable[Item]]) -> list[Item]:
        began = time.process_time()
        made = list(make())
        spent[stage] = 1000 * (time.process_time() - began) / count
        return made

    first_frame = _first_frame(portrait, speech, emotion)
    [track] = timed("hearing the emotion", lambda: [choose_emotion(speech, emotion)])
    motion = timed("facial motion", lambda: islice(move(speech, track), count))
    footage = timed("decoding the footage", lambda: islice(portrait.play_stored(), count))
    renderer = portrait.renderer()
    begun = timed("choosing, warping at 256 pixels", lambda: drafts(portrait, renderer, motion, footage))
    corrected = timed("network", lambda: (renderer.correct(draft) for _, draft in begun))
    crops = timed("warping, pasting at full size", lambda: (renderer.finish(draft) for draft in corrected))
    painted = [replace(frame, crop=crop) for (frame, _), crop in zip(begun, crops, strict=True)]
    stored = timed("colours around the face", lambda: (frame.stored() for frame in painted))
    timed("encoding", lambda: _encode(stored, speech))
    macs = NETWORK_MACS * float(np.mean([np.prod(draft.prepared.work.shape) for _, draft in begun])) / CROP**2
    return Stages(_size(portrait), spent, _networks(portrait, begun), first_frame, macs)


def _encode(pictures: Sequence[Picture], speech: NDArray[np.floating]) -> Iterator[Picture]:
    """Writes the pictures, one by one as it is iterated."""
    height, width = pictures[0].shape
    with (
        tempfile.TemporaryDirectory() as folder,
        FilmWriter(Path(folder) / "f.mp4", width, height, speech) as film,
    ):
        for picture in pictures:
            film.write_picture(picture)
            yield picture


def _first_frame(portrait: Portrait, speech: NDArray[np.floating], emotion: str) -> float:
    """Seconds from the call to the first frame, the second time."""
    took = 0.0
    for _ in range(2):
        began = time.monotonic()
        frames = animate(speech, portrait, choose_emotion(speech, emotion))
        next(frames)
        took = time.monotonic() - began
        frames.close()  # type: ignore[attr-defined]
    return took


def _networks(portrait: Portrait, begun: Sequence[tuple[Painted, Draft]]) -> list[Network]:
    """Every way to run the network here, on the same drafts."""
    reference: list[NDArray[np.uint8]] = []
    found = []
    for way in sorted(portrait.network.ways(), key=lambda way: way != EXACT):
        renderer = Renderer(portrait.network.open("renderer", way, threads=1), portrait.basis)
        for _, draft in begun:
            renderer.correct(draft)  # every size that occurs has been seen
        began = time.process_time()
        corrected = [renderer.correct(draft) for _, draft in begun]
        spent = 1000 * (time.process_time() - began) / len(begun)
        made = [
            replace(frame, crop=renderer.finish(draft)).rgb()
            for (frame, _), draft in zip(begun, corrected, strict=True)
        ]
        reference = reference or made
        worst = min(psnr(one, other) for one, other in zip(made, reference, strict=True))
        found.append(Network(f"{way.engine} {way.numbers}", spent, worst))
    return sorted(found, key=lambda network: network.milliseconds)


def _size(portrait: Portrait) -> str:
    height, width = portrait.manifest.size
    return f"{width}x{height}"


def _peak() -> float:
    """Multiply-adds a second of one core in single precision, as a product of matrices reaches them."""
    side = 768
    matrix = np.random.default_rng(0).random((side, side), np.float32)
    rates = []
    for _ in range(8):
        began = time.process_time()
        matrix @ matrix
        rates.append(side**3 / (time.process_time() - began))
    return float(f"{max(rates):.3g}")


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next(
        (line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine()
    )


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
