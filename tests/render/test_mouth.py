import numpy as np
import pytest

from evp.face.basis import FaceBasis
from evp.face.crop import CROP
from evp.face.layouts import (
    CHIN,
    LIP_INNER_LOWER,
    LIP_INNER_UPPER,
    LIPS_INNER,
    LOWER_LIP_INNER,
    UPPER_LIP_INNER,
)
from evp.render.inputs import inner_mouth
from evp.render.mouth import _BEYOND, _JAW, _UNSURE, through_lips
from evp.render.region import Region
from evp.render.warp import Field
from tiny import rotation

LOWER = sorted({*LIP_INNER_LOWER[1:-1], *_JAW, CHIN})


def face(opening: float, jaw: float | None = None, lift: float = 0.0) -> np.ndarray:
    """Landmarks (478, 3) of a face in a crop: lips ``opening`` pixels apart, jaw and upper lip moved by pixels."""
    mesh = FaceBasis.load().mean * 190 + [128, 105, 0]
    mesh[list(LIP_INNER_LOWER[1:-1]), 1] = mesh[list(LIP_INNER_UPPER[1:-1]), 1] + opening
    mesh[list(_JAW), 1] += opening if jaw is None else jaw
    mesh[list(LIP_INNER_UPPER[1:-1]), 1] -= lift
    return mesh


def places(made: np.ndarray, source: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows and columns inside the new face's lips, and where (N, 2) they come from."""
    inner = inner_mouth(made.astype(np.float32), CROP)
    nowhere = np.full((CROP, CROP), -1, np.float32)
    found, _ = through_lips(Field(nowhere, nowhere.copy(), CROP, Region.whole(CROP)), inner, made, source)
    rows, columns = np.nonzero(inner)
    outside = inner == 0
    assert (found.x[outside] == -1).all() and (found.y[outside] == -1).all()
    return rows, columns, np.stack([found.x, found.y], axis=-1)[rows, columns]


def upper(rows: np.ndarray, columns: np.ndarray, made: np.ndarray) -> np.ndarray:
    """Which of the pixels lie in the upper part of the mouth, away from its corners."""
    top, bottom = made[UPPER_LIP_INNER, 1], made[LOWER_LIP_INNER, 1]
    return (rows > top + 3) & (rows < top + 0.35 * (bottom - top)) & (np.abs(columns - 128) < 15)


@pytest.mark.parametrize("opening", [14, 20, 26])
def test_upper_teeth_stay_where_the_skull_has_them(opening: float):
    """The source's mouth is 20 pixels open; whatever the new one's opening, nothing moves under the upper lip."""
    made = face(opening)
    rows, columns, found = places(made, face(20))
    teeth = upper(rows, columns, made)
    assert teeth.sum() > 20
    np.testing.assert_allclose(found[teeth], np.stack([columns, rows], axis=1)[teeth], atol=0.5)


def test_lower_teeth_go_with_the_jaw():
    made = face(26)
    rows, columns, found = places(made, face(20))
    low = (
        (rows > made[UPPER_LIP_INNER, 1] + 20)
        & (rows < made[LOWER_LIP_INNER, 1] - 1)
        & (np.abs(columns - 128) < 10)
    )
    assert low.sum() > 20
    np.testing.assert_allclose(found[low][:, 1] - rows[low], -6, atol=0.7)


def test_head_that_turns_and_comes_nearer_takes_its_teeth_along():
    made, source = face(20), face(20)
    centre = source.mean(axis=0)
    turned = 1.1 * (source - centre) @ rotation(yaw=8, roll=10).T + centre + [3, -4, 0]
    rows, columns, found = places(made, turned)
    depth = source[list(LIPS_INNER), 2].mean()
    points = np.stack([columns, rows, np.full(len(rows), depth)], axis=1)
    wanted = 1.1 * (points - centre) @ rotation(yaw=8, roll=10).T + centre + [3, -4, 0]
    teeth = upper(rows, columns, made)
    np.testing.assert_allclose(found[teeth], wanted[teeth][:, :2], atol=0.8)


def test_what_the_lips_of_the_source_hide_is_stretched_from_what_they_show():
    made, source = face(24), face(5)
    rows, _, found = places(made, source)
    top, bottom = source[list(LIP_INNER_UPPER), 1].min(), source[list(LIP_INNER_LOWER), 1].max()
    assert found[:, 1].min() >= top - _BEYOND - 0.01
    assert found[:, 1].max() <= bottom + _BEYOND + 0.01
    middle = np.abs(found[:, 0] - 128) < 2
    order = np.argsort(rows[middle])
    assert (np.diff(found[middle][order][:, 1]) > -1).all()


def test_raised_lip_uncovers_no_skin():
    """The new upper lip is higher than the source's: what is above the source's teeth is its lip, and never taken."""
    made, source = face(18, lift=6), face(18)
    _, _, found = places(made, source)
    assert found[:, 1].min() >= source[list(LIP_INNER_UPPER), 1].min() - _BEYOND - 0.01


@pytest.mark.parametrize(("moved", "follows"), [(0.8 * _UNSURE, True), (6 * _UNSURE, False)])
def test_small_movements_of_the_lips_against_the_skull_are_tracking(moved: float, follows: bool):
    made, source = face(20), face(20)
    source[list(LIPS_INNER), 1] += moved
    rows, columns, found = places(made, source)
    teeth = upper(rows, columns, made)
    shift = float(np.median(found[teeth][:, 1] - rows[teeth]))
    assert (abs(shift - moved) < 0.7) == follows


def test_closed_lips_change_nothing_but_their_own_line():
    rows, _, found = places(face(0), face(0))
    assert np.isfinite(found).all()
    assert np.ptp(rows) < 12


def test_no_opening_at_all():
    field = Field(*np.zeros((2, CROP, CROP), np.float32), CROP, Region.whole(CROP))
    found, dark = through_lips(field, np.zeros((CROP, CROP), np.uint8), face(5), face(5))
    assert found is field
    assert not dark.any()


@pytest.mark.parametrize(("source", "gapes"), [(face(6), True), (face(24), False), (face(30), False)])
def test_gap_between_teeth_that_part_is_dark(source: np.ndarray, gapes: bool):
    made = face(24)
    inner = inner_mouth(made.astype(np.float32), CROP)
    _, dark = through_lips(
        Field(*np.zeros((2, CROP, CROP), np.float32), CROP, Region.whole(CROP)), inner, made, source
    )
    assert (dark.max() > 150) == gapes
    rows = np.flatnonzero(dark[:, 128])
    if gapes:
        assert made[UPPER_LIP_INNER, 1] + 2 < rows.min() < rows.max() < made[LOWER_LIP_INNER, 1]
