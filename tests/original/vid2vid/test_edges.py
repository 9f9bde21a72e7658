import warnings

import numpy as np
import pytest
from scipy.optimize import curve_fit
from scipy.spatial.distance import cdist
from skimage.feature import canny

from evp.errors import InputError
from evp.face.basis import FaceBasis
from evp.face.layouts import from_mesh
from evp.media import read_frames
from evp.original.parameters import write_landmark_files
from evp.original.vid2vid.edges import crop_box, edge_file, edge_map, face_mask
from tiny import numbered, write_media

LINES = [
    list(range(33)),
    [37, 36, 35, 34, 33, 64, 65, 66, 67, 37], [38, 39, 40, 41, 42, 71, 70, 69, 68, 38],
    [44, 47], [47, 48, 49, 50, 51], [51, 44],
    [52, 53, 54, 55], [55, 56, 57, 52], [58, 59, 60, 61], [61, 62, 63, 58],
    [84, 85, 86, 87, 88, 89, 90], [90, 91, 92, 93, 94, 95, 84],
    [96, 97, 98, 99, 100], [100, 101, 102, 103, 96],
]  # fmt: skip


def face(size: int = 100) -> np.ndarray:
    """A face of whole pixels in the middle of a square picture."""
    points = from_mesh(FaceBasis.load().mean, "evp106")[:, :2]
    return np.round(points * 0.6 * size + [0.5 * size, 0.3 * size])


def drawn(x: np.ndarray, y: np.ndarray) -> list[tuple[int, int]] | None:
    """Pixels of one curve, by least squares, one for every step along its longer axis; None: curved too much."""
    if np.abs(np.diff(x)).max() < np.abs(np.diff(y)).max():
        turned = drawn(y, x)
        return None if turned is None else [(b, a) for a, b in turned]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if len(x) == 3:
            (a, b, c), _ = curve_fit(lambda x, a, b, c: a * x**2 + b * x + c, x, y)
        else:
            (b, c), _ = curve_fit(lambda x, b, c: b * x + c, x, y)
            a = 0
    if abs(a) > 1:
        return None
    places = np.linspace(min(x[0], x[-1]), max(x[0], x[-1]), int(abs(x[-1] - x[0])))
    return [(int(p), int(a * p**2 + b * p + c + 1e-6)) for p in places]


def test_lines_and_distances_are_those_of_the_definition():
    points = face()
    edges = edge_map(points, np.full((100, 100, 3), 90, np.uint8))
    assert edges.shape == (15, 100, 100)
    assert edges.dtype == np.uint8
    whole = np.zeros((100, 100), bool)
    everywhere = np.argwhere(np.ones((100, 100)))
    for channel, line in enumerate(LINES, start=1):
        alone = np.zeros((100, 100), bool)
        for k in range(0, max(1, len(line) - 1), 2):
            pixels = drawn(*points[line[k : k + 3]].T)
            assert pixels is not None
            for x, y in pixels:
                alone[y - 1 : y + 1, x - 1 : x + 1] = True
        whole |= alone
        distance = cdist(everywhere, np.argwhere(alone), "cityblock").min(axis=1).reshape(100, 100)
        off = np.abs(edges[channel].astype(int) - (distance / 3).astype(int))
        assert (off > 0).mean() < 0.03, channel  # a pixel of the line may be rounded the other way
        assert off.max() <= 1
    assert ((edges[0] > 0) != whole).mean() < 0.002


def test_edges_of_the_frame_are_kept_outside_of_the_face_alone():
    frame = np.random.default_rng(0).integers(0, 256, (100, 100, 3)).astype(np.uint8)
    points = face()
    lines = edge_map(points, np.zeros_like(frame))[0] > 0
    grey = np.round(frame @ [0.299, 0.587, 0.114]).astype(np.uint8)
    mask = face_mask(points, (100, 100))
    assert 0.15 < mask.mean() < 0.5
    assert ((edge_map(points, frame)[0] > 0) == (lines | (canny(grey) & ~mask))).mean() > 0.995


def test_the_mask_closes_the_contour_with_its_flattened_mirror_image():
    points = face()
    mask = face_mask(points, (100, 100))
    level = (points[0, 1] + points[32, 1]) / 2
    chin = points[16, 1]
    column = np.flatnonzero(mask[:, int(points[16, 0])])
    assert column.max() == chin
    assert abs(column.min() - (level - (chin - level) * 2 / 3)) <= 1


def test_a_sharp_bend_becomes_two_straight_lines():
    points = face()
    points[[84, 85, 86]] = [[40, 80], [42, 90], [44, 80]]
    frame = np.zeros((100, 100, 3), np.uint8)
    edges = edge_map(points, frame)
    assert edges[0, 84, 40] == 255
    assert edges[11, 84, 40] > 0


def test_the_crop_is_a_square_of_the_faces_width_that_stays_inside():
    points = face(200)
    box = crop_box(points, (400, 600))
    width = np.ptp(points[:, 0])
    assert abs(box.size - 2.1 * width) <= 1
    assert abs(box.left + box.size / 2 - (points[:, 0].min() + points[:, 0].max()) / 2) <= 2 or box.left == 0
    small = crop_box(points, (120, 130))
    assert small.size == 120
    assert 0 <= small.left <= 10
    assert small.top == 0


def test_other_layouts_are_refused():
    with pytest.raises(InputError, match="landmarks"):
        edge_map(np.zeros((68, 2)), np.zeros((10, 10, 3), np.uint8))


def test_the_files_way_is_the_arrays_way(tmp_path):
    film = write_media(tmp_path / "film.mp4", numbered(3, 100, 100))
    write_landmark_files(tmp_path / "keypoints", face()[None])
    edge_file(film, tmp_path / "map.npy", frame=2, landmarks=tmp_path / "keypoints" / "000000.txt")
    shown = list(read_frames(film))[2]
    np.testing.assert_array_equal(np.load(tmp_path / "map.npy"), edge_map(face(), shown))
    with pytest.raises(InputError, match=r"film\.mp4 has no frame 3"):
        edge_file(film, tmp_path / "map.npy", frame=3, landmarks=tmp_path / "keypoints" / "000000.txt")
