"""Emotion as text: what is written is read back, and a sketch follows the track that it sketches."""

import numpy as np
import pytest

from evp.emotion.description import format_mixture, format_points, sketch
from evp.emotion.space import NEUTRAL, EmotionSpace
from evp.emotion.track import EmotionTrack, Point, parse_points, parse_track
from tiny import emotion_codes

SPACE = EmotionSpace(emotion_codes((NEUTRAL, "happy", "sad", "surprised")))


@pytest.mark.parametrize(
    ("mixture", "text"),
    [
        ({}, "neutral"),
        ({"happy": 1.0}, "happy"),
        ({"happy": 0.55}, "happy:0.55"),
        ({"happy": 0.5, "sad": 0.25}, "happy:0.5+sad:0.25"),
        ({"happy": 0.0, "sad": 1 / 3}, "sad:0.3333"),
        ({"neutral": 0.4}, "neutral"),
    ],
)
def test_mixture_is_written_as_the_command_line_has_it(mixture: dict[str, float], text: str):
    assert format_mixture(mixture) == text
    [point] = parse_points(text, SPACE)
    np.testing.assert_allclose(SPACE.code(point.mixture), SPACE.code(mixture), atol=1e-3)


def test_points_are_read_back_as_they_were_written():
    points = [Point(0, {}), Point(1.25, {"happy": 0.5, "sad": 0.25}), Point(1234.5, {"surprised": 1.0})]
    text = format_points(points)
    assert text == "0 neutral, 1.25 happy:0.5+sad:0.25, 1234.5 surprised"
    assert [(point.time, point.mixture) for point in parse_points(text, SPACE)] == [
        (0, {"neutral": 1.0}),
        (1.25, {"happy": 0.5, "sad": 0.25}),
        (1234.5, {"surprised": 1.0}),
    ]


def strengths(track: EmotionTrack, times: np.ndarray) -> np.ndarray:
    return SPACE.shares(track.at(times))


def test_steady_emotion_is_one_point():
    track = EmotionTrack.steady(SPACE.code({"happy": 0.62}))
    assert sketch(track, SPACE, 30) == [Point(0, {"happy": 0.6})]


@pytest.mark.parametrize("seconds", [0.04, 1.0, 1.9, 12.34])
def test_sketch_follows_the_track_in_few_points_inside_the_speech(seconds: float):
    turns = np.arange(0, seconds + 4, 4.0)
    amount = 0.5 + 0.5 * np.cos(turns)
    codes = [SPACE.code({"happy": 0.7 * a, "sad": 0.6 * (1 - a)}) for a in amount]
    track = EmotionTrack(turns, np.stack(codes))
    points = sketch(track, SPACE, seconds)
    assert len(points) <= 1 + seconds
    assert (np.diff([point.time for point in points]) >= 1).all()
    drawn = parse_track(format_points(points), SPACE, seconds)
    times = np.arange(0, seconds, 0.04)
    assert np.abs(strengths(drawn, times) - strengths(track, times)).max() < 0.15


def test_even_change_needs_no_point_between():
    track = EmotionTrack(np.array([0.0, 10.0]), np.stack([SPACE.code({}), SPACE.code({"sad": 0.8})]))
    points = sketch(track, SPACE, 10)
    assert [point.time for point in points] == [0, 10]
    assert points[1].mixture == {"sad": 0.8}


def test_mixture_of_everything_is_told_by_its_strongest_labels_and_never_too_strong():
    labels = ("happy", "sad", "surprised", "angry", "fear")
    space = EmotionSpace(emotion_codes((NEUTRAL, *labels), seed=3))
    code = space.code(dict(zip(labels, (0.325, 0.275, 0.225, 0.1, 0.075), strict=True)))
    [point] = sketch(EmotionTrack.steady(code), space, 5)
    assert set(point.mixture) == {"happy", "sad", "surprised"}
    assert sum(point.mixture.values()) <= 1
    parse_track(format_points([point]), space, 5)
