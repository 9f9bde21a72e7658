import numpy as np

from evp.smoothing import smooth_in_time


def test_smoothing_has_no_lag():
    impulse = np.zeros(41)
    impulse[20] = 1
    smooth = smooth_in_time(impulse, 2.0)
    np.testing.assert_allclose(smooth, smooth[::-1], atol=1e-12)
    assert np.argmax(smooth) == 20
    np.testing.assert_allclose(smooth.sum(), 1)
    np.testing.assert_allclose(np.sqrt((smooth * (np.arange(41) - 20) ** 2).sum()), 2.0, atol=0.05)


def test_smoothing_keeps_constants_shape_and_short_inputs():
    values = np.full((10, 4, 3), 7.5, np.float32)
    np.testing.assert_allclose(smooth_in_time(values, 3.0), values, atol=1e-6)
    np.testing.assert_array_equal(smooth_in_time(np.array([1.0, 5.0, 2.0]), 0.0), [1, 5, 2])
    np.testing.assert_array_equal(smooth_in_time(np.array([[4.0, 2.0]]), 2.0), [[4, 2]])
    ramp = smooth_in_time(np.arange(30.0), 2.0)
    np.testing.assert_allclose(ramp[8:-8], np.arange(30.0)[8:-8], atol=1e-9)
