import numpy as np
import pytest

from evp.smoothing import no_faster, smooth_in_time, smooth_step, with_neighbours


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


def test_smooth_step_goes_from_0_to_1_without_a_corner():
    x = np.linspace(1, 6, 501)
    share = smooth_step(x, 2, 5)
    assert share[x <= 2].max() == 0
    assert share[x >= 5].min() == 1
    assert share[250] == pytest.approx(0.5)
    slope = np.gradient(share, x)
    assert (np.diff(share) >= 0).all()
    assert np.abs(np.diff(slope)).max() < 0.01, "the slope has no jump"
    assert smooth_step(0.25) == pytest.approx(0.15625)


def test_no_faster_is_the_highest_curve_that_is_slow_enough():
    values = np.random.default_rng(0).uniform(0, 2.9, 200)
    slow = no_faster(values, 1.0, 2)
    every = np.abs(np.subtract.outer(np.arange(200), np.arange(200)))
    np.testing.assert_allclose(slow, (values + every).min(axis=1), atol=1e-12)
    assert np.abs(np.diff(slow)).max() <= 1 + 1e-12
    np.testing.assert_array_equal(no_faster(np.array([1.0, 1.5, 2.4]), 1.0, 2), [1, 1.5, 2.4])
    assert no_faster(np.zeros(0), 1.0, 2).shape == (0,)


@pytest.mark.parametrize("cuts", [[], [1, 2, 3], [0, 5, 5, 19], [10]])
@pytest.mark.parametrize("reach", [0, 2, 7])
def test_every_frame_comes_once_with_its_neighbours(cuts: list[int], reach: int):
    frames = np.arange(20)
    seen = []
    for block, new in with_neighbours(np.split(frames, cuts), reach):
        np.testing.assert_array_equal(np.diff(block), 1)
        for place in range(new.start, new.stop):
            seen.append(int(block[place]))
            assert block[0] <= max(seen[-1] - reach, 0) and block[-1] >= min(seen[-1] + reach, 19)
    assert seen == list(range(20))
    assert list(with_neighbours([], reach)) == []


def test_neighbours_of_long_sequences_are_not_all_kept():
    lengths = [len(block) for block, _ in with_neighbours((np.zeros(10) for _ in range(50)), 2)]
    assert max(lengths) <= 14
