from collections import Counter

import cv2
import numpy as np
import pytest

from evp.face.basis import FaceBasis
from evp.face.crop import CROP, Box, face_boxes
from evp.face.layouts import FACE_OVAL, MESH_POINTS
from evp.face.pose import Pose
from evp.render.warp import RING_SCALE, Raster, WarpMesh, ring
from tiny import actor, rotation

SIZE = 128


def mesh() -> WarpMesh:
    return WarpMesh.build(FaceBasis.load())


def placed(frame: int, size: int = SIZE) -> tuple[np.ndarray, np.ndarray]:
    """Landmarks (478, 3) and outline (36, 2) of a drawn person in a crop of ``size``."""
    head = actor(30).head
    box: Box = face_boxes(head.pose)[frame]
    scale = size / box.size
    outline = head.pose.project(head.neutral[None, list(FACE_OVAL)])[frame, :, :2]
    return box.points(actor(30).landmarks[frame]) * scale, box.points(outline) * scale


def vertices(frame: int, size: int = SIZE) -> np.ndarray:
    return mesh().vertices(*placed(frame, size), size)


def noise(size: int = SIZE) -> np.ndarray:
    return cv2.GaussianBlur(
        np.random.default_rng(0).integers(0, 256, (size, size, 3), dtype=np.uint8), (0, 0), 3
    )


def test_every_pixel_is_in_a_triangle():
    """The number of a cell, 0 where nothing was drawn, is that of a triangle that holds it."""
    for frame in (0, 10, 20):
        raster = Raster.draw(mesh(), vertices(frame), SIZE)
        corners = raster.vertices[raster.mesh.triangles[raster.number]][..., :2].astype(np.float64)
        at = np.arange(SIZE)
        here = np.stack(np.meshgrid(at, at), axis=-1)
        sides = [np.cross(corners[..., b, :] - corners[..., a, :], here - corners[..., a, :])
                 for a, b in ((0, 1), (1, 2), (2, 0))]  # fmt: skip
        longest = np.max([np.linalg.norm(corners[..., b, :] - corners[..., a, :], axis=-1)
                          for a, b in ((0, 1), (1, 2), (2, 0))], axis=0)  # fmt: skip
        area = np.sign(np.sum(sides, axis=0))
        outside = np.max([-side * area for side in sides], axis=0) / longest
        assert outside.max() < 1e-3, f"a pixel lies {outside.max():.1f} pixels outside of its triangle"


def test_triangles_close_every_hole():
    triangles = mesh().triangles
    count = MESH_POINTS + len(FACE_OVAL) + 12
    assert triangles.min() == 0
    assert triangles.max() == count - 1
    assert all(len(set(triangle)) == 3 for triangle in triangles.tolist())
    edges = np.sort(
        np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]), axis=1
    )
    open_edges = [edge for edge, uses in Counter(map(tuple, edges.tolist())).items() if uses == 1]
    assert len(open_edges) == 12  # nothing is open but the border of the crop
    assert min(min(edge) for edge in open_edges) == count - 12


def test_same_face_gives_the_same_picture():
    made = Raster.draw(mesh(), vertices(3), SIZE).field(vertices(3)).sample(noise(), SIZE)
    np.testing.assert_allclose(made[1:-1, 1:-1].astype(int), noise()[1:-1, 1:-1], atol=2)


def test_places_of_the_same_face_are_its_own():
    field = Raster.draw(mesh(), vertices(3), SIZE).field(vertices(3))
    at = np.arange(SIZE)
    np.testing.assert_allclose(field.x[1:-1, 1:-1], np.tile(at, (SIZE, 1))[1:-1, 1:-1], atol=0.02)
    np.testing.assert_allclose(field.y[1:-1, 1:-1], np.tile(at[:, None], (1, SIZE))[1:-1, 1:-1], atol=0.02)


@pytest.mark.parametrize("step", [2, 4])
def test_coarse_places_are_those_in_the_middle_of_their_cells(step: int):
    raster, source = Raster.draw(mesh(), vertices(5), SIZE), vertices(14)
    fine, coarse = raster.field(source), raster.field(source, step)
    assert coarse.x.shape == coarse.y.shape == (SIZE // step, SIZE // step)
    for whole, part in ((fine.x, coarse.x), (fine.y, coarse.y)):
        middle = whole.reshape(SIZE // step, step, SIZE // step, step).mean(axis=(1, 3))
        assert np.abs(part - middle)[2:-2, 2:-2].mean() < 0.1  # half a pixel off would be 0.5
    made, oracle = (field.sample(noise(), SIZE).astype(int) for field in (coarse, fine))
    assert np.abs(made - oracle)[4:-4, 4:-4].mean() < 1.5


def test_moved_landmarks_move_their_pixels():
    landmarks, outline = placed(3)
    moved = landmarks + np.array([4, -3, 0], np.float32)
    raster = Raster.draw(mesh(), mesh().vertices(moved, outline + np.array([4, -3]), SIZE), SIZE)
    made = raster.field(vertices(3)).sample(noise(), SIZE)
    inside = cv2.fillPoly(np.zeros((SIZE, SIZE), np.uint8), [moved[list(FACE_OVAL), :2].astype(np.int32)], 1)
    inside = cv2.erode(inside, np.ones((7, 7))).astype(bool)
    expected = np.roll(noise(), (-3, 4), axis=(0, 1))
    assert inside.sum() > 2000
    np.testing.assert_allclose(made[inside].astype(int), expected[inside], atol=2)
    corner = made[:4, :4].astype(int)
    np.testing.assert_allclose(corner, noise()[:4, :4], atol=12)  # the border of the crop stays where it is


def test_affine_map_is_reproduced():
    ours = vertices(5)
    theirs = ours.copy()
    linear, shift = np.array([[0.9, 0.1], [-0.15, 1.05]]), np.array([7.0, 5.0])
    theirs[:, :2] = ours[:, :2] @ linear.T + shift
    field = Raster.draw(mesh(), ours, SIZE).field(theirs)
    at = np.arange(SIZE)
    here = np.stack(np.meshgrid(at, at), axis=-1)
    expected = here @ linear.T + shift
    for made, wanted in ((field.x, expected[..., 0]), (field.y, expected[..., 1])):
        off = np.abs(made - wanted)[1:-1, 1:-1]  # at the rim the median has no neighbours
        assert np.quantile(off, 0.99) < 1e-3
        assert off.max() < 1  # slivers that are seen edge on


def test_turned_head_with_triangles_on_edge_is_not_torn():
    basis = FaceBasis.load()
    pose = Pose(np.full(2, 80.0), np.stack([rotation(38, 10), rotation(-5)]), np.full((2, 3), 64 - 20.0))
    meshes, outlines = pose.project(basis.mean), pose.project(basis.mean[None, list(FACE_OVAL)])[:, :, :2]
    new, source = (
        mesh().vertices(m.astype(np.float32), o, SIZE) for m, o in zip(meshes, outlines, strict=True)
    )
    field = Raster.draw(mesh(), new, SIZE).field(source)
    for place in (field.x, field.y):
        assert place.min() > -10
        assert place.max() < SIZE + 10
    inside = cv2.fillPoly(np.zeros((SIZE, SIZE), np.uint8), [new[list(FACE_OVAL), :2].astype(np.int32)], 1)
    inside = cv2.erode(inside, np.ones((5, 5))).astype(bool)
    back = mesh().vertices(meshes[1].astype(np.float32), outlines[1], SIZE)[list(FACE_OVAL), :2]
    low, high = back.min(axis=0) - 4, back.max(axis=0) + 4
    assert ((field.x > low[0]) & (field.x < high[0]) & (field.y > low[1]) & (field.y < high[1]))[inside].all()


@pytest.mark.parametrize("size", [SIZE // 2, 2 * SIZE, 3 * SIZE])
def test_same_face_gives_the_same_picture_at_any_size(size: int):
    made = Raster.draw(mesh(), vertices(3), SIZE).field(vertices(3)).sample(noise(size), size)
    edge = size // 32
    np.testing.assert_allclose(
        made[edge:-edge, edge:-edge].astype(int), noise(size)[edge:-edge, edge:-edge], atol=2
    )


@pytest.mark.parametrize("factor", [0.5, 2, 3])
def test_field_serves_pictures_of_other_sizes(factor: float):
    """The warp of an enlarged picture is the enlarged warp."""
    field = Raster.draw(mesh(), vertices(9), SIZE).field(vertices(2))
    size = round(SIZE * factor)
    picture = noise()
    large = cv2.resize(picture, (size, size), interpolation=cv2.INTER_LINEAR)
    made = field.sample(large, size)
    expected = cv2.resize(field.sample(picture, SIZE), (size, size), interpolation=cv2.INTER_LINEAR)
    edge = int(4 * max(1, factor))
    off = np.abs(made.astype(int) - expected)[edge:-edge, edge:-edge]
    assert off.mean() < 1.5
    wrong = np.abs(np.roll(made, 2, axis=1).astype(int) - expected)[edge:-edge, edge:-edge]
    assert off.mean() < 0.5 * wrong.mean()


def test_landmarks_of_the_source_come_to_those_of_the_new_face():
    size = CROP
    source, new = placed(2, size)[0], placed(9, size)[0]
    field = Raster.draw(mesh(), vertices(9, size), size).field(vertices(2, size))
    x, y = (cv2.resize(place, (size, size), interpolation=cv2.INTER_LINEAR) for place in (field.x, field.y))
    for point in (61, 291, 0, 17, 4, 33, 263, 152):
        column, row = np.round(new[point, :2]).astype(int)
        rest = new[point, :2] - (column, row)
        found = np.array([x[row, column], y[row, column]]) + rest
        np.testing.assert_allclose(found, source[point, :2], atol=1.5, err_msg=str(point))


def test_ring_is_an_enlarged_outline():
    outline = placed(0)[1]
    made = ring(outline)
    centre = outline.mean(axis=0)
    np.testing.assert_allclose(made - centre, RING_SCALE * (outline - centre), atol=1e-4)
