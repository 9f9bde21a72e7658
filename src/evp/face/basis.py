"""The head-fixed, identity-free basis of facial expression.

Expression is what is left of a mesh when the pose and the person's own neutral face are taken away. It is
written in two blocks of principal components: ``mouth`` (lips, jaw, lower cheeks) and ``upper`` (brows, lids,
irises, nose bridge). The blocks share every vertex through a smooth partition of unity, so they simply add.
Coefficients are in standard deviations of their component over the people the basis was learned from.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from evp.errors import WeightsError
from evp.face.layouts import CHIN, FACE_OVAL, HAIRLINE, IRIS_LEFT, IRIS_RIGHT, LIPS_OUTER, MESH_POINTS, RIGID
from evp.face.pose import fit_pose
from evp.smoothing import smooth_step
from evp.weights import save_arrays, weights_file

FORMAT = 2
MOUTH_COMPONENTS = 20
UPPER_COMPONENTS = 16
_UPPER_ENDS, _MOUTH_BEGINS = 0.16, 0.32
"""Heights in the head frame (face heights, down) between which the ``upper`` block fades into ``mouth``."""
_LIP_EMPHASIS = 2.0
"""Lip vertices count this much more when components are chosen: small there is visible."""


@dataclass(frozen=True)
class FaceBasis:
    """Mean face and expression components, learned from tracked faces (:func:`learn_basis`)."""

    mean: NDArray[np.float32]
    """(478, 3) mean neutral face in the head frame, height 1."""
    components: NDArray[np.float32]
    """(M + U, 478, 3) displacement of one standard deviation, face heights; the ``mouth`` block comes first."""
    mouth_count: int
    """M, the number of components of the ``mouth`` block."""
    triangles: NDArray[np.int32]
    """(F, 3) triangles of the skin and, as fans around the irises, of the eyes; the mouth is open."""
    turn: NDArray[np.float32]
    """(3, M + U) by how much the coefficients of a tracked face change for a degree of yaw, pitch and roll, though its
    expression does not: tracked meshes are not quite rigid."""

    @staticmethod
    def load(path: Path | None = None) -> "FaceBasis":
        """The packaged basis, or the one in ``path``. Raises WeightsError when the file does not fit."""
        source = path or weights_file("evp.face", "basis.npz")
        try:
            with np.load(source, allow_pickle=False) as stored:
                if int(stored["format"]) != FORMAT:
                    raise WeightsError(
                        f"{source}: face basis of format {int(stored['format'])}, expected {FORMAT}"
                    )
                return FaceBasis(
                    stored["mean"],
                    stored["components"],
                    int(stored["mouth_count"]),
                    stored["triangles"],
                    stored["turn"],
                )
        except (OSError, EOFError, BadZipFile, ValueError, KeyError) as error:
            raise WeightsError(f"{source}: not a face basis ({error})") from error

    def save(self, path: Path) -> None:
        """Write as a compressed archive of plain arrays."""
        save_arrays(
            path, format=FORMAT, mean=self.mean, components=self.components,
            mouth_count=self.mouth_count, triangles=self.triangles, turn=self.turn,
        )  # fmt: skip

    @property
    def mouth(self) -> NDArray[np.float32]:
        """(M, 478, 3) components of the ``mouth`` block."""
        return self.components[: self.mouth_count]

    @property
    def upper(self) -> NDArray[np.float32]:
        """(U, 478, 3) components of the ``upper`` block."""
        return self.components[self.mouth_count :]

    @cached_property
    def _solver(self) -> NDArray[np.float32]:
        flat = self.components.reshape(len(self.components), -1).astype(np.float64)
        ridge = 1e-3 * np.trace(flat @ flat.T) / len(flat)
        return np.linalg.solve(flat @ flat.T + ridge * np.eye(len(flat)), flat).astype(np.float32)

    def coefficients(self, displacement: NDArray[np.floating]) -> NDArray[np.float32]:
        """Coefficients (T, M + U) that best explain displacements (T, 478, 3) from the person's neutral face."""
        flat = displacement.reshape(len(displacement), -1).astype(np.float32)
        # Not a matrix product: called for every frame, BLAS would leave threads spinning beside the renderer's.
        return np.einsum("tp,kp->tk", flat, self._solver)

    def unturned(
        self, coefficients: NDArray[np.floating], angles: NDArray[np.floating]
    ) -> NDArray[np.float64]:
        """Coefficients (T, M + U) without what the turn of the head, angles (T, 3) in degrees, adds to them."""
        return np.asarray(coefficients, np.float64) - np.asarray(angles, np.float64) @ self.turn

    def displacement(self, coefficients: NDArray[np.floating]) -> NDArray[np.float32]:
        """Displacements (T, 478, 3), face heights, of coefficients (T, M), (T, M + U) or fewer: missing ones are 0."""
        used = self.components[: coefficients.shape[1]]
        return np.einsum("tk,kpd->tpd", coefficients.astype(np.float32), used)

    def shape(self, coefficients: NDArray[np.floating]) -> NDArray[np.float32]:
        """Coefficients (..., M + U) scaled so that distances are root mean square displacements, in face heights."""
        size = np.sqrt((self.components**2).sum(axis=2).mean(axis=1))
        return np.asarray(coefficients * size, np.float32)


def mouth_weight(mean: NDArray[np.floating]) -> NDArray[np.float32]:
    """(478,) share of every vertex in the ``mouth`` block, 0..1, by its height in the mean face."""
    share = smooth_step(mean[:, 1], _UPPER_ENDS, _MOUTH_BEGINS).astype(np.float32)
    share[list(IRIS_LEFT + IRIS_RIGHT)] = 0
    return share


def normalise(mesh: NDArray[np.floating]) -> NDArray[np.float64]:
    """A mesh (478, 3) brought to the head frame's unit and origin: height 1, rigid points centred."""
    centred = np.asarray(mesh, np.float64) - mesh[list(RIGID)].mean(axis=0)
    return centred / np.linalg.norm(centred[HAIRLINE] - centred[CHIN])


def frontal(mesh: NDArray[np.floating]) -> NDArray[np.float64]:
    """A mesh turned so that its halves mirror each other and hairline and chin are equally deep: defines the axes."""
    across = np.zeros(3)
    for left, right in ((33, 263), (133, 362), (61, 291), (127, 356), (234, 454), (172, 397)):
        across += mesh[right] - mesh[left]
    x = across / np.linalg.norm(across)
    down = mesh[CHIN] - mesh[HAIRLINE]
    y = down - (down @ x) * x
    y /= np.linalg.norm(y)
    return normalise(np.asarray(mesh, np.float64) @ np.stack([x, y, np.cross(x, y)], axis=1))


def mean_face(neutrals: list[NDArray[np.floating]], rounds: int = 5) -> NDArray[np.float64]:
    """Generalised Procrustes mean of neutral meshes (478, 3) of several people, made symmetric in pose by `frontal`."""
    mean = frontal(neutrals[0])
    for _ in range(rounds):
        stack = np.asarray(neutrals)
        mean = frontal(fit_pose(mean, stack).unproject(stack).mean(axis=0))
    return mean


def learn_basis(
    mean: NDArray[np.floating],
    displacements: list[NDArray[np.floating]],
    triangles: NDArray[np.int32],
) -> FaceBasis:
    """Principal components of expression from displacements (T, 478, 3) of several people, who count equally.

    Components are centred on the neutral face, not on the mean expression: zero coefficients are a neutral face.
    """
    share = mouth_weight(mean)
    emphasis = np.ones(MESH_POINTS)
    emphasis[list(LIPS_OUTER)] = _LIP_EMPHASIS
    emphasis[list(FACE_OVAL)] = 0.5
    blocks = []
    for weight, count in ((share, MOUTH_COMPONENTS), (1 - share, UPPER_COMPONENTS)):
        scaled = weight * emphasis
        covariance = np.zeros((MESH_POINTS * 3,) * 2)
        for person in displacements:
            rows = (person * scaled[None, :, None]).reshape(len(person), -1).astype(np.float64)
            covariance += rows.T @ rows / len(rows) / len(displacements)
        values, vectors = np.linalg.eigh(covariance)
        top = np.argsort(values)[::-1][:count]
        components = (vectors[:, top] * np.sqrt(values[top])).T.reshape(count, MESH_POINTS, 3)
        blocks.append(components / emphasis[None, :, None])
    components = np.concatenate(blocks).astype(np.float32)
    still = np.zeros((3, len(components)), np.float32)
    return FaceBasis(np.asarray(mean, np.float32), components, MOUTH_COMPONENTS, triangles, still)


def learn_turn(
    recordings: Iterable[tuple[NDArray[np.floating], NDArray[np.floating], NDArray[np.floating]]],
    ridge: float = 0.5,
) -> NDArray[np.float32]:
    """:attr:`FaceBasis.turn` from angles (T, 3), degrees, coefficients (T, M + U) and mouths (T, C) of recordings.

    Regression inside every recording on the angles and on what the mouth does (in percent of face height) at once:
    people nod as they speak. Few recordings say more about those people than about the tracker: take those of many
    whose heads move. Every recording counts equally; ``ridge`` is in the squares of these units.
    """
    square, both = np.zeros((0, 0)), np.zeros((0, 0))
    for angles, coefficients, mouth in recordings:
        causes = np.concatenate([angles, mouth], axis=1, dtype=np.float64)
        causes -= causes.mean(axis=0)
        effects = coefficients - coefficients.mean(axis=0)
        square = causes.T @ causes / len(causes) + (square if square.size else 0)
        both = causes.T @ effects / len(causes) + (both if both.size else 0)
    return np.asarray(np.linalg.solve(square + ridge * np.eye(len(square)), both)[:3], np.float32)
