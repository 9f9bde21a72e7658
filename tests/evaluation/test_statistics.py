import numpy as np
import pytest

from evp.evaluation.statistics import bootstrap


def test_interval_is_that_of_the_normal_distribution():
    values = np.random.default_rng(1).normal(3, 2, 400)
    found = bootstrap(values.tolist())
    assert found.mean == pytest.approx(values.mean())
    error = values.std() / np.sqrt(400)
    assert found.low == pytest.approx(values.mean() - 1.96 * error, abs=0.02)
    assert found.high == pytest.approx(values.mean() + 1.96 * error, abs=0.02)
    assert found == bootstrap(values.tolist())
    assert found != bootstrap(values.tolist(), seed=1)


def test_what_is_no_number_does_not_count():
    found = bootstrap([1.0, float("nan"), 3.0])
    assert (found.mean, found.clips) == (2.0, 2)
    assert 1 <= found.low < found.high <= 3


def test_one_clip_has_no_interval_and_none_has_no_mean():
    alone = bootstrap([5.0])
    assert (alone.mean, alone.clips) == (5.0, 1)
    assert np.isnan([alone.low, alone.high]).all()
    nothing = bootstrap([float("nan")])
    assert nothing.clips == 0
    assert np.isnan(nothing.mean)
