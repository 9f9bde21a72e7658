from pathlib import Path

import numpy as np
import pytest

from evp.clock import FRAME_RATE
from evp.emotion.hearing import Heard
from evp.emotion.space import NEUTRAL, SURE, UNSURE, EmotionSpace
from evp.emotion.track import EmotionTrack, parse_track, read_track
from evp.errors import InputError
from tiny import emotion_codes

SPACE = EmotionSpace(emotion_codes((NEUTRAL, "happy", "sad", "surprised")))


def far_apart(*amounts: float) -> np.ndarray:
    """Codes (N, 128) with these amounts of one direction."""
    return np.array(amounts, np.float32)[:, None] * np.ones(128, np.float32)


@pytest.mark.parametrize(
    ("text", "points"),
    [
        ("happy", [(0, {"happy": 1})]),
        ("neutral", [(0, {})]),
        ("  happy : 0.8 ", [(0, {"happy": 0.8})]),
        ("happy:0", [(0, {})]),
        ("happy:.5", [(0, {"happy": 0.5})]),
        ("happy:0.5+sad:0.3", [(0, {"happy": 0.5, "sad": 0.3})]),
        ("happy:0.5 + surprised:0.5", [(0, {"happy": 0.5, "surprised": 0.5})]),
        ("1.5 happy", [(1.5, {"happy": 1})]),
        ("0 neutral, 2.5 happy:0.8, 6 sad", [(0, {}), (2.5, {"happy": 0.8}), (6, {"sad": 1})]),
        ("0 neutral,2.5 happy:0.5+sad:0.3,6 sad", [(0, {}), (2.5, {"happy": 0.5, "sad": 0.3}), (6, {"sad": 1})]),
        ("0s sad, 3 s happy", [(0, {"sad": 1}), (3, {"happy": 1})]),
        ("0. sad, .5 surprised", [(0, {"sad": 1}), (0.5, {"surprised": 1})]),
    ],
)  # fmt: skip
def test_description_is_a_track(text: str, points: list[tuple[float, dict[str, float]]]):
    track = parse_track(text, SPACE, 6.0)
    np.testing.assert_array_equal(track.times, [time for time, _ in points])
    np.testing.assert_array_equal(track.codes, [SPACE.code(strengths) for _, strengths in points])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hapy", "there is no emotion 'hapy': did you mean happy? known are neutral, happy, sad, surprised"),
        ("0 happy, 2 said", "there is no emotion 'said': did you mean sad?"),
        ("happy:1.5", "the strength of happy must lie between 0 and 1, not 1.5"),
        ("happy:-1", "the strength of happy must lie between 0 and 1, not -1"),
        ("happy:nan", "the strength of happy must lie between 0 and 1, not nan"),
        ("happy:very", "the strength of happy must be a number from 0 to 1, not 'very'"),
        ("happy:0,8", "the point 'happy:0' has no time"),
        ("0 happy:0,8", "cannot read '8' as an emotion"),
        ("happy:0.5:0.5", "the strength of happy must be a number from 0 to 1, not '0.5:0.5'"),
        ("happy:0.8+sad:0.8", "the strengths of happy + sad may be 1 together, not 1.6"),
        ("happy:0.2+happy:0.2", "happy stands twice in 'happy:0.2+happy:0.2'"),
        ("happy+", "cannot read '' as an emotion: write it like happy:0.8"),
        ("happy:", "cannot read 'happy:' as an emotion"),
        ("very happy", "cannot read 'very happy' as an emotion"),
        ("", "cannot read '' as an emotion: write it like happy:0.8 or 2.5 happy:0.8"),
        ("0 happy,", "cannot read '' as an emotion"),
        ("2.5", "cannot read '2.5' as an emotion"),
        (":0.5", "cannot read ':0.5' as an emotion"),
        ("0 happy, sad", "the point 'sad' has no time: write it like 2.5 sad"),
        ("0 happy, 3 sad, 2 happy", "the emotion track goes to 2 s after 3 s: times must rise"),
        ("0 happy, 0 sad", "the emotion track goes to 0 s after 0 s: times must rise"),
        ("-1 happy", "the emotion track goes to -1 s before the start"),
        ("0 happy, 6.5 sad", "the emotion track goes to 6.5 s, but the speech ends at 6.00 s"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_line(text: str, message: str):
    with pytest.raises(InputError) as refused:
        parse_track(text, SPACE, 6.0)
    told = str(refused.value)
    assert told.startswith(message), told
    assert "\n" not in told


def test_without_a_length_no_point_is_too_late():
    assert parse_track("0 happy, 1000 sad", SPACE).times[-1] == 1000


def test_between_two_points_the_code_goes_straight():
    track = parse_track("1 happy, 3 sad", SPACE)
    start, end = SPACE.codes["happy"], SPACE.codes["sad"]
    codes = track.at(np.arange(0, 4, 1 / FRAME_RATE))
    way = (end - start).astype(np.float64)
    part = (codes - start) @ way / (way @ way)
    np.testing.assert_allclose(codes, start + part[:, None] * way, atol=1e-5)
    assert (np.diff(part) > -1e-6).all()
    np.testing.assert_allclose(part[[0, 10, -10, -1]], [0, 0, 1, 1], atol=1e-6)
    assert part[50] == pytest.approx(0.5, abs=1e-6)
    assert part[37] < 0.2 < 0.8 < part[63]  # slowly at both ends


@pytest.mark.parametrize("seconds", [0.001, 0.04, 0.5, 2.0])
def test_no_frame_goes_far(seconds: float):
    track = EmotionTrack(np.array([2.0, 2.0 + seconds]), far_apart(0, 1))
    way = track.at(np.arange(0, 6, 1 / FRAME_RATE))[:, 0]
    np.testing.assert_allclose(way[[0, -1]], [0, 1], atol=1e-6)
    assert (
        np.diff(way).max() < 0.085
    )  # the change takes a fifth of a second and more, however steep the track
    assert np.abs(np.diff(way, 2)).max() < 0.03
    if seconds == 2.0:
        assert np.diff(way).max() < 1.55 / FRAME_RATE / seconds


def test_steady_track_never_changes():
    code = SPACE.code({"happy": 0.3})
    codes = EmotionTrack.steady(code).at(np.array([0, 0.5, 1e4]))
    assert codes.dtype == np.float32
    np.testing.assert_allclose(codes, np.repeat(code[None], 3, axis=0), rtol=1e-6)
    np.testing.assert_array_equal(
        SPACE.shares(EmotionTrack.steady(SPACE.code({})).at(np.arange(3.0))), np.eye(4)[[0, 0, 0]]
    )


def test_track_of_frames_keeps_to_its_frames(tmp_path: Path):
    codes = far_apart(*np.sin(np.arange(100) / 40))
    np.save(tmp_path / "mix.npy", codes)
    np.testing.assert_allclose(
        read_track(tmp_path / "mix.npy").at(np.arange(100) / FRAME_RATE)[15:-15], codes[15:-15], atol=0.01
    )


def heard(happy: np.ndarray, voiced: np.ndarray | None = None) -> Heard:
    """A recording that is happy with these probabilities (N,) and else neutral, a window every 0.4 s."""
    times = (np.arange(len(happy)) + 0.5) * 0.4
    probabilities = np.stack([1 - happy, happy], axis=1).astype(np.float32)
    codes = np.zeros((len(happy), 128), np.float32)
    return Heard(times, codes, probabilities, np.ones(len(happy), bool) if voiced is None else voiced)


def happiness(recording: Heard, times: np.ndarray) -> np.ndarray:
    """The share of happy in the track of a recording at ``times``."""
    track = EmotionTrack.heard(recording, ("neutral", "happy"), SPACE)
    return SPACE.shares(track.at(times))[:, SPACE.labels.index("happy")]


def test_heard_is_the_same_all_the_time_in_a_steady_voice():
    steady = happiness(heard(np.full(10, 0.9)), np.array([0.0, 2.0, 9.0]))
    np.testing.assert_allclose(steady, 0.9**2 / (0.9**2 + 0.1**2), atol=1e-3)


def test_heard_silence_says_nothing_and_is_bridged():
    voiced = (np.arange(40) < 10) | (np.arange(40) >= 30)
    happy = np.where(np.arange(40) < 20, 0.1, 0.9)
    happy[~voiced] = 0.0
    recording = heard(happy, voiced)
    felt = happiness(recording, recording.times)
    assert felt[0] < 0.25
    assert felt[-1] > 0.7
    assert (np.diff(felt) > -0.01).all()  # halfway nothing is sure, and less of all is felt
    assert felt[20] == pytest.approx(0.5 * (0.5 - UNSURE) / (SURE - UNSURE), abs=0.1)


def test_a_moment_alone_is_hardly_believed():
    happy = np.full(41, 0.02)
    happy[20] = 0.98
    recording = heard(happy)
    assert happiness(recording, recording.times).max() < 0.1


def test_a_recording_without_voice_is_neutral():
    assert not happiness(heard(np.ones(5), np.zeros(5, bool)), np.arange(3.0)).any()


def test_heard_in_one_window():
    assert happiness(heard(np.array([0.999])), np.zeros(1)) == pytest.approx(1, abs=0.01)


def test_contradictory_tracks_are_refused():
    with pytest.raises(ValueError, match="2 times"):
        EmotionTrack(np.arange(2.0), far_apart(1))
    with pytest.raises(ValueError, match="0 times"):
        EmotionTrack(np.zeros(0), np.zeros((0, 128), np.float32))
    with pytest.raises(ValueError, match="rise"):
        EmotionTrack(np.array([0.0, 0.0]), far_apart(1, 2))


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16, np.int64])
def test_file_holds_one_code_or_one_for_every_frame(tmp_path: Path, dtype: type):
    file = tmp_path / "mix.npy"
    np.save(file, np.arange(128).astype(dtype))
    one = read_track(file)
    np.testing.assert_array_equal(one.codes, np.arange(128, dtype=np.float32)[None])
    np.save(file, np.arange(3 * 128).reshape(3, 128).astype(dtype))
    three = read_track(file)
    np.testing.assert_allclose(three.times, [0, 0.04, 0.08])
    assert three.codes.shape == (3, 128)
    assert three.codes.dtype == np.float32


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (np.zeros(64), r"must hold \(128,\) or \(frames, 128\) numbers, not \(64,\)"),
        (np.zeros((128, 3)), r"numbers, not \(128, 3\)"),
        (np.zeros((0, 128)), r"numbers, not \(0, 128\)"),
        (np.zeros((2, 2, 128)), r"numbers, not \(2, 2, 128\)"),
        (np.float64(3.0), r"numbers, not \(\)"),
        (np.full(128, np.nan), "holds numbers that are not finite"),
        (np.full((2, 128), np.inf), "holds numbers that are not finite"),
        (np.full(128, 1e300), "holds numbers that are not finite"),
        (np.full(128, "happy"), "must hold one array of numbers"),
        (np.zeros(128, complex), "must hold one array of numbers"),
        (np.zeros(128, bool), "must hold one array of numbers"),
        (np.array([{"happy": 1}] * 128, object), "cannot read the emotion file"),
    ],
)
def test_other_arrays_are_refused(tmp_path: Path, content: np.ndarray, message: str):
    file = tmp_path / "mix.npy"
    np.save(file, content, allow_pickle=True)
    with pytest.raises(InputError, match=message) as refused:
        read_track(file)
    assert str(file) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_other_files_are_refused(tmp_path: Path):
    whole = tmp_path / "whole.npy"
    np.save(whole, np.zeros((50, 128)))
    (tmp_path / "text.npy").write_text("happy:0.8\n")
    (tmp_path / "empty.npy").touch()
    (tmp_path / "cut.npy").write_bytes(whole.read_bytes()[:3000])
    np.savez(tmp_path / "many.npz", a=np.zeros(128))
    for name in ("none.npy", "text.npy", "empty.npy", "cut.npy", "many.npz", "."):
        with pytest.raises(InputError, match="the emotion file") as refused:
            read_track(tmp_path / name)
        assert "\n" not in str(refused.value), name
