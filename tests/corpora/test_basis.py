from pathlib import Path

import numpy as np
import pytest

from evp.corpora.basis import train_basis
from evp.corpora.manifest import ClipEntry, Manifest
from evp.errors import InputError
from evp.face.basis import FaceBasis
from evp.face.layouts import face_height
from tiny import actor


def write(corpus: Path, count: int = 2) -> list[np.ndarray]:
    """Clips of people who have the mean face and talk; their displacements (T, 478, 3) are returned."""
    clips, displacements = [], []
    for n in range(count):
        head = actor(40 + 10 * n).head
        meshes = head.neutral + head.displacement
        valid = np.arange(len(meshes)) != 3
        meshes[3] = 9.0  # a frame that must not be looked at
        angles = head.pose.angles()
        np.savez(corpus / f"s{n}__a.npz", neutral=head.neutral, landmarks=meshes, valid=valid, angles=angles)
        clips.append(ClipEntry(f"s{n}__a.npz", f"s{n}", "a.mp4", len(meshes)))
        displacements.append(head.displacement[valid])
    Manifest(tuple(clips)).write(corpus)
    return displacements


def test_basis_of_a_corpus_explains_it(tmp_path: Path):
    displacements = write(tmp_path)
    basis = train_basis(tmp_path, tmp_path / "basis.npz")
    again = FaceBasis.load(tmp_path / "basis.npz")
    np.testing.assert_array_equal(again.components, basis.components)
    np.testing.assert_array_equal(again.turn, basis.turn)
    assert basis.turn.shape == (3, len(basis.components)) and basis.turn.any()
    np.testing.assert_allclose(basis.mean, FaceBasis.load().mean, atol=1e-4)
    np.testing.assert_allclose(face_height(basis.mean), 1, atol=1e-6)
    for displacement in displacements:
        left = basis.displacement(basis.coefficients(displacement)) - displacement
        assert np.linalg.norm(left) < 0.1 * np.linalg.norm(displacement)


def test_folder_that_is_no_corpus_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match="not a prepared corpus"):
        train_basis(tmp_path, tmp_path / "basis.npz")
