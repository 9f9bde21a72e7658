from functools import cache

import cv2
import numpy as np
import pytest

from evp.face.basis import FaceBasis
from evp.face.crop import CROP, face_boxes, scaled_points
from evp.face.layouts import (
    FACE_OVAL,
    LIP_INNER_LOWER,
    LIP_INNER_UPPER,
    LIPS_INNER,
    LIPS_OUTER,
    LOWER_LIP_INNER,
)
from evp.render.inputs import INPUT_CHANNELS, View, blend, compose, edges, face_mask, inner_mouth, prepare
from evp.render.warp import WarpMesh
from tiny import actor, draw

MARKER = np.array([255, 0, 255], np.uint8)
"""A colour that the drawn person does not have."""


@cache
def view(frame: int, size: int = CROP) -> View:
    """A crop of a drawn person, ``size`` pixels."""
    person = actor(30, size=(400, 400), height=240.0)
    box = face_boxes(person.head.pose)[frame]
    picture = box.cut(draw(person.landmarks[frame], person.size))
    outline = person.head.pose.project(person.head.neutral[None, list(FACE_OVAL)])[frame, :, :2]
    picture = cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA)
    scale = size / box.size
    landmarks = scaled_points(box.points(person.landmarks[frame]), scale)
    return View(picture, landmarks, scaled_points(box.points(outline), scale))


def marked(seen: View) -> View:
    """The view with its face painted over."""
    picture = seen.picture.copy()
    cv2.fillPoly(picture, [np.round(seen.landmarks[list(FACE_OVAL), :2]).astype(np.int32)], MARKER.tolist())
    return View(picture, seen.landmarks, seen.outline)


@cache
def mesh() -> WarpMesh:
    return WarpMesh.build(FaceBasis.load())


def lowered(landmarks: np.ndarray) -> np.ndarray:
    """The face with its jaw dropped."""
    moved = landmarks.copy()
    below = landmarks[:, 1] > landmarks[LOWER_LIP_INNER, 1] - 1
    moved[below, 1] += 10
    return moved


def marker_share(picture: np.ndarray) -> np.ndarray:
    """(H, W) how much of the marker's colour shows: no other colour here has red and blue far above green."""
    rgb = picture.astype(int)
    return np.clip(np.minimum(rgb[..., 0], rgb[..., 2]) - rgb[..., 1], 0, None)


def test_tensor_has_the_planes_that_are_promised():
    frame = view(4)
    prepared = prepare(mesh(), frame.landmarks, frame, [view(0)], [view(8)])
    assert prepared.tensor.shape == (INPUT_CHANNELS, CROP, CROP)
    assert prepared.tensor.dtype == np.float32
    assert prepared.tensor.min() >= 0
    assert prepared.tensor.max() <= 1
    np.testing.assert_allclose(prepared.tensor[6] * 255, prepared.mask, atol=0.01)
    for channel, drawn in enumerate(edges(frame.landmarks, CROP), start=7):
        np.testing.assert_allclose(prepared.tensor[channel] * 255, drawn, atol=0.01)
    np.testing.assert_allclose(prepared.tensor[10] * 255, inner_mouth(frame.landmarks, CROP), atol=0.01)


def test_mouth_source_shows_at_the_lips_only():
    frame = view(4)
    seen = prepare(mesh(), frame.landmarks, frame, [view(0)], [view(8)]).tensor[3:6].max(axis=0) > 0
    lips = np.zeros((CROP, CROP), np.uint8)
    cv2.fillPoly(lips, [np.round(frame.landmarks[list(LIPS_OUTER), :2]).astype(np.int32)], 1)
    assert seen[cv2.erode(lips, np.ones((3, 3))) > 0].all()
    assert not seen[cv2.dilate(lips, np.ones((15, 15))) == 0].any()


def test_mask_holds_both_faces_and_is_soft():
    landmarks = view(4).landmarks
    mask = face_mask([landmarks, lowered(landmarks)], CROP)
    for points in (landmarks, lowered(landmarks)):
        face = np.zeros((CROP, CROP), np.uint8)
        cv2.fillPoly(face, [np.round(points[list(FACE_OVAL), :2]).astype(np.int32)], 1)
        assert mask[face > 0].min() > 230
        assert mask[cv2.erode(face, np.ones((9, 9))) > 0].min() == 255
    assert mask[0].max() == 0
    assert len(np.unique(mask)) > 50


def test_edges_are_drawn_where_the_landmarks_are():
    landmarks = view(4).landmarks
    face, eyes, lips = edges(landmarks, CROP)
    for drawn, points in (
        (face, (152, 70, 168, 2)),
        (eyes, (33, 263, 159)),
        (lips, (61, 291, 13, 14, 0, 17)),
    ):
        for point in points:
            column, row = np.round(landmarks[point, :2]).astype(int)
            assert drawn[row - 1 : row + 2, column - 1 : column + 2].max() > 100, point
    assert not lips[: int(landmarks[4, 1])].any()  # nothing above the tip of the nose
    assert not eyes[int(landmarks[4, 1]) :].any()


def test_inner_mouth_is_the_polygon_of_the_inner_lips():
    landmarks = lowered(view(4).landmarks)
    polygon = landmarks[list(LIPS_INNER), :2]
    area, rim = (
        cv2.contourArea(polygon),
        cv2.arcLength(polygon, True),
    )  # pixels that are cut count wholly
    assert area < (inner_mouth(landmarks, CROP) / 255).sum() < area + rim


def test_outside_the_mask_the_frame_is_untouched():
    frame = view(4)
    prepared = prepare(mesh(), lowered(frame.landmarks), frame, [view(0)], [view(8)])
    noise = np.random.default_rng(0).uniform(-1, 1, (3, CROP, CROP)).astype(np.float32)
    made = compose(prepared, noise, frame, [view(0)], [view(8)])
    outside = prepared.mask == 0
    assert outside.mean() > 0.2
    np.testing.assert_array_equal(made[outside], frame.picture[outside])
    np.testing.assert_allclose(prepared.tensor[:3, outside].T * 255, frame.picture[outside], atol=0.01)


@pytest.mark.parametrize("size", [CROP, 344])
@pytest.mark.parametrize("jaw", ["as it is", "lower than in the frame", "higher than in the frame"])
def test_none_of_the_frames_own_face_leaks(size: int, jaw: str):
    plain_frame = view(4, size)
    landmarks = plain_frame.landmarks
    if jaw == "lower than in the frame":
        landmarks = lowered(landmarks)
    elif jaw == "higher than in the frame":
        plain_frame = View(plain_frame.picture, lowered(landmarks), plain_frame.outline)
    frame = marked(plain_frame)
    skin, mouth = [view(0, size), view(12, size)], [view(8, size)]
    nothing = np.zeros((3, CROP, CROP), np.float32)
    pictures = []
    for seen in (frame, plain_frame):
        prepared = prepare(mesh(), landmarks, seen, skin, mouth)
        made = compose(prepared, nothing, seen, skin, mouth)
        pictures.append((made, prepared.tensor[:3].transpose(1, 2, 0) * 255))
    assert marker_share(frame.picture).max() == 255
    for painted, plain in zip(*pictures, strict=True):
        mask = cv2.resize(prepared.mask, painted.shape[:2], interpolation=cv2.INTER_LINEAR)
        np.testing.assert_allclose(painted[mask == 255], plain[mask == 255], atol=1e-3)
        assert (
            marker_share(painted) - marker_share(plain)
        ).max() < 30  # the soft border lies outside the face


def test_own_skin_and_mouth_give_the_frame_back():
    frame = view(4)
    prepared = prepare(mesh(), frame.landmarks, frame, [frame], [frame])
    made = compose(prepared, np.zeros((3, CROP, CROP), np.float32), frame, [frame], [frame])
    apart = np.abs(made.astype(int) - frame.picture).max(axis=2)
    assert apart[prepared.inside == 0].max() <= 4
    assert apart.max() <= 20, "the rim of the lips is drawn soft"


@pytest.mark.parametrize("opening", [0.6, 1.5])
def test_the_inside_of_the_frames_own_mouth_is_never_skin(opening: float):
    """What lies between lips that have nearly closed comes from lips, not from the mouth that was open there."""
    frame = view(4)
    gaping = View(frame.picture.copy(), lowered(frame.landmarks), frame.outline)
    deep = cv2.erode(inner_mouth(gaping.landmarks, CROP), np.ones((5, 5), np.uint8))
    gaping.picture[deep == 255] = MARKER
    nearly = frame.landmarks.copy()
    middle = nearly[list(LIPS_INNER), 1].mean()
    nearly[list(LIP_INNER_UPPER[1:-1]), 1] = middle - opening / 2
    nearly[list(LIP_INNER_LOWER[1:-1]), 1] = middle + opening / 2
    plain = View(np.full_like(frame.picture, 90), frame.landmarks, frame.outline)
    prepared = prepare(mesh(), nearly, gaping, [gaping], [plain])
    made = compose(prepared, np.zeros((3, CROP, CROP), np.float32), gaping, [gaping], [plain])
    assert marker_share(gaping.picture).max() == 255
    assert marker_share(made)[prepared.lips.index].max() < 30


def test_correction_counts_in_the_mask_alone():
    frame = view(4)
    prepared = prepare(mesh(), frame.landmarks, frame, [frame], [frame])
    plain, lighter = (
        compose(prepared, np.full((3, CROP, CROP), value, np.float32), frame, [frame], [frame]).astype(int)
        for value in (0, 0.07)
    )
    dark = (plain.max(axis=2) < 220) & (prepared.mask == 255)
    np.testing.assert_allclose((lighter - plain)[dark], 0.07 * 255, atol=1.01)
    assert not (lighter - plain)[prepared.mask == 0].any()


def test_correction_is_limited_inside_the_mouth():
    frame = view(4)
    landmarks = lowered(frame.landmarks)
    teeth = View(np.full_like(frame.picture, 200), landmarks, frame.outline)
    prepared = prepare(mesh(), landmarks, frame, [frame], [teeth])
    plain, darker = (
        compose(prepared, np.full((3, CROP, CROP), value, np.float32), frame, [frame], [teeth]).astype(int)
        for value in (0, -0.3)
    )
    light = (plain.min(axis=2) > 80) & (prepared.mask == 255)
    for where, wanted in ((prepared.inside == 255, 0.08), (prepared.inside == 0, 0.3)):
        assert (light & where).sum() > 20
        np.testing.assert_allclose((plain - darker)[light & where], wanted * 255, atol=1.01)


def test_skin_is_the_mean_of_its_views():
    frame = view(4)

    def flat(level: int) -> View:
        return View(np.full_like(frame.picture, level), frame.landmarks, frame.outline)

    prepared = prepare(mesh(), frame.landmarks, frame, [flat(30), flat(60), flat(120)], [flat(200)])
    solid = (prepared.mask == 255) & (prepared.inside == 0)
    np.testing.assert_allclose(prepared.tensor[:3, solid] * 255, 70, atol=1.5)
    mouth = prepared.inside == 255
    np.testing.assert_allclose(prepared.tensor[:3, mouth] * 255, 200, atol=1)


def test_blend_takes_what_the_mask_says():
    rng = np.random.default_rng(1)
    under, over = rng.integers(0, 256, (2, 20, 20, 3), dtype=np.uint8)
    mask = rng.integers(0, 256, (20, 20), dtype=np.uint8)
    share = mask[..., None] / 255
    np.testing.assert_allclose(blend(under, over, mask), share * over + (1 - share) * under, atol=1.01)
    np.testing.assert_array_equal(blend(under, over, np.full_like(mask, 255)), over)
    np.testing.assert_array_equal(blend(under, over, np.zeros_like(mask)), under)


def test_small_view_is_the_same_view():
    seen = view(4, 344).small
    assert seen.picture.shape == (CROP, CROP, 3)
    np.testing.assert_allclose(seen.landmarks, view(4).landmarks, atol=0.01)
    assert view(4).small.picture.shape == (CROP, CROP, 3)
