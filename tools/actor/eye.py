"""Paints the eye: fibres and limbal ring of the iris, and a white that is not white."""

import numpy as np
from mesh import EYE_RADIUS
from regions import Array, noise, smoothstep
from skin import srgb

IRIS_RADIUS = 0.60
"""Centimetres, as the pupil's; on an eyeball of FaceKit's size."""
PUPIL_RADIUS = 0.23


def iris_and_white(seed: int, size: int = 1024) -> Array:
    """The front half of the eyeball as seen from straight ahead: (size, size, 3) linear light, bottom row first."""
    x, y = np.meshgrid(*[np.linspace(-EYE_RADIUS, EYE_RADIUS, size, dtype=np.float32)] * 2)
    radius, angle = np.hypot(x, y), np.arctan2(y, x)

    def rays(count: float, along: float, at: int) -> Array:
        points = np.stack([np.cos(angle) * count, np.sin(angle) * count, radius * along], -1)
        return noise(points, 1.0, seed + at)

    depth = np.clip((radius - PUPIL_RADIUS) / (IRIS_RADIUS - PUPIL_RADIUS), 0, 1)
    fibres = 0.55 * rays(9, 1.5, 0) + 0.45 * rays(22, 2.5, 1)
    inner, outer = srgb(104, 80, 54), srgb(72, 84, 78)
    collarette = smoothstep(0.75, 0.05, depth + 0.22 * rays(7, 1, 2))[..., None]
    iris = inner * collarette + outer * (1 - collarette)
    iris = iris * (1 + 0.55 * fibres[..., None]) * (0.65 + 0.55 * np.sin(np.pi * depth))[..., None]
    iris = iris * (1 - 0.75 * smoothstep(0.80, 1.0, depth))[..., None]
    iris = iris * smoothstep(PUPIL_RADIUS - 0.015, PUPIL_RADIUS + 0.03, radius)[..., None]

    white = np.broadcast_to(srgb(232, 222, 214), iris.shape)
    far = smoothstep(0.75, 1.5, radius)
    points = np.stack([x, y, np.zeros_like(x)], -1)
    veins = np.exp(
        -((noise(points + 0.15 * noise(points, 0.2, seed + 5)[..., None], 0.33, seed + 6) / 0.055) ** 2)
    )
    veins *= np.clip(0.5 + noise(points, 0.5, seed + 7), 0, 1) * far
    white = white * (1 - (0.35 * veins + 0.20 * far)[..., None] * np.array([0.25, 1.0, 1.0], np.float32))
    limbus = smoothstep(IRIS_RADIUS + 0.06, IRIS_RADIUS - 0.06, radius)[..., None]
    return np.clip(iris * limbus + white * (1 - limbus), 0.001, 1).astype(np.float32)
