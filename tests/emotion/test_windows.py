import numpy as np
import pytest

from evp.audio.loudness import measure, normalised
from evp.audio.mel import log_mel
from evp.emotion.windows import (
    HOP_ROWS,
    WINDOW_ROWS,
    audible,
    cut,
    rows_for,
    voiced,
    window_count,
    window_times,
)
from tiny import tone


def test_a_window_for_every_begun_hop() -> None:
    assert [window_count(rows) for rows in (0, 1, HOP_ROWS, HOP_ROWS + 1)] == [0, 1, 1, 2]


def test_windows_are_the_rows_around_their_middle() -> None:
    first, last = rows_for(2, 5)
    windows = cut(np.arange(first, last, dtype=float)[:, None])
    middles = 100 * window_times(5)[2:]
    assert windows.shape == (3, WINDOW_ROWS, 1)
    np.testing.assert_allclose(windows[:, :, 0].mean(axis=1) + 0.5, middles)


def test_windows_do_not_depend_on_where_they_are_cut() -> None:
    first, last = rows_for(0, 4)
    features = np.random.default_rng(0).standard_normal((last - first, 3))
    own_first, own_last = rows_for(1, 2)
    np.testing.assert_array_equal(cut(features[own_first - first : own_last - first]), cut(features)[1:2])


def test_voiced_is_about_the_middle_hop() -> None:
    first, last = rows_for(0, 3)
    features = np.zeros((last - first, 4))
    features[HOP_ROWS - first : 2 * HOP_ROWS - first] = 3
    np.testing.assert_array_equal(voiced(features), [False, True, False])


@pytest.mark.parametrize("level", [1e-3, 0.1])
def test_steady_noise_is_not_audible_and_syllables_in_it_are(level: float) -> None:
    noise = level * np.random.default_rng(0).standard_normal(32000).astype(np.float32)
    assert not audible(normalised(log_mel(noise), measure(noise))).any()
    syllables = np.sign(tone(2, 150)) * (tone(2, 2) > 0)
    speech = np.concatenate([noise, noise + 9 * level * syllables])
    heard = audible(normalised(log_mel(speech), measure(speech)))
    assert not heard[:195].any() and heard[205:220].all() and not heard[230:245].any()
