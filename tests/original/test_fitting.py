"""Planted answers: what made the landmarks is found again."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from evp.errors import InputError
from evp.face.basis import FaceBasis
from evp.face.pose import Pose
from evp.original.faces import LinearFace
from evp.original.fitting import fit_face, fit_weak_pose, rotation_matrices
from tiny import random_poses, rotation


def made_up_face(layout="evp106", shapes=5, expressions=4, seed=0) -> LinearFace:
    """The built-in mean face with random modes that move the points smoothly, about 2 % of the face's height."""
    random = np.random.default_rng(seed)
    mean = LinearFace.of_basis(FaceBasis.load(), layout).mean

    def modes(count):
        waves = np.sin(np.einsum("kdi,pi->kpd", random.normal(size=(count, 3, 3)) * 4, mean))
        return 0.02 * waves / waves.std()

    return LinearFace(layout, mean, modes(shapes), modes(expressions))


@pytest.mark.parametrize("layout", ["evp106", "ibug68", "mesh"])
def test_person_expression_and_pose_are_found_again(layout):
    random = np.random.default_rng(1)
    face = made_up_face(layout)
    shape, expression = random.normal(size=5), random.normal(size=(7, 4))
    pose = random_poses(7, random, most=20)
    picture = pose.project(face.landmarks(shape, expression))[..., :2]
    fit = fit_face(face, picture, noise=1e-4)
    np.testing.assert_allclose(fit.shape, shape, atol=0.02)
    np.testing.assert_allclose(fit.expression, expression, atol=0.02)
    np.testing.assert_allclose(fit.pose.rotation, pose.rotation, atol=2e-3)
    np.testing.assert_allclose(fit.pose.scale, pose.scale, rtol=2e-3)
    projected = fit.pose.project(face.landmarks(fit.shape, fit.expression))[..., :2]
    np.testing.assert_allclose(projected, picture, atol=0.02)


def test_noise_moves_the_answer_little():
    random = np.random.default_rng(2)
    face = made_up_face()
    shape, expression = random.normal(size=5), random.normal(size=(80, 4))
    pose = random_poses(80, random, most=20)
    picture = pose.project(face.landmarks(shape, expression))[..., :2]
    size = pose.scale[:, None, None] * 0.35
    fit = fit_face(face, picture + 0.01 * size * random.normal(size=picture.shape) / np.sqrt(2))
    np.testing.assert_allclose(fit.shape, shape, atol=0.15)
    assert np.sqrt(np.mean((fit.expression - expression) ** 2)) < 0.25
    assert len(fit.pose) == 80


def test_the_fit_is_where_the_energy_is_smallest():
    """The energy of the docs, written down once more: no small change of any unknown makes it smaller."""
    random = np.random.default_rng(3)
    face = made_up_face()
    picture = random_poses(2, random).project(
        face.landmarks(random.normal(size=5), random.normal(size=(2, 4)))
    )
    seen = picture[..., :2] + random.normal(size=(2, 106, 2))
    fit = fit_face(face, seen, noise=0.02)
    sigma = 0.02 * np.sqrt(((seen - seen.mean(axis=1, keepdims=True)) ** 2).sum(axis=2).mean())

    def energy(change: np.ndarray) -> float:
        total = 0.0
        shape = fit.shape + change[:5]
        for t in range(2):
            own = change[5 + 10 * t : 15 + 10 * t]
            b = fit.expression[t] + own[6:]
            turned = Rotation.from_rotvec(own[:3]).as_matrix() @ fit.pose.rotation[t]
            scale = fit.pose.scale[t] * np.exp(own[3])
            for p in range(106):
                point = face.mean[p] + shape @ face.shape[:, p] + b @ face.expression[:, p]
                off = scale * (turned @ point)[:2] + fit.pose.shift[t, :2] + own[4:6] - seen[t, p]
                total += off @ off / sigma**2
            total += b @ b
        return total + shape @ shape

    least = energy(np.zeros(25))
    for direction in random.normal(size=(12, 25)):
        change = 3e-3 * direction
        assert energy(change) > least - 1e-6 * least


def test_a_model_with_its_y_axis_up_is_turned_over():
    face = made_up_face()
    upside_down = np.diag([1.0, -1.0, -1.0])
    flipped = LinearFace(
        "evp106", face.mean @ upside_down, face.shape @ upside_down, face.expression @ upside_down
    )
    pose = Pose(np.array([100.0]), rotation(10, 5)[None], np.zeros((1, 3)))
    picture = pose.project(face.mean[None])[..., :2]
    fit = fit_face(flipped, picture, noise=1e-4)
    np.testing.assert_allclose(fit.pose.rotation[0], pose.rotation[0] @ upside_down, atol=1e-3)


def test_the_weak_pose_is_exact_without_expression():
    random = np.random.default_rng(4)
    face, pose = made_up_face(), random_poses(5, random)
    found = fit_weak_pose(face.mean[None], pose.project(face.mean[None])[..., :2])
    np.testing.assert_allclose(found.rotation, pose.rotation, atol=1e-9)
    np.testing.assert_allclose(found.scale, pose.scale)
    np.testing.assert_allclose(found.shift[:, :2], pose.shift[:, :2], atol=1e-6)


def test_rotations_are_scipys():
    turns = np.random.default_rng(5).normal(size=(6, 3)) * [[0], [1e-9], [0.1], [1], [2], [3]]
    np.testing.assert_allclose(rotation_matrices(turns), Rotation.from_rotvec(turns).as_matrix(), atol=1e-12)


@pytest.mark.parametrize(
    "wrong", [np.zeros((0, 106, 2)), np.zeros((2, 68, 2)), np.full((2, 106, 2), np.nan), np.ones((2, 106, 2))]
)
def test_landmarks_of_another_layout_are_refused(wrong):
    with pytest.raises(InputError, match="landmarks"):
        fit_face(made_up_face(), wrong)
