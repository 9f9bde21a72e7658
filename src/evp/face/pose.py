"""Head pose: a similarity between the head frame and the picture (EVP: l_p = s * Pr * R * L + t).

Head frame: x to the right of the picture, y down, z away from the camera, when the head looks straight into
it; unit: height of the neutral face; origin: centroid of the rigid points. Picture frame: pixels, the same
axes; z is in pixels too (weak perspective: projecting drops it). Both frames are right-handed.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evp.face.layouts import RIGID

_RIGID = list(RIGID)


@dataclass(frozen=True)
class Pose:
    """Poses of a head in T frames: picture = scale * rotation @ head + shift."""

    scale: NDArray[np.float64]
    """(T,) pixels per face height."""
    rotation: NDArray[np.float64]
    """(T, 3, 3) proper rotations."""
    shift: NDArray[np.float64]
    """(T, 3) pixels."""

    def __len__(self) -> int:
        return len(self.scale)

    def __getitem__(self, frames: slice | NDArray[np.int_]) -> "Pose":
        return Pose(self.scale[frames], self.rotation[frames], self.shift[frames])

    def project(self, head: NDArray[np.floating]) -> NDArray[np.float64]:
        """Points (T or 1, P, 3) of the head frame in the picture: (T, P, 3) pixels."""
        turned = np.einsum(
            "tij,tpj->tpi", self.rotation, np.broadcast_to(head, (len(self), *head.shape[-2:]))
        )
        return self.scale[:, None, None] * turned + self.shift[:, None]

    def unproject(self, picture: NDArray[np.floating]) -> NDArray[np.float64]:
        """Points (T, P, 3) of the picture in the head frame: the inverse of :meth:`project`."""
        centred = (picture - self.shift[:, None]) / self.scale[:, None, None]
        return np.einsum("tji,tpj->tpi", self.rotation, centred)

    def angles(self) -> NDArray[np.float64]:
        """(T, 3) yaw, pitch, roll in degrees: turning to the right, nodding down, tilting clockwise are positive."""
        r = self.rotation
        yaw = np.arctan2(-r[:, 0, 2], r[:, 2, 2])
        pitch = np.arcsin(np.clip(-r[:, 1, 2], -1, 1))
        roll = np.arctan2(r[:, 1, 0], r[:, 1, 1])
        return np.degrees(np.stack([yaw, pitch, roll], axis=1))


def fit_pose(head: NDArray[np.floating], picture: NDArray[np.floating]) -> Pose:
    """The poses that bring a head mesh (478, 3) onto picture meshes (T, 478, 3), by the rigid points alone."""
    return fit_similarity(np.asarray(head)[_RIGID], np.asarray(picture)[:, _RIGID])


def fit_similarity(source: NDArray[np.floating], target: NDArray[np.floating]) -> Pose:
    """The poses that bring points (P, 3) onto points (T, P, 3): least squares in closed form (Umeyama 1991)."""
    source, target = np.asarray(source, np.float64), np.asarray(target, np.float64)
    source_centre = source.mean(axis=0)
    target_centre = target.mean(axis=1)
    source = source - source_centre
    u, s, vt = np.linalg.svd(np.einsum("tpi,pj->tij", target - target_centre[:, None], source))
    sign = np.ones((len(target), 3))
    sign[:, 2] = np.sign(np.linalg.det(u) * np.linalg.det(vt))
    rotation = (u * sign[:, None]) @ vt
    scale = (s * sign).sum(axis=1) / (source**2).sum()
    shift = target_centre - scale[:, None] * (rotation @ source_centre)
    return Pose(scale, rotation, shift)
