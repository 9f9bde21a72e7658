import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from evp.errors import InputError
from evp.original.parameters import (
    Parameters,
    numbers_from_pose,
    pose_from_numbers,
    read_landmark_files,
    read_landmark_lines,
    read_parameters,
    read_poses,
    write_landmark_files,
    write_parameters,
)
from tiny import random_poses


def made_up(frames: int = 3, seed: int = 0) -> Parameters:
    random = np.random.default_rng(seed)
    pose = np.concatenate([
        random.normal(size=(frames, 3)) * 0.3, random.uniform(1, 2, (frames, 1)), random.normal(size=(frames, 2)) * 50
    ], axis=1)  # fmt: skip
    names = tuple(f"{frame}.jpg" for frame in range(frames))
    return Parameters(random.normal(size=(frames, 199)), random.normal(size=(frames, 29)), pose, names)


def test_parameter_lines_there_and_back(tmp_path):
    written = made_up()
    write_parameters(tmp_path / "a.txt", written)
    assert (tmp_path / "a.txt").read_text().splitlines()[1].endswith(" 1.jpg")
    read = read_parameters(tmp_path / "a.txt")
    assert read.names == written.names
    for part in ("shape", "expression", "pose"):
        np.testing.assert_allclose(getattr(read, part), getattr(written, part), rtol=1e-8)


def test_bad_lines_are_named(tmp_path):
    path = tmp_path / "a.txt"
    for text, why in [
        ("1 2 3 0.jpg\n", "line 1: 3 numbers and a name, expected 234"),
        ("1 " * 234 + "0.jpg\n" + "x " * 234 + "1.jpg\n", "line 2: text where numbers should be"),
        ("nan " * 234 + "0.jpg\n", "line 1: numbers that are not finite"),
        ("", "empty"),
    ]:
        path.write_text(text)
        with pytest.raises(InputError, match=why) as error:
            read_parameters(path)
        assert str(path) in str(error.value)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="not a text file"):
        read_parameters(path)


def test_landmark_lines(tmp_path):
    (tmp_path / "a.txt").write_text(" ".join(str(n) for n in range(212)) + " 0.jpg\n")
    landmarks, names = read_landmark_lines(tmp_path / "a.txt")
    assert names == ("0.jpg",)
    np.testing.assert_array_equal(landmarks[0, 1], [2, 3])


def test_landmark_files_there_and_back_in_whole_pixels(tmp_path):
    landmarks = np.random.default_rng(0).uniform(-5, 500, (3, 106, 2))
    write_landmark_files(tmp_path / "keypoints", landmarks, first=2)
    assert sorted(path.name for path in (tmp_path / "keypoints").iterdir()) == [
        f"00000{n}.txt" for n in (2, 3, 4)
    ]
    x, y = landmarks[0, 0].round().astype(int)
    assert (tmp_path / "keypoints" / "000002.txt").read_text().splitlines()[0] == f"{x},{y}"
    np.testing.assert_array_equal(read_landmark_files(tmp_path / "keypoints"), landmarks.round())


@pytest.mark.parametrize(
    ("text", "why"), [("1,2\n" * 105, "106 lines"), ("1,b\n" * 106, "text"), ("1 2\n" * 53, "106")]
)
def test_bad_landmark_files_are_named(tmp_path, text, why):
    (tmp_path / "000000.txt").write_text(text)
    with pytest.raises(InputError, match=rf"000000\.txt: .*{why}"):
        read_landmark_files(tmp_path)


def test_poses_are_six_numbers(tmp_path):
    np.save(tmp_path / "M003.npy", np.zeros((4, 6)))
    assert read_poses(tmp_path / "M003.npy").shape == (4, 6)
    np.save(tmp_path / "M003.npy", np.zeros((4, 7)))
    with pytest.raises(InputError, match=r"M003\.npy has the shape \(4, 7\)"):
        read_poses(tmp_path / "M003.npy")


def test_poses_turn_a_model_whose_y_axis_points_up():
    """x stays, y and z change their signs; then axis and angle turn the head, as in the original's files."""
    numbers = np.array([[0, 0, 0, 2.0, 10, 20], [0.1, -0.4, 0.2, 1.0, 0, 0]])
    pose = pose_from_numbers(numbers)
    np.testing.assert_allclose(pose.project(np.array([[[1.0, 2, 3]]]))[0, 0, :2], [12, 16])
    np.testing.assert_allclose(
        pose.rotation[1],
        Rotation.from_rotvec([0.1, -0.4, 0.2]).as_matrix() @ np.diag([1, -1, -1]),
        atol=1e-12,
    )


def test_poses_there_and_back():
    numbers = made_up(20).pose
    np.testing.assert_allclose(numbers_from_pose(pose_from_numbers(numbers)), numbers, atol=1e-9)
    pose = random_poses(5, np.random.default_rng(0))
    again = pose_from_numbers(numbers_from_pose(pose))
    np.testing.assert_allclose(again.rotation, pose.rotation, atol=1e-7)
