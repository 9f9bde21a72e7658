"""Figures of moving faces on planted answers."""

import numpy as np
import pytest

from evp.evaluation import faces
from evp.evaluation.faces import (
    blinks,
    closed_share,
    correlation,
    eye_distance,
    flat_points,
    head_fixed,
    jitter,
    landmark_distance,
    opening_and_width,
    shape_difference,
    silent_frames,
    speed,
    still_points,
    travel,
    velocity_distance,
)
from evp.face.basis import FaceBasis
from evp.face.layouts import LIDS_LEFT, LIDS_RIGHT, LIPS_OUTER, LOWER_LIP_INNER, UPPER_LIP_INNER, mouth_width
from evp.face.pose import Pose
from tiny import actor, random_poses, rotation

EVERY = np.ones(40, bool)


@pytest.fixture(scope="module")
def meshes() -> np.ndarray:
    """(40, 478, 3) a talking face in the head frame."""
    person = actor(40)
    return (person.head.neutral + person.head.displacement).astype(np.float64)


def test_a_shifted_copy_is_as_far_as_it_was_shifted_and_as_fast(meshes):
    true = flat_points(meshes)
    made = flat_points(meshes + [0.03, -0.04, 0.5])
    assert true.shape == (40, 106, 2)
    assert landmark_distance(made, true, EVERY) == pytest.approx(0.05, abs=1e-6)
    assert velocity_distance(made, true, EVERY) == pytest.approx(0, abs=1e-6)


def test_a_copy_that_jumps_between_two_places_is_fast():
    true = np.zeros((6, 3, 2))
    made = true.copy()
    made[1::2, :, 0] = 0.3
    assert landmark_distance(made, true, EVERY[:6]) == pytest.approx(0.15)
    assert velocity_distance(made, true, EVERY[:6]) == pytest.approx(0.3)


def test_frames_that_are_not_known_do_not_count():
    true = np.zeros((5, 3, 2))
    made = true.copy()
    made[2] = np.nan
    known = np.array([True, True, False, True, True])
    assert landmark_distance(made, true, known) == 0
    assert velocity_distance(made, true, known) == 0
    assert np.isnan(landmark_distance(made, true, np.zeros(5, bool)))
    assert np.isnan(velocity_distance(made, true, np.arange(5) % 2 == 0))


def test_noise_of_known_size_is_found_again():
    noise = np.random.default_rng(0).normal(0, 0.01, (4000, 20, 2))
    nothing, known = np.zeros_like(noise), np.ones(4000, bool)
    mean_length = 0.01 * np.sqrt(np.pi / 2)  # of a two-dimensional normal distribution
    assert landmark_distance(noise, nothing, known) == pytest.approx(mean_length, rel=0.01)
    assert velocity_distance(noise, nothing, known) == pytest.approx(np.sqrt(2) * mean_length, rel=0.01)


def test_lips_alone_are_the_lips(meshes):
    moved = meshes.copy()
    moved[:, list(LIPS_OUTER), 1] += 0.1
    lips = landmark_distance(flat_points(moved, mouth=True), flat_points(meshes, mouth=True), EVERY)
    whole = landmark_distance(flat_points(moved), flat_points(meshes), EVERY)
    assert lips == pytest.approx(0.1 * 12 / 20, abs=1e-6)
    assert whole == pytest.approx(0.1 * 12 / 106, abs=1e-6)


def test_head_motion_is_taken_out_and_missing_faces_stay_missing():
    poses = random_poses(40, np.random.default_rng(1))
    neutral = FaceBasis.load().mean.astype(np.float64)
    still = np.broadcast_to(neutral, (40, 478, 3))
    landmarks = poses.project(still)
    landmarks[7] = np.nan
    found = head_fixed(landmarks, neutral)
    assert np.isnan(found[7]).all()
    np.testing.assert_allclose(np.delete(found, 7, axis=0), still[1:], atol=1e-6)


def test_distance_of_the_eyes_scales_with_the_face(meshes):
    assert eye_distance(3 * meshes[0]) == pytest.approx(3 * eye_distance(meshes[0]))
    assert 0.3 < eye_distance(meshes[0]) < 0.7


def test_travel_and_correlation_of_scaled_turned_and_still_curves():
    true = np.sin(np.arange(40) / 3)
    assert travel(0.5 * true + 2, true, EVERY) == pytest.approx(0.5)
    assert correlation(0.5 * true + 2, true, EVERY) == pytest.approx(1)
    assert correlation(-true, true, EVERY) == pytest.approx(-1)
    assert np.isnan(correlation(np.ones(40), true, EVERY))
    assert travel(np.ones(40), true, EVERY) == 0
    assert np.isnan(travel(true, np.ones(40), EVERY))


def test_noise_as_large_as_the_curve_leaves_a_correlation_of_a_half_root():
    random = np.random.default_rng(0)
    true, noise = random.normal(size=(2, 20000))
    assert correlation(true + noise, true, np.ones(20000, bool)) == pytest.approx(np.sqrt(0.5), abs=0.02)


def test_closures_are_counted_where_the_lips_meet():
    opening = np.full(50, 0.08)
    opening[10:12] = 0.015
    known = np.ones(50, bool)
    spans = [(0.40, 0.48), (1.2, 1.3), (0.36, 0.44)]
    assert closed_share(opening, spans, known) == pytest.approx(2 / 3)
    assert np.isnan(closed_share(opening, [], known))
    assert np.isnan(closed_share(opening, [(9.0, 9.1)], known))


def test_silence_begins_a_while_after_the_sound():
    loudness = np.full(30, -60.0)
    loudness[10:15] = 0
    quiet = silent_frames(loudness)
    margin = faces.QUIET_MARGIN
    expected = np.ones(30, bool)
    expected[10 - margin : 15 + margin] = False
    np.testing.assert_array_equal(quiet, expected)
    assert not silent_frames(np.zeros(10)).any()


def test_speed_is_that_of_points_that_move_evenly_while_they_are_looked_at():
    points = np.zeros((30, 4, 2))
    points[:, :, 0] = 0.002 * np.arange(30)[:, None]
    points[20:] += 5
    where = np.arange(30) < 20
    assert speed(points, where) == pytest.approx(0.002 * 25)
    assert np.isnan(speed(points, np.arange(30) < 3))


def test_jitter_is_the_size_of_shaking_that_is_added(meshes):
    still = np.repeat(meshes[:1], 2000, axis=0)
    known = np.ones(2000, bool)
    assert jitter(still, known) == 0
    shaken = still + np.random.default_rng(0).normal(0, 0.001, still.shape)
    # three axes; a second difference of independent values has 1 + 4 + 1 times their variance
    assert jitter(shaken, known) == pytest.approx(0.001 * np.sqrt(3 * 6), rel=0.01)
    drifting = still + 0.01 * np.arange(2000)[:, None, None]
    assert jitter(drifting, known) == pytest.approx(0, abs=1e-9)
    assert np.isnan(jitter(still, np.arange(2000) % 2 == 0))


def test_jitter_does_not_look_at_mouth_and_lids(meshes):
    looked_at = set(still_points(meshes[0]))
    assert 50 < len(looked_at) < 300
    assert not looked_at & {*LIPS_OUTER, *LIDS_LEFT, *LIDS_RIGHT}


def test_blinks_are_counted_and_long_sleep_is_none():
    mesh = FaceBasis.load().mean.astype(np.float64)
    film = np.repeat(mesh[None], 150, axis=0)
    for first, last in ((10, 14), (40, 46), (90, 130)):
        for upper, lower in (LIDS_LEFT, LIDS_RIGHT):
            film[first:last, upper] = film[first:last, lower]
    known = np.ones(150, bool)
    assert blinks(film, known) == 2
    assert blinks(film[:30], known[:30]) == 1
    assert blinks(film[:10], known[:10]) == 0


def test_shape_difference_ignores_pose_and_size_and_finds_what_was_planted():
    mean = FaceBasis.load().mean.astype(np.float64)
    turned = Pose(np.array([2.0]), rotation(10, 5, 3)[None], np.array([[5.0, 1, 0]])).project(mean[None])[0]
    assert shape_difference(turned, mean) == pytest.approx(0, abs=1e-6)
    fatter = mean.copy()
    fatter[152, 0] += 0.5  # the chin: not among the rigid points
    assert shape_difference(fatter, mean) == pytest.approx(0.5 / np.sqrt(468), rel=1e-6)


def test_opening_and_width(meshes):
    opening, width = opening_and_width(meshes)
    gap = np.linalg.norm(meshes[:, UPPER_LIP_INNER] - meshes[:, LOWER_LIP_INNER], axis=1)
    np.testing.assert_allclose(opening, gap)
    np.testing.assert_allclose(width, mouth_width(meshes))
