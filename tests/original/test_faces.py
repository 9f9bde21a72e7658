import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from evp.errors import InputError
from evp.face.basis import FaceBasis
from evp.face.layouts import from_mesh
from evp.original.faces import LinearFace, read_ict_face, read_original_face

SHARED = Path(__file__).parents[3] / "shared" / "data" / "face3d"


@pytest.fixture
def files(tmp_path):
    """A model of the original's format, of 130 vertices."""
    random = np.random.default_rng(0)
    stored = {
        "base": random.normal(size=(3, 130)),
        "weight": random.normal(size=(3, 130, 228)).astype(np.float32),
    }
    (tmp_path / "base_weight.pickle").write_bytes(pickle.dumps(stored))
    at = random.permutation(130)[:106]
    (tmp_path / "ldmk_idx.txt").write_text(" ".join(map(str, at)) + " \n")
    return tmp_path / "base_weight.pickle", tmp_path / "ldmk_idx.txt", stored, at


def test_the_originals_model_at_its_landmarks(files):
    model, indices, stored, at = files
    face = read_original_face(model, indices)
    assert (face.layout, face.shape.shape, face.expression.shape) == ("evp106", (199, 106, 3), (29, 106, 3))
    random = np.random.default_rng(1)
    shape, expression = random.normal(size=199), random.normal(size=(2, 29))
    for frame in range(2):
        vertices = stored["base"] + stored["weight"] @ np.concatenate([shape, expression[frame]])
        np.testing.assert_allclose(face.landmarks(shape, expression)[frame], vertices[:, at].T, atol=1e-4)


def test_a_person_keeps_only_expression(files):
    face = read_original_face(*files[:2])
    random = np.random.default_rng(1)
    shape, expression = random.normal(size=199), random.normal(size=(2, 29))
    person = face.of_person(shape)
    assert len(person.shape) == 0
    np.testing.assert_allclose(person.landmarks(np.zeros(0), expression), face.landmarks(shape, expression))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("1 2 x", "text"),
        ("1 2 3", "3 vertex numbers"),
        ("130 " * 106, "130 is not one of the model's 130 vertices"),
    ],
)
def test_bad_indices_are_named(files, text, why):
    files[1].write_text(text)
    with pytest.raises(InputError, match=rf"ldmk_idx\.txt: .*{why}"):
        read_original_face(*files[:2])


def test_a_model_that_contradicts_itself_is_named(files):
    files[0].write_bytes(pickle.dumps({"base": np.zeros((3, 7)), "weight": np.zeros((3, 8, 228))}))
    with pytest.raises(InputError, match=r"base_weight\.pickle: base has 7 vertices"):
        read_original_face(*files[:2])


@pytest.mark.parametrize("layout", ["evp106", "ibug68", "mesh"])
def test_the_built_in_face_has_the_same_interface(layout):
    basis = FaceBasis.load()
    face = LinearFace.of_basis(basis, layout)
    coefficients = np.random.default_rng(0).normal(size=(3, len(basis.components)))
    mesh = basis.mean + basis.displacement(coefficients)
    np.testing.assert_allclose(face.landmarks(np.zeros(0), coefficients), from_mesh(mesh, layout), atol=1e-5)


def test_ict_arrays(tmp_path):
    random = np.random.default_rng(0)
    arrays = {
        "neutral": random.normal(size=(90, 3)),
        "identities": random.normal(size=(6, 90, 3)).astype(np.float16),
        "expressions": random.normal(size=(7, 90, 3)).astype(np.float16),
    }
    np.savez_compressed(tmp_path / "ict.npz", **arrays)
    at = random.permutation(90)[:68].tolist()
    (tmp_path / "vertex_indices.json").write_text(json.dumps({"idx_to_landmark_verts": at}))
    face = read_ict_face(tmp_path / "ict.npz", tmp_path / "vertex_indices.json")
    assert face.layout == "ibug68"
    np.testing.assert_allclose(face.mean, arrays["neutral"][at])
    np.testing.assert_allclose(face.expression, arrays["expressions"][:, at])
    (tmp_path / "vertex_indices.json").write_text("{}")
    with pytest.raises(InputError, match=r"vertex_indices\.json"):
        read_ict_face(tmp_path / "ict.npz", tmp_path / "vertex_indices.json")
    np.savez(tmp_path / "ict.npz", neutral=arrays["neutral"])
    with pytest.raises(InputError, match=r"ict\.npz: identities is missing"):
        read_ict_face(tmp_path / "ict.npz", tmp_path / "vertex_indices.json")


@pytest.mark.skipif(not SHARED.exists(), reason="needs the shared ICT-FaceKit arrays")
def test_the_real_ict_face_is_fitted_to_itself():
    from evp.original.fitting import fit_face
    from tiny import random_poses

    face = read_ict_face(SHARED / "ict_facekit.npz", SHARED / "ict_vertex_indices.json")
    random = np.random.default_rng(0)
    shape, expression = random.normal(size=100), random.uniform(0, 0.3, (3, 57))
    pose = random_poses(3, random, most=15)
    picture = pose.project(face.landmarks(shape, expression))[..., :2]
    fit = fit_face(face, picture, noise=1e-3)
    projected = fit.pose.project(face.landmarks(fit.shape, fit.expression))[..., :2]
    assert np.abs(projected - picture).max() < 0.01 * np.ptp(picture[0], axis=0).max()
