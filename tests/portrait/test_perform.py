import io
import threading
import time
from dataclasses import replace
from itertools import islice

import cv2
import numpy as np
import pytest

from evp.evaluation.pictures import psnr
from evp.face.head import Head
from evp.face.layouts import BROW_LEFT_UPPER, EYE_LEFT, EYE_RIGHT, IRIS_LEFT, IRIS_RIGHT, MESH_POINTS
from evp.media import Picture, read_frames
from evp.motion.facial import FacialMotion, Feeling
from evp.portrait.bundle import Portrait
from evp.portrait.perform import eyes_open, lid_share, paint, perform
from evp.render.inputs import View, face_mask
from evp.render.renderer import Renderer
from tiny import portrait


@pytest.fixture(scope="module")
def drawn() -> Portrait:
    return portrait(30)


@pytest.fixture
def asked(
    monkeypatch: pytest.MonkeyPatch,
) -> list[tuple[np.ndarray, View, list[View], list[View], dict | None]]:
    """What the renderer is asked to make."""
    calls = []
    real = Renderer.draft

    def watched(self, landmarks, frame, skin, mouth, emotions=None):
        calls.append((landmarks, frame, list(skin), list(mouth), emotions))
        return real(self, landmarks, frame, skin, mouth, emotions)

    monkeypatch.setattr(Renderer, "draft", watched)
    return calls


@pytest.mark.parametrize("count", [0, 1, 5])
def test_as_many_frames_as_expressions(drawn: Portrait, count: int):
    frames = list(perform(drawn, map(FacialMotion, np.zeros((count, 20), np.float32))))
    assert len(frames) == count
    assert all(frame.shape == (128, 144, 3) and frame.dtype == np.uint8 for frame in frames)


def test_frames_come_as_they_are_asked_for(drawn: Portrait):
    taken = []
    before = threading.active_count()

    def endless():
        while True:
            taken.append(0)
            yield FacialMotion(np.zeros(20, np.float32))

    frames = perform(drawn, endless())
    next(frames)
    next(frames)
    time.sleep(0.3)
    assert (
        len(taken) <= 2 + 2 * 5
    )  # two stages are ahead, each by three that are ready, one in hand, one used
    frames.close()
    count = len(taken)
    time.sleep(0.1)
    assert len(taken) == count
    assert threading.active_count() == before


@pytest.mark.parametrize("count", [20, 36])
def test_own_expression_asks_for_the_tracked_face(drawn: Portrait, asked: list, count: int):
    own = drawn.aligner.coefficients
    order = [frame for frame, _ in islice(drawn.play(), 8)]
    made = list(perform(drawn, map(FacialMotion, own[order, :count])))
    assert len(asked) == len(made) == 8
    pictures = list(read_frames(io.BytesIO(drawn.footage)))
    for (landmarks, view, _, _, _), frame, picture in zip(asked, order, made, strict=True):
        box = drawn.boxes[frame]
        np.testing.assert_allclose(landmarks, box.points(drawn.landmarks[frame]), atol=1e-3)
        np.testing.assert_array_equal(view.picture, box.cut(pictures[frame]))
        assert np.abs(picture.astype(int) - pictures[frame]).mean() < 6


def test_wanted_expression_asks_for_the_aligned_face(drawn: Portrait, asked: list):
    order = [frame for frame, _ in islice(drawn.play(), 3)]
    wanted = np.random.default_rng(0).normal(size=(3, 20)).astype(np.float32)
    list(perform(drawn, map(FacialMotion, wanted)))
    for (landmarks, view, _, _, _), frame, expression in zip(asked, order, wanted, strict=True):
        expected = drawn.boxes[frame].points(drawn.aligner.align(frame, expression))
        np.testing.assert_array_equal(landmarks, expected)
        assert np.abs(landmarks - view.landmarks).max() > 1


def test_outside_the_face_the_footage_is_untouched(drawn: Portrait):
    order = [frame for frame, _ in islice(drawn.play(), 4)]
    wanted = drawn.aligner.coefficients[order, :20] + 0.8
    pictures = list(read_frames(io.BytesIO(drawn.footage)))
    for made, frame, expression in zip(perform(drawn, map(FacialMotion, wanted)), order, wanted, strict=True):
        faces = [drawn.landmarks[frame], drawn.aligner.align(frame, expression)]
        outside = cv2.dilate(face_mask(faces, 144), np.ones((9, 9)))[: made.shape[0]] == 0
        assert outside.mean() > 0.3
        np.testing.assert_array_equal(made[outside], pictures[frame][outside])
        assert np.abs(made.astype(int) - pictures[frame])[~outside].max() > 20  # and inside it is not


def test_mouth_comes_from_a_frame_that_is_alike(drawn: Portrait, asked: list):
    source = int(drawn.sources.frames[4])
    wanted = np.repeat(drawn.aligner.coefficients[source : source + 1, :20], 6, axis=0)
    list(perform(drawn, map(FacialMotion, wanted)))
    _, _, _, mouths, _ = asked[0]
    assert len(mouths) == 1
    shape = drawn.basis.shape
    own = drawn.aligner.coefficients[drawn.sources.frames]
    apart = np.linalg.norm((shape(own) - shape(own[4]))[:, :20], axis=1)
    chosen = next(n for n in range(len(own)) if np.array_equal(drawn.source(n).picture, mouths[0].picture))
    assert apart[chosen] <= np.sort(apart)[1]


def blinking(drawn: Portrait, frame: int) -> Portrait:
    """The same person with closed eyes around ``frame``."""
    head = drawn.head
    displacement = head.displacement.copy()
    mesh = head.neutral + displacement
    around = slice(max(frame - 3, 0), frame + 4)
    displacement[around, [159, 386]] += (mesh[:, [145, 374]] - mesh[:, [159, 386]])[around]
    return replace(drawn, head=Head(head.neutral, head.pose, displacement))


def raised(amount: float = 0.05) -> np.ndarray:
    """A displacement (478, 3) that moves all of the face up."""
    return np.tile(np.array([0, -amount, 0], np.float32), (MESH_POINTS, 1))


def test_feeling_comes_on_top_but_leaves_the_gaze(drawn: Portrait, asked: list):
    frame = next(frame for frame, _ in drawn.play())
    wanted = np.random.default_rng(1).normal(size=20).astype(np.float32)
    list(perform(drawn, [FacialMotion(wanted)]))
    list(perform(drawn, [FacialMotion(wanted, Feeling(raised(), {"happy": 0.7}))]))
    (calm, *_, nothing), (felt, *_, shares) = asked
    up = -drawn.head.pose.scale[frame] * 0.05 * drawn.head.pose.rotation[frame, :, 1]
    irises = list(IRIS_LEFT + IRIS_RIGHT)
    skin = np.setdiff1d(np.arange(MESH_POINTS), irises)
    np.testing.assert_array_equal(felt[irises], calm[irises])
    np.testing.assert_allclose((felt - calm)[skin], np.broadcast_to(up, (len(skin), 3)), atol=1e-3)
    assert (nothing, shares) == (None, {"happy": 0.7})


def test_feeling_is_handed_on_unchanged(drawn: Portrait):
    feeling = Feeling(raised(), {"happy": 0.7})
    list(perform(drawn, [FacialMotion(np.zeros(20, np.float32), feeling)] * 2))
    np.testing.assert_array_equal(feeling.displacement, raised())


def test_closed_lids_stay_the_targets_own_while_brows_move(drawn: Portrait, asked: list):
    frame = next(frame for frame, _ in drawn.play())
    asleep = blinking(drawn, frame)
    assert next(asleep.play())[0] == frame
    assert eyes_open(asleep.head)[frame] == 0
    own = asleep.aligner.coefficients[frame]
    list(perform(asleep, [FacialMotion(own[:20], Feeling(raised(), {}))]))
    box, scale = asleep.boxes[frame], asleep.head.pose.scale[frame]
    moved = np.linalg.norm(asked[0][0] - box.points(asleep.landmarks[frame]), axis=1) / scale
    assert moved[list(EYE_LEFT + EYE_RIGHT + IRIS_LEFT + IRIS_RIGHT)].max() < 1e-4
    assert moved[list(BROW_LEFT_UPPER)].min() > 0.03
    np.testing.assert_allclose(moved[[13, 61, 152]], 0.05, atol=1e-3)


def test_blink_is_the_targets_own_whatever_the_motion_wants(drawn: Portrait, asked: list):
    frame = next(frame for frame, _ in drawn.play())
    wanted = np.full(36, 2, np.float32)
    wanted[:20] = blinking(drawn, frame).aligner.coefficients[frame, :20]
    for person in (drawn, blinking(drawn, frame)):
        list(perform(person, [FacialMotion(wanted)]))
        own = person.boxes[frame].points(person.landmarks[frame])
        apart = np.abs(asked[-1][0] - own)[[159, 386, 145, 374]].max()
        assert apart < 1e-3 if person is not drawn else apart > 1


def test_mouth_is_chosen_for_the_face_that_is_shown(drawn: Portrait, asked: list):
    own = drawn.aligner.coefficients
    frame = next(frame for frame, _ in drawn.play())
    for source in (2, 5):
        aim = int(drawn.sources.frames[source])
        change = np.zeros_like(own[:1])
        change[0, :20] = own[aim, :20] - own[frame, :20]
        feeling = Feeling(drawn.basis.displacement(change)[0], {})
        list(perform(drawn, [FacialMotion(own[aim, :20])]))
        list(perform(drawn, [FacialMotion(own[frame, :20], feeling)]))
        direct, felt = asked[-2][3], asked[-1][3]
        np.testing.assert_array_equal(felt[0].picture, direct[0].picture)
    assert not np.array_equal(asked[0][3][0].picture, asked[2][3][0].picture)


def test_lids_are_around_the_eyes():
    share = lid_share(portrait(5).basis.mean)
    np.testing.assert_allclose(share[list(EYE_LEFT + EYE_RIGHT)], 1)
    assert share.shape == (MESH_POINTS,)
    assert share[list(BROW_LEFT_UPPER) + [13, 152, 10]].max() < 0.25


def test_eyes_are_open_but_in_a_blink():
    person = portrait(40).head
    upper, lower = [159, 386], [145, 374]
    displacement = np.zeros_like(person.displacement)
    displacement[18:23, upper] = person.neutral[lower] - person.neutral[upper]
    awake = eyes_open(Head(person.neutral, person.pose, displacement))
    assert awake[20] < 0.05
    assert (awake[:12] > 0.99).all()
    assert (awake[29:] > 0.99).all()


def test_given_footage_takes_the_place_of_what_plays(drawn: Portrait):
    wanted = [FacialMotion(np.full(20, 0.3, np.float32))]
    order = list(islice(drawn.play_stored(), 4))
    played = list(perform(drawn, wanted * 4))
    given = list(perform(drawn, wanted * 4, [order[3]]))
    assert len(given) == 1
    assert np.abs(given[0].astype(int) - played[3]).mean() < 0.5


@pytest.mark.parametrize("size", [(128, 144), (127, 143)])
def test_stored_picture_is_the_footage_but_for_the_face(drawn: Portrait, size: tuple[int, int]):
    """What films hold: outside the box to the last bit, inside as the RGB picture is."""
    sized = replace(drawn, manifest=replace(drawn.manifest, size=size))
    wanted = drawn.aligner.coefficients[:4, :20] + 0.8
    footage = [picture for _, picture in islice(drawn.play_stored(), 4)]
    for painted, picture in zip(paint(sized, map(FacialMotion, wanted)), footage, strict=True):
        rgb, stored = painted.rgb(), painted.stored()
        assert rgb.shape == (*size, 3)
        assert stored.shape == picture.shape
        box = painted.box
        outside = np.ones(picture.shape, bool)
        outside[
            max(box.top - 1, 0) : box.top + box.size + 1, max(box.left - 1, 0) : box.left + box.size + 1
        ] = False
        assert outside.any()
        luma, before = (p.planes[: p.shape[0]] for p in (stored, picture))
        np.testing.assert_array_equal(luma[outside], before[outside])
        assert (luma != before)[~outside].any()
        expected = Picture.of(rgb).rgb()[: size[0], : size[1]]
        assert psnr(stored.rgb()[: size[0], : size[1]], expected) > 45
