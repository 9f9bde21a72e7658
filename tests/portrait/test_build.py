import io
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path

import cv2
import numpy as np
import pytest

from evp.errors import FaceError, InputError, OutputError
from evp.face.layouts import BROW_LEFT_UPPER, BROW_RIGHT_UPPER, FACE_OVAL
from evp.face.tracking import Track
from evp.media import read_frames
from evp.portrait import build
from evp.portrait.build import build_portrait
from evp.portrait.bundle import Portrait
from evp.portrait.evaluate import evaluate, held_out
from evp.render import train
from tiny import Actor, actor, encoded, portrait, write_actor

FRAMES = 80
CONSENT = "drawn by the tests, which agree"


@dataclass
class Tracker:
    """Stands in for track_faces: it counts its calls and knows the answer."""

    answer: Track
    calls: int = 0

    def __call__(self, frames: Iterable[np.ndarray], progress: Callable[[int], None] | None = None) -> Track:
        self.calls += 1
        for done, _ in enumerate(frames, start=1):
            if progress is not None:
                progress(done)
        return self.answer


@pytest.fixture(scope="module")
def person() -> Actor:
    return actor(FRAMES)


@pytest.fixture(scope="module")
def film(person: Actor, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_actor(tmp_path_factory.mktemp("footage") / "drawn.mp4", person)


@pytest.fixture(autouse=True)
def tracker(person: Actor, monkeypatch: pytest.MonkeyPatch) -> Tracker:
    planted = Tracker(person.track())
    monkeypatch.setattr(build, "track_faces", planted)
    return planted


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def check_landmarks(made: Portrait, true: np.ndarray) -> None:
    """They are smoothed a little in time, and registered."""
    off = np.abs(made.landmarks - true)
    assert off.mean() < 0.3
    assert np.quantile(off, 0.99) < 2


def without(track: Track, first: int, last: int) -> Track:
    """The track with some frames left out."""
    reasons = [("no face" if first <= n < last else "") for n in range(len(track))]
    return replace(track, reasons=tuple(reasons))


def test_quick_build_from_film_to_bundle(film: Path, person: Actor, tmp_path: Path):
    seen: list[tuple[str, int, int]] = []
    output = tmp_path / "drawn.evp"
    report = build_portrait(
        film, output, consent=f"  {CONSENT} ", quick=True, progress=lambda *told: seen.append(told)
    )
    assert names(tmp_path) == ["drawn.contact-sheet.jpg", "drawn.evp"]
    made = Portrait.open(output)
    assert made.manifest.consent.statement == CONSENT
    assert made.manifest.source == "drawn.mp4"
    assert made.manifest.size == person.size
    assert made.manifest.frames == FRAMES
    assert made.manifest.quick
    assert made.weights is None
    assert made.manifest == report.manifest
    check_landmarks(made, person.landmarks)
    assert len(list(read_frames(io.BytesIO(made.footage)))) == FRAMES
    assert {stage for stage, _, _ in seen} == {
        "finding the face",
        "cutting the shots",
        "registering the frames",
        "checking held-out frames",
    }
    assert all(0 < done <= total for _, done, total in seen)

    assert made.sources.frames.max() < 0.8 * FRAMES
    assert 1 < report.sources == len(made.sources.frames) == len(set(made.sources.frames.tolist()))
    figures = made.manifest.held_out
    assert figures["face_psnr"] > 20
    assert 0.5 < figures["face_ssim"] <= 1
    assert figures["flicker"] > 0

    text = str(report)
    assert str(output) in text
    assert f"{FRAMES / 25:.1f} s of 144x128 kept (1 shot)" in text
    assert "(quick)" in text
    assert f"face {figures['face_psnr']:.1f} dB" in text
    assert str(report.sheet) in text
    assert "at 0" not in text
    sheet = cv2.imdecode(np.frombuffer(report.sheet.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    assert sheet.shape[0] == 2 * 256
    assert report.sheet.read_bytes() == made.sheet


def test_fine_tuned_build_has_its_own_weights(film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    written: list[tuple[train.RenderNetwork, train.RenderConfig]] = []
    packaged = (files("evp.render") / "renderer.onnx").read_bytes()

    def export(network: train.RenderNetwork, path: Path, config: train.RenderConfig) -> None:
        written.append((network, config))
        path.write_bytes(packaged)

    monkeypatch.setattr(build, "_FINE_TUNING_STEPS", 2)
    monkeypatch.setattr(train, "export", export)  # takes seconds, and has its own test
    seen: list[tuple[str, int, int]] = []
    report = build_portrait(
        film, tmp_path / "a.evp", consent=CONSENT, seed=7, progress=lambda *told: seen.append(told)
    )
    made = Portrait.open(tmp_path / "a.evp")
    assert not made.manifest.quick
    assert made.weights == packaged
    assert any(way.numbers == "int8" for way in made.network.ways())
    assert [told for told in seen if told[0] == "learning"] == [("learning", 1, 2), ("learning", 2, 2)]
    [(network, config)] = written
    assert (config.steps, config.seed) == (2, 7)
    before = train.restore(packaged).state_dict()
    assert all((value != before[name]).any() for name, value in network.state_dict().items())
    assert "(quick)" not in str(report)
    assert names(tmp_path) == ["a.contact-sheet.jpg", "a.evp"]


@pytest.mark.parametrize("consent", ["", "  \n"])
def test_without_consent_nothing_is_done(film: Path, tracker: Tracker, tmp_path: Path, consent: str):
    with pytest.raises(InputError, match="consent"):
        build_portrait(film, tmp_path / "a.evp", consent=consent, quick=True)
    assert tracker.calls == 0
    assert names(tmp_path) == []


def test_missing_footage_and_missing_folder_leave_nothing(film: Path, tracker: Tracker, tmp_path: Path):
    with pytest.raises(InputError, match="no file"):
        build_portrait(tmp_path / "none.mp4", tmp_path / "a.evp", consent=CONSENT, quick=True)
    with pytest.raises(OutputError, match="no folder"):
        build_portrait(film, tmp_path / "none" / "a.evp", consent=CONSENT, quick=True)
    assert tracker.calls == 0
    assert names(tmp_path) == []


def test_footage_that_is_no_video_leaves_nothing(tmp_path: Path):
    (tmp_path / "a.txt").write_text("hello")
    with pytest.raises(InputError):
        build_portrait(tmp_path / "a.txt", tmp_path / "a.evp", consent=CONSENT, quick=True)
    assert names(tmp_path) == ["a.txt"]


def test_footage_without_a_face_names_the_file_and_leaves_nothing(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def faceless(*_: object) -> Track:
        raise FaceError("no face was found in the footage")

    monkeypatch.setattr(build, "track_faces", faceless)
    with pytest.raises(FaceError, match=r"drawn\.mp4: no face"):
        build_portrait(film, tmp_path / "a.evp", consent=CONSENT, quick=True)
    assert names(tmp_path) == []


def test_shot_that_is_too_short_names_the_file_and_leaves_nothing(
    film: Path, tracker: Tracker, tmp_path: Path
):
    tracker.answer = without(tracker.answer, 40, 45)
    with pytest.raises(FaceError, match=r"drawn\.mp4: .*1\.6 s of a face.*1\.60-1\.80 s: no face"):
        build_portrait(film, tmp_path / "a.evp", consent=CONSENT, quick=True)
    assert names(tmp_path) == []


def test_all_shots_are_kept_and_what_was_left_out_is_told(tracker: Tracker, tmp_path: Path):
    long = actor(112)
    film = write_actor(tmp_path / "drawn.mp4", long)
    tracker.answer = without(long.track(), 76, 80)
    report = build_portrait(film, tmp_path / "b.evp", consent=CONSENT, quick=True)
    kept = [*range(76), *range(80, 112)]
    assert report.manifest.shots == ((0, 76), (76, 108))
    assert report.manifest.left_out == ("3.04-3.20 s: no face",)
    assert "(2 shots)" in str(report)
    assert "at 3.04-3.20 s: no face" in str(report)
    made = Portrait.open(tmp_path / "b.evp")
    check_landmarks(made, long.landmarks[kept])
    true = list(read_frames(film))
    for number, picture in enumerate(read_frames(io.BytesIO(made.footage))):
        assert np.abs(picture.astype(int) - true[kept[number]]).mean() < 4
    held = {*range(61, 76), *range(76 + 26, 108)}
    assert not held & set(made.sources.frames.tolist())
    assert made.sources.frames.max() > 76  # both shots give source frames


def test_the_face_at_rest_is_that_of_the_shot_that_plays(
    tracker: Tracker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A shorter shot full of raised brows does not lift the neutral face."""
    monkeypatch.setattr(build, "register", lambda _mesh, landmarks, *_: landmarks)
    long = actor(112)
    film = write_actor(tmp_path / "drawn.mp4", long)
    track = without(long.track(), 76, 80)
    brows = list(BROW_LEFT_UPPER + BROW_RIGHT_UPPER)
    moved = track.landmarks.copy()
    moved[80:, brows, 1] -= 8
    tracker.answer = replace(track, landmarks=moved)
    build_portrait(film, tmp_path / "brows.evp", consent=CONSENT, quick=True)
    head = Portrait.open(tmp_path / "brows.evp").head
    tracker.answer = replace(long.track(), landmarks=track.landmarks[:76], reasons=track.reasons[:76])
    build_portrait(
        write_actor(tmp_path / "short.mp4", actor(76)), tmp_path / "alone.evp", consent=CONSENT, quick=True
    )
    alone = Portrait.open(tmp_path / "alone.evp").head
    np.testing.assert_allclose(head.neutral, alone.neutral, atol=1e-6)
    assert (head.displacement[76:, brows, 1] < -0.02).all()


def test_shots_of_less_than_a_second_are_left_out():
    track = replace(without(actor(112).track(), 76, 80), cuts=(90,))
    assert track.shots() == [slice(0, 76), slice(80, 90), slice(90, 112)]
    kept, left_out = build._kept(track)
    assert kept == [slice(0, 76)]
    assert [str(span) for span in left_out] == [
        "3.20-3.60 s: a very short shot",
        "3.60-4.48 s: a very short shot",
    ]


def test_long_shot_is_cut(film: Path, tracker: Tracker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(build, "MOST_SECONDS", 3.0)
    report = build_portrait(film, tmp_path / "a.evp", consent=CONSENT, quick=True)
    assert report.manifest.frames == 75
    assert report.manifest.left_out[-1].endswith("there was enough")
    assert tracker.calls == 1


def interrupted(film: Path, output: Path, stage: str) -> None:
    def stop(name: str, done: int, _: int) -> None:
        if name == stage and done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_portrait(film, output, consent=CONSENT, quick=True, progress=stop)


@pytest.mark.parametrize(("stage", "calls"), [("finding the face", 2), ("cutting the shots", 1)])
def test_interrupted_build_goes_on_where_it_was(
    film: Path, tracker: Tracker, tmp_path: Path, stage: str, calls: int
):
    interrupted(film, tmp_path / "a.evp", stage)
    assert names(tmp_path) == [".a.evp.building"]
    build_portrait(film, tmp_path / "a.evp", consent=CONSENT, quick=True)
    assert tracker.calls == calls
    assert names(tmp_path) == ["a.contact-sheet.jpg", "a.evp"]


def test_resumed_build_is_the_same_portrait(film: Path, tmp_path: Path):
    interrupted(film, tmp_path / "a.evp", "cutting the shots")
    for output in ("a.evp", "b.evp"):
        build_portrait(film, tmp_path / output, consent=CONSENT, quick=True)
    resumed, whole = (Portrait.open(tmp_path / output) for output in ("a.evp", "b.evp"))
    np.testing.assert_array_equal(resumed.landmarks, whole.landmarks)
    np.testing.assert_array_equal(resumed.sources.frames, whole.sources.frames)
    assert resumed.manifest.held_out == whole.manifest.held_out


def test_work_on_other_footage_is_not_taken_over(film: Path, person: Actor, tracker: Tracker, tmp_path: Path):
    interrupted(film, tmp_path / "a.evp", "cutting the shots")
    other = write_actor(tmp_path / "other.mp4", replace(person, size=(130, 144)))
    tracker.answer = replace(tracker.answer, size=(130, 144))
    tracker.calls = 0
    build_portrait(other, tmp_path / "a.evp", consent=CONSENT, quick=True)
    assert tracker.calls == 1
    assert Portrait.open(tmp_path / "a.evp").manifest.size == (130, 144)


def test_work_folder_says_which_footage_it_belongs_to(film: Path, tmp_path: Path):
    interrupted(film, tmp_path / "a.evp", "cutting the shots")
    label = json.loads((tmp_path / ".a.evp.building" / "footage.json").read_text())
    assert len(label["sha256"]) == 64


def test_last_fifth_of_every_shot_is_held_out():
    assert np.flatnonzero(held_out([(0, 10), (10, 17)])).tolist() == [8, 9, 16]


def test_evaluation_makes_the_held_out_frames_and_shows_them():
    drawn, counted = portrait(30), []
    figures, sheet = evaluate(drawn, lambda done, total: counted.append((done, total)))
    assert counted == [(done, 6) for done in range(1, 7)]
    assert set(figures) >= {"face_psnr", "face_ssim", "mouth_psnr", "mouth_ssim", "flicker"}
    assert sheet.shape == (512, 6 * 256, 3)
    real, made = sheet[:256].astype(int), sheet[256:]
    box, frame = drawn.boxes[24], list(read_frames(io.BytesIO(drawn.footage)))[24]
    np.testing.assert_array_equal(
        real[:, :256], cv2.resize(box.cut(frame), (256, 256), interpolation=cv2.INTER_AREA)
    )
    assert 0 < np.abs(real - made).mean() < 20


def test_evaluation_does_not_see_the_face_that_it_makes():
    """Painting over the faces of the held-out frames changes what is compared with, not what is made."""
    person, drawn = actor(30), portrait(30)
    pictures = person.pictures()
    for picture, mesh in zip(pictures[24:], person.landmarks[24:], strict=True):
        cv2.fillPoly(picture, [np.round(mesh[list(FACE_OVAL), :2]).astype(np.int32)], (255, 0, 255))
    _, sheet = evaluate(drawn)
    _, painted = evaluate(replace(drawn, footage=encoded(pictures)))
    middle = (slice(256 + 100, 256 + 150), slice(110, 146))
    assert np.abs(sheet[:256][100:150, 110:146].astype(int) - painted[:256][100:150, 110:146]).mean() > 60
    np.testing.assert_allclose(
        sheet[middle].astype(int), painted[middle], atol=12
    )  # the network sees the border
