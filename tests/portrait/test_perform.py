import io
from itertools import islice

import cv2
import numpy as np
import pytest

from evp.face.head import Head
from evp.media import read_frames
from evp.portrait.bundle import Portrait
from evp.portrait.perform import eyes_open, perform
from evp.render.inputs import View, face_mask
from evp.render.renderer import Renderer
from tiny import portrait


@pytest.fixture(scope="module")
def drawn() -> Portrait:
    return portrait(30)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[np.ndarray, View, list[View], list[View]]]:
    """What the renderer is asked to make."""
    calls = []
    real = Renderer.render

    def watched(self, landmarks, frame, skin, mouth):
        calls.append((landmarks, frame, list(skin), list(mouth)))
        return real(self, landmarks, frame, skin, mouth)

    monkeypatch.setattr(Renderer, "render", watched)
    return calls


@pytest.mark.parametrize("count", [0, 1, 5])
def test_as_many_frames_as_expressions(drawn: Portrait, count: int):
    frames = list(perform(drawn, np.zeros((count, 20), np.float32)))
    assert len(frames) == count
    assert all(frame.shape == (128, 144, 3) and frame.dtype == np.uint8 for frame in frames)


def test_frames_come_one_by_one(drawn: Portrait):
    taken = []

    def endless():
        while True:
            taken.append(0)
            yield np.zeros(20, np.float32)

    frames = perform(drawn, endless())
    next(frames)
    next(frames)
    assert len(taken) == 2
    frames.close()


@pytest.mark.parametrize("count", [20, 36])
def test_own_expression_asks_for_the_tracked_face(drawn: Portrait, asked: list, count: int):
    own = drawn.aligner.coefficients
    order = [frame for frame, _ in islice(drawn.play(), 8)]
    made = list(perform(drawn, own[order, :count]))
    assert len(asked) == len(made) == 8
    pictures = list(read_frames(io.BytesIO(drawn.footage)))
    for (landmarks, view, _, _), frame, picture in zip(asked, order, made, strict=True):
        box = drawn.boxes[frame]
        np.testing.assert_allclose(landmarks, box.points(drawn.landmarks[frame]), atol=1e-3)
        np.testing.assert_array_equal(view.picture, box.cut(pictures[frame]))
        assert np.abs(picture.astype(int) - pictures[frame]).mean() < 6


def test_wanted_expression_asks_for_the_aligned_face(drawn: Portrait, asked: list):
    order = [frame for frame, _ in islice(drawn.play(), 3)]
    wanted = np.random.default_rng(0).normal(size=(3, 20)).astype(np.float32)
    list(perform(drawn, wanted))
    for (landmarks, view, _, _), frame, expression in zip(asked, order, wanted, strict=True):
        expected = drawn.boxes[frame].points(drawn.aligner.align(frame, expression))
        np.testing.assert_array_equal(landmarks, expected)
        assert np.abs(landmarks - view.landmarks).max() > 1


def test_outside_the_face_the_footage_is_untouched(drawn: Portrait):
    order = [frame for frame, _ in islice(drawn.play(), 4)]
    wanted = drawn.aligner.coefficients[order, :20] + 0.8
    pictures = list(read_frames(io.BytesIO(drawn.footage)))
    for made, frame, expression in zip(perform(drawn, wanted), order, wanted, strict=True):
        faces = [drawn.landmarks[frame], drawn.aligner.align(frame, expression)]
        outside = cv2.dilate(face_mask(faces, 144), np.ones((9, 9)))[: made.shape[0]] == 0
        assert outside.mean() > 0.3
        np.testing.assert_array_equal(made[outside], pictures[frame][outside])
        assert np.abs(made.astype(int) - pictures[frame])[~outside].max() > 20  # and inside it is not


def test_mouth_comes_from_a_frame_that_is_alike(drawn: Portrait, asked: list):
    source = int(drawn.sources.frames[4])
    wanted = np.repeat(drawn.aligner.coefficients[source : source + 1, :20], 6, axis=0)
    list(perform(drawn, wanted))
    _, _, _, mouths = asked[0]
    assert len(mouths) == 1
    shape = drawn.basis.shape
    own = drawn.aligner.coefficients[drawn.sources.frames]
    apart = np.linalg.norm((shape(own) - shape(own[4]))[:, :20], axis=1)
    chosen = next(n for n in range(len(own)) if np.array_equal(drawn.source(n).picture, mouths[0].picture))
    assert apart[chosen] <= np.sort(apart)[1]


def test_eyes_are_open_but_in_a_blink():
    person = portrait(40).head
    upper, lower = [159, 386], [145, 374]
    displacement = np.zeros_like(person.displacement)
    displacement[18:23, upper] = person.neutral[lower] - person.neutral[upper]
    awake = eyes_open(Head(person.neutral, person.pose, displacement))
    assert awake[20] < 0.05
    assert (awake[:12] > 0.99).all()
    assert (awake[29:] > 0.99).all()
