"""Small made-up sounds, moving pictures and talking faces, and files of them written with PyAV itself."""

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray

from evp.clock import SAMPLE_RATE
from evp.corpora.manifest import ClipEntry
from evp.corpora.manifest import Manifest as CorpusManifest
from evp.emotion.hearing import Heard
from evp.face.basis import FaceBasis
from evp.face.crop import CROP, face_boxes, resized, scaled_points
from evp.face.head import Head
from evp.face.layouts import (
    BROW_LEFT_LOWER,
    BROW_LEFT_UPPER,
    BROW_RIGHT_LOWER,
    BROW_RIGHT_UPPER,
    EYE_LEFT,
    EYE_RIGHT,
    FACE_OVAL,
    IRIS_LEFT,
    IRIS_RIGHT,
    LIPS_INNER,
    LIPS_OUTER,
)
from evp.face.pose import Pose
from evp.face.tracking import Track
from evp.portrait.bundle import KEYFRAME_EVERY, Consent, Manifest, Portrait, SourceFrames
from evp.render.dataset import Crops


def tone(
    seconds: float, hertz: float = 440.0, level: float = 0.5, rate: int = SAMPLE_RATE
) -> NDArray[np.float32]:
    """A sine (samples,)."""
    time = np.arange(round(seconds * rate)) / rate
    return (level * np.sin(2 * np.pi * hertz * time)).astype(np.float32)


def voice(seconds: float, hertz: float, level: float = 0.3) -> NDArray[np.float32]:
    """Something like a voice (samples,) at 16 kHz: a buzz in four syllables a second, in very quiet noise."""
    buzz = sum(tone(seconds, hertz * n, level / n) for n in range(1, int(7000 / hertz)))
    syllables = np.clip(4 * tone(seconds, 4, 1), 0, 1)
    noise = 1e-4 * np.random.default_rng(0).standard_normal(len(syllables))
    return (buzz * syllables + noise).astype(np.float32)


def clicks(seconds: float, times: Sequence[float], rate: int = SAMPLE_RATE) -> NDArray[np.float32]:
    """Silence (samples,) with a click of one millisecond at each of ``times`` (seconds)."""
    waveform = np.zeros(round(seconds * rate), np.float32)
    for time in times:
        start = round(time * rate)
        waveform[start : start + rate // 1000] = 0.8
    return waveform


def click_times(waveform: NDArray[np.float32]) -> list[float]:
    """Where :func:`clicks` are found in 16 kHz sound: the middle of each, less half its length, in seconds."""
    loud = np.flatnonzero(np.abs(waveform) > 0.3)
    groups = np.split(loud, np.flatnonzero(np.diff(loud) > SAMPLE_RATE // 100) + 1)
    return [float(group.mean() + 0.5) / SAMPLE_RATE - 0.0005 for group in groups if group.size]


def numbered(count: int, height: int = 48, width: int = 64) -> list[NDArray[np.uint8]]:
    """Pictures (H, W, 3) that carry their number, which :func:`number` reads back after any codec."""
    return [np.full((height, width, 3), 8 + 4 * index % 240, np.uint8) for index in range(count)]


def number(picture: NDArray[np.uint8]) -> int:
    """The number of a picture from :func:`numbered` (modulo 60)."""
    return round((float(picture.mean()) - 8) / 4)


def write_media(
    path: Path,
    pictures: Iterable[NDArray[np.uint8]] = (),
    times: Sequence[Fraction] | None = None,
    waveform: NDArray[np.float32] | None = None,
    *,
    frame_rate: int = 25,
    sample_rate: int = SAMPLE_RATE,
    layout: str = "mono",
    codec: str = "pcm_s16le",
    sound_start: float = 0.0,
    colorspace: Colorspace = Colorspace.ITU709,
    color_range: ColorRange = ColorRange.MPEG,
    rotation: tuple[int, bool, bool] | None = None,
) -> Path:
    """A media file at ``path``, which is returned.

    ``times`` (seconds) are when the pictures appear; without it they come at ``frame_rate``. ``rotation`` is the
    display matrix: degrees counter-clockwise, mirrored left-right, mirrored top-bottom.
    """
    pictures = list(pictures)
    with av.open(str(path), "w") as container:
        if pictures:
            video = container.add_stream(
                "libx264", rate=frame_rate, options={"crf": "4", "preset": "ultrafast"}
            )
            video.height, video.width = pictures[0].shape[:2]
            video.pix_fmt = "yuv420p"
            video.codec_context.time_base = Fraction(1, 600)
            video.codec_context.colorspace, video.codec_context.color_range = colorspace, color_range
            if rotation:
                video.set_display_rotation(rotation[0], hflip=rotation[1], vflip=rotation[2])
        if waveform is not None:
            audio = container.add_stream(codec, rate=sample_rate, layout=layout)
            channels = len(av.AudioLayout(layout).channels)
            for start in range(0, len(waveform), 1000):
                block = np.repeat(waveform[np.newaxis, start : start + 1000], channels, axis=0)
                sound = av.AudioFrame.from_ndarray(np.ascontiguousarray(block), format="fltp", layout=layout)
                sound.sample_rate, sound.time_base = sample_rate, Fraction(1, sample_rate)
                sound.pts = start + round(sound_start * sample_rate)
                container.mux(audio.encode(sound))
            container.mux(audio.encode(None))
        for index, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(
                format="yuv420p", dst_colorspace=colorspace, dst_color_range=color_range
            )
            frame.time_base = Fraction(1, 600)
            frame.pts = round((times[index] if times else Fraction(index, frame_rate)) * 600)
            container.mux(video.encode(frame))
        if pictures:
            container.mux(video.encode(None))
    return path


def rotation(yaw: float, pitch: float = 0.0, roll: float = 0.0) -> NDArray[np.float64]:
    """(3, 3) rotation in the axes of :class:`Pose` that tilts, then nods, then turns a head, in degrees.

    Each is a turn that carries one axis towards another: the tilt x to y, the nod z to -y, the turn z to -x.
    """
    yaw, pitch, roll = np.radians([yaw, pitch, roll])
    turn = [[np.cos(yaw), 0, -np.sin(yaw)], [0, 1, 0], [np.sin(yaw), 0, np.cos(yaw)]]
    nod = [[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]]
    tilt = [[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]]
    return np.array(turn) @ np.array(nod) @ np.array(tilt)


def random_poses(count: int, rng: np.random.Generator, most: float = 35.0) -> Pose:
    """Poses of ``count`` frames, turned by up to ``most`` degrees about every axis."""
    turns = np.stack([rotation(*angles) for angles in rng.uniform(-most, most, (count, 3))])
    return Pose(rng.uniform(80, 400, count), turns, rng.uniform(-50, 500, (count, 3)))


def emotion_codes(labels: Sequence[str], seed: int = 0) -> dict[str, NDArray[np.float32]]:
    """Label -> a made-up emotion code (128,), not negative, as the emotion network has them."""
    random = np.random.default_rng(seed)
    return {label: (np.maximum(random.normal(size=128), 0) + 0.2).astype(np.float32) for label in labels}


class Hearing:
    """Stands in for the emotion model: it hears that what is loud is happy, what is soft sad, and silence unvoiced."""

    labels = ("neutral", "happy", "sad")
    label_codes = emotion_codes(("neutral", "happy", "sad", "angry", "calm"))
    WINDOW = 6400

    @classmethod
    def load(cls) -> "Hearing":
        return cls()

    def hear(self, waveform: NDArray[np.floating]) -> Heard:
        """A window every 0.4 s."""
        peaks = np.array([
            np.abs(waveform[first : first + self.WINDOW]).max()
            for first in range(0, len(waveform), self.WINDOW)
        ])  # fmt: skip
        felt = np.where(peaks > 0.3, 1, 2)
        codes = np.stack([self.label_codes[self.labels[number]] for number in felt])
        times = (np.arange(len(peaks)) + 0.5) * self.WINDOW / SAMPLE_RATE
        return Heard(times, codes, np.eye(3, dtype=np.float32)[felt], peaks > 0.01)


@dataclass(frozen=True)
class Actor:
    """A drawn person who talks and moves, and where every point of the face is."""

    head: Head
    coefficients: NDArray[np.float32]
    """(T, M + U) planted expression."""
    size: tuple[int, int]

    @property
    def landmarks(self) -> NDArray[np.float32]:
        """(T, 478, 3) picture pixels."""
        return self.head.pose.project(self.head.neutral + self.head.displacement).astype(np.float32)

    def pictures(self) -> list[NDArray[np.uint8]]:
        """T pictures (H, W, 3)."""
        return [draw(mesh, self.size) for mesh in self.landmarks]

    def track(self) -> Track:
        """What a perfect tracker would say."""
        return Track(self.landmarks, ("",) * len(self.landmarks), (), self.size)


def actor(frames: int, size: tuple[int, int] = (128, 144), height: float = 84.0) -> Actor:
    """A person with the mean face, in pictures of ``size`` (height, width), ``height`` pixels from hairline to chin."""
    basis = FaceBasis.load()
    time = np.arange(frames)[:, None] / 25
    rates = 0.4 + 0.17 * np.arange(len(basis.components))[None]
    coefficients = (1.2 * np.sin(2 * np.pi * rates * time + rates)).astype(np.float32)
    coefficients[:, 8 : basis.mouth_count] = 0
    coefficients[:, basis.mouth_count + 4 :] = 0
    turns = np.stack([rotation(8 * np.sin(2 * t), 4 * np.sin(3 * t), 3 * np.cos(t)) for t in time[:, 0]])
    shift = np.stack(
        [size[1] / 2 + 4 * np.sin(time[:, 0]), np.full(frames, 0.3 * size[0]), 0 * time[:, 0]], axis=1
    )
    head = Head(basis.mean, Pose(np.full(frames, height), turns, shift), basis.displacement(coefficients))
    return Actor(head, coefficients, size)


def draw(mesh: NDArray[np.floating], size: tuple[int, int]) -> NDArray[np.uint8]:
    """A picture (H, W, 3) of a face with mesh (478, 3) on a background of stripes."""
    y, x = np.mgrid[: size[0], : size[1]]
    picture = np.stack([60 + 40 * np.sin(x / 9), 90 + 40 * np.sin(y / 7), 120 + x / 4], axis=2).astype(
        np.uint8
    )
    parts = [
        (FACE_OVAL, (210, 160, 130)),
        (BROW_LEFT_UPPER + BROW_LEFT_LOWER[::-1], (70, 40, 20)),
        (BROW_RIGHT_UPPER + BROW_RIGHT_LOWER[::-1], (70, 40, 20)),
        (EYE_LEFT, (240, 240, 240)),
        (EYE_RIGHT, (240, 240, 240)),
        (IRIS_LEFT[1:], (30, 60, 90)),
        (IRIS_RIGHT[1:], (30, 60, 90)),
        (LIPS_OUTER, (170, 60, 70)),
        (LIPS_INNER, (40, 10, 10)),
    ]
    for numbers, colour in parts:
        points = np.round(mesh[list(numbers), :2] * 16).astype(np.int32)
        cv2.fillPoly(picture, [points], colour, cv2.LINE_AA, 4)
    return picture


def write_actor(path: Path, person: Actor, waveform: NDArray[np.float32] | None = None) -> Path:
    """A film of a drawn person at ``path``, which is returned."""
    return write_media(path, person.pictures(), waveform=waveform)


def encoded(pictures: Sequence[NDArray[np.uint8]]) -> bytes:
    """An MP4 film with keyframes as a portrait's footage has them."""
    film = io.BytesIO()
    with av.open(film, "w", format="mp4") as container:
        video = container.add_stream("libx264", rate=25, options={"crf": "4", "g": str(KEYFRAME_EVERY)})
        video.height, video.width, video.pix_fmt = *pictures[0].shape[:2], "yuv420p"
        video.codec_context.colorspace, video.codec_context.color_range = Colorspace.ITU709, ColorRange.MPEG
        for picture in pictures:
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(
                format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
            )
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
    return film.getvalue()


def portrait(frames: int = 30, weights: bytes | None = None) -> Portrait:
    """A portrait of a drawn person, made without building: every third frame but the last fifth is a source."""
    person = actor(frames)
    pictures = person.pictures()
    chosen = np.arange(0, frames * 4 // 5, 3, dtype=np.int32)
    boxes = face_boxes(person.head.pose)
    streams = tuple(jpeg(boxes[n].cut(pictures[n])) for n in chosen)
    manifest = Manifest(
        source="drawn.mp4", created="2024-05-06T07:08:09+00:00", program="0", size=person.size, frames=frames,
        consent=Consent("drawn by the tests, which agree", "2024-05-06T07:08:09+00:00"), quick=weights is None,
        left_out=("1.00-2.00 s: no face",), held_out={"face_psnr": 30.5},
    )  # fmt: skip
    return Portrait(
        manifest, person.head, SourceFrames(chosen, streams), encoded(pictures), weights, b"sheet"
    )


def jpeg(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """An RGB picture as a JPEG stream."""
    options = [cv2.IMWRITE_JPEG_QUALITY, 95]
    return cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), options)[1].ravel()


def crops(frames: int = 16) -> Crops:
    """Training crops of a drawn person."""
    person = actor(frames)
    outline = person.head.pose.project(person.head.neutral[None, list(FACE_OVAL)])
    pictures, landmarks, outlines = [], [], []
    for n, box in enumerate(face_boxes(person.head.pose)):
        pictures.append(jpeg(resized(box.cut(draw(person.landmarks[n], person.size)), CROP)))
        landmarks.append(scaled_points(box.points(person.landmarks[n]), CROP / box.size))
        outlines.append(scaled_points(box.points(outline[n, :, :2]), CROP / box.size))
    return Crops(
        pictures, np.stack(landmarks), np.stack(outlines), person.head.pose.angles().astype(np.float32),
        FaceBasis.load().shape(person.coefficients), np.zeros(frames, np.int32), np.arange(frames, dtype=np.int32),
    )  # fmt: skip


def write_crops_corpus(folder: Path, speakers: int = 2, frames: int = 10) -> Path:
    """A prepared corpus at ``folder``, which is returned, with what the renderer needs: a clip for each speaker."""
    folder.mkdir()
    clips = []
    for speaker in range(speakers):
        own = crops(frames)
        np.savez(
            folder / f"s{speaker}__a.npz", frames=frames, crops=np.concatenate(own.pictures),
            crop_offsets=np.cumsum([0] + [len(p) for p in own.pictures]), crop_frames=own.frame,
            crop_landmarks=own.landmarks, crop_outline=own.outline, crop_angles=own.angles, crop_shape=own.shape,
        )  # fmt: skip
        clips.append(ClipEntry(f"s{speaker}__a.npz", f"s{speaker}", "a.mp4", frames))
    CorpusManifest(tuple(clips)).write(folder)
    return folder
