from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from evp.errors import WeightsError
from evp.face.basis import (
    MOUTH_COMPONENTS,
    UPPER_COMPONENTS,
    FaceBasis,
    frontal,
    learn_basis,
    learn_turn,
    mean_face,
    mouth_weight,
    normalise,
)
from evp.face.head import fit_head
from evp.face.layouts import (
    BROW_LEFT_UPPER,
    BROW_RIGHT_UPPER,
    CHIN,
    EYE_LEFT_UPPER,
    EYE_RIGHT_UPPER,
    HAIRLINE,
    IRIS_LEFT,
    IRIS_RIGHT,
    JAW,
    LIPS_OUTER,
    MESH_POINTS,
    RIGID,
    face_height,
    mouth_opening,
)
from tiny import random_poses

ALL = MOUTH_COMPONENTS + UPPER_COMPONENTS


def test_packaged_basis_is_in_its_own_frame():
    basis = FaceBasis.load()
    assert basis.mean.shape == (MESH_POINTS, 3)
    assert basis.components.shape == (ALL, MESH_POINTS, 3)
    assert (len(basis.mouth), len(basis.upper)) == (MOUTH_COMPONENTS, UPPER_COMPONENTS)
    np.testing.assert_allclose(face_height(basis.mean), 1, atol=1e-6)
    np.testing.assert_allclose(basis.mean[list(RIGID)].mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(frontal(basis.mean), basis.mean, atol=1e-5)
    assert basis.triangles.min() >= 0
    assert basis.triangles.max() < MESH_POINTS


def test_coefficients_and_displacement_there_and_back():
    basis = FaceBasis.load()
    wanted = np.random.default_rng(0).normal(size=(20, ALL))
    wanted[:, 5:MOUTH_COMPONENTS] = wanted[:, MOUTH_COMPONENTS + 3 :] = 0
    displacement = basis.displacement(wanted)
    again = basis.coefficients(displacement)
    np.testing.assert_allclose(again[:, :5], wanted[:, :5], atol=0.02)
    left = basis.displacement(again) - displacement
    assert np.linalg.norm(left) < 0.01 * np.linalg.norm(displacement)


def test_share_of_the_mouth_grows_downwards_and_leaves_out_the_irises():
    mean = FaceBasis.load().mean
    share = mouth_weight(mean)
    irises = list(IRIS_LEFT + IRIS_RIGHT)
    assert not share[irises].any()
    skin = np.setdiff1d(np.arange(MESH_POINTS), irises)
    assert (np.diff(share[skin][np.argsort(mean[skin, 1])]) >= 0).all()
    assert (share[HAIRLINE], share[CHIN]) == (0, 1)


def test_zero_is_the_neutral_face():
    basis = FaceBasis.load()
    np.testing.assert_array_equal(basis.coefficients(np.zeros((2, MESH_POINTS, 3))), np.zeros((2, ALL)))
    np.testing.assert_array_equal(basis.displacement(np.zeros((2, ALL))), np.zeros((2, MESH_POINTS, 3)))


def test_fewer_coefficients_mean_that_the_rest_is_zero():
    basis = FaceBasis.load()
    few = np.random.default_rng(1).normal(size=(3, MOUTH_COMPONENTS))
    all_of_them = np.pad(few, [(0, 0), (0, UPPER_COMPONENTS)])
    np.testing.assert_allclose(basis.displacement(few), basis.displacement(all_of_them), atol=1e-7)


def test_shape_measures_the_root_mean_square_displacement():
    basis = FaceBasis.load()
    for component in (0, 7, 30):
        one = np.eye(ALL)[component]
        moved = basis.displacement(2 * one[None])[0]
        expected = np.sqrt((moved**2).sum(axis=1).mean())
        np.testing.assert_allclose(np.linalg.norm(basis.shape(2 * one)), expected, rtol=1e-5)


def moves(components: np.ndarray, points: tuple[int, ...]) -> float:
    """Furthest that any component of unit size carries any of the points, face heights."""
    return float(np.linalg.norm(components[:, list(points)], axis=2).max())


def test_mouth_block_leaves_the_gaze_alone_and_upper_block_the_mouth():
    basis = FaceBasis.load()
    assert moves(basis.mouth, IRIS_LEFT + IRIS_RIGHT) == 0
    assert moves(basis.upper, LIPS_OUTER + JAW[3:-3]) < 1e-6
    assert moves(basis.mouth, LIPS_OUTER) > 0.02


def test_mouth_block_leaves_the_lids_alone():
    assert moves(FaceBasis.load().mouth, EYE_LEFT_UPPER + EYE_RIGHT_UPPER) < 0.001


def test_mouth_block_leaves_the_brows_alone():
    assert moves(FaceBasis.load().mouth, BROW_LEFT_UPPER + BROW_RIGHT_UPPER) < 0.001


def test_first_component_of_the_mouth_opens_it():
    basis = FaceBasis.load()
    meshes = basis.mean + basis.displacement(np.eye(ALL)[:1] * np.array([[-2], [0], [2]]))
    opening = mouth_opening(meshes)
    assert max(opening[0], opening[2]) > opening[1] + 0.02


def test_saved_and_loaded(tmp_path: Path):
    basis = FaceBasis.load()
    basis.save(tmp_path / "basis.npz")
    again = FaceBasis.load(tmp_path / "basis.npz")
    for name in ("mean", "components", "mouth_count", "triangles"):
        np.testing.assert_array_equal(getattr(again, name), getattr(basis, name))


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 cut off"])
def test_broken_file_is_refused(tmp_path: Path, content: bytes):
    path = tmp_path / "basis.npz"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=r"basis\.npz"):
        FaceBasis.load(path)


def test_missing_file_and_missing_array_are_refused(tmp_path: Path):
    with pytest.raises(WeightsError):
        FaceBasis.load(tmp_path / "none.npz")
    np.savez(tmp_path / "other.npz", format=2, mean=np.zeros(3))
    with pytest.raises(WeightsError, match="not a face basis"):
        FaceBasis.load(tmp_path / "other.npz")


def test_file_that_is_cut_short_is_refused(tmp_path: Path):
    path = tmp_path / "basis.npz"
    FaceBasis.load().save(path)
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(WeightsError):
        FaceBasis.load(path)


def test_other_format_is_refused(tmp_path: Path):
    np.savez(tmp_path / "new.npz", format=99)
    with pytest.raises(WeightsError, match="format 99"):
        FaceBasis.load(tmp_path / "new.npz")


def test_learning_finds_planted_components():
    rng = np.random.default_rng(2)
    basis = FaceBasis.load()
    below = (mouth_weight(basis.mean) == 1)[None, :, None]
    planted = np.zeros((3, MESH_POINTS, 3))
    planted[:, list(LIPS_OUTER)] = rng.normal(size=(3, len(LIPS_OUTER), 3))
    flat = np.linalg.qr(planted.reshape(3, -1).T)[0].T.reshape(planted.shape)
    planted = flat * np.array([0.5, 0.3, 0.1])[:, None, None]
    assert (planted * ~below == 0).all()
    people = []
    for _ in range(3):  # whitened, so that the components are exactly those planted
        c = np.linalg.qr(rng.normal(size=(400, 3)))[0] * np.sqrt(400)
        people.append(np.einsum("tk,kpd->tpd", c, planted))
    learned = learn_basis(basis.mean, people, basis.triangles)
    assert learned.mouth_count == MOUTH_COMPONENTS
    for k in range(3):
        found = learned.mouth[k].astype(np.float64)
        sign = np.sign((found * planted[k]).sum())
        np.testing.assert_allclose(sign * found, planted[k], atol=1e-4)
    np.testing.assert_allclose(learned.mouth[3:], 0, atol=1e-6)
    np.testing.assert_allclose(learned.upper, 0, atol=1e-6)


def test_turn_is_told_from_nodding_in_time_with_speech():
    rng = np.random.default_rng(3)
    planted, spoken = 0.02 * rng.normal(size=(3, 36)), 0.3 * rng.normal(size=(1, 36))

    def recording(frames: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        mouth = 3 * rng.normal(size=(frames, 1))
        angles = 4 * rng.normal(size=(frames, 3)) + 10 * rng.normal(size=3) + mouth * [0, 1, 0]
        expression = angles @ planted + mouth @ spoken + 0.05 * rng.normal(size=(frames, 36))
        return angles, expression + rng.normal(size=36), mouth

    found = learn_turn(recording(frames) for frames in (300, 500, 400))
    np.testing.assert_allclose(found, planted, atol=0.01)  # nodding alone would be 0.1
    basis = replace(FaceBasis.load(), turn=found)
    angles, still = 8 * rng.normal(size=(5, 3)), rng.normal(size=(5, 36))
    np.testing.assert_allclose(basis.unturned(still + angles @ planted, angles), still, atol=0.1)


def test_people_count_equally_when_a_basis_is_learned():
    basis = FaceBasis.load()
    one, other = np.zeros((2, MESH_POINTS, 3))
    one[17], other[0] = [0, 0.10, 0], [0, 0.12, 0]
    much, little = np.repeat(one[None], 500, axis=0), np.repeat(other[None], 5, axis=0)
    learned = learn_basis(basis.mean, [much, little], basis.triangles)
    assert abs(learned.mouth[0, 0, 1]) > abs(
        learned.mouth[0, 17, 1]
    )  # the little is larger, and so comes first


def test_frontal_undoes_any_pose():
    mean = FaceBasis.load().mean.astype(np.float64)
    for mesh in random_poses(5, np.random.default_rng(3)).project(mean):
        np.testing.assert_allclose(frontal(mesh), mean, atol=1e-5)


def test_normalise_sets_unit_and_origin():
    mesh = FaceBasis.load().mean * 3.0 + [5, 6, 7]
    np.testing.assert_allclose(normalise(mesh), FaceBasis.load().mean, atol=1e-6)


def test_mean_face_of_one_person_in_many_poses_is_that_person():
    mean = FaceBasis.load().mean.astype(np.float64)
    meshes = list(random_poses(6, np.random.default_rng(4)).project(mean))
    np.testing.assert_allclose(mean_face(meshes), mean, atol=1e-5)


def test_turning_the_head_does_not_open_the_mouth():
    basis = FaceBasis.load()
    rng = np.random.default_rng(5)
    planted = np.zeros((30, ALL), np.float32)
    planted[:, 0], planted[:, 1] = 1.5, -0.7
    pose = random_poses(30, rng)
    seen = pose.project(basis.mean + basis.displacement(planted))
    found = basis.coefficients(fit_head(basis, seen, basis.mean).displacement)
    np.testing.assert_allclose(found, np.repeat(found[:1], 30, axis=0), atol=2e-3)
    np.testing.assert_allclose(found[:, :2], planted[:, :2], atol=0.1)
