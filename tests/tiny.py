"""Small made-up sounds and moving pictures, and files of them written with PyAV itself."""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray

from evp.clock import SAMPLE_RATE


def tone(
    seconds: float, hertz: float = 440.0, level: float = 0.5, rate: int = SAMPLE_RATE
) -> NDArray[np.float32]:
    """A sine (samples,)."""
    time = np.arange(round(seconds * rate)) / rate
    return (level * np.sin(2 * np.pi * hertz * time)).astype(np.float32)


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
