import numpy as np
import pytest

from evp.face.basis import MOUTH_COMPONENTS, FaceBasis
from evp.face.layouts import (
    CHIN,
    LIP_INNER_LOWER,
    LIP_INNER_UPPER,
    MOUTH_CORNER_LEFT,
    MOUTH_CORNER_RIGHT,
)
from evp.render.sources import _RELUCTANCE, LOYALTY, Chooser, misfit, mouth_misfit

SIZE = MOUTH_COMPONENTS + 16


def shapes(*places: float) -> np.ndarray:
    """Expressions (N, M + U) whose mouth is at these places on one line, in face heights."""
    made = np.zeros((len(places), SIZE), np.float32)
    made[:, 0] = places
    return made


class Followed:
    """A chooser among mouths at places on one line, for one that moves along it."""

    def __init__(self, *places: float, count: int = 1) -> None:
        self.shapes, self.chooser = shapes(*places), Chooser(count)

    def choose(self, place: float) -> list[int]:
        return self.chooser.choose(misfit(self.shapes, shapes(place)[0], np.zeros(len(self.shapes)), 0.9))


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


def test_head_turn_decides_between_equal_expressions():
    assert np.argmin(misfit(shapes(0, 0, 0), shapes(0)[0], np.array([29.0, 1, 31]), 0.9)) == 1


MEAN = FaceBasis.load().mean.astype(np.float64)


def mouth(opening: float, lift: float = 0.0, wider: float = 0.0) -> np.ndarray:
    """A face (478, 3): the lips' edges apart by face heights, the upper one raised, the corners pulled apart."""
    mesh = MEAN.copy()
    mesh[[*LIP_INNER_LOWER[1:-1], CHIN], 1] += opening
    mesh[list(LIP_INNER_UPPER[1:-1]), 1] -= lift
    mesh[MOUTH_CORNER_LEFT, 0] -= wider
    mesh[MOUTH_CORNER_RIGHT, 0] += wider
    return mesh


@pytest.mark.parametrize(("wanted", "more", "less"), [
    (mouth(0.05), mouth(0.07), mouth(0.03)),
    (mouth(0.05), mouth(0.05, lift=0.02), mouth(0.05, lift=-0.02)),
    (mouth(0.05), mouth(0.05, wider=0.02), mouth(0.05, wider=-0.02)),
])  # fmt: skip
def test_mouth_that_shows_too_much_is_better_than_one_that_hides(
    wanted: np.ndarray, more: np.ndarray, less: np.ndarray
):
    same, covered, stretched = mouth_misfit(np.stack([wanted, more, less]), wanted, np.zeros(3))
    assert same == 0
    assert 0 < covered < 0.8 * stretched


def test_closed_lips_want_closed_lips_whatever_the_corners_do():
    """Between lips that part, corners count: what they hide is missing. Between closed ones nothing is to be seen."""
    narrow, wide = mouth(0.0), mouth(0.05, wider=0.03)
    closed_smile, open_smile = mouth(0.0, wider=0.03), mouth(0.04, wider=0.03)
    for wanted, best in ((closed_smile, 0), (open_smile, 1)):
        assert int(np.argmin(mouth_misfit(np.stack([narrow, wide]), wanted, np.zeros(2)))) == best


def test_mouth_in_a_turned_head_costs():
    there = np.stack([mouth(0.05)] * 2)
    front, turned = mouth_misfit(there, mouth(0.05), np.array([0.0, 20.0]))
    assert turned > front


def test_best_candidates_are_chosen_first():
    assert Followed(0.0, 0.1, 0.2).choose(0.11) == [1]
    assert set(Followed(0.0, 0.1, 0.2, 0.5, count=3).choose(0.11)) == {0, 1, 2}


@pytest.mark.parametrize(("gain", "kept"), [(0.5, True), (1.5, False)])
def test_gain_below_the_reluctance_changes_nothing(gain: float, kept: bool):
    """The first candidate is kept though the second fits better, unless by more than the reluctance."""
    away = gain * _RELUCTANCE / np.sqrt(2 * 0.9)
    follows = Followed(0.0, away)
    assert follows.choose(0.0) == [0]
    assert all((follows.choose(away) == [0]) == kept for _ in range(5))


@pytest.mark.parametrize(("part", "kept"), [(0.5, True), (3, False)])
def test_where_nothing_fits_well_a_little_better_changes_nothing(part: float, kept: bool):
    fits = np.array([0.08, 0.08 - _RELUCTANCE - part * LOYALTY * 0.08])
    chooser = Chooser(1, LOYALTY)
    assert chooser.choose(np.array([0.08, 0.09])) == [0]
    assert (chooser.choose(fits) == [0]) == kept


def test_large_gain_replaces_with_one_frame_of_both():
    follows = Followed(0.0, 0.1)
    assert follows.choose(0.0) == [0]
    assert follows.choose(0.1) == [0, 1]
    assert follows.choose(0.1) == [1]


def test_sources_are_replaced_one_at_a_time():
    follows = Followed(0.0, 0.01, 0.02, 0.30, 0.31, 0.32, count=3)
    shown = [set(follows.choose(0.0))]
    shown += [set(follows.choose(0.31)) for _ in range(5)]
    assert shown[0] == {0, 1, 2}
    assert shown[-1] == {3, 4, 5}
    for before, after in zip(shown[:-1], shown[1:], strict=True):
        assert len(after - before) <= 1
        assert len(after) <= 4


def test_fewer_candidates_than_wanted():
    follows = Followed(0.1, 0.2, count=3)
    assert sorted(follows.choose(0.1)) == [0, 1]
    assert sorted(follows.choose(0.9)) == [0, 1]


def test_caller_may_change_the_list():
    follows = Followed(0.0, 0.1)
    follows.choose(0.0).clear()
    assert follows.choose(0.0) == [0]
