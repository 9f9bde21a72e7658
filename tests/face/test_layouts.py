import numpy as np
import pytest

from evp.face.basis import FaceBasis
from evp.face.layouts import (
    BROW_LEFT_LOWER,
    BROW_LEFT_UPPER,
    BROW_RIGHT_LOWER,
    BROW_RIGHT_UPPER,
    CHIN,
    EYE_LEFT_LOWER,
    EYE_LEFT_UPPER,
    EYE_RIGHT_LOWER,
    EYE_RIGHT_UPPER,
    FACE_OVAL,
    FOREHEAD,
    HAIRLINE,
    IRIS_LEFT,
    IRIS_RIGHT,
    JAW,
    LIP_INNER_LOWER,
    LIP_INNER_UPPER,
    LIP_OUTER_LOWER,
    LIP_OUTER_UPPER,
    LOWER_LIP_INNER,
    MESH_POINTS,
    MOUTH_CORNER_LEFT,
    MOUTH_CORNER_RIGHT,
    NOSE_BASE,
    RIGID,
    UPPER_LIP_INNER,
    Layout,
    face_height,
    from_mesh,
    mouth_opening,
    mouth_width,
)

MIRROR = {
    "evp106": [(i, 32 - i) for i in range(16)] + [(33 + i, 42 - i) for i in range(5)]
    + [(52, 61), (53, 60), (54, 59), (55, 58), (56, 63), (57, 62), (74, 77), (72, 75), (73, 76)]
    + [(64 + i, 71 - i) for i in range(4)] + [(47, 51), (48, 50), (78, 79), (80, 81), (82, 83), (104, 105)]
    + [(84, 90), (85, 89), (86, 88), (95, 91), (94, 92), (96, 100), (97, 99), (103, 101)],
    "ibug68": [(i, 16 - i) for i in range(8)] + [(17 + i, 26 - i) for i in range(5)]
    + [(36, 45), (37, 44), (38, 43), (39, 42), (40, 47), (41, 46), (31, 35), (32, 34)]
    + [(48, 54), (49, 53), (50, 52), (59, 55), (58, 56), (60, 64), (61, 63), (67, 65)],
}  # fmt: skip
"""Points of each layout that are each other's mirror image, by the layouts' own definitions."""

MIDDLE = {
    "evp106": (16, 43, 44, 45, 46, 49, 87, 93, 98, 102),
    "ibug68": (8, 27, 28, 29, 30, 33, 51, 57, 62, 66),
}


def mean() -> np.ndarray:
    return FaceBasis.load().mean


@pytest.mark.parametrize(("layout", "points"), [("mesh", 478), ("evp106", 106), ("ibug68", 68)])
def test_shape_and_weights(layout: Layout, points: int):
    assert from_mesh(np.zeros((2, 5, MESH_POINTS, 3), np.float32), layout).shape == (2, 5, points, 3)
    rows = from_mesh(np.eye(MESH_POINTS, dtype=np.float32), layout)
    np.testing.assert_allclose(rows.sum(axis=1), 1, atol=1e-6)
    assert rows.min() >= 0
    assert len(np.unique(rows, axis=0)) == points  # no point is there twice


def test_mesh_is_itself():
    mesh = np.random.default_rng(0).normal(size=(MESH_POINTS, 2)).astype(np.float32)
    np.testing.assert_array_equal(from_mesh(mesh, "mesh"), mesh)


def test_named_points_of_the_106():
    mesh = mean()
    points = from_mesh(mesh, "evp106")
    named = {16: CHIN, 84: MOUTH_CORNER_LEFT, 90: MOUTH_CORNER_RIGHT, 98: UPPER_LIP_INNER, 102: LOWER_LIP_INNER,
             104: IRIS_LEFT[0], 105: IRIS_RIGHT[0], 52: 33, 55: 133, 58: 362, 61: 263}  # fmt: skip
    for number, vertex in named.items():
        np.testing.assert_array_equal(points[number], mesh[vertex], err_msg=str(number))


def test_named_points_of_the_68():
    mesh = mean()
    points = from_mesh(mesh, "ibug68")
    named = {8: CHIN, 48: MOUTH_CORNER_LEFT, 54: MOUTH_CORNER_RIGHT, 62: UPPER_LIP_INNER, 66: LOWER_LIP_INNER,
             36: 33, 39: 133, 42: 362, 45: 263}  # fmt: skip
    for number, vertex in named.items():
        np.testing.assert_array_equal(points[number], mesh[vertex], err_msg=str(number))


@pytest.mark.parametrize("layout", ["evp106", "ibug68"])
def test_left_and_right_mirror_each_other(layout: Layout):
    points = from_mesh(mean(), layout)
    listed = {number for pair in MIRROR[layout] for number in pair} | set(MIDDLE[layout])
    assert len(points) == len(listed)
    for left, right in MIRROR[layout]:
        assert points[left, 0] < points[right, 0], (left, right)
        np.testing.assert_allclose(
            points[left] * [-1, 1, 1], points[right], atol=0.03, err_msg=f"{left} {right}"
        )
    np.testing.assert_allclose(points[list(MIDDLE[layout]), 0], 0, atol=0.02)


@pytest.mark.parametrize(
    "curve",
    [FOREHEAD, BROW_LEFT_UPPER, BROW_LEFT_LOWER, BROW_RIGHT_UPPER, BROW_RIGHT_LOWER, EYE_LEFT_UPPER, EYE_LEFT_LOWER,
     EYE_RIGHT_UPPER, EYE_RIGHT_LOWER, NOSE_BASE, LIP_OUTER_UPPER, LIP_OUTER_LOWER, LIP_INNER_UPPER,
     LIP_INNER_LOWER, JAW[2:-2]],
)  # fmt: skip
def test_curves_run_from_left_to_right(curve: tuple[int, ...]):
    assert (np.diff(mean()[list(curve), 0]) > -0.002).all()


@pytest.mark.parametrize(
    ("upper", "lower"),
    [(EYE_LEFT_UPPER, EYE_LEFT_LOWER), (EYE_RIGHT_UPPER, EYE_RIGHT_LOWER), (BROW_LEFT_UPPER, BROW_LEFT_LOWER),
     (BROW_RIGHT_UPPER, BROW_RIGHT_LOWER), (LIP_OUTER_UPPER, LIP_INNER_UPPER), (LIP_INNER_LOWER, LIP_OUTER_LOWER)],
)  # fmt: skip
def test_upper_curves_lie_above_lower_ones(upper: tuple[int, ...], lower: tuple[int, ...]):
    height = mean()[:, 1]
    assert height[list(upper[2:-2])].mean() < height[list(lower[2:-2])].mean()


def test_outline_goes_once_round_the_face():
    assert len(set(FACE_OVAL)) == len(FACE_OVAL) == 36
    centre = mean()[list(FACE_OVAL), :2].mean(axis=0)
    angle = np.unwrap(np.arctan2(*(mean()[[*FACE_OVAL, FACE_OVAL[0]], :2] - centre).T[::-1]))
    assert abs(abs(angle[-1] - angle[0]) - 2 * np.pi) < 1e-6


def test_rigid_points_hold_no_mouth_and_no_brow():
    moving = {*LIP_OUTER_UPPER, *LIP_OUTER_LOWER, *JAW[1:-1], *BROW_LEFT_UPPER, *BROW_RIGHT_UPPER, *IRIS_LEFT}
    assert not moving & set(RIGID)


def test_measures_of_a_made_up_mesh():
    mesh = np.zeros((2, MESH_POINTS, 3))
    mesh[:, LOWER_LIP_INNER] = [[0, 3, 4], [0, 0, 0]]
    mesh[:, MOUTH_CORNER_RIGHT] = [[2, 0, 0], [0, 6, 8]]
    mesh[:, HAIRLINE] = [[0, 0, 7], [1, 0, 0]]
    np.testing.assert_allclose(mouth_opening(mesh), [5, 0])
    np.testing.assert_allclose(mouth_width(mesh), [2, 10])
    np.testing.assert_allclose(face_height(mesh), [7, 1])
