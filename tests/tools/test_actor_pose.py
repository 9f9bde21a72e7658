"""The actor's geometry: what the truth file says must be what the camera saw. Needs no Blender."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

ACTOR = Path(__file__).parents[2] / "tools" / "actor"


@pytest.fixture(scope="module")
def pose():
    sys.path.insert(0, str(ACTOR))  # its modules are a program's, and import each other by bare names
    try:
        spec = importlib.util.spec_from_file_location("actor_pose", ACTOR / "pose.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(ACTOR))
        sys.modules.pop("regions", None)
    return module


def test_a_turn_to_the_left_moves_the_nose_to_the_actors_left(pose):
    assert np.allclose(pose.rotation(np.array([0, np.pi / 2, 0])) @ [0, 0, 1], [1, 0, 0])
    assert np.allclose(pose.rotation(np.array([np.pi / 2, 0, 0])) @ [0, 0, 1], [0, -1, 0])


def test_rotations_agree_with_scipy(pose):
    from scipy.spatial.transform import Rotation

    turns = np.random.default_rng(0).normal(0, 1, (20, 3))
    assert np.allclose(pose.rotation(turns), Rotation.from_rotvec(turns).as_matrix())


def test_matrix_and_posed_skull_agree(pose):
    random = np.random.default_rng(1)
    points, turn, shift = random.normal(0, 8, (30, 3)), random.normal(0, 0.2, 3), random.normal(0, 1, 3)
    matrix = pose.head_matrix(turn, shift)
    expected = points @ matrix[:3, :3].T + matrix[:3, 3]
    assert np.allclose(pose.posed(points, turn, shift), expected, atol=1e-4)


def test_shoulders_stay_and_the_skull_goes_along(pose):
    share = pose.neck_share(np.array([[0, -15, 3], [0, -9, 5], [0, 8, 8.0]], np.float32))
    assert share[0] == 0
    assert 0 < share[1] < 1
    assert share[2] == 1


def test_camera_axis_is_the_picture_centre_and_left_of_the_actor_is_right_of_it(pose):
    axis = np.array([[0, 10 * pose.CAMERA_HEIGHT, 9.0], [3, 10 * pose.CAMERA_HEIGHT + 2, 9.0]])
    middle, aside = pose.project(axis, 512)
    assert np.allclose(middle, 256)
    assert aside[0] > 256 > aside[1]
    width = 10 * pose.CAMERA_DISTANCE * pose.SENSOR / pose.FOCAL_LENGTH
    assert pose.project(np.array([width / 2, 1.0, 0.0]), 512)[0] == pytest.approx(512, abs=0.01)
