import numpy as np
import pytest
from skimage.feature import canny as reference

from evp.original.vid2vid.canny import canny


@pytest.mark.parametrize("size", [(60, 80), (33, 17)])
def test_equals_scikit_image_on_noise(size):
    noise = np.random.default_rng(0).integers(0, 256, size).astype(np.uint8)
    np.testing.assert_array_equal(canny(noise), reference(noise))


def test_equals_scikit_image_on_a_scene():
    y, x = np.mgrid[:90, :120]
    scene = (128 + 60 * np.sin(x / 7) * np.cos(y / 9) + 40 * ((x - 50) ** 2 + (y - 40) ** 2 < 400)).astype(
        np.uint8
    )
    found, expected = canny(scene), reference(scene)
    assert expected.any()
    assert (found != expected).mean() < 1e-3  # ties of symmetrical curves may round either way


def test_a_flat_picture_has_no_edges():
    assert not canny(np.full((20, 20), 77, np.uint8)).any()
