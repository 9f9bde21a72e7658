import cv2
import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from evp.evaluation.pictures import (
    face_box,
    flicker,
    mouth_box,
    outline_steps,
    psnr,
    sharpness,
    ssim,
    still_skin,
)
from evp.face.layouts import FACE_OVAL, LIPS_OUTER
from tiny import actor, draw


def pair() -> tuple[np.ndarray, np.ndarray]:
    """A drawn face, and the same with noise."""
    true = draw(actor(4).landmarks[3], (128, 144))
    noise = np.random.default_rng(0).normal(0, 12, true.shape)
    return np.clip(true + noise, 0, 255).astype(np.uint8), true


def test_psnr_is_that_of_an_independent_implementation():
    made, true = pair()
    assert psnr(made, true) == pytest.approx(peak_signal_noise_ratio(true, made), abs=1e-6)
    assert psnr(np.zeros((4, 4, 3), np.uint8), np.full((4, 4, 3), 255, np.uint8)) == pytest.approx(0)


def test_same_picture_is_finitely_good():
    _, true = pair()
    assert np.isfinite(psnr(true, true))
    assert psnr(true, true) > 100
    assert ssim(true, true) == pytest.approx(1)


def test_ssim_is_that_of_an_independent_implementation():
    made, true = pair()
    assert ssim(made, true) == pytest.approx(structural_similarity(true, made, channel_axis=2), abs=1e-3)
    assert ssim(made, true) < 0.9


def test_boxes_hold_their_points():
    landmarks = actor(2).landmarks[1]
    shape = (128, 144, 3)
    rows, columns = face_box(landmarks, shape)
    inside = landmarks[:, :2]
    assert rows.start <= inside[:, 1].min() < rows.start + 1
    assert rows.stop - 2 <= inside[:, 1].max() < rows.stop
    assert columns.start <= inside[:, 0].min() < columns.start + 1
    lips = landmarks[list(LIPS_OUTER), :2]
    rows, columns = mouth_box(landmarks, shape)
    width = lips[:, 0].max() - lips[:, 0].min()
    assert columns.stop - columns.start == pytest.approx(1.3 * width, abs=2.5)
    assert rows.start < lips[:, 1].min() < lips[:, 1].max() < rows.stop


def test_box_ends_at_the_border():
    landmarks = actor(2).landmarks[1] + [-40, 60, 0]
    rows, columns = face_box(landmarks, (128, 144, 3))
    assert columns.start == 0
    assert rows.stop == 128


def everywhere(count: int) -> list[np.ndarray]:
    return [np.ones((6, 8), bool)] * count


def test_still_and_evenly_brightening_pictures_do_not_flicker():
    still = [np.full((6, 8, 3), 90, np.uint8)] * 5
    brightening = [np.full((6, 8, 3), 10 * n, np.uint8) for n in range(5)]
    assert flicker(still, everywhere(5)) == 0
    assert flicker(brightening, everywhere(5)) == 0


def test_blinking_pictures_flicker_by_twice_the_change():
    blinking = [np.full((6, 8, 3), 90 + 20 * (n % 2), np.uint8) for n in range(5)]
    assert flicker(blinking, everywhere(5)) == pytest.approx(40)


def test_flicker_looks_only_where_all_regions_are_true():
    pictures = [np.zeros((6, 8, 3), np.uint8) for _ in range(3)]
    pictures[1][:, :4] = 50
    left, right = np.zeros((2, 6, 8), bool)
    left[:, :4], right[:, 4:] = True, True
    assert flicker(pictures, [right] * 3) == 0
    assert flicker(pictures, [left] * 3) == pytest.approx(100)
    assert flicker(pictures, [left, right, left]) == 0
    assert flicker(pictures[:2], [left] * 2) == 0


def test_sharpness_scales_with_contrast_and_falls_with_blur():
    _, true = pair()
    assert sharpness(np.full((8, 8, 3), 90, np.uint8)) == 0
    half = (true // 2).astype(np.uint8)
    assert sharpness(half) == pytest.approx(sharpness(true) / 2, rel=0.05)
    assert sharpness(cv2.GaussianBlur(true, (0, 0), 2)) < 0.5 * sharpness(true)


def test_a_seam_is_found_where_it_was_planted_and_as_high():
    points = actor(2).landmarks[1]
    plain = np.full((128, 144, 3), 100.0)
    outline = points[list(FACE_OVAL), :2]
    middle = outline.mean(axis=0)
    with_seam = cv2.fillPoly(
        plain.copy(), [np.round(middle + 0.8 * (outline - middle)).astype(np.int32)], (112.0,) * 3
    )
    assert outline_steps(plain, points).max() == pytest.approx(0, abs=1e-3)
    steps = outline_steps(with_seam, points)
    assert steps.argmax() == 2  # sizes 0.7, 0.75, 0.8
    assert 8 < steps.max() <= 12.01
    assert steps[-1] == pytest.approx(0, abs=1e-3)


def test_still_skin_is_forehead_and_cheeks():
    landmarks = actor(2).landmarks[1]
    skin = still_skin(landmarks, (128, 144, 3))
    lips = np.round(landmarks[list(LIPS_OUTER), :2]).astype(int)
    assert 0.02 < skin.mean() < 0.5
    assert not skin[lips[:, 1], lips[:, 0]].any()
    forehead = np.round(landmarks[151, :2]).astype(int)
    assert skin[forehead[1], forehead[0]]
