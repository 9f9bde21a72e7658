"""Where the posed head lies in the world and in the picture.

Blender's world here is decimetres, x to the actor's left, y away from the camera, z up; the mesh has centimetres, x to
the actor's left, y up, z out of the face.
"""

import numpy as np
from numpy.typing import NDArray
from regions import Array, smoothstep

FOCAL_LENGTH = 85.0
"""Millimetres, on a sensor 36 mm wide."""
CAMERA_DISTANCE = 9.2
"""Decimetres from the origin of the head."""
CAMERA_HEIGHT = 0.10
SENSOR = 36.0
NECK_PIVOT = np.array([0.0, -8.0, -2.0], np.float32)
"""Centimetres, in the neutral head: the head turns about this point."""


def to_blender(points: Array) -> Array:
    """Centimetres of the mesh (..., 3) to the world here."""
    return 0.1 * np.stack([points[..., 0], -points[..., 2], points[..., 1]], -1).astype(np.float32)


def project(points: Array, size: int) -> Array:
    """Where mesh points (..., 3), after pose, appear: (..., 2) pixels, x right, y down, pixel centres at .5."""
    world = to_blender(points)
    depth = world[..., 1] + CAMERA_DISTANCE
    scale = size * FOCAL_LENGTH / SENSOR
    across, up = world[..., 0], world[..., 2] - CAMERA_HEIGHT
    return size / 2 + scale * np.stack([across, -up], -1) / depth[..., None]


def rotation(turn: Array) -> Array:
    """Rotation matrices (..., 3, 3) of rotation vectors (..., 3), radians, in mesh axes."""
    angle = np.linalg.norm(turn, axis=-1)[..., None, None]
    x, y, z = np.moveaxis(turn / np.maximum(angle[..., 0], 1e-9), -1, 0)
    zero = np.zeros_like(x)
    cross = np.stack(
        [np.stack([zero, -z, y], -1), np.stack([z, zero, -x], -1), np.stack([-y, x, zero], -1)], -2
    )
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def head_matrix(turn: Array, shift: Array) -> NDArray[np.float64]:
    """The same movement as `posed` gives the skull, as one matrix (4, 4)."""
    matrix = np.eye(4)
    matrix[:3, :3] = rotation(turn)
    matrix[:3, 3] = NECK_PIVOT + shift - matrix[:3, :3] @ NECK_PIVOT
    return matrix


def posed(points: Array, turn: Array, shift: Array, follow: Array | None = None) -> Array:
    """Mesh points (n, 3) after the head has turned by a rotation vector and moved by `shift` centimetres.

    `follow` (n,) says how far each point goes along: 1 on the skull, 0 at the shoulders.
    """
    share = np.ones(len(points), np.float32) if follow is None else follow
    turned = np.einsum("nij,nj->ni", rotation(share[:, None] * turn), points - NECK_PIVOT)
    return (turned + NECK_PIVOT + share[:, None] * shift).astype(np.float32)


def neck_share(neutral: Array) -> Array:
    """How far each vertex follows the head: the neck bends evenly between skull and shoulders."""
    return smoothstep(-12.5, -5.0, neutral[:, 1] + 0.35 * neutral[:, 2])
