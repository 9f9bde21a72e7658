"""The ICT-FaceKit head: one identity mixed from its modes, deformed by ARKit-style expression weights.

Vertices are centimetres, x to the actor's left, y up, z out of the face, as in the download.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

PARTS = {
    "skin": slice(0, 11248),
    "mouth_socket": slice(11248, 13294),
    "eye_sockets": slice(13294, 14062),
    "gums_and_tongue": slice(14062, 17039),
    "teeth": slice(17039, 21451),
    "left_eye": slice(21451, 23021),
    "right_eye": slice(23021, 24591),
    "tears": slice(24591, 24999),
}
"""Vertex ranges of the FaceKit topology."""

LASH_CARDS = tuple(slice(start, start + 114) for start in range(25351, 26719, 114))
"""Strips that carry the lashes: three upper and three lower ones of the left eye, then of the right eye."""

EYES_AT = np.array([3.1098, 3.6048, 7.9], np.float32)
"""Centre of the left eyeball of the mean head, from a sphere fitted to its white."""
EYE_RADIUS = 1.545
MEAN_CORNEA = 9.6476


@dataclass(frozen=True)
class Head:
    """One person: a neutral mesh and what each expression shape adds to it."""

    neutral: NDArray[np.float32]
    """(vertices, 3)"""
    shapes: NDArray[np.float32]
    """(shapes, vertices, 3) displacement at weight 1"""
    shape_names: tuple[str, ...]
    faces: NDArray[np.int32]
    """(faces, 4) vertex numbers; a triangle has -1 in the last column"""
    uv: NDArray[np.float32]
    uv_faces: NDArray[np.int32]
    landmarks: NDArray[np.int64]
    """(68,) vertices of the classic face landmarks"""

    @classmethod
    def open(cls, mesh: Path, landmarks: Path, identity: NDArray[np.float32]) -> Self:
        """Mix the person with the given identity weights (modes,), in standard deviations."""
        with np.load(mesh, allow_pickle=False) as data:
            modes = data["identities"][: len(identity)].astype(np.float32)
            return cls(
                neutral=data["neutral"] + np.tensordot(identity, modes, 1).astype(np.float32),
                shapes=data["expressions"].astype(np.float32),
                shape_names=tuple(str(name) for name in data["expression_names"]),
                faces=data["faces"],
                uv=data["uv"],
                uv_faces=data["uv_faces"],
                landmarks=np.array(json.loads(landmarks.read_text())["idx_to_landmark_verts"]),
            )

    def deform(self, weights: NDArray[np.float32]) -> NDArray[np.float32]:
        """The mesh (vertices, 3) under expression weights (shapes,)."""
        active = np.flatnonzero(weights)
        return self.neutral + np.tensordot(weights[active], self.shapes[active], 1).astype(np.float32)

    def part(self, name: str) -> NDArray[np.bool_]:
        """Which faces (faces,) belong to a part."""
        inside = PARTS[name]
        return (self.faces[:, 0] >= inside.start) & (self.faces[:, 0] < inside.stop)

    def eye_centre(self, *, left: bool) -> NDArray[np.float32]:
        """Centre of an eyeball of this identity (3,)."""
        eye = self.neutral[PARTS["left_eye" if left else "right_eye"]]
        middle = (eye.min(0) + eye.max(0)) / 2
        return np.array([middle[0], middle[1], eye[:, 2].max() - MEAN_CORNEA + EYES_AT[2]], np.float32)
