import numpy as np

from evp.face.alignment import Aligner
from evp.face.basis import FaceBasis
from tiny import actor


def aligner() -> Aligner:
    return Aligner.of(FaceBasis.load(), actor(12).head)


def test_own_expression_gives_the_tracked_face():
    own, landmarks = aligner(), actor(12).landmarks
    for frame in (0, 7, 11):
        for count in (0, 20, 36):
            np.testing.assert_allclose(
                own.align(frame, own.coefficients[frame, :count]), landmarks[frame], atol=1e-3
            )


def test_new_expression_moves_the_face_under_its_own_pose():
    own, person, basis = aligner(), actor(12), FaceBasis.load()
    frame, wanted = 5, own.coefficients[5, :20] + np.linspace(-1, 1, 20, dtype=np.float32)
    change = basis.displacement((wanted - own.coefficients[5, :20])[None])[0]
    pose = person.head.pose
    expected = pose.scale[frame] * change @ pose.rotation[frame].T + person.landmarks[frame]
    np.testing.assert_allclose(own.align(frame, wanted), expected, atol=1e-3)


def test_what_the_basis_cannot_say_is_kept():
    person = actor(12)
    scar = np.zeros_like(person.head.displacement)
    scar[:, 205, 2] = 0.001
    head = type(person.head)(person.head.neutral, person.head.pose, person.head.displacement + scar)
    own = Aligner.of(FaceBasis.load(), head)
    made = own.align(3, np.zeros(20, np.float32))
    without = Aligner(FaceBasis.load(), person.head, own.coefficients).align(3, np.zeros(20, np.float32))
    kept = head.pose[3:4].unproject(made[None])[0] - head.pose[3:4].unproject(without[None])[0]
    np.testing.assert_allclose(kept, scar[3], atol=1e-5)


def test_what_is_added_comes_on_top_under_the_pose():
    own, person = aligner(), actor(12)
    frame, wanted = 7, np.linspace(-1, 1, 20, dtype=np.float32)
    added = np.random.default_rng(0).normal(0, 0.02, own.basis.mean.shape).astype(np.float32)
    pose = person.head.pose
    turned = pose.scale[frame] * added @ pose.rotation[frame].T
    np.testing.assert_allclose(own.align(frame, wanted, added), own.align(frame, wanted) + turned, atol=1e-3)


def test_nothing_added_changes_no_bit():
    own, wanted = aligner(), np.linspace(-1, 1, 20, dtype=np.float32)
    nothing = np.zeros_like(own.basis.mean)
    np.testing.assert_array_equal(own.align(4, wanted, nothing), own.align(4, wanted))
