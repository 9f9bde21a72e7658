"""New expressions under the target's own pose (EVP section 3.3: l_p = s_t * Pr * R_t * L3d_p + t_t)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evp.face.basis import FaceBasis
from evp.face.head import Head


@dataclass(frozen=True)
class Aligner:
    """Puts expression coefficients on a tracked head, frame by frame."""

    basis: FaceBasis
    head: Head
    coefficients: NDArray[np.float32]
    """(T, M + U) the target's own expression."""

    @staticmethod
    def of(basis: FaceBasis, head: Head) -> "Aligner":
        """For one tracked head."""
        return Aligner(basis, head, basis.coefficients(head.displacement))

    def align(
        self, frame: int, wanted: NDArray[np.floating], added: NDArray[np.floating] | None = None
    ) -> NDArray[np.float32]:
        """The face (478, 3), picture pixels, of the target's ``frame`` with other expression coefficients.

        ``wanted`` (K,): the first K coefficients are replaced, so M of them leave brows, lids and gaze the target's
        own. What the basis cannot say of the target's own face is kept. ``added`` (478, 3), face heights, comes on top.
        """
        wanted = np.asarray(wanted, np.float32)
        change = wanted - self.coefficients[frame, : len(wanted)]
        displacement = self.head.displacement[frame] + self.basis.displacement(change[None])[0]
        if added is not None:
            displacement = displacement + added
        return (
            self.head.pose[frame : frame + 1].project(self.head.neutral + displacement)[0].astype(np.float32)
        )
