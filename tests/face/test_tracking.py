from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from evp.errors import FaceError
from evp.face import tracking
from evp.face.basis import FaceBasis
from evp.face.layouts import MESH_POINTS, face_height
from evp.face.pose import Pose, fit_pose
from evp.face.tracking import MIN_FACE_HEIGHT, Track, steady, track_faces
from evp.media import read_frames
from tiny import rotation

TALK = Path(__file__).parents[3] / "shared" / "data" / "talk" / "RD_Radio2_000.mp4"


def face(x: float = 200, y: float = 150, height: float = 150, yaw: float = 0) -> np.ndarray:
    """A mesh (478, 3) at a place of the picture."""
    pose = Pose(np.array([height]), rotation(yaw)[None], np.array([[x, y, 0.0]]))
    return pose.project(FaceBasis.load().mean)[0].astype(np.float32)


class Script:
    """Stands in for the detector: the faces of every picture are written down."""

    def __init__(self, found: list[list[np.ndarray]]) -> None:
        self._found = iter(found)

    def __call__(self) -> "Script":
        return self

    def __enter__(self) -> "Script":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def faces(self, _: np.ndarray) -> list[np.ndarray]:
        return next(self._found, [])


def track(
    monkeypatch: pytest.MonkeyPatch, found: list[list[np.ndarray]], pictures: list[np.ndarray] | None = None
) -> Track:
    monkeypatch.setattr(tracking, "_Detector", Script(found))
    return track_faces(pictures or [np.zeros((300, 400, 3), np.uint8)] * len(found))


def test_the_largest_face_is_followed_whatever_the_order(monkeypatch: pytest.MonkeyPatch):
    large, small = [face(100 + n) for n in range(20)], [face(300 - n, height=100) for n in range(20)]
    found = [[a, b] if n % 2 else [b, a] for n, (a, b) in enumerate(zip(large, small, strict=True))]
    tracked = track(monkeypatch, found)
    np.testing.assert_array_equal(tracked.landmarks, np.stack(large))
    assert tracked.valid.all()
    assert tracked.size == (300, 400)
    assert len(tracked) == 20


def test_a_steady_face_is_followed_and_not_a_larger_one_that_passes(monkeypatch: pytest.MonkeyPatch):
    steady_face, passing = face(100, height=120), face(300, height=200)
    found = [[steady_face, passing] if 5 <= n < 8 else [steady_face] for n in range(30)]
    np.testing.assert_array_equal(track(monkeypatch, found).landmarks, np.stack([steady_face] * 30))


def test_a_large_face_is_followed_and_not_a_small_one_that_stays_longer(monkeypatch: pytest.MonkeyPatch):
    large, small = face(100, height=220), face(300, height=90)
    found = [[small, large] if n < 20 else [small] for n in range(30)]
    tracked = track(monkeypatch, found)
    np.testing.assert_array_equal(tracked.landmarks[:20], np.stack([large] * 20))
    assert not tracked.valid[20:].any()


def test_no_face_is_an_error(monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(FaceError, match="no face"):
        track(monkeypatch, [[]] * 5)


def test_no_frames_is_an_error(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tracking, "_Detector", Script([]))
    with pytest.raises(FaceError, match="no face"):
        track_faces([])


def test_small_face_is_an_error_that_names_the_size(monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(FaceError, match=f"50 pixels.*{MIN_FACE_HEIGHT}"):
        track(monkeypatch, [[face(height=50)]] * 5)


def test_only_profiles_is_an_error(monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(FaceError, match="profile"):
        track(monkeypatch, [[face(yaw=-60)]] * 5)


def test_profiles_and_small_frames_are_left_out_with_their_times(monkeypatch: pytest.MonkeyPatch):
    found = (
        [[face()]] * 10
        + [[face(yaw=50)]] * 5
        + [[face()]] * 10
        + [[face(yaw=-50)]] * 5
        + [[face(height=78)]] * 5
    )
    tracked = track(monkeypatch, found)
    assert tracked.valid.tolist() == [True] * 10 + [False] * 5 + [True] * 10 + [False] * 10
    left_out = [str(span) for span in tracked.problems() if "scene" not in span.reason]
    assert left_out == [
        "0.40-0.60 s: a profile view",
        "1.00-1.20 s: a profile view",
        "1.20-1.40 s: the face is too small",
    ]


def test_gap_splits_shots(monkeypatch: pytest.MonkeyPatch):
    tracked = track(monkeypatch, [[face()]] * 8 + [[]] * 4 + [[face()]] * 20)
    assert tracked.shots() == [slice(0, 8), slice(12, 32)]
    assert tracked.longest_shot(20) == slice(12, 32)
    assert [str(span) for span in tracked.problems()] == ["0.32-0.48 s: no face"]
    assert np.isnan(tracked.landmarks[8:12]).all()


def test_shot_that_is_too_short_is_an_error_with_times_and_reasons(monkeypatch: pytest.MonkeyPatch):
    tracked = track(monkeypatch, [[face()]] * 8 + [[]] * 4 + [[face()]] * 20)
    with pytest.raises(FaceError, match=r"0\.8 s of a face; at least 3\.0 s .*0\.32-0\.48 s: no face"):
        tracked.longest_shot(75)


def test_first_picture_gets_a_second_look(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tracking, "_Detector", Script([[]] + [[face()]] * 3))
    tracked = track_faces([np.zeros((300, 400, 3), np.uint8)] * 3)
    assert tracked.valid.all()


def test_face_is_still_the_same_after_a_long_absence(monkeypatch: pytest.MonkeyPatch):
    tracked = track(monkeypatch, [[face()]] * 30 + [[]] * 20 + [[face(210)]] * 10)
    assert tracked.shots() == [slice(0, 30), slice(50, 60)]


def grey(level: int) -> np.ndarray:
    return np.full((300, 400, 3), level, np.uint8)


def test_cut_to_another_picture_is_found(monkeypatch: pytest.MonkeyPatch):
    pictures = [grey(40)] * 10 + [grey(90)] * 10
    tracked = track(monkeypatch, [[face(120)]] * 10 + [[face(260)]] * 10, pictures)
    assert tracked.cuts == (10,)
    assert tracked.shots() == [slice(0, 10), slice(10, 20)]
    assert [str(span) for span in tracked.problems()] == ["0.40-0.44 s: a new scene begins"]


def test_change_of_light_alone_is_no_cut_but_a_new_picture_is(monkeypatch: pytest.MonkeyPatch):
    still = [[face()]] * 20
    assert track(monkeypatch, still, [grey(40)] * 10 + [grey(90)] * 10).cuts == ()
    assert track(monkeypatch, still, [grey(40)] * 10 + [grey(140)] * 10).cuts == (10,)


def test_leap_of_a_face_that_hardly_moves_is_a_cut_within_one_scene(monkeypatch: pytest.MonkeyPatch):
    assert track(monkeypatch, [[face(120)]] * 10 + [[face(132)]] * 10).cuts == (10,)
    assert track(monkeypatch, [[face(120)]] * 10 + [[face(122)]] * 10).cuts == ()


def test_swift_movement_is_no_cut(monkeypatch: pytest.MonkeyPatch):
    sway = [[face(200 + 80 * np.sin(n / 5))] for n in range(50)]
    assert np.abs(np.diff([mesh[0][:, 0].mean() for mesh in sway])).max() > 0.1 * 150
    assert track(monkeypatch, sway).cuts == ()


def test_progress_counts_the_frames(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tracking, "_Detector", Script([[face()]] * 4))
    done: list[int] = []
    track_faces([grey(0)] * 4, done.append)
    assert done == [1, 2, 3, 4]


def test_steadying_removes_jitter_without_lag():
    rng = np.random.default_rng(0)
    true = np.stack([face(150 + 30 * np.sin(n / 8)) for n in range(60)])
    noisy = (true + rng.normal(0, 1, true.shape)).astype(np.float32)
    smooth = steady(noisy)
    assert smooth.dtype == np.float32
    assert (smooth - true).std() < 0.9 * (noisy - true).std()
    early, late = (np.abs(smooth[1:-1] - true[1 + k : 59 + k]).mean() for k in (-1, 1))
    assert np.abs(smooth[1:-1] - true[1:-1]).mean() < min(early, late)


@pytest.mark.skipif(not TALK.exists(), reason=f"no {TALK}")
def test_real_face_is_tracked():
    frames = list(islice(read_frames(TALK), 10))
    tracked = track_faces(frames)
    assert tracked.landmarks.shape == (10, MESH_POINTS, 3)
    assert tracked.valid.all()
    assert tracked.cuts == ()
    height, width = tracked.size
    assert (height, width) == frames[0].shape[:2]
    assert (tracked.landmarks[..., :2] > 0).all()
    assert (tracked.landmarks[..., :2] < [width, height]).all()
    assert face_height(tracked.landmarks).min() > 100
    centre = tracked.landmarks[:, :, :2].mean(axis=1)
    assert (
        np.linalg.norm(np.diff(centre, axis=0), axis=1).max() < 0.05 * face_height(tracked.landmarks).mean()
    )
    assert (
        np.abs(fit_pose(FaceBasis.load().mean, tracked.landmarks).angles()).max() < 30
    )  # depth has the right sign
