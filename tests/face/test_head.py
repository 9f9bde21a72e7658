import numpy as np

from evp.face.basis import FaceBasis, normalise
from evp.face.head import find_neutral, fit_head
from evp.face.layouts import LIPS_OUTER, LOWER_LIP_INNER, MESH_POINTS, mouth_opening
from evp.face.pose import fit_pose
from tiny import random_poses


def person(rng: np.random.Generator) -> np.ndarray:
    """Another neutral face than the mean one, in the head frame."""
    mean = FaceBasis.load().mean.astype(np.float64)
    return normalise(mean * [1.1, 1.0, 0.9] + rng.normal(0, 0.003, mean.shape))


def opened(count: int, rng: np.random.Generator) -> np.ndarray:
    """Displacements (count, 478, 3) of a jaw that drops by any amount; a fifth of the frames is shut."""
    drop = rng.uniform(0.01, 0.1, count) * (np.arange(count) % 5 > 0)
    shape = np.zeros((MESH_POINTS, 3))
    shape[[LOWER_LIP_INNER, *LIPS_OUTER[11:]], 1] = 1
    return drop[:, None, None] * shape


def test_planted_neutral_is_found():
    rng = np.random.default_rng(0)
    neutral, pose = person(rng), random_poses(100, rng)
    landmarks = pose.project(neutral + opened(100, rng))
    found = find_neutral(FaceBasis.load(), landmarks)
    np.testing.assert_allclose(fit_pose(neutral, found[None]).unproject(found[None])[0], neutral, atol=1e-3)
    np.testing.assert_allclose(
        found, neutral, atol=0.01
    )  # its axes are those of the mean face, nearly the person's


def test_neutral_is_not_the_mean_of_an_open_mouth():
    rng = np.random.default_rng(1)
    neutral = person(rng)
    landmarks = random_poses(100, rng).project(neutral + opened(100, rng))
    assert mouth_opening(find_neutral(FaceBasis.load(), landmarks)) < mouth_opening(neutral) + 0.002


def test_head_explains_the_picture():
    rng = np.random.default_rng(2)
    landmarks = random_poses(20, rng).project(person(rng) + opened(20, rng))
    head = fit_head(FaceBasis.load(), landmarks)
    again = head.pose.project(head.neutral + head.displacement)
    np.testing.assert_allclose(again, landmarks, atol=1e-3)


def test_given_neutral_gives_planted_displacement_and_pose():
    rng = np.random.default_rng(3)
    neutral, pose, displacement = person(rng), random_poses(20, rng), opened(20, rng)
    head = fit_head(FaceBasis.load(), pose.project(neutral + displacement), neutral)
    np.testing.assert_allclose(head.displacement, displacement, atol=1e-6)
    np.testing.assert_allclose(head.pose.rotation, pose.rotation, atol=1e-9)


def test_scale_of_the_footage_does_not_matter():
    rng = np.random.default_rng(4)
    landmarks = random_poses(30, rng).project(person(rng) + opened(30, rng))
    small, large = (fit_head(FaceBasis.load(), landmarks * factor) for factor in (0.5, 3.0))
    np.testing.assert_allclose(small.displacement, large.displacement, atol=1e-6)
