"""Learning the face basis from a prepared corpus."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evp.corpora.archives import filmed_by_speaker, open_archive
from evp.face.basis import FaceBasis, learn_basis, learn_turn, mean_face
from evp.face.layouts import mouth_opening, mouth_width
from evp.face.pose import fit_pose

_MOST_FRAMES = 4000
"""Frames of one person that are looked at."""


def train_basis(corpus: Path, output: Path) -> FaceBasis:
    """Mean face and expression components of the people of a corpus, who count equally, and what turning heads do to
    them, written to ``output``.

    The triangles are the packaged basis's. Raises InputError when the folder is not a prepared corpus or nobody is
    filmed.
    """
    neutrals, displacements = [], []
    for paths in filmed_by_speaker(corpus).values():
        meshes = []
        for path in paths:
            with open_archive(path) as stored:
                neutral = stored["neutral"]
                meshes.append(stored["landmarks"][stored["valid"]])
        frames = np.concatenate(meshes)
        neutrals.append(neutral)
        displacements.append(frames[:: -(-len(frames) // _MOST_FRAMES)] - neutral)
    mean = mean_face(neutrals)
    turned = [
        displacement @ fit_pose(mean, neutral[None]).rotation[0]
        for displacement, neutral in zip(displacements, neutrals, strict=True)
    ]
    basis = learn_basis(mean, turned, FaceBasis.load().triangles)
    basis = replace(basis, turn=learn_turn(_recordings(corpus, basis)))
    basis.save(output)
    return basis


def _recordings(
    corpus: Path, basis: FaceBasis
) -> Iterator[tuple[NDArray[np.floating], NDArray[np.floating], NDArray[np.floating]]]:
    """Angles (T, 3), coefficients (T, M + U), and opening and width of the mouth (T, 2) of every filmed recording."""
    for paths in filmed_by_speaker(corpus).values():
        for path in paths:
            with open_archive(path) as stored:
                valid = stored["valid"]
                angles, meshes = stored["angles"][valid], stored["landmarks"][valid]
                mouth = 100 * np.stack([mouth_opening(meshes), mouth_width(meshes)], axis=1)
                yield angles, basis.coefficients(meshes - stored["neutral"]), mouth
