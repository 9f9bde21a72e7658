"""Learning the face basis from a prepared corpus."""

from pathlib import Path

import numpy as np

from evp.corpora.manifest import Manifest
from evp.face.basis import FaceBasis, learn_basis, mean_face
from evp.face.pose import fit_pose

_MOST_FRAMES = 4000
"""Frames of one person that are looked at."""


def train_basis(corpus: Path, output: Path) -> FaceBasis:
    """Mean face and expression components of the people of a corpus, who count equally, written to ``output``.

    The triangles are the packaged basis's. Raises InputError when the folder is not a prepared corpus.
    """
    neutrals, displacements = [], []
    for paths in Manifest.read(corpus).clips_by_speaker(corpus).values():
        meshes = []
        for path in paths:
            with np.load(path) as stored:
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
    basis.save(output)
    return basis
