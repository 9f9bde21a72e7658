import numpy as np

from evp.emotion.disentangle.curves import LINE, STRIP, WIDTH, draw, smooth


def test_smooth_is_a_mean_of_what_was():
    values = np.arange(100.0)
    assert smooth(values)[0] == 0 and smooth(values)[-1] == np.mean(values[95:])
    np.testing.assert_array_equal(smooth([3.0, 5.0]), [3, 5])


def test_a_falling_loss_falls_in_its_strip():
    steps = [{"step": k + 1, "cross": 100.0 - k, "cla": 1.0} for k in range(100)]
    picture = draw(steps)
    assert picture.shape == (2 * STRIP, WIDTH, 3)
    rows = [np.flatnonzero((picture[:STRIP, x] == LINE).all(axis=1)).mean() for x in (100, 400, 700)]
    assert rows[0] < rows[1] < rows[2]
    level = [np.flatnonzero((picture[STRIP:, x] == LINE).all(axis=1)).mean() for x in (100, 700)]
    assert level[0] == level[1]
