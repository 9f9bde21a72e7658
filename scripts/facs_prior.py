"""The prior of the emotions' faces: facial action units on the ICT-FaceKit head, carried over to the tracked mesh.

    python scripts/facs_prior.py ict_facekit.npz ict_vertex_indices.json -o prior.npz

The head model (MIT licence) is not part of this project; what comes out are 36 coefficients for each label.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from scipy.interpolate import RBFInterpolator
from scipy.spatial import cKDTree

from evp.face.basis import FaceBasis
from evp.face.layouts import IRIS_LEFT, IRIS_RIGHT, from_mesh
from evp.face.pose import fit_similarity
from evp.motion.expression import ExpressionModel

SKIN_VERTICES = 9409
"""The first vertices of the head model are the skin of face and head."""
TO_HEAD_FRAME = np.array([1.0, -1.0, -1.0])
"""The head model's y points up and its z to the viewer."""

PROTOTYPES: dict[str, dict[str, float]] = {
    "neutral": {},
    "angry": {"browDown": 1, "eyeWide": 0.5, "eyeSquint": 0.4, "noseSneer": 0.3, "mouthPress": 0.3,
              "mouthUpperUp": 0.25, "mouthLowerDown": 0.3, "jawOpen": 0.08},
    "contempt": {"browOuterUp": 0.15, "browOuterUp_L": 0.25, "mouthSmile_L": 0.25, "mouthDimple_L": 0.6,
                 "mouthUpperUp_L": 0.35, "noseSneer_L": 0.2, "eyeSquint": 0.2, "mouthLeft": 0.3},
    "disgusted": {"browDown": 0.5, "noseSneer": 1.2, "mouthUpperUp": 0.8, "mouthFrown": 0.4, "eyeSquint": 0.6,
                  "cheekRaiser": 0.5, "mouthStretch": 0.3, "mouthLowerDown": 0.3},
    "fear": {"browInnerUp": 1, "browOuterUp": 0.2, "browDown": 0.2, "eyeWide": 0.8, "mouthStretch": 0.8,
             "jawOpen": 0.1},
    "happy": {"mouthSmile": 0.8, "cheekRaiser": 0.6, "cheekSquint": 0.6, "eyeSquint": 0.3, "browInnerUp": 0.15,
              "browOuterUp": 0.15, "mouthUpperUp": 0.2},
    "sad": {"browInnerUp": 1, "browDown": 0.3, "mouthFrown": 0.7, "eyeSquint": 0.4, "mouthShrugLower": 0.4,
            "mouthRollUpper": 0.1},
    "surprised": {"browInnerUp": 1, "browOuterUp": 1, "eyeWide": 1, "jawOpen": 0.2},
    "calm": {"mouthSmile": 0.3, "eyeSquint": 0.25, "browInnerUp": 0.1},
}  # fmt: skip
"""Label -> weights of the head model's shapes (a name without side means both), after Ekman and Friesen's prototypes.

Contempt pulls the side of the mouth that is on the right of the picture.
"""


def prior(head: Path, indices: Path, basis: FaceBasis) -> ExpressionModel:
    """The prototypes as expression coefficients of ``basis``."""
    with np.load(head) as stored:
        neutral, moves = stored["neutral"] * TO_HEAD_FRAME, stored["expressions"] * TO_HEAD_FRAME
        names = [str(name) for name in stored["expression_names"]]
    landmarks = np.array(json.loads(indices.read_text())["idx_to_landmark_verts"])
    mean = basis.mean.astype(np.float64)
    chosen = np.r_[17:68, 8]  # not the jaw line, which the two layouts place differently
    ours, theirs = from_mesh(basis.mean, "ibug68")[chosen].astype(np.float64), neutral[landmarks[chosen]]
    pose = fit_similarity(theirs, ours[None])
    vertices = pose.project(neutral[None, :SKIN_VERTICES])[0]
    warp = RBFInterpolator(ours, pose.project(theirs[None])[0], smoothing=1e-4)
    _, nearest = cKDTree(vertices).query(warp(mean))
    moved = pose.project((neutral + moves)[:, :SKIN_VERTICES].reshape(1, -1, 3)).reshape(len(moves), -1, 3)
    shapes = dict(zip(names, (moved - vertices)[:, nearest], strict=True))
    faces = []
    for weights in PROTOTYPES.values():
        face = np.zeros_like(mean)
        for name, weight in weights.items():
            for shape in (name, f"{name}_L", f"{name}_R"):
                face += weight * shapes.get(shape, np.zeros_like(face))
        face[list(IRIS_LEFT + IRIS_RIGHT)] = 0
        faces.append(basis.coefficients(face[None])[0])
    whole = np.stack(faces)
    openness, jaw = np.ones(len(whole), np.float32), np.zeros(basis.mouth_count, np.float32)
    return ExpressionModel(tuple(PROTOTYPES), whole, openness, jaw, whole, basis)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("head", type=Path)
    parser.add_argument("indices", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    arguments = parser.parse_args()
    prior(arguments.head, arguments.indices, FaceBasis.load()).save(arguments.output)


if __name__ == "__main__":
    main()
