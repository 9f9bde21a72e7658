from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest

from evp.corpora.manifest import ClipEntry, Manifest
from evp.errors import InputError, WeightsError
from evp.face.basis import FaceBasis
from evp.face.crop import CROP
from evp.render.dataset import Crops
from evp.render.warp import Raster, WarpMesh
from evp.render.wrinkles import SIZE, Wrinkles, learn_wrinkles
from tiny import crops, jpeg

BASIS = FaceBasis.load()
MESH = WarpMesh.build(BASIS)
FRAMES = 4
FOREHEAD, CHEEK_LEFT, CHEEK_RIGHT = (108, 337), (50, 187), (280, 411)
"""Ends of lines on the skin, by mesh points."""
Painter = Callable[[np.ndarray, np.ndarray], None]
"""Draws on a crop (256, 256, 3), given its landmarks (478, 3)."""


def line(ends: tuple[int, int], strength: float = 0.2) -> Painter:
    """A painter of a dark line between two landmarks."""

    def paint(picture: np.ndarray, landmarks: np.ndarray) -> None:
        drawn = np.zeros(picture.shape[:2], np.float32)
        begin, end = (tuple(int(v) for v in np.round(landmarks[n, :2])) for n in ends)
        cv2.line(drawn, begin, end, 1.0, 4, cv2.LINE_AA)
        picture[:] = picture * (1 - strength * drawn[..., None])

    return paint


def lighter(picture: np.ndarray, _: np.ndarray) -> None:
    """Another light."""
    picture[:] = np.minimum(picture * 1.2, 255)


@cache
def person() -> tuple[Crops, list[np.ndarray]]:
    """A drawn person and the pictures (256, 256, 3) of its crops."""
    own = crops(FRAMES)
    return own, [own.view(number).picture for number in range(FRAMES)]


def write_corpus(folder: Path, clips: dict[tuple[str, str | None], list[Painter]]) -> Path:
    """A prepared corpus at ``folder``, which is returned: clips of (speaker, emotion) with painted faces."""
    own, pictures = person()
    entries = []
    for number, ((speaker, emotion), painters) in enumerate(clips.items()):
        streams = []
        for picture, landmarks in zip(pictures, own.landmarks, strict=True):
            painted = picture.copy()
            for paint in painters:
                paint(painted, landmarks)
            streams.append(jpeg(painted))
        np.savez(
            folder / f"{number}.npz", crops=np.concatenate(streams),
            crop_offsets=np.cumsum([0] + [len(stream) for stream in streams]),
            crop_landmarks=own.landmarks, crop_outline=own.outline,
        )  # fmt: skip
        entries.append(ClipEntry(f"{number}.npz", speaker, "a.mp4", FRAMES, emotion=emotion))
    entries.append(ClipEntry("sound.npz", "a", "a.wav", FRAMES, filmed=False, emotion="angry"))
    Manifest(tuple(entries)).write(folder)
    return folder


def on_map(wrinkles: Wrinkles, label: str, ends: tuple[int, int]) -> tuple[float, float]:
    """The darkest value of a map in the middle of a line, and well beside it."""
    one = wrinkles.maps[wrinkles.labels.index(label)]
    x, y = wrinkles._vertices[list(ends), :2].mean(axis=0).round().astype(int)
    return float(one[y - 4 : y + 5, x - 4 : x + 5].min()), float(one[y + 14 : y + 18, x - 3 : x + 4].min())


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Wrinkles:
    """Three people frown when angry; one of them has a line of its own; when proud, only the left cheek folds."""
    clips: dict[tuple[str, str | None], list[Painter]] = {}
    for name in "abc":
        clips[name, "neutral"] = []
        clips[name, "angry"] = [line(FOREHEAD)] + (
            [line(CHEEK_LEFT), line(CHEEK_RIGHT)] if name == "b" else []
        )
        clips[name, "contempt"] = [line(CHEEK_LEFT)]
        clips[name, "sad"] = [line(CHEEK_LEFT)]
        clips[name, "happy"] = [lighter]
    clips["d", "angry"] = [line((50, 280))]  # never seen neutral
    clips["d", "bored"] = [line(FOREHEAD)]
    clips["a", None] = [line((50, 280))]
    return learn_wrinkles(write_corpus(tmp_path_factory.mktemp("corpus"), clips))


def test_dark_line_is_found_at_its_place(learned: Wrinkles):
    assert learned.labels == ("angry", "contempt", "happy", "sad")
    there, beside = on_map(learned, "angry", FOREHEAD)
    assert there < -0.12
    assert beside > 0.15 * there
    assert learned.maps.min() >= -0.35 - 1e-6 and learned.maps.max() <= 0.12 + 1e-6


def test_what_one_person_has_alone_is_suppressed(learned: Wrinkles):
    shared, alone = on_map(learned, "angry", FOREHEAD)[0], on_map(learned, "angry", CHEEK_LEFT)[0]
    agreed = on_map(learned, "contempt", CHEEK_LEFT)[0]
    assert agreed < -0.1
    assert 0.27 * agreed < alone  # a plain mean would keep a third
    assert shared < min(3 * alone, -0.1)


def test_both_halves_are_the_same_but_for_one_sided_labels(learned: Wrinkles):
    maps = dict(zip(learned.labels, learned.maps, strict=True))
    for label in ("angry", "sad", "happy"):
        np.testing.assert_allclose(maps[label], maps[label][:, ::-1], atol=0.04)
    left, right = (on_map(learned, "contempt", ends)[0] for ends in (CHEEK_LEFT, CHEEK_RIGHT))
    assert left < -0.1 and right > 0.2 * left
    half = on_map(learned, "sad", CHEEK_LEFT)[0]
    assert left < half < 0.3 * left


def test_light_is_no_wrinkle(learned: Wrinkles):
    assert np.abs(learned.maps[learned.labels.index("happy")]).max() < 0.04


def test_eyes_brows_lips_and_nostrils_are_left_alone(tmp_path: Path):
    across = [line((33, 263), 0.9), line((105, 334), 0.9), line((61, 291), 0.9), line((98, 327), 0.9)]
    found = learn_wrinkles(write_corpus(tmp_path, {("a", "neutral"): [], ("a", "angry"): across}))
    middles = [[468, 468], [473, 473], [105, 52], [334, 282], [13, 14], [0, 13], [2, 2], [4, 4]]
    x, y = found._vertices[middles, :2].mean(axis=1).T.round().astype(int)
    np.testing.assert_allclose(found.maps[0, y, x], 0, atol=0.02)
    assert found.maps.min() < -0.1  # but between the eyes


def target(number: int = 2) -> tuple[np.ndarray, np.ndarray, Raster]:
    """A plain picture (256, 256, 3), the landmarks of a face in it, and its raster."""
    own, _ = person()
    vertices = MESH.vertices(own.landmarks[number], own.outline[number], CROP)
    return np.full((CROP, CROP, 3), 180, np.uint8), own.landmarks[number], Raster.draw(MESH, vertices, CROP)


@pytest.mark.parametrize("size", [CROP, 2 * CROP, 200])
def test_line_is_drawn_at_the_landmarks_of_another_face(learned: Wrinkles, size: int):
    _, landmarks, raster = target()
    plain = np.full((size, size, 3), 180, np.uint8)
    drawn = learned.draw(plain, raster, {"angry": 1.0})
    assert drawn.shape == plain.shape and drawn.dtype == np.uint8
    darker = 180 - drawn[..., 0].astype(int)
    x, y = (landmarks[list(FOREHEAD), :2].mean(axis=0) * size / CROP).round().astype(int)
    reach = size // 40
    assert darker[y - reach : y + reach + 1, x - reach : x + reach + 1].max() > 15
    lowest = int(landmarks[:, 1].max() * size / CROP)
    assert np.abs(darker[lowest:]).max() <= 1
    assert np.abs(darker[landmarks[13, 1:2].astype(int)[0] * size // CROP, x]) <= 1
    red, green, blue = (drawn[..., channel][drawn[..., 1] < 170].astype(float).mean() for channel in range(3))
    assert red > green > blue, "folds are warm"


def test_darkness_grows_with_the_share(learned: Wrinkles):
    plain, _, raster = target()
    steps = [learned.draw(plain, raster, {"angry": share}).astype(int) for share in (0, 0.25, 0.5, 0.75, 1)]
    darkest = [180 - step.min() for step in steps]
    assert darkest[0] == 0
    assert (np.diff(darkest) > 3).all()


def test_mixture_multiplies(learned: Wrinkles):
    plain, _, raster = target()
    both, one, other = (
        learned.draw(plain, raster, shares).astype(float) / 180
        for shares in ({"angry": 0.5, "contempt": 0.5}, {"angry": 0.5}, {"contempt": 0.5})
    )
    np.testing.assert_allclose(both, one * other, atol=0.01)


def test_twice_the_share_is_darker_by_the_same_ratio_again(learned: Wrinkles):
    plain, _, raster = target()
    deep = replace(learned, maps=2 * learned.maps)
    once, twice = (deep.draw(plain, raster, {"angry": share}) / 180 for share in (0.5, 1.0))
    np.testing.assert_allclose(twice, once**2, atol=0.02)


@pytest.mark.parametrize(
    "shares", [{}, {"bored": 1.0}, {"neutral": 1.0}, {"angry": 0.0}, {"angry": 0.0, "sad": 0.0}]
)
def test_no_strength_changes_no_pixel(learned: Wrinkles, shares: dict[str, float]):
    picture = np.random.default_rng(0).integers(0, 256, (CROP, CROP, 3), dtype=np.uint8)
    before = picture.copy()
    np.testing.assert_array_equal(learned.draw(picture, target()[2], shares), before)
    np.testing.assert_array_equal(picture, before)


def test_picture_that_is_drawn_on_is_not_changed_itself(learned: Wrinkles):
    plain, _, raster = target()
    learned.draw(plain, raster, {"angry": 1.0})
    assert (plain == 180).all()


def test_maps_survive_their_file(learned: Wrinkles, tmp_path: Path):
    learned.save(tmp_path / "wrinkles.npz")
    found = Wrinkles.load(tmp_path / "wrinkles.npz")
    assert found.labels == learned.labels
    np.testing.assert_allclose(found.maps, learned.maps, atol=0.00151)
    found.save(tmp_path / "again.npz")
    np.testing.assert_array_equal(Wrinkles.load(tmp_path / "again.npz").maps, found.maps)


def test_other_files_are_refused(learned: Wrinkles, tmp_path: Path):
    learned.save(tmp_path / "wrinkles.npz")
    (tmp_path / "cut.npz").write_bytes((tmp_path / "wrinkles.npz").read_bytes()[:400])
    (tmp_path / "text.npz").write_text("wrinkles")
    np.savez(tmp_path / "lacking.npz", format=1, labels=np.array(["angry"]))
    np.savez(
        tmp_path / "newer.npz", format=2, labels=np.array(["angry"]), maps=np.zeros((1, SIZE, SIZE), np.int8)
    )
    replace(learned, maps=learned.maps[:, :100]).save(tmp_path / "smaller.npz")
    for name in ("none", "cut", "text", "lacking", "newer", "smaller"):
        with pytest.raises(WeightsError, match=f"{name}.npz: not the wrinkles of") as refused:
            Wrinkles.load(tmp_path / f"{name}.npz")
        assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "clips", [{}, {("a", "angry"): []}, {("a", "neutral"): []}, {("a", "neutral"): [], ("b", "angry"): []}]
)
def test_corpus_without_neutral_and_emotional_recordings_of_one_person_is_refused(
    tmp_path: Path, clips: dict
):
    with pytest.raises(
        InputError, match="nobody is there both in neutral speech and in an emotion"
    ) as refused:
        learn_wrinkles(write_corpus(tmp_path, clips))
    assert "\n" not in str(refused.value)


def test_packaged_maps_are_within_bounds():
    packaged = Wrinkles.load()
    assert len(packaged.labels) >= 6
    assert packaged.maps.min() >= -0.36 and packaged.maps.max() <= 0.13
    assert (packaged.maps.min(axis=(1, 2)) < -0.01).all()
