"""Linear 3-D face models at their landmarks, behind one interface: the built-in, the original's and ICT-FaceKit's."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evp.errors import InputError
from evp.face.basis import FaceBasis
from evp.face.layouts import Layout, from_mesh
from evp.original.arrays import read_archive
from evp.original.files import read_text
from evp.original.pickles import read_pickled_arrays

SHAPE_MODES, EXPRESSION_MODES = 199, 29
"""Of the original's model, in this order."""

_LAYOUTS: dict[int, Layout] = {106: "evp106", 68: "ibug68", 478: "mesh"}


@dataclass(frozen=True)
class LinearFace:
    """landmarks = mean + shape modes (a person) + expression modes; a usual coefficient is about 1.

    Lengths and axes are the model's own, right-handed: fitting turns and scales them into the picture.
    """

    layout: Layout
    """Which points of the face the landmarks are."""
    mean: NDArray[np.float64]
    """(P, 3) the mean face."""
    shape: NDArray[np.float64]
    """(S, P, 3) how people differ; S may be 0."""
    expression: NDArray[np.float64]
    """(E, P, 3) how a face moves."""

    def landmarks(self, shape: NDArray[np.floating], expression: NDArray[np.floating]) -> NDArray[np.float64]:
        """Landmarks (T, P, 3) of a person (S,) with expressions (T, E)."""
        person = self.mean + np.einsum("s,spd->pd", shape, self.shape)
        return person + np.einsum("te,epd->tpd", expression, self.expression)

    def of_person(self, shape: NDArray[np.floating]) -> "LinearFace":
        """The face of one person (S,): nothing but expression is left to fit."""
        nobody = np.zeros((1, len(self.expression)))
        return replace(self, mean=self.landmarks(shape, nobody)[0], shape=self.shape[:0])

    @staticmethod
    def of_basis(basis: FaceBasis, layout: Layout) -> "LinearFace":
        """The built-in model: head frame, face heights, no shape modes, expression in standard deviations."""
        mean = from_mesh(basis.mean, layout).astype(np.float64)
        expression = from_mesh(basis.components, layout).astype(np.float64)
        return LinearFace(layout, mean, np.zeros((0, *mean.shape)), expression)


def read_original_face(model: Path, indices: Path) -> LinearFace:
    """The original's model: ``base_weight.pickle`` at the vertices of ``ldmk_idx.txt`` (106, or 68).

    Raises InputError, which names the file and the key.
    """
    modes = SHAPE_MODES + EXPRESSION_MODES
    stored = read_pickled_arrays(model, {"base": (3, None), "weight": (3, None, modes)})
    base, weight = stored["base"], stored["weight"]
    if base.shape[1] != weight.shape[1]:
        raise InputError(f"{model}: base has {base.shape[1]} vertices, but weight has {weight.shape[1]}")
    at, layout = _read_indices(indices, base.shape[1])
    directions = np.transpose(weight[:, at], (2, 1, 0)).astype(np.float64)
    mean = base[:, at].T.astype(np.float64)
    return LinearFace(layout, mean, directions[:SHAPE_MODES], directions[SHAPE_MODES:])


def read_ict_face(model: Path, indices: Path) -> LinearFace:
    """ICT-FaceKit's arrays (``neutral``, ``identities``, ``expressions``: ``.npz``) at the vertices of ``indices``.

    ``indices`` is a text like ``ldmk_idx.txt`` or ICT-FaceKit's ``vertex_indices.json`` with its 68 landmarks.
    Raises InputError, which names the file and the key.
    """
    stored = read_archive(
        model, {"neutral": (None, 3), "identities": (None, None, 3), "expressions": (None, None, 3)}
    )
    vertices = {key: array.shape[-2] for key, array in stored.items()}
    if len(set(vertices.values())) > 1:
        raise InputError(f"{model}: numbers of vertices differ: {vertices}")
    at, layout = _read_indices(indices, vertices["neutral"])
    mean, shape, expression = (stored[key][..., at, :].astype(np.float64) for key in vertices)
    return LinearFace(layout, mean, shape, expression)


def _read_indices(path: Path, vertices: int) -> tuple[list[int], Layout]:
    text = read_text(path)
    try:
        words = json.loads(text)["idx_to_landmark_verts"] if path.suffix == ".json" else text.split()
        at = [int(word) for word in words]
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(f"{path}: text where vertex numbers should be") from error
    if len(at) not in _LAYOUTS:
        raise InputError(f"{path}: {len(at)} vertex numbers, expected 106, 68 or 478")
    for number in at:
        if not 0 <= number < vertices:
            raise InputError(f"{path}: {number} is not one of the model's {vertices} vertices")
    return at, _LAYOUTS[len(at)]
