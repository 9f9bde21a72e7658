from dataclasses import replace

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
from evp.render.mouth import _BEYOND, _JAW, _MEETING, _UNSURE, Bite, through_lips
from evp.render.region import Region
from evp.render.warp import Field
from tiny import rotation

HIDDEN = Bite(np.zeros(16), np.full(16, _MEETING))
"""A source that shows nothing below its upper teeth."""
LOWER = sorted({*LIP_INNER_LOWER[1:-1], *_JAW, CHIN})


def face(opening: float, jaw: float | None = None, lift: float = 0.0) -> np.ndarray:
    """Landmarks (478, 3) of a face in a crop: lips ``opening`` pixels apart, jaw and upper lip moved by pixels."""
    mesh = FaceBasis.load().mean * 190 + [128, 105, 0]
    mesh[list(LIP_INNER_LOWER[1:-1]), 1] = mesh[list(LIP_INNER_UPPER[1:-1]), 1] + opening
    mesh[list(_JAW), 1] += opening if jaw is None else jaw
    mesh[list(LIP_INNER_UPPER[1:-1]), 1] -= lift
    return mesh


def places(
    made: np.ndarray, source: np.ndarray, bite: Bite | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows and columns inside the new face's lips, and where (N, 2) they come from."""
    inner = inner_mouth(made.astype(np.float32), CROP)
    nowhere = np.full((CROP, CROP), -1, np.float32)
    field = Field(nowhere, nowhere.copy(), CROP, Region.whole(CROP))
    found, _ = through_lips(field, inner, made, source, bite or HIDDEN)
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
    found, dark = through_lips(field, np.zeros((CROP, CROP), np.uint8), face(5), face(5), HIDDEN)
    assert found is field
    assert not dark.any()


def darkness(made: np.ndarray, source: np.ndarray, bite: Bite) -> np.ndarray:
    inner = inner_mouth(made.astype(np.float32), CROP)
    field = Field(*np.zeros((2, CROP, CROP), np.float32), CROP, Region.whole(CROP))
    return through_lips(field, inner, made, source, bite)[1]


@pytest.mark.parametrize(("source", "gapes"), [(face(6), True), (face(24), False), (face(30), False)])
def test_gap_between_teeth_that_part_is_dark(source: np.ndarray, gapes: bool):
    made = face(24)
    dark = darkness(made, source, HIDDEN)
    assert (dark.max() > 150) == gapes
    rows = np.flatnonzero(dark[:, 128])
    if gapes:
        assert made[UPPER_LIP_INNER, 1] + 2 < rows.min() < rows.max() < made[LOWER_LIP_INNER, 1] + 2


def test_lower_teeth_sink_behind_the_lip_as_teeth_part():
    made = face(24)
    heights = [
        (darkness(made, face(24, jaw=24 - parted), HIDDEN)[:, 128] > 60).sum() for parted in (2, 5, 7, 12)
    ]
    assert heights[0] == 0
    assert (np.diff(heights) > 0).all() or heights[-1] == heights[-2] > 6


def test_where_the_source_shows_lower_teeth_they_are_not_covered():
    made, source = face(24), face(6)
    left = np.where(np.arange(16) < 8, 1.0, 0.0)
    dark = darkness(made, source, replace(HIDDEN, shown=left))
    assert dark[:, :120].max() < 60
    assert dark[:, 136:].max() > 150
    assert not darkness(made, source, replace(HIDDEN, shown=np.ones(16))).any()


def mouth_picture(mesh: np.ndarray, rows: list[int]) -> np.ndarray:
    """A crop with these brightnesses from the upper lip to the lower one."""
    picture = np.full((CROP, CROP, 3), 120, np.uint8)
    top, bottom = mesh[UPPER_LIP_INNER, 1], mesh[LOWER_LIP_INNER, 1]
    bounds = np.round(np.linspace(top, bottom, len(rows) + 1)).astype(int)
    for light, begin, end in zip(rows, bounds, bounds[1:], strict=False):
        picture[begin:end] = light
    return picture


@pytest.mark.parametrize(
    ("rows", "dropped", "shown", "meeting"),
    [
        ([220, 200, 30, 30, 160, 160], 0, True, 0.5),  # upper teeth, gap, lower teeth
        ([90, 20, 30, 180, 180, 180], 0, True, 0.25),  # hardly any upper teeth
        ([220, 220, 210, 200, 190, 180], 0, False, _MEETING),  # clenched teeth
        ([220, 220, 120, 60, 40, 30], 0, False, _MEETING),  # upper teeth, nothing below
        ([30, 30, 20, 20, 20, 30], 0, False, _MEETING),  # a hole
        ([220, 220, 210, 200, 190, 180], 12, True, _MEETING),  # a dropped jaw, blurred
    ],
)
def test_where_teeth_part_is_seen(rows: list[int], dropped: float, shown: bool, meeting: float):
    mesh = face(20)
    bite = Bite.of(mouth_picture(mesh, rows), mesh, dropped)
    seen, place = bite.at(np.linspace(0.4, 0.6, 5))
    assert (seen > 0.9).all() if shown else (seen < 0.1).all()
    np.testing.assert_allclose(place, meeting, atol=0.1)
    assert bite.shown.min() >= 0 and bite.shown.max() <= 1


def test_gap_that_the_source_shows_is_what_is_stretched():
    """Teeth part farther than in the source: between them comes what the source has between its own."""
    made, source = face(30), face(18)
    _, columns, found = places(made, source, Bite(np.ones(16), np.full(16, 0.3)))
    middle = np.abs(columns - 128) < 3
    share = (found[middle, 1] - source[UPPER_LIP_INNER, 1]) / 18
    stretched = np.abs(share - 0.3) < 0.03
    assert stretched.sum() >= 6 * len(np.unique(columns[middle]))
