"""Every frame comes into the same crop, whatever the head and the camera do."""

import numpy as np
import pytest

from evp.comparison.films import PIXELS, Film, crop_points, looks, write_again
from evp.evaluation.pictures import psnr
from evp.face.layouts import RIGID
from evp.face.pose import Pose
from evp.media import read_frames
from tiny import Actor, actor, draw, rotation, write_media


def turned(person: Actor, scale: float, tilt: float) -> Actor:
    """The same person with a steady, tilted head, ``scale`` times as large."""
    frames = len(person.coefficients)
    size = tuple(round(side * scale) for side in person.size)
    pose = Pose(
        np.full(frames, 84.0 * scale),
        np.repeat(rotation(0, 0, tilt)[None], frames, axis=0),
        np.tile([size[1] / 2, 0.3 * size[0], 0.0], (frames, 1)),
    )
    head = type(person.head)(person.head.neutral, pose, person.head.displacement)
    return Actor(head, person.coefficients, size)


def film_of(path, person: Actor) -> Film:
    write_media(path, [draw(mesh, person.size) for mesh in person.landmarks])
    return Film(path, person.landmarks, np.ones(len(person.landmarks), bool))


def test_a_larger_and_tilted_head_gives_the_same_crop(tmp_path):
    person = actor(8)
    neutral = person.head.neutral.astype(np.float64)
    upright = list(looks(film_of(tmp_path / "a.mp4", turned(person, 2, 0)), neutral, 8))
    tilted = list(looks(film_of(tmp_path / "b.mp4", turned(person, 4, 12)), neutral, 8))
    for a, b in zip(upright, tilted, strict=True):
        np.testing.assert_allclose(a.crop_landmarks, b.crop_landmarks, atol=0.2)
        middle = (slice(60, 220), slice(80, 176))
        assert a.crop.shape == (256, 256, 3)
        assert psnr(a.crop[middle], b.crop[middle]) > 24
        assert psnr(a.crop[middle], np.roll(b.crop, 4, axis=1)[middle]) < psnr(a.crop[middle], b.crop[middle])


def test_the_face_lies_in_the_crop_where_it_is_said_to(tmp_path):
    person = turned(actor(6), 2, 0)
    person.head.displacement[:] = 0
    neutral = person.head.neutral.astype(np.float64)
    look = next(iter(looks(film_of(tmp_path / "a.mp4", person), neutral, 1)))
    expected = crop_points(neutral)
    np.testing.assert_allclose(look.crop_landmarks[list(RIGID)], expected[list(RIGID)], atol=0.05)
    assert np.ptp(expected[[10, 152], 1]) == pytest.approx(PIXELS * np.ptp(neutral[[10, 152], 1]), rel=1e-5)


def test_frames_without_a_face_have_no_crop(tmp_path):
    person = actor(6)
    film = film_of(tmp_path / "a.mp4", person)
    film.known[2] = False
    film.landmarks[2] = np.nan
    seen = list(looks(film, person.head.neutral.astype(np.float64), 5))
    assert [look is None for look in seen] == [False, False, True, False, False]


def test_a_film_that_is_written_again_is_nearly_the_same(tmp_path):
    film = film_of(tmp_path / "a.mp4", actor(6))
    write_again(film.path, tmp_path / "again.mp4")
    pairs = list(zip(read_frames(film.path), read_frames(tmp_path / "again.mp4"), strict=True))
    assert len(pairs) == 6
    assert 30 < np.mean([psnr(a, b) for a, b in pairs]) < 80
