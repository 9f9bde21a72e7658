import numpy as np

from evp.face.basis import FaceBasis
from evp.face.layouts import mouth_opening
from evp.motion.model import MotionModel
from evp.motion.opening import heard_opening


def test_silence_leaves_the_mouth_of_the_mean_face_as_it_is():
    basis = FaceBasis.load()
    opening = heard_opening(np.zeros(16000, np.float32), MotionModel.load(), basis)
    np.testing.assert_allclose(opening, mouth_opening(basis.mean), atol=1e-6)
    assert opening.shape == (25,)


class Planted:
    """Stands in for the motion model: the mouth opens and closes."""

    def predict(self, waveform: np.ndarray) -> np.ndarray:
        return np.outer(np.abs(np.sin(np.arange(len(waveform) // 640))), np.eye(20)[0])


def test_motion_becomes_opening():
    basis = FaceBasis.load()
    opening = heard_opening(np.zeros(16000, np.float32), Planted(), basis)
    change = mouth_opening(basis.mean + basis.components[0]) - mouth_opening(basis.mean)
    np.testing.assert_allclose(
        opening - mouth_opening(basis.mean), change * np.abs(np.sin(np.arange(25))), atol=1e-3
    )
