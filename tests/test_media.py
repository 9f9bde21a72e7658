"""Media: what goes in comes out, in step, or is refused in one line that names the file."""

import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from av.video.frame import PictureType
from av.video.reformatter import ColorRange, Colorspace

import tiny
from evp import media
from evp.clock import FRAME_RATE, SAMPLE_RATE, SAMPLES_PER_FRAME
from evp.errors import InputError, OutputError
from evp.media import FilmWriter, Picture, check_output, length, probe, read_frames, read_speech

FRAME = 1 / FRAME_RATE


# sound


@pytest.mark.parametrize("layout", ["mono", "stereo", "5.1"])
@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 48_000])
def test_any_rate_and_layout_become_16_khz_mono_with_nothing_lost(tmp_path, rate, layout):
    clicks = tiny.clicks(1.0, (0.0, 0.5, 0.998), rate)
    path = tiny.write_media(tmp_path / "a.wav", waveform=clicks, sample_rate=rate, layout=layout)
    waveform = read_speech(path)
    assert waveform.dtype == np.float32
    assert waveform.shape == (SAMPLE_RATE,)
    assert np.abs(waveform).max() <= 1
    assert tiny.click_times(waveform) == pytest.approx([0.0, 0.5, 0.998], abs=0.0005)


@pytest.mark.parametrize("layout", ["mono", "stereo"])
def test_sound_keeps_its_level(tmp_path, layout):
    path = tiny.write_media(tmp_path / "a.wav", waveform=tiny.tone(1.0, level=0.9), layout=layout)
    assert np.abs(read_speech(path)).max() == pytest.approx(0.9, abs=0.01)


@pytest.mark.parametrize(
    ("name", "codec", "rate"),
    [
        ("a.flac", "flac", 16_000),
        ("a.mp3", "libmp3lame", 44_100),
        ("a.m4a", "aac", 44_100),
        ("a.opus", "libopus", 48_000),
    ],
)
def test_compressed_sound_is_not_shifted(tmp_path, name, codec, rate):
    path = tiny.write_media(
        tmp_path / name, waveform=tiny.clicks(1.0, (0.1, 0.9), rate), sample_rate=rate, codec=codec
    )
    assert tiny.click_times(read_speech(path)) == pytest.approx([0.1, 0.9], abs=0.002)


def test_sound_that_starts_after_the_picture_is_preceded_by_silence(tmp_path):
    path = tiny.write_media(
        tmp_path / "late.mkv",
        tiny.numbered(25),
        waveform=tiny.clicks(0.5, (0.1,)),
        sound_start=0.4,
        codec="flac",
    )
    assert tiny.click_times(read_speech(path)) == pytest.approx([0.5], abs=0.002)


def test_a_gap_in_the_sound_is_filled_with_silence(tmp_path):
    path = tmp_path / "gap.mkv"
    with av.open(str(path), "w") as container:
        audio = container.add_stream("pcm_s16le", rate=SAMPLE_RATE, layout="mono")
        for start in (0.0, 0.7):
            sound = av.AudioFrame.from_ndarray(
                tiny.clicks(0.1, (0.05,))[np.newaxis], format="fltp", layout="mono"
            )
            sound.sample_rate, sound.time_base = SAMPLE_RATE, Fraction(1, SAMPLE_RATE)
            sound.pts = round(start * SAMPLE_RATE)
            container.mux(audio.encode(sound))
        container.mux(audio.encode(None))
    assert tiny.click_times(read_speech(path)) == pytest.approx([0.05, 0.75], abs=0.002)


def test_a_path_may_hold_spaces_and_colons(tmp_path):
    path = tmp_path / "a b: c.wav"
    tiny.write_media(tmp_path / "plain.wav", waveform=tiny.tone(0.1)).rename(path)
    assert len(read_speech(path)) == SAMPLE_RATE // 10


def _damage(path: Path) -> Path:
    """The same file with a stretch in its middle overwritten."""
    content = bytearray(path.read_bytes())
    middle = slice(len(content) // 3, len(content) // 2)
    content[middle] = np.random.default_rng(0).bytes(len(content[middle]))
    path.write_bytes(content)
    return path


def test_damaged_sound_is_refused_with_its_time(tmp_path):
    path = tiny.write_media(tmp_path / "a.m4a", waveform=tiny.tone(4.0), codec="aac")
    with pytest.raises(InputError, match=r"a\.m4a is damaged at 1\.\d s"):
        read_speech(_damage(path))


def test_what_follows_the_sound_in_the_file_is_no_damage(tmp_path):
    path = tiny.write_media(tmp_path / "a.mp3", waveform=tiny.tone(1.0), codec="libmp3lame")
    with path.open("ab") as file:
        file.write(bytes(3000))
    assert len(read_speech(path)) == pytest.approx(SAMPLE_RATE, abs=SAMPLES_PER_FRAME)


def _write_text(folder: Path) -> Path:
    path = folder / "notes.txt"
    path.write_text("no media at all")
    return path


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: folder / "missing.wav", "there is no file .*missing.wav"),
        (lambda folder: folder, "is a folder"),
        (_write_text, "notes.txt is not a media file"),
        (
            lambda folder: tiny.write_media(folder / "film.mp4", tiny.numbered(5)),
            "film.mp4 has no sound track",
        ),
        (lambda folder: tiny.write_media(folder / "empty.wav", waveform=tiny.tone(0.0)), "empty.wav"),
        (
            lambda folder: tiny.write_media(folder / "short.wav", waveform=tiny.tone(0.03)),
            "short.wav is shorter .*30 ms",
        ),
        (
            lambda folder: tiny.write_media(folder / "zero.wav", waveform=tiny.tone(1, level=0)),
            "zero.wav is silent",
        ),
        (
            lambda folder: tiny.write_media(folder / "faint.wav", waveform=tiny.tone(1, level=9e-4)),
            "faint.wav is silent",
        ),
    ],
)
def test_unusable_sound_is_refused_in_one_line(tmp_path, make, message):
    with pytest.raises(InputError, match=message) as refusal:
        read_speech(make(tmp_path))
    assert "\n" not in str(refusal.value)


# footage


def test_footage_at_25_frames_a_second_passes_frame_by_frame(tmp_path):
    path = tiny.write_media(tmp_path / "a.mp4", tiny.numbered(50))
    assert [tiny.number(frame) for frame in read_frames(path)] == list(range(50))


@pytest.mark.parametrize("rate", [10, 24, 30, 50, 60])
def test_other_frame_rates_show_what_was_on_the_screen(tmp_path, rate):
    path = tiny.write_media(tmp_path / "a.mkv", tiny.numbered(rate), frame_rate=rate)
    expected = [k * rate // FRAME_RATE for k in range(FRAME_RATE)]
    assert [tiny.number(frame) for frame in read_frames(path)] == expected


def test_a_variable_frame_rate_does_not_drift(tmp_path):
    steps = np.random.default_rng(0).integers(5, 60, 50)
    times = [Fraction(int(tick), 600) for tick in np.cumsum(steps) - steps[0]]
    path = tiny.write_media(tmp_path / "a.mp4", tiny.numbered(50), times)
    for k, frame in enumerate(read_frames(path)):
        assert tiny.number(frame) == max(i for i, time in enumerate(times) if time <= Fraction(k, FRAME_RATE))


def test_footage_that_starts_after_its_sound_is_preceded_by_its_first_picture(tmp_path):
    times = [Fraction(1, 5) + Fraction(k, FRAME_RATE) for k in range(10)]
    path = tiny.write_media(tmp_path / "a.mkv", tiny.numbered(10), times, tiny.tone(0.6), codec="flac")
    assert [tiny.number(frame) for frame in read_frames(path)] == [0] * 5 + list(range(10))


def test_footage_can_be_read_from_an_open_file(tmp_path):
    with tiny.write_media(tmp_path / "a.mp4", tiny.numbered(5)).open("rb") as file:
        assert len(list(read_frames(file))) == 5


@pytest.mark.parametrize("color_range", [ColorRange.MPEG, ColorRange.JPEG])
@pytest.mark.parametrize("colorspace", [Colorspace.ITU709, Colorspace.ITU601])
def test_colours_survive_every_matrix_and_range(tmp_path, colorspace, color_range):
    picture = np.full((48, 64, 3), (200, 60, 30), np.uint8)
    path = tiny.write_media(tmp_path / "a.mp4", [picture] * 3, colorspace=colorspace, color_range=color_range)
    assert np.abs(next(read_frames(path)).astype(int) - picture).max() <= 4


@pytest.mark.parametrize(
    "rotation", [(0, False, False), (90, False, False), (180, False, False), (-90, False, False)]
)
@pytest.mark.parametrize("mirrored", [False, True])
def test_pictures_are_turned_as_the_phone_says(tmp_path, rotation, mirrored):
    picture = np.zeros((48, 64, 3), np.uint8)
    picture[:24, :32] = 255
    picture[24:, :32] = 120
    shown = np.rot90(picture, rotation[0] // 90)
    if mirrored:
        shown = shown[:, ::-1]
    path = tiny.write_media(tmp_path / "a.mp4", [picture] * 3, rotation=(rotation[0], mirrored, False))
    frame = next(read_frames(path))
    assert frame.shape == shown.shape == (probe(path).height, probe(path).width, 3)
    assert np.abs(frame.astype(int) - shown).mean() < 4


def test_probe_tells_size_rate_and_length(tmp_path):
    info = probe(tiny.write_media(tmp_path / "a.mp4", tiny.numbered(60), frame_rate=30))
    assert (info.width, info.height, info.frames) == (64, 48, 50)
    assert (info.frame_rate, info.duration) == pytest.approx((30.0, 2.0))


@pytest.mark.parametrize("read", [probe, lambda path: list(read_frames(path))])
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: folder / "missing.mp4", "there is no file .*missing.mp4"),
        (lambda folder: folder, "is a folder"),
        (_write_text, "notes.txt is not a media file"),
        (
            lambda folder: tiny.write_media(folder / "sound.wav", waveform=tiny.tone(1)),
            "sound.wav has no picture",
        ),
    ],
)
def test_unusable_footage_is_refused(tmp_path, read, make, message):
    with pytest.raises(InputError, match=message):
        read(make(tmp_path))


# films


def _write_film(path: Path, frames=None, waveform=None, **options) -> Path:
    frames = tiny.numbered(25) if frames is None else frames
    waveform = tiny.tone(len(frames) * FRAME) if waveform is None else waveform
    with FilmWriter(path, frames[0].shape[1], frames[0].shape[0], waveform, **options) as film:
        for frame in frames:
            film.write(frame)
    return path


@pytest.mark.parametrize("seconds", [1.0, 7.0])
def test_sound_and_picture_are_in_step_at_both_ends(tmp_path, seconds):
    frames = round(seconds * FRAME_RATE)
    flashes = [0, 5, frames - 1]
    pictures = [np.full((48, 64, 3), 220 if k in flashes else 20, np.uint8) for k in range(frames)]
    path = _write_film(
        tmp_path / "a.mp4", pictures, tiny.clicks(seconds, [(k + 0.5) * FRAME for k in flashes])
    )
    assert [k for k, frame in enumerate(read_frames(path)) if frame.mean() > 100] == flashes
    heard = tiny.click_times(read_speech(path))
    assert heard == pytest.approx([(k + 0.5) * FRAME for k in flashes], abs=0.001)


def test_a_film_has_every_frame_and_every_sample(tmp_path):
    path = _write_film(tmp_path / "a.mp4", tiny.numbered(41), tiny.tone(40.5 * FRAME))
    assert [tiny.number(frame) for frame in read_frames(path)] == list(range(41))
    with av.open(str(path), "r") as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        assert video.duration * video.time_base == Fraction(41, FRAME_RATE)
        assert float(audio.duration * audio.time_base) == pytest.approx(40.5 * FRAME, abs=0.001)


def test_a_film_is_tagged_and_says_that_it_is_generated(tmp_path):
    path = _write_film(tmp_path / "a.mp4", metadata={"evp:consent": "given, 2026 — ü"})
    with av.open(str(path), "r") as container:
        video, audio = container.streams.video[0].codec_context, container.streams.audio[0].codec_context
        assert (video.name, video.pix_fmt, audio.name) == ("h264", "yuv420p", "aac")
        assert (video.colorspace, video.color_primaries, video.color_trc, video.color_range) == (1, 1, 1, 1)
        assert "enerated" in container.metadata["title"]
        assert "generated" in container.metadata["comment"]
        assert container.metadata["evp:consent"] == "given, 2026 — ü"
    content = path.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")


def test_colours_of_a_film_are_right_within_a_few_levels(tmp_path):
    patches = np.array([[(200, 60, 30), (30, 180, 60)], [(40, 50, 200), (224, 172, 140)]], np.uint8)
    picture = patches.repeat(32, axis=0).repeat(32, axis=1)
    path = _write_film(tmp_path / "a.mp4", [picture] * 5)
    centres = next(read_frames(path))[16::32, 16::32]
    assert np.abs(centres.astype(int) - patches).max() <= 4


@pytest.mark.parametrize(("height", "width"), [(47, 64), (48, 65), (47, 65)])
def test_an_odd_size_grows_by_one_pixel(tmp_path, height, width):
    path = _write_film(tmp_path / "a.mp4", tiny.numbered(5, height, width))
    info = probe(path)
    assert (info.height, info.width) == (height + height % 2, width + width % 2)
    assert [tiny.number(frame) for frame in read_frames(path)] == list(range(5))


def test_a_film_may_be_silent(tmp_path):
    with FilmWriter(tmp_path / "a.mp4", 64, 48, None) as film:
        film.write(tiny.numbered(1)[0])
    with pytest.raises(InputError, match="no sound track"):
        read_speech(tmp_path / "a.mp4")


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
@pytest.mark.parametrize("frames", [0, 3])
def test_an_unfinished_film_leaves_nothing_and_keeps_what_was_there(tmp_path, error, frames):
    path = tmp_path / "a.mp4"
    path.write_bytes(b"before")
    with pytest.raises(error), FilmWriter(path, 64, 48, tiny.tone(1.0)) as film:
        for picture in tiny.numbered(frames):
            film.write(picture)
        assert path.read_bytes() == b"before"
        raise error
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == b"before"


def test_a_film_without_frames_is_refused(tmp_path):
    with (
        pytest.raises(OutputError, match="no frames"),
        FilmWriter(tmp_path / "a.mp4", 64, 48, tiny.tone(1.0)),
    ):
        pass
    assert not list(tmp_path.iterdir())


def test_a_frame_of_another_size_is_a_bug(tmp_path):
    with pytest.raises(ValueError, match="shape"), FilmWriter(tmp_path / "a.mp4", 64, 48, None) as film:
        film.write(np.zeros((64, 48, 3), np.uint8))


@pytest.mark.parametrize(
    ("path", "message"),
    [("nowhere/a.mp4", "no folder .*nowhere"), ("file/a.mp4", "no folder"), ("", "is a folder")],
)
def test_an_output_that_cannot_be_written_is_refused_early(tmp_path, path, message):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=message):
        check_output(tmp_path / path)
    with pytest.raises(OutputError, match=message):
        FilmWriter(tmp_path / path, 64, 48, None)


FULL_DISK = """
import resource, sys
from pathlib import Path
import numpy as np
from evp.errors import OutputError
from evp.media import FilmWriter
resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))
noise = np.random.default_rng(0)
try:
    with FilmWriter(Path(sys.argv[1]), 64, 64, None) as film:
        for _ in range(60):
            film.write(noise.integers(0, 255, (64, 64, 3), dtype=np.uint8))
except OutputError as error:
    print(error)
"""


def test_a_full_disk_is_told_in_one_line_and_leaves_nothing(tmp_path):
    """A limit on the size of files stands in for the full disk: both fail in the middle of a write."""
    path = tmp_path / "a.mp4"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    result = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(path)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout.startswith(f"cannot write {path}: ")
    assert result.stdout.count("\n") == 1
    assert not result.stderr
    assert not list(tmp_path.iterdir())


def test_sound_that_is_too_long_is_refused_before_it_is_read_whole(tmp_path, monkeypatch):
    path = tiny.write_media(tmp_path / "long.wav", waveform=tiny.tone(30))
    decoded = []
    real = media._append
    monkeypatch.setattr(media, "_append", lambda samples, frames: decoded.append(real(samples, frames)))
    assert len(read_speech(path, 30.5)) == 30 * SAMPLE_RATE
    everything = len(decoded)
    decoded.clear()
    with pytest.raises(InputError, match=r"the sound of .*long.wav is longer than 2.5 s"):
        read_speech(path, 2.5)
    assert len(decoded) < everything / 5


def test_written_sound_is_read_back(tmp_path):
    waveform = np.random.default_rng(0).uniform(-0.99, 0.99, 40_001).astype(np.float32)
    media.write_sound(tmp_path / "a b.wav", waveform)
    np.testing.assert_allclose(read_speech(tmp_path / "a b.wav"), waveform, atol=2**-31)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_length_is_that_of_the_picture(tmp_path, name):
    path = tiny.write_media(tmp_path / name, tiny.numbered(40), frame_rate=25, waveform=tiny.tone(3))
    assert length(path) == pytest.approx(1.6, abs=0.05)


def test_length_does_not_believe_the_header(tmp_path):
    """A recorder that streams writes no length."""
    path = tiny.write_media(tmp_path / "a.mkv", tiny.numbered(40))
    streamed = tmp_path / "streamed.mkv"
    with av.open(str(path)) as given, av.open(str(streamed), "w", options={"live": "1"}) as taken:
        stream = taken.add_stream_from_template(given.streams.video[0])
        for packet in given.demux(given.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                taken.mux(packet)
    assert probe(streamed).duration == 0
    assert length(streamed) == pytest.approx(1.6, abs=0.05)


def test_length_of_what_is_no_video_is_refused(tmp_path):
    with pytest.raises(InputError, match="has no picture"):
        length(tiny.write_media(tmp_path / "a.wav", waveform=tiny.tone(1)))


@pytest.mark.parametrize("height, width", [(48, 64), (47, 63)])
def test_stored_picture_is_the_rgb_picture(height: int, width: int):
    smooth = cv2.GaussianBlur(
        np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8), (0, 0), 5
    )
    stored = Picture.of(smooth)
    assert stored.shape == (48, 64)
    np.testing.assert_allclose(stored.rgb()[:height, :width].astype(int), smooth, atol=6)


def test_parts_of_a_stored_picture_go_where_they_came_from():
    random = np.random.default_rng(0)
    one, other = (Picture(random.integers(16, 236, (72, 64), np.uint8)) for _ in range(2))
    part = other.part(10, 20, 18, 22)
    np.testing.assert_array_equal(part.rgb(), other.rgb()[10:28, 20:42])
    mixed = one.with_part(part, 10, 20)
    expected = one.rgb()
    expected[10:28, 20:42] = part.rgb()
    np.testing.assert_array_equal(mixed.rgb(), expected)
    np.testing.assert_array_equal(other.with_part(part, 10, 20).planes, other.planes)


def test_written_stored_pictures_are_those_of_rgb(tmp_path):
    frames = [np.full((48, 64, 3), 20 * n, np.uint8) for n in range(5)]
    with FilmWriter(tmp_path / "a.mp4", 64, 48, None) as film:
        for frame in frames:
            film.write(frame)
    with FilmWriter(tmp_path / "b.mp4", 64, 48, None) as film:
        for frame in frames:
            film.write_picture(Picture.of(frame))
        with pytest.raises(ValueError, match="film of"):
            film.write_picture(Picture.of(np.zeros((48, 62, 3), np.uint8)))
    for a, b in zip(read_frames(tmp_path / "a.mp4"), read_frames(tmp_path / "b.mp4"), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("read_back", [False, True])
def test_film_that_is_read_back_is_made_to_be_decoded_fast(tmp_path: Path, read_back: bool):
    path = tmp_path / "film.mp4"
    with FilmWriter(path, 64, 48, None, keyframe_every=6, read_back=read_back) as film:
        for picture in tiny.numbered(18):
            film.write(picture)
    with av.open(str(path)) as container:
        kinds = [PictureType(frame.pict_type).name for frame in container.decode(video=0)]
    assert ("B" in kinds) == (not read_back)
    assert kinds[::6] == ["I"] * 3
