import numpy as np
import pytest

from evp.face.basis import MOUTH_COMPONENTS
from evp.render.sources import _RELUCTANCE, Chooser, misfit

SIZE = MOUTH_COMPONENTS + 16


def shapes(*places: float) -> np.ndarray:
    """Expressions (N, M + U) whose mouth is at these places on one line, in face heights."""
    made = np.zeros((len(places), SIZE), np.float32)
    made[:, 0] = places
    return made


def chooser(*places: float, count: int = 1) -> Chooser:
    return Chooser(shapes(*places), np.zeros((len(places), 3)), count, 0.9)


FRONT = np.zeros(3)


def test_misfit_is_nought_for_the_same_and_grows():
    values = misfit(shapes(0, 0.01, 0.02), shapes(0)[0], np.array([0, 0, 0]), 0.5)
    np.testing.assert_allclose(values, [0, 0.01, 0.02], rtol=1e-5)
    assert misfit(shapes(0), shapes(0)[0], np.array([10.0]), 0.5)[0] > 0


def test_share_decides_what_counts():
    mouth, upper = np.zeros((2, 1, SIZE), np.float32)
    mouth[0, 3], upper[0, MOUTH_COMPONENTS + 3] = 0.01, 0.01
    wanted, still = np.zeros(SIZE, np.float32), np.zeros(1)
    assert misfit(mouth, wanted, still, 0.0)[0] == 0
    assert misfit(upper, wanted, still, 1.0)[0] == 0
    assert misfit(mouth, wanted, still, 0.9)[0] > misfit(upper, wanted, still, 0.9)[0]


def test_best_candidates_are_chosen_first():
    assert chooser(0.0, 0.1, 0.2).choose(shapes(0.11)[0], FRONT) == [1]
    assert set(chooser(0.0, 0.1, 0.2, 0.5, count=3).choose(shapes(0.11)[0], FRONT)) == {0, 1, 2}


def test_head_turn_decides_between_equal_expressions():
    angles = np.array([[30.0, 0, 0], [2, 0, 0], [-30, 0, 0]])
    assert Chooser(shapes(0, 0, 0), angles, 1, 0.9).choose(shapes(0)[0], np.array([1.0, 0, 0])) == [1]


@pytest.mark.parametrize(("gain", "kept"), [(0.5, True), (1.5, False)])
def test_gain_below_the_reluctance_changes_nothing(gain: float, kept: bool):
    """The first candidate is kept though the second fits better, unless by more than the reluctance."""
    away = gain * _RELUCTANCE / np.sqrt(2 * 0.9)
    follows = chooser(0.0, away)
    assert follows.choose(shapes(0.0)[0], FRONT) == [0]
    assert all((follows.choose(shapes(away)[0], FRONT) == [0]) == kept for _ in range(5))


def test_large_gain_replaces_with_one_frame_of_both():
    follows = chooser(0.0, 0.1)
    assert follows.choose(shapes(0.0)[0], FRONT) == [0]
    assert follows.choose(shapes(0.1)[0], FRONT) == [0, 1]
    assert follows.choose(shapes(0.1)[0], FRONT) == [1]


def test_sources_are_replaced_one_at_a_time():
    follows = chooser(0.0, 0.01, 0.02, 0.30, 0.31, 0.32, count=3)
    shown = [set(follows.choose(shapes(0.0)[0], FRONT))]
    shown += [set(follows.choose(shapes(0.31)[0], FRONT)) for _ in range(5)]
    assert shown[0] == {0, 1, 2}
    assert shown[-1] == {3, 4, 5}
    for before, after in zip(shown[:-1], shown[1:], strict=True):
        assert len(after - before) <= 1
        assert len(after) <= 4


def test_fewer_candidates_than_wanted():
    follows = chooser(0.1, 0.2, count=3)
    assert sorted(follows.choose(shapes(0.1)[0], FRONT)) == [0, 1]
    assert sorted(follows.choose(shapes(0.9)[0], FRONT)) == [0, 1]


def test_caller_may_change_the_list():
    follows = chooser(0.0, 0.1)
    follows.choose(shapes(0.0)[0], FRONT).clear()
    assert follows.choose(shapes(0.0)[0], FRONT) == [0]
