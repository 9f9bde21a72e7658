import pickle

import numpy as np
import pytest
from original.test_parameters import made_up
from skimage.transform import SimilarityTransform

from evp.errors import InputError
from evp.original.alignment import STEADY, align_file, fit_file, lay_upon, ping_pong, under_target_pose
from evp.original.faces import LinearFace, read_original_face
from evp.original.parameters import (
    pose_from_numbers,
    read_landmark_files,
    read_parameters,
    write_landmark_files,
    write_parameters,
)


def test_ping_pong():
    np.testing.assert_array_equal(ping_pong(3, 14), [0, 1, 2, 2, 1, 0, 0, 1, 2, 2, 1, 0, 0, 1])
    np.testing.assert_array_equal(ping_pong(1, 3), [0, 0, 0])


def test_lay_upon_is_the_least_squares_similarity():
    random = np.random.default_rng(0)
    source, target = random.normal(size=(4, 106, 2)), random.normal(size=(4, 106, 2))
    for moved, own, goal in zip(lay_upon(source, target), source, target, strict=True):
        best = SimilarityTransform.from_estimate(own[list(STEADY)], goal[list(STEADY)])
        if np.linalg.det(best.params[:2, :2]) > 0:
            np.testing.assert_allclose(moved, best(own), atol=1e-6)
    turn = np.array([[np.cos(1), -np.sin(1)], [np.sin(1), np.cos(1)]])
    np.testing.assert_allclose(lay_upon(source, 3 * source @ turn.T + [5, 6]), 3 * source @ turn.T + [5, 6])


def test_under_the_targets_pose():
    random = np.random.default_rng(1)
    face = LinearFace(
        "evp106", random.normal(size=(106, 3)), random.normal(size=(199, 106, 3)) * 0.01,
        random.normal(size=(29, 106, 3)) * 0.01,
    )  # fmt: skip
    predicted, target = made_up(5), made_up(3, seed=1)
    goal = random.normal(size=(3, 106, 2)) * 100
    moved = under_target_pose(face, predicted, target.pose, goal)
    for frame, other in enumerate([2, 2, 1, 0, 0]):  # 0 1 are shown as they are
        numbers = np.concatenate([target.pose[other, :3], predicted.pose[frame, 3:]])
        head = face.landmarks(predicted.shape[frame], predicted.expression[frame : frame + 1])
        flat = pose_from_numbers(numbers[None]).project(head)[..., :2]
        np.testing.assert_allclose(moved[frame], lay_upon(flat, goal[other : other + 1])[0])


@pytest.fixture
def files(tmp_path):
    """A model of the original's format with smooth modes, and where its files are."""
    random = np.random.default_rng(0)
    base = random.normal(size=(3, 120)) * [[0.6], [0.8], [0.5]]
    weight = 0.05 * np.sin(np.einsum("mdi,iv->dvm", random.normal(size=(228, 3, 3)) * 2, base))
    (tmp_path / "base_weight.pickle").write_bytes(
        pickle.dumps({"base": base, "weight": weight.astype(np.float32)})
    )
    (tmp_path / "ldmk_idx.txt").write_text(" ".join(str(n) for n in range(5, 111)))
    return tmp_path / "base_weight.pickle", tmp_path / "ldmk_idx.txt"


def test_fitted_parameters_mean_the_landmarks(files, tmp_path):
    face = read_original_face(*files)
    random = np.random.default_rng(1)
    pose = pose_from_numbers(np.array([[0.1, 0.2, 0, 80, 128, 120], [0, 0.3, 0.1, 82, 126, 121.0]]))
    seen = pose.project(face.landmarks(random.normal(size=199), random.normal(size=(2, 29))))[..., :2]
    np.save(tmp_path / "M003.npy", seen / 256)
    assert fit_file(tmp_path / "M003.npy", *files, tmp_path / "M003.txt") == 2
    found = read_parameters(tmp_path / "M003.txt")
    assert found.names == ("0.jpg", "1.jpg")
    again = pose_from_numbers(found.pose).project(face.landmarks(found.shape[0], found.expression))[..., :2]
    assert np.abs(again - seen).max() < 0.03 * np.ptp(seen)
    np.testing.assert_allclose(found.pose[:, :3], [[0.1, 0.2, 0], [0, 0.3, 0.1]], atol=0.1)


def test_aligned_files_begin_with_the_targets_own(files, tmp_path):
    face = read_original_face(*files)
    predicted, target = made_up(4), made_up(3, seed=1)
    goal = np.random.default_rng(2).uniform(0, 500, (3, 106, 2)).round()
    write_parameters(tmp_path / "M003.txt", predicted)
    np.save(tmp_path / "poses.npy", target.pose)
    (tmp_path / "target.txt").write_text(
        "".join(" ".join(map(str, points.reshape(-1))) + f" {n}.jpg\n" for n, points in enumerate(goal))
    )
    write_landmark_files(tmp_path / "target", goal)
    for source in ("target.txt", "target"):
        count = align_file(
            tmp_path / "M003.txt", *files, tmp_path / source, tmp_path / "poses.npy", tmp_path / "keypoints"
        )
        assert count == 6
        written = read_landmark_files(tmp_path / "keypoints")
        np.testing.assert_array_equal(written[:2], goal[:2])
        expected = under_target_pose(
            face, read_parameters(tmp_path / "M003.txt"), target.pose.astype(np.float32), goal
        )
        np.testing.assert_allclose(written[2:], expected, atol=0.51)


def test_a_model_of_other_landmarks_is_refused(files, tmp_path):
    files[1].write_text(" ".join(str(n) for n in range(68)))
    write_parameters(tmp_path / "M003.txt", made_up(1))
    with pytest.raises(InputError, match=r"ldmk_idx\.txt: 68 landmarks, expected 106"):
        align_file(tmp_path / "M003.txt", *files, tmp_path, tmp_path, tmp_path / "out")
