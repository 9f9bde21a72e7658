import numpy as np
import pytest

from evp.face.basis import FaceBasis
from evp.face.layouts import CHIN, HAIRLINE, MOUTH_CORNER_LEFT, MOUTH_CORNER_RIGHT, NOSE_BRIDGE
from evp.face.pose import Pose, fit_pose, fit_similarity
from tiny import random_poses, rotation

NOSE_TIP = NOSE_BRIDGE[-1]


def face() -> np.ndarray:
    return FaceBasis.load().mean.astype(np.float64)


def turned(yaw: float = 0.0, pitch: float = 0.0, roll: float = 0.0) -> Pose:
    return Pose(np.full(1, 100.0), rotation(yaw, pitch, roll)[None], np.zeros((1, 3)))


def test_fit_finds_the_pose_that_projected():
    pose = random_poses(40, np.random.default_rng(0), most=80)
    found = fit_pose(face(), pose.project(face()))
    np.testing.assert_allclose(found.scale, pose.scale, rtol=1e-12)
    np.testing.assert_allclose(found.rotation, pose.rotation, atol=1e-12)
    np.testing.assert_allclose(found.shift, pose.shift, atol=1e-9)


def test_any_points_can_be_fitted():
    rng = np.random.default_rng(8)
    pose, points = random_poses(30, rng, most=80), rng.normal(size=(6, 3))
    found = fit_similarity(points, pose.project(points))
    np.testing.assert_allclose(found.project(points), pose.project(points), atol=1e-9)
    np.testing.assert_allclose(found.scale, pose.scale, rtol=1e-12)
    np.testing.assert_allclose(found.rotation, pose.rotation, atol=1e-12)


def test_fit_of_noisy_points_is_the_best_there_is():
    rng = np.random.default_rng(9)
    pose, points = random_poses(1, rng), rng.normal(size=(8, 3))
    noisy = pose.project(points) + rng.normal(0, 20, (1, 8, 3))
    found = fit_similarity(points, noisy)

    def miss(scale: np.ndarray, rotated: np.ndarray, shift: np.ndarray) -> float:
        return float(((Pose(scale, rotated, shift).project(points) - noisy) ** 2).sum())

    least = miss(found.scale, found.rotation, found.shift)
    for _ in range(40):
        angles, change, shift = rng.normal(0, 1, 3), rng.normal(0, 0.01), rng.normal(0, 0.5, 3)
        turned = found.rotation @ rotation(*angles)
        assert miss(found.scale * np.exp(change), turned, found.shift + shift) > least


def test_unproject_inverts_project():
    rng = np.random.default_rng(1)
    pose, points = random_poses(10, rng), rng.normal(size=(10, 5, 3))
    np.testing.assert_allclose(pose.unproject(pose.project(points)), points, atol=1e-12)


def test_project_is_the_equation_of_the_docstring():
    rng = np.random.default_rng(2)
    pose, points = random_poses(3, rng), rng.normal(size=(3, 4, 3))
    made = pose.project(points)
    for t in range(3):
        for p in range(4):
            expected = pose.scale[t] * pose.rotation[t] @ points[t, p] + pose.shift[t]
            np.testing.assert_allclose(made[t, p], expected)


def test_only_rigid_points_decide():
    pose = random_poses(5, np.random.default_rng(3))
    speaking = pose.project(face())
    speaking[:, [CHIN, MOUTH_CORNER_LEFT, NOSE_TIP]] += 50
    np.testing.assert_allclose(fit_pose(face(), speaking).shift, pose.shift, atol=1e-9)


def test_noise_is_averaged_out():
    rng = np.random.default_rng(4)
    pose = random_poses(20, rng)
    noisy = pose.project(face()) + rng.normal(0, 0.01 * pose.scale[:, None, None], (20, len(face()), 3))
    found = fit_pose(face(), noisy)
    np.testing.assert_allclose(found.scale / pose.scale, 1, atol=0.03)
    np.testing.assert_allclose(found.angles(), pose.angles(), atol=2)


def test_rotations_are_proper_even_for_a_mirrored_face():
    pose = random_poses(10, np.random.default_rng(5))
    mirrored = pose.project(face()) * [-1, 1, 1]
    for picture in (pose.project(face()), mirrored):
        found = fit_pose(face(), picture).rotation
        np.testing.assert_allclose(np.linalg.det(found), 1, atol=1e-12)
        np.testing.assert_allclose(
            found @ found.transpose(0, 2, 1), np.tile(np.eye(3), (10, 1, 1)), atol=1e-12
        )


def test_depth_points_away_from_the_camera():
    frontal = turned().project(face())[0]
    assert frontal[NOSE_TIP, 2] < frontal[[127, 356], 2].min()  # the nose is nearer than the temples
    assert frontal[HAIRLINE, 1] < frontal[CHIN, 1]
    assert frontal[MOUTH_CORNER_LEFT, 0] < frontal[MOUTH_CORNER_RIGHT, 0]


@pytest.mark.parametrize("angle", [25.0, -25.0])
def test_yaw_is_turning_to_the_right_of_the_picture(angle: float):
    pose = turned(yaw=angle)
    nose = pose.project(face())[0, NOSE_TIP] - turned().project(face())[0, NOSE_TIP]
    assert np.sign(nose[0]) == np.sign(angle)
    np.testing.assert_allclose(pose.angles(), [[angle, 0, 0]], atol=1e-9)


@pytest.mark.parametrize("angle", [25.0, -25.0])
def test_pitch_is_nodding_down(angle: float):
    pose = turned(pitch=angle)
    nose = pose.project(face())[0, NOSE_TIP] - turned().project(face())[0, NOSE_TIP]
    assert np.sign(nose[1]) == np.sign(angle)
    np.testing.assert_allclose(pose.angles(), [[0, angle, 0]], atol=1e-9)


@pytest.mark.parametrize("angle", [25.0, -25.0])
def test_roll_is_tilting_clockwise(angle: float):
    pose = turned(roll=angle)
    upright = pose.project(face())[0]
    assert np.sign(upright[MOUTH_CORNER_RIGHT, 1] - upright[MOUTH_CORNER_LEFT, 1]) == np.sign(angle)
    np.testing.assert_allclose(pose.angles(), [[0, 0, angle]], atol=1e-9)


def test_angles_of_turns_about_all_axes():
    angles = np.random.default_rng(6).uniform(-80, 80, (20, 3))
    turns = np.stack([rotation(*a) for a in angles])
    np.testing.assert_allclose(Pose(np.ones(20), turns, np.zeros((20, 3))).angles(), angles, atol=1e-9)


def test_frames_can_be_picked():
    pose = random_poses(6, np.random.default_rng(7))
    assert len(pose[2:5]) == 3
    np.testing.assert_array_equal(pose[np.array([5, 1])].shift, pose.shift[[5, 1]])
