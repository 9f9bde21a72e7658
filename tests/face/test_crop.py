import cv2
import numpy as np
import pytest

from evp.face.crop import Box, face_boxes, resized, scaled_points
from evp.face.layouts import FACE_OVAL
from evp.face.pose import Pose
from tiny import actor, rotation

PICTURE = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    "box", [Box(10, 5, 20), Box(-7, 5, 20), Box(50, -3, 20), Box(30, 31, 30), Box(-5, -6, 80), Box(0, 0, 40)]
)
def test_pasting_what_was_cut_changes_nothing(box: Box):
    crop = box.cut(PICTURE)
    assert crop.shape == (box.size, box.size, 3)
    np.testing.assert_array_equal(box.paste(PICTURE, crop), PICTURE)


@pytest.mark.parametrize("box", [Box(10, 5, 20), Box(-7, 5, 20), Box(30, 31, 30), Box(-5, -6, 80)])
def test_cutting_what_was_pasted_gives_it_back(box: Box):
    crop = np.random.default_rng(1).integers(0, 256, (box.size, box.size, 3), dtype=np.uint8)
    whole = box.paste(PICTURE, crop)
    again = box.cut(whole)
    y, x = np.mgrid[: box.size, : box.size]
    shown = (y + box.top >= 0) & (y + box.top < 40) & (x + box.left >= 0) & (x + box.left < 60)
    np.testing.assert_array_equal(again[shown], crop[shown])
    assert shown.any()


def test_pasting_leaves_the_rest_and_the_original_alone():
    before = PICTURE.copy()
    whole = Box(10, 5, 20).paste(PICTURE, np.zeros((20, 20, 3), np.uint8))
    np.testing.assert_array_equal(PICTURE, before)
    changed = np.zeros(PICTURE.shape[:2], bool)
    changed[5:25, 10:30] = True
    np.testing.assert_array_equal(whole[~changed], PICTURE[~changed])
    assert not whole[changed].any()


def test_beyond_the_border_the_border_is_repeated():
    crop = Box(-4, 35, 10).cut(PICTURE)
    np.testing.assert_array_equal(crop[0, :4], np.repeat(PICTURE[35:36, 0], 4, axis=0))
    np.testing.assert_array_equal(crop[5:, 9], np.repeat(PICTURE[39:40, 5], 5, axis=0))


def test_points_follow_the_crop():
    moved = Box(3, -2, 10).points(np.array([[5.0, 6.0, 7.0], [3.0, -2.0, 1.0]]))
    np.testing.assert_array_equal(moved, [[2, 8, 7], [0, 0, 1]])
    np.testing.assert_array_equal(Box(3, -2, 10).picture_points(moved), [[5, 6, 7], [3, -2, 1]])


@pytest.mark.parametrize("size", [20, 40, 240])
def test_points_stay_on_their_dot_when_a_picture_is_resized(size: int):
    picture = np.zeros((80, 80, 3), np.uint8)
    picture[20:28, 48:56] = 255
    point = np.array([[51.5, 23.5, 4.0]], np.float32)  # the middle of the dot, counted at centres of pixels
    seen = resized(picture, size)[:, :, 0].astype(np.float64)
    y, x = np.mgrid[:size, :size]
    found = np.array([(seen * x).sum(), (seen * y).sum()]) / seen.sum()
    moved = scaled_points(point, size / 80)[0]
    np.testing.assert_allclose(moved[:2], found, atol=0.02)
    assert moved[2] == pytest.approx(4 * size / 80)


def test_resizing_does_not_alias():
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::4] = 200
    np.testing.assert_allclose(resized(stripes, 16), 50, atol=1)
    np.testing.assert_array_equal(resized(stripes, 64), cv2.resize(stripes, (64, 64)))


def still(frames: int) -> Pose:
    return Pose(np.full(frames, 100.0), np.tile(rotation(5), (frames, 1, 1)), np.full((frames, 3), 80.0))


def test_boxes_of_a_still_head_are_one_even_box():
    boxes = face_boxes(still(30))
    assert len(boxes) == 30
    assert len(set(boxes)) == 1
    assert boxes[0].size % 2 == 0


def test_boxes_of_a_trembling_head_move_little():
    pose = still(60)
    trembling = Pose(
        pose.scale + 2 + np.tile([-1.5, 1.5], 30), pose.rotation, pose.shift + np.tile([[3], [-3]], (30, 1))
    )
    boxes = face_boxes(trembling)
    assert len({box.size for box in boxes[5:-5]}) == 1
    assert max(abs(box.left - boxes[30].left) for box in boxes[5:-5]) <= 1


def test_boxes_hold_the_whole_face():
    person = actor(50)
    for box, mesh in zip(face_boxes(person.head.pose), person.landmarks, strict=True):
        oval = box.points(mesh[list(FACE_OVAL)])[:, :2]
        assert oval.min() > 0
        assert oval.max() < box.size


@pytest.mark.parametrize("size", [300, 511, 512, 700, 1100])
def test_a_smaller_picture_is_the_mean_of_what_it_covers(size: int):
    picture = cv2.GaussianBlur(
        np.random.default_rng(0).integers(0, 256, (size, size, 3), dtype=np.uint8), (0, 0), size / 150
    )
    exact = cv2.resize(picture, (256, 256), interpolation=cv2.INTER_AREA)
    assert cv2.PSNR(resized(picture, 256), exact) > 45
