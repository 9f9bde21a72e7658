"""How far the mouth opens with a sound: what tells whether sound and picture are in step."""

import numpy as np
from numpy.typing import NDArray

from evp.face.basis import FaceBasis
from evp.face.layouts import mouth_opening
from evp.motion.model import MotionModel


def heard_opening(
    waveform: NDArray[np.floating], model: MotionModel, basis: FaceBasis
) -> NDArray[np.floating]:
    """Mouth opening (frames,), face heights, with which the mean face says ``waveform`` (samples,)."""
    return mouth_opening(basis.mean + basis.displacement(model.predict(waveform)))
