import numpy as np
import pytest

from evp.clock import SAMPLES_PER_FRAME
from evp.corpora.synchrony import best_lag, in_step


def curve(frames: int = 120) -> np.ndarray:
    return np.convolve(np.random.default_rng(0).standard_normal(frames + 20), np.hanning(7), "same")[10:-10]


@pytest.mark.parametrize("late", [-5, -1, 0, 3, 6])
def test_planted_lag_is_found(late: int) -> None:
    lag = best_lag(np.roll(curve(), late), curve(), np.ones(120, bool))
    assert lag.frames == late and lag.r > 0.95


def test_unknown_frames_do_not_count() -> None:
    seen, known = curve(), np.arange(120) < 60
    seen[60:] = 1e3 * np.random.default_rng(1).standard_normal(60)
    assert best_lag(np.roll(curve(), 2), seen, known).frames == 2


def test_nothing_to_compare_is_not_a_number() -> None:
    assert np.isnan(best_lag(np.zeros(50), curve(50), np.ones(50, bool)).r)
    assert np.isnan(best_lag(curve(5), curve(5), np.ones(5, bool)).r)


@pytest.mark.parametrize("late", [-4, 4])
def test_sound_is_moved_into_step(late: int) -> None:
    waveform = np.repeat(curve(), SAMPLES_PER_FRAME)
    delayed = np.roll(waveform, late * SAMPLES_PER_FRAME)
    moved, lag = in_step(delayed, np.roll(curve(), late), curve(), np.ones(120, bool))
    assert lag.frames == late and len(moved) == len(waveform)
    inside = slice(6 * SAMPLES_PER_FRAME, -6 * SAMPLES_PER_FRAME)
    np.testing.assert_array_equal(moved[inside], waveform[inside])


@pytest.mark.parametrize(("late", "width"), [(1, 1), (2, 60)])
def test_sound_that_may_be_in_step_is_left_alone(late: int, width: int) -> None:
    """One frame is not certain, and neither is what hardly moves."""
    waveform = np.repeat(curve(), SAMPLES_PER_FRAME)
    smooth = np.convolve(curve(), np.ones(width) / width, "same")
    moved, lag = in_step(waveform, np.roll(smooth, late), smooth, np.ones(120, bool))
    assert lag.frames == 0
    np.testing.assert_array_equal(moved, waveform)
