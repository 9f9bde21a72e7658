import cv2
import numpy as np
import pytest

from evp.render.region import Region


def mask_of(rows: slice, columns: slice, size: int = 64) -> np.ndarray:
    mask = np.zeros((size, size), np.uint8)
    mask[rows, columns] = 9
    return mask


def test_around_holds_all_of_a_mask_and_no_more():
    region = Region.around(mask_of(slice(5, 20), slice(30, 64)))
    assert region == Region(slice(5, 20), slice(30, 64), 64)
    assert region.shape == (15, 34)
    assert Region.around(np.zeros((64, 64), np.uint8)).shape == (1, 1)


def test_grows_as_far_as_the_picture_goes():
    assert Region(slice(5, 20), slice(30, 62), 64).grown(6) == Region(slice(0, 26), slice(24, 64), 64)
    assert Region(slice(5, 20), slice(30, 62), 64).stepped(16) == Region(slice(0, 32), slice(16, 64), 64)
    assert Region.whole(64).grown(3).stepped(16) == Region.whole(64)


@pytest.mark.parametrize("size", [64, 50, 111, 300])
def test_resized_holds_all_of_the_resized_mask(size: int):
    mask = mask_of(slice(5, 20), slice(30, 47))
    larger = cv2.resize(mask, (size, size), interpolation=cv2.INTER_LINEAR)
    outside = larger.copy()
    outside[Region.around(mask).grown(1).resized(size).index] = 0
    assert larger.any()
    assert not outside.any()


def test_faded_falls_towards_every_border():
    share = Region(slice(8, 40), slice(16, 64), 64).faded(7)
    assert share.shape == (32, 48)
    assert (share[7:-7, 7:-7] == 1).all()
    assert 0 < share[0, 20] == share[-1, 20] < 0.2
    assert 0 < share[15, 0] == share[15, -1] < 0.2
    np.testing.assert_allclose(np.diff(share[15, :8]), 1 / 8)
