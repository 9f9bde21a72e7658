import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from evp.evaluation.pictures import face_box, flicker, mouth_box, psnr, ssim
from evp.face.layouts import LIPS_OUTER
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
