import numpy as np
import pytest

from evp.clock import PADDING_ROWS
from evp.emotion.disentangle.hearing import ContentEar, levelled
from planted import recording

ONE = recording("anna", "dogs", "sad")
ALL = np.arange(ONE.frames)
AS_RECORDED = ContentEar(level=False, tract=0, speed=0)


def test_without_changes_it_hears_what_there_is():
    np.testing.assert_array_equal(AS_RECORDED.windows(ONE.rows, ONE.frames), ONE.windows)
    chosen, random = np.array([2, 7]), np.random.default_rng(0)
    changed = AS_RECORDED.changed(ONE.rows, ONE.frames, chosen, random)
    np.testing.assert_allclose(changed, ONE.windows[chosen], atol=1e-3)


def test_colour_liveliness_and_what_surrounds_the_sound_are_not_heard():
    loud = 100 * ONE.rows
    other = loud.copy()
    sound = slice(PADDING_ROWS, PADDING_ROWS + 4 * ONE.frames)
    other[sound] = other[sound] * np.linspace(2, 4, 12) + np.linspace(-30, 30, 12)
    other[sound.stop :] += 50
    one, changed = (ContentEar().windows(rows, ONE.frames) for rows in (loud, other))
    np.testing.assert_allclose(one, changed, atol=0.5)
    assert np.abs(AS_RECORDED.windows(other, ONE.frames) - 100 * ONE.windows).mean() > 100
    assert not one[0, :PADDING_ROWS].any() and not one[-1, -PADDING_ROWS:].any()
    heard = levelled(loud, ONE.frames)[sound]
    np.testing.assert_allclose(heard.mean(axis=0), 0, atol=1e-3)
    assert (heard.std(axis=0) > 9).all()


def test_another_voice_is_faster_or_slower_around_the_same_middle():
    rows = np.repeat(np.arange(100.0)[:, None], 12, axis=1).astype(np.float32)
    ear, chosen, random = (
        ContentEar(level=False, tract=0, speed=0.5),
        np.array([8, 10]),
        np.random.default_rng(0),
    )
    steps = []
    for _ in range(50):
        heard = ear.changed(rows, 19, chosen, random)[..., 0]
        np.testing.assert_allclose(heard[:, 13:15].mean(axis=1), [8 * 4 + 13.5, 10 * 4 + 13.5], rtol=1e-5)
        steps.append(np.diff(heard[0]))
    np.testing.assert_allclose(np.ptp(steps, axis=1), 0, atol=1e-4)
    assert 1 / 1.51 < np.min(steps) < 0.75 and 1.3 < np.max(steps) < 1.51


def test_another_voice_has_other_formants_and_is_repeatable():
    ear = ContentEar(level=False, tract=0.15, speed=0)
    one, again, other = (
        ear.changed(ONE.rows, ONE.frames, ALL, np.random.default_rng(seed)) for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(one, again)
    assert np.abs(one - other).mean() > 1 and np.abs(one - ONE.windows).mean() > 1


@pytest.mark.parametrize("frames", [1, 2])
def test_the_shortest_recordings_are_heard(frames):
    short = recording("anna", "dogs", "sad", frames=frames)
    heard = ContentEar().changed(short.rows, frames, np.arange(frames), np.random.default_rng(0))
    assert heard.shape == (frames, 28, 12) and np.isfinite(heard).all()
