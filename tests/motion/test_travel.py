import numpy as np
import pytest

from evp.face.basis import FaceBasis
from evp.motion.expression import gap_rows
from evp.motion.travel import _CLOSED, _OPEN, TYPICAL, Reach, as_far, no_wider, travel, travel_factor

BASIS = FaceBasis.load()
MIDDLE = gap_rows(BASIS)[0]


def mouths(openings: np.ndarray) -> np.ndarray:
    """Mouth coefficients (T, M) that open lips as far, and pull their corners."""
    ways = MIDDLE / (MIDDLE @ MIDDLE)
    across = np.random.default_rng(0).normal(size=BASIS.mouth_count)
    across -= ways * (across @ MIDDLE)
    return openings[:, None] * ways + 0.3 * across


def test_travel_does_not_care_for_single_frames():
    openings = np.linspace(0, 0.1, 101)
    assert travel(openings) == pytest.approx(0.09)
    openings[[3, 50]] = 9
    assert travel(openings) == pytest.approx(0.09, abs=0.003)


@pytest.mark.parametrize(
    ("own", "factor"),
    [(TYPICAL, 1), (1.3 * TYPICAL, 1.3), (0.9 * TYPICAL, 0.9), (0.2, 1.4), (0.04, 0.75), (0.01, 1)],
)
def test_factor_is_that_of_the_footage_within_bounds_and_1_for_who_is_silent(own: float, factor: float):
    assert travel_factor(0.01 + own / 0.9 * np.linspace(0, 1, 400)) == pytest.approx(factor, rel=0.01)


@pytest.mark.parametrize("factor", [0.75, 1.6])
def test_open_mouths_go_farther_and_closed_ones_stay_closed(factor: float):
    openings = np.linspace(-0.01, 0.1, 111)
    plain = mouths(openings)
    made = np.concatenate(list(as_far([plain], factor)))
    closed, wide = openings < _CLOSED - 1e-6, openings > _OPEN + 1e-6
    np.testing.assert_allclose(made[closed], plain[closed], atol=1e-5)
    np.testing.assert_allclose(made[wide], factor * plain[wide], rtol=1e-4, atol=1e-4)
    assert (np.diff(made @ MIDDLE) > 0).all()


def test_1_changes_nothing():
    plain = mouths(np.random.default_rng(0).uniform(0, 0.15, 30))
    made = np.concatenate(list(as_far([plain[:10], plain[10:]], 1.0)))
    np.testing.assert_allclose(made, plain, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("cuts", [[], [1, 2], [10, 11, 14], [28]])
def test_mouth_that_goes_farther_is_not_too_fast_whatever_the_blocks(cuts: list[int]):
    openings = np.where(np.arange(30) % 7 < 3, 0.0, 0.075)
    made = np.concatenate(list(as_far(np.split(mouths(openings), cuts), 1.4))) @ MIDDLE
    assert np.abs(np.diff(made)).max() < 0.0751  # as fast as speech itself has it, not faster
    np.testing.assert_allclose(made[openings == 0], 0, atol=1e-6)
    assert made.max() == pytest.approx(1.4 * 0.075), "between closures it goes as far as it should"


@pytest.mark.parametrize(("seen", "widest"), [(0.05, 0.09), (0.1, 0.11), (0.12, 0.132), (0.2, 0.15)])
def test_feelings_open_a_mouth_hardly_farther_than_the_footage_does(seen: float, widest: float):
    openings = np.linspace(0, seen, 1000)
    assert Reach.of(openings).widest == pytest.approx(widest, rel=0.01)
    openings[[30, 400]] = 0.5
    assert Reach.of(openings).widest == pytest.approx(widest, rel=0.01), (
        "single frames are errors of tracking"
    )


def test_another_face_opens_the_mouth_no_wider_than_this_one_does():
    openings = np.linspace(-0.01, 0.3, 311)
    upper = np.random.default_rng(1).normal(size=(311, 16)).astype(np.float32)
    plain = np.concatenate([mouths(openings), upper], axis=1)
    made = no_wider(plain, 0.1)
    found = made[:, : BASIS.mouth_count] @ MIDDLE
    np.testing.assert_array_equal(made[:, BASIS.mouth_count :], upper)
    np.testing.assert_allclose(made[openings < 0.079], plain[openings < 0.079], rtol=1e-5)
    assert found.max() <= 0.1 + 1e-6
    assert (np.diff(found) > -1e-7).all() and found[openings < 0.12].max() < 0.1
    assert plain[-1, : BASIS.mouth_count] @ MIDDLE == pytest.approx(0.3, rel=1e-4), (
        "what is given is left as it is"
    )
