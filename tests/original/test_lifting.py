"""What moved a 3-D face is told from its 106 points in the picture."""

import numpy as np
import pytest

from evp.errors import InputError
from evp.face.basis import FaceBasis
from evp.face.layouts import from_mesh, mouth_opening, mouth_width
from evp.motion.facial import FacialMotion
from evp.original.lifting import motion_from_landmarks, motion_from_speech, rest_face
from evp.portrait.perform import perform
from evp.smoothing import smooth_in_time
from tiny import portrait, random_poses


def planted(frames: int = 60, seed: int = 0, turned: float = 8):
    """Coefficients of a talking face, the person's own neutral face, and its landmarks as fractions of a crop."""
    random = np.random.default_rng(seed)
    basis = FaceBasis.load()
    moving = smooth_in_time(random.normal(size=(frames, len(basis.components))), 2.0) * 2.5
    moving[: frames // 4] = 0  # a pause
    stretch = np.array([1.08, 0.95, 1.1])
    neutral = basis.mean * stretch
    pose = random_poses(frames, random, most=turned)
    pose = type(pose)(np.full(frames, 0.65), pose.rotation, np.tile([0.5, 0.3, 0.0], (frames, 1)))
    mesh = pose.project(neutral + basis.displacement(moving))
    return basis, moving, from_mesh(mesh.astype(np.float32), "evp106")[..., :2]


def test_the_expression_is_found_again():
    basis, moving, landmarks = planted()
    found = motion_from_landmarks(landmarks, rest_face(landmarks[:10]))
    assert found.shape == moving.shape
    wanted, got = basis.mean + basis.displacement(moving), basis.mean + basis.displacement(found)
    for measure in (mouth_opening, mouth_width):
        assert np.corrcoef(measure(wanted), measure(got))[0, 1] > 0.95
    off = np.linalg.norm(from_mesh(got - wanted, "evp106")[..., :2], axis=2)
    moved = np.linalg.norm(from_mesh(wanted - basis.mean, "evp106")[..., :2], axis=2)
    assert np.sqrt((off**2).mean()) < 0.4 * np.sqrt((moved**2).mean())
    assert np.abs(found[: len(found) // 4]).max() < 0.6  # at rest


def test_rest_is_the_closed_mouth_wherever_the_face_is():
    _, _, landmarks = planted(turned=0)
    moved = landmarks + np.linspace(0, 0.2, len(landmarks))[:, None, None]
    rest = rest_face(moved)
    assert np.abs(rest - rest.mean(axis=0) - (landmarks[5] - landmarks[5].mean(axis=0))).max() < 0.02


def test_a_portrait_performs_it():
    person, motion = portrait(), Spoken()
    wanted = motion_from_speech(np.zeros(62 * 640, np.float32), motion, motion.features["happy"])
    frames = list(perform(person, map(FacialMotion, wanted)))
    assert len(frames) == 62
    assert {frame.shape for frame in frames} == {(*person.manifest.size, 3)}


def test_other_layouts_are_refused():
    landmarks = planted(frames=4)[2]
    with pytest.raises(InputError, match="landmarks"):
        motion_from_landmarks(landmarks[:, :68], landmarks[0])


class Spoken:
    """An imported network that knows two emotions: neutral speech, and the same with a shifted mouth."""

    features = {"neutral": np.zeros(128, np.float32), "happy": np.ones(128, np.float32)}  # noqa: RUF012

    def __init__(self):
        self.landmarks = planted()[2]

    def predict(self, _, emotion):
        smiling = self.landmarks.copy()
        smiling[:, [84, 90], 1] -= 0.02 * emotion[0]
        return smiling


def test_speech_gives_a_frame_for_every_frame_of_sound_and_a_smile_stays_one(monkeypatch):
    motion = Spoken()
    speech = np.zeros(62 * 640, np.float32)
    neutral = motion_from_speech(speech, motion, motion.features["neutral"])
    happy = motion_from_speech(speech, motion, motion.features["happy"])
    assert len(neutral) == len(happy) == 62
    np.testing.assert_array_equal(neutral[59], neutral[61])
    basis = FaceBasis.load()
    corners = from_mesh(basis.displacement(happy - neutral), "evp106")[:60, [84, 90], 1]
    assert (corners.mean(axis=0) < -0.005).all()
    monkeypatch.setattr(Spoken, "features", {})
    alone = motion_from_speech(speech, motion, np.ones(128, np.float32))
    assert np.abs(alone[:10]).max() < np.abs(happy[:10]).max()
