import cv2
import numpy as np
import pytest

from evp.face.basis import FaceBasis
from evp.face.layouts import BROW_LEFT_UPPER, EYE_LEFT, EYE_RIGHT, LIPS_OUTER
from evp.portrait.registration import register
from evp.render.dataset import Crops
from evp.render.warp import WarpMesh
from tiny import crops

FRAMES = 44
REFERENCES = np.arange(36)


@pytest.fixture(scope="module")
def drawn() -> Crops:
    return crops(FRAMES)


@pytest.fixture(scope="module")
def mistaken(drawn: Crops) -> np.ndarray:
    """The drawn face's landmarks, the face of every frame put off by up to two pixels."""
    wrong = drawn.landmarks.copy()
    wrong[..., :2] += np.random.default_rng(1).uniform(-2, 2, (FRAMES, 1, 2)).astype(np.float32)
    return wrong


def registered(
    drawn: Crops, landmarks: np.ndarray, pictures: list[np.ndarray], **changes: object
) -> np.ndarray:
    given = {"expressions": drawn.shape, "angles": drawn.angles, "references": REFERENCES} | changes
    return register(WarpMesh.build(FaceBasis.load()), landmarks, drawn.outline, pictures, **given)


def greys(drawn: Crops) -> list[np.ndarray]:
    return [cv2.imdecode(picture, cv2.IMREAD_GRAYSCALE) for picture in drawn.pictures]


def spread(landmarks: np.ndarray, drawn: Crops) -> float:
    """How much frames disagree, pixels, about where lips, eyes and brows are: the rest of a drawn face is flat."""
    off = (landmarks - drawn.landmarks)[:, list(LIPS_OUTER + EYE_LEFT + EYE_RIGHT + BROW_LEFT_UPPER), :2]
    return float(np.linalg.norm(off - np.median(off, axis=0), axis=2).mean())


def test_frames_that_disagree_are_brought_together(drawn: Crops, mistaken: np.ndarray):
    seen: list[tuple[int, int]] = []
    better = registered(drawn, mistaken, greys(drawn), progress=lambda *told: seen.append(told))
    assert spread(mistaken, drawn) > 1.2
    assert spread(better, drawn) < 0.6 * spread(mistaken, drawn)
    np.testing.assert_array_equal(better[..., 2], mistaken[..., 2])
    assert seen == [(n, 2 * FRAMES) for n in range(1, 2 * FRAMES + 1)]


def test_what_all_frames_have_in_common_stays(drawn: Crops):
    shifted = drawn.landmarks + np.array([1.5, -1, 0], np.float32)
    moved = registered(drawn, shifted, greys(drawn)) - shifted
    assert np.abs(np.median(moved[REFERENCES], axis=0)).max() < 1e-4


def test_other_frames_never_see_one_that_is_no_reference(drawn: Crops, mistaken: np.ndarray):
    noise = np.random.default_rng(0).integers(0, 256, (256, 256), np.uint8)
    pictures = greys(drawn)
    hidden = [noise if frame >= len(REFERENCES) else grey for frame, grey in enumerate(pictures)]
    with_them, without = (registered(drawn, mistaken, given) for given in (pictures, hidden))
    np.testing.assert_array_equal(with_them[REFERENCES], without[REFERENCES])
    assert (with_them[len(REFERENCES) :] != without[len(REFERENCES) :]).any()


def test_without_another_moment_nothing_moves(drawn: Crops, mistaken: np.ndarray):
    few = 10
    same = register(
        WarpMesh.build(FaceBasis.load()), mistaken[:few], drawn.outline[:few], greys(drawn)[:few],
        drawn.shape[:few], drawn.angles[:few], np.arange(8),
    )  # fmt: skip
    np.testing.assert_array_equal(same, mistaken[:few])
