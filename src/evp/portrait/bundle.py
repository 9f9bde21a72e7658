"""A portrait on disk: everything learned from one target video, in one file.

A bundle is an uncompressed ZIP archive: ``portrait.json`` (what it is, who consented, checksums of the rest),
``footage.mp4`` (the shots that were kept; the longest plays), ``track.npz`` (where the face is in them),
``sources.npz`` (frames that give skin and mouth), ``renderer.onnx`` and ``renderer.int8.onnx`` (this person's
network, absent after a quick build) and ``contact-sheet.jpg``.
"""

import hashlib
import io
import json
import os
import secrets
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import IO, Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from evp.errors import OutputError, PortraitError
from evp.face.alignment import Aligner
from evp.face.basis import FaceBasis
from evp.face.crop import Box, face_boxes
from evp.face.head import Head
from evp.face.layouts import FACE_OVAL, mouth_opening
from evp.face.pose import Pose
from evp.media import Picture, read_stored
from evp.motion.travel import Reach
from evp.render.engine import RendererWeights
from evp.render.inputs import View
from evp.render.renderer import Renderer
from evp.smoothing import smooth_in_time

KIND = "evp portrait"
FORMAT = 2
"""Bundles of format 1, from before faces were registered, are read as well."""
MANIFEST, FOOTAGE, TRACK, SOURCES, RENDERER, SHEET = (
    "portrait.json", "footage.mp4", "track.npz", "sources.npz", "renderer.onnx", "contact-sheet.jpg",
)  # fmt: skip
_TRAVEL_FRAMES = 250
"""Frames of speech that tell how far somebody opens the mouth."""
RENDERER_INT8 = "renderer.int8.onnx"
KEYFRAME_EVERY = 12
"""Frames between keyframes of the footage: as many pictures are held when it plays backwards."""

_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, KeyError, TypeError, ValueError, OSError)
"""What reading an archive or its description raises when they are damaged."""

_KEPT_PICTURES = 8

_QUIET_FRAMES = 2.0
"""How long a quiet moment is: standard deviation, in frames, of the smoothing of the head's speed."""

_TURN_SEARCH = 0.15
"""The share of the footage at either end in which the quietest moment is looked for, to turn there."""


@dataclass(frozen=True)
class Consent:
    """Who said that this person may be shown saying things."""

    statement: str
    """What the builder of the portrait declared, word for word."""
    recorded: str
    """When, ISO 8601, UTC."""


@dataclass(frozen=True)
class Manifest:
    """What a portrait says of itself."""

    source: str
    """File name of the footage it was built from."""
    created: str
    """ISO 8601, UTC."""
    program: str
    """Version of the program that built it."""
    consent: Consent
    size: tuple[int, int]
    """Height and width of the footage, pixels."""
    frames: int
    """T, frames of the footage that was kept."""
    quick: bool
    """Whether it was built without fine-tuning."""
    left_out: tuple[str, ...] = ()
    """Parts of the footage that were not used, and why."""
    held_out: dict[str, float] = field(default_factory=dict)
    """Figures on the last fifth, which was never trained on."""
    shots: tuple[tuple[int, int], ...] = ()
    """First frame, and the frame after the last, of every shot; empty when there is one only."""


@dataclass(frozen=True)
class SourceFrames:
    """Frames that may give pixels, as JPEG in memory."""

    frames: NDArray[np.int32]
    """(N,) their numbers in the footage."""
    pictures: tuple[NDArray[np.uint8], ...]
    """N JPEG streams of the face crops at the footage's own resolution."""


@dataclass(frozen=True)
class Portrait:
    """A person who can be animated. Open one with :meth:`open`; build one with :func:`evp.portrait.build_portrait`."""

    manifest: Manifest
    head: Head
    """Tracked head of T frames."""
    sources: SourceFrames
    footage: bytes
    """The T frames as MP4."""
    weights: bytes | None
    """This person's renderer, or None for the packaged one."""
    sheet: bytes | None = None
    """Contact sheet as JPEG."""
    weights_int8: bytes | None = None
    """The same renderer in smaller numbers, if it was made."""
    cuts: tuple[Box, ...] = ()
    """Where the crop of every frame was cut, when that was before the head had its final pose."""

    @cached_property
    def basis(self) -> FaceBasis:
        return FaceBasis.load()

    @cached_property
    def aligner(self) -> Aligner:
        return Aligner.of(self.basis, self.head)

    @property
    def shots(self) -> tuple[tuple[int, int], ...]:
        """First frame, and the frame after the last, of every run of consecutive frames."""
        return self.manifest.shots or ((0, self.manifest.frames),)

    @cached_property
    def boxes(self) -> list[Box]:
        """The crop of every frame."""
        if self.cuts:
            return list(self.cuts)
        return [box for begin, end in self.shots for box in face_boxes(self.head.pose[begin:end])]

    @cached_property
    def landmarks(self) -> NDArray[np.float32]:
        """(T, 478, 3) the tracked face, picture pixels."""
        return self.head.pose.project(self.head.neutral + self.head.displacement).astype(np.float32)

    @cached_property
    def outline(self) -> NDArray[np.float32]:
        """(T, 36, 3) outline of the neutral face under every frame's pose, picture pixels."""
        return self.head.pose.project(self.head.neutral[None, list(FACE_OVAL)]).astype(np.float32)

    @cached_property
    def reach(self) -> Reach:
        """How far this person's mouth goes, as seen in the longest shots."""
        looked_at = np.zeros(0, np.int_)
        for begin, end in sorted(self.shots, key=lambda shot: shot[0] - shot[1]):
            if len(looked_at) < _TRAVEL_FRAMES:
                looked_at = np.append(looked_at, np.arange(begin, end))
        return Reach.of(mouth_opening(self.head.neutral + self.head.displacement[looked_at]))

    def view(self, frame: int, crop: NDArray[np.uint8]) -> View:
        """The crop (S, S, 3) of a frame, with its landmarks."""
        box = self.boxes[frame]
        return View(crop, box.points(self.landmarks[frame]), box.points(self.outline[frame]))

    def source(self, number: int) -> View:
        """Source ``number`` as a view."""
        picture = cv2.imdecode(self.sources.pictures[number], cv2.IMREAD_COLOR)
        return self.view(int(self.sources.frames[number]), cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))

    def renderer(self) -> Renderer:
        """This person's renderer, or the packaged one; it is opened once."""
        return self._renderer

    @cached_property
    def _renderer(self) -> Renderer:
        return Renderer(self.network.open(RENDERER, threads=_network_threads()), self.basis)

    @property
    def network(self) -> RendererWeights:
        """This person's network, or the packaged one."""
        return (
            RendererWeights.packaged()
            if self.weights is None
            else RendererWeights(self.weights, self.weights_int8)
        )

    @cached_property
    def turns(self) -> tuple[int, int]:
        """The first and last frame that play, in the longest shot: quiet moments, so that turning is not seen."""
        begin, end = playing_shot(self.shots)
        pose = self.head.pose[begin:end]
        moved = np.linalg.norm(np.diff(pose.shift[:, :2], axis=0), axis=1) / pose.scale[1:]
        turned = np.radians(np.linalg.norm(np.diff(pose.angles(), axis=0), axis=1))
        speed = smooth_in_time(moved + turned, _QUIET_FRAMES)
        reach = max(1, int(_TURN_SEARCH * len(speed)))
        return begin + int(np.argmin(speed[:reach])), begin + len(speed) - int(np.argmin(speed[::-1][:reach]))

    def play(self) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        """Frame numbers and pictures (H, W, 3) RGB for ever: forwards from the first turn, backwards from the last."""
        height, width = self.manifest.size
        for frame, picture in self.play_stored():
            yield frame, picture.rgb()[:height, :width]

    def play_stored(self) -> Iterator[tuple[int, Picture]]:
        """`play`, with the pictures as the footage stores them: an odd side is one pixel longer."""
        first, last = self.turns
        while True:
            for begin, end, step in ((first, last, 1), (last - 1, first + 1, -1)):
                pictures = read_stored(io.BytesIO(self.footage), begin, end, KEYFRAME_EVERY)
                yield from zip(range(begin, end + step, step), pictures, strict=True)

    def played(self, number: int) -> int:
        """The frame that plays as number 0, 1, ... of `play`."""
        first, last = self.turns
        place = number % max(1, 2 * (last - first))
        return first + min(place, 2 * (last - first) - place)

    def picture(self, frame: int) -> Picture:
        """One frame of the footage as it is stored, not to be written to; the last few are kept."""
        return self._picture(frame)

    @cached_property
    def _picture(self) -> Callable[[int], Picture]:
        @lru_cache(_KEPT_PICTURES)
        def read(frame: int) -> Picture:
            [picture] = read_stored(io.BytesIO(self.footage), frame, frame, KEYFRAME_EVERY)
            picture.planes.flags.writeable = False
            return picture

        return read

    def save(self, path: Path) -> None:
        """Write the bundle; ``path`` appears only when it is whole. Raises OutputError."""
        members = {FOOTAGE: self.footage, TRACK: _archive(self._track()), SOURCES: _archive(self._sources())}
        if self.weights is not None:
            members[RENDERER] = self.weights
        if self.weights_int8 is not None:
            members[RENDERER_INT8] = self.weights_int8
        if self.sheet is not None:
            members[SHEET] = self.sheet
        described = {"kind": KIND, "format": FORMAT, **asdict(self.manifest),
                     "sha256": {name: hashlib.sha256(data).hexdigest() for name, data in members.items()}}  # fmt: skip
        partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
        try:
            with zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED) as archive:
                archive.writestr(MANIFEST, json.dumps(described, indent=1))
                for name, data in members.items():
                    archive.writestr(name, data)
            partial.replace(path)
        except OSError as error:
            raise OutputError(f"cannot write {path}: {error.strerror}") from error
        finally:
            partial.unlink(missing_ok=True)

    def _track(self) -> dict[str, NDArray[Any]]:
        pose = self.head.pose
        boxes = np.array([(box.left, box.top, box.size) for box in self.boxes], np.int32)
        return {"neutral": self.head.neutral, "displacement": self.head.displacement.astype(np.float16), "boxes": boxes,
                "scale": pose.scale, "rotation": pose.rotation, "shift": pose.shift}  # fmt: skip

    def _sources(self) -> dict[str, NDArray[Any]]:
        lengths = [0] + [len(picture) for picture in self.sources.pictures]
        return {"frames": self.sources.frames, "offsets": np.cumsum(lengths),
                "pictures": np.concatenate(self.sources.pictures)}  # fmt: skip

    @staticmethod
    def open(path: Path) -> "Portrait":
        """Read and check a bundle. Raises PortraitError when it is missing, foreign, damaged, or newer than this."""
        try:
            with zipfile.ZipFile(path) as archive:
                described = json.loads(archive.read(MANIFEST))
                _check_kind(described, path)
                sums: dict[str, str] = dict(described["sha256"])
                members = {name: archive.read(name) for name in sums}
        except FileNotFoundError as error:
            raise PortraitError(f"there is no portrait {path}") from error
        except IsADirectoryError as error:
            raise PortraitError(f"{path} is a folder, not a portrait") from error
        except _BROKEN as error:
            raise PortraitError(f"{path} is not a portrait, or it is broken") from error
        for name, expected in sums.items():
            if hashlib.sha256(members[name]).hexdigest() != expected:
                raise PortraitError(f"{path} is damaged: {name} is not what was written")
        try:
            return _assemble(described, members)
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise PortraitError(f"{path} is broken: {error}") from error


def playing_shot(shots: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """The longest shot (first frame, frame after the last): it plays, and its face at rest is the neutral one."""
    return max(shots, key=lambda shot: shot[1] - shot[0])


def read_manifest(path: Path) -> dict[str, Any]:
    """What a bundle says of itself, as plain values, after checking all of it. Raises PortraitError."""
    return asdict(Portrait.open(path).manifest)


def _network_threads() -> int:
    """Half of the cores: warping, pasting and encoding other frames need the other half meanwhile."""
    return max(1, (os.cpu_count() or 2) // 2)


def _check_kind(described: object, path: Path) -> None:
    if not isinstance(described, dict) or described.get("kind") != KIND:
        raise PortraitError(f"{path} is not a portrait of this program")
    if described.get("format", 0) > FORMAT:
        raise PortraitError(
            f"{path} is of format {described['format']}, newer than this program knows ({FORMAT}): update evp"
        )


def _assemble(described: dict[str, Any], members: dict[str, bytes]) -> Portrait:
    manifest = Manifest(
        source=described["source"], created=described["created"], program=described["program"],
        consent=Consent(**described["consent"]), size=cast(tuple[int, int], tuple(described["size"])),
        frames=described["frames"], quick=described["quick"], left_out=tuple(described["left_out"]),
        held_out=described["held_out"], shots=tuple((begin, end) for begin, end in described["shots"]),
    )  # fmt: skip
    with np.load(io.BytesIO(members[TRACK]), allow_pickle=False) as track:
        pose = Pose(track["scale"], track["rotation"], track["shift"])
        head = Head(track["neutral"], pose, track["displacement"].astype(np.float32))
        cuts = tuple(Box(*map(int, row)) for row in track["boxes"]) if "boxes" in track else ()
    with np.load(io.BytesIO(members[SOURCES]), allow_pickle=False) as stored:
        offsets, stream, frames = stored["offsets"], stored["pictures"], stored["frames"]
    pictures = tuple(stream[a:b] for a, b in zip(offsets[:-1], offsets[1:], strict=True))
    whole = len(head.pose) == manifest.frames and len(cuts) in (0, manifest.frames)
    if not whole or len(pictures) != len(frames):
        raise ValueError("its parts do not belong together")
    return Portrait(
        manifest,
        head,
        SourceFrames(frames, pictures),
        members[FOOTAGE],
        members.get(RENDERER),
        members.get(SHEET),
        members.get(RENDERER_INT8),
        cuts,
    )


def _archive(arrays: dict[str, NDArray[Any]]) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(cast(IO[bytes], buffer), **arrays)
    return buffer.getvalue()
