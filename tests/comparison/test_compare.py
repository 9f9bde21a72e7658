"""From films to the three reports, with planted faces in the place of the tracker."""

import json
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from evp.comparison import films, measure
from evp.comparison.compare import Evaluation, evaluate
from evp.comparison.evaluation import NAME, evaluate_files, write_reports
from evp.comparison.feeling import seen_emotion
from evp.comparison.figures import FIGURES
from evp.comparison.films import Film
from evp.comparison.measure import GENERATED, LOUDNESS, REAL, RIDGE, STILL
from evp.comparison.pairs import Pair
from evp.comparison.report import as_markdown
from evp.errors import FaceError, OutputError
from evp.face.head import Head
from evp.motion.expression import ExpressionModel
from tiny import Actor, Hearing, actor, draw, portrait, voice, write_media

FRAMES = 45
LATE = 2


@pytest.fixture(scope="module")
def people() -> dict[str, Actor]:
    """A talking head, the same two frames later, and one whose mouth stays shut."""
    whole = actor(FRAMES + LATE)

    def part(first: int, size: float = 1.0) -> Actor:
        frames = slice(first, first + FRAMES)
        head = Head(whole.head.neutral, whole.head.pose[frames], size * whole.head.displacement[frames])
        return Actor(head, size * whole.coefficients[frames], whole.size)

    return {"real": part(LATE), "late": part(0), "small": part(LATE, 0.5), "again": part(LATE)}


@pytest.fixture(scope="module")
def folder(people, tmp_path_factory) -> Path:
    """Films of them; one has sound, whose labels lie beside it."""
    folder = tmp_path_factory.mktemp("films")
    sound = np.concatenate([voice(1.2, 120), np.zeros(round(0.6 * 16000), np.float32)])
    for name, person in people.items():
        pictures = [draw(mesh, person.size) for mesh in person.landmarks]
        write_media(folder / f"{name}.mp4", pictures, waveform=sound if name == "real" else None, codec="aac")
    (folder / "real.phones").write_text("0.2 0.4 AA\n0.5 0.7 M\n")
    portrait(30).save(folder / "me.evp")
    return folder


def stand_in(patch: pytest.MonkeyPatch, people: dict[str, Actor]) -> None:
    """Faces are known without tracking, and what is loud is heard as happy."""

    def see(path: Path, _progress: object = None) -> Film:
        landmarks = people[path.stem].landmarks
        return Film(path, landmarks.copy(), np.ones(len(landmarks), bool))

    patch.setattr(films.Film, "see", staticmethod(see))
    patch.setattr(measure, "EmotionModel", Hearing)


def paired(folder: Path) -> dict[str, Pair]:
    extra = {"portrait": folder / "me.evp", "labels": folder / "real.phones", "emotion": "neutral"}
    return {name: Pair(name, folder / f"{name}.mp4", folder / "real.mp4", **extra)
            for name in ("real", "late", "small")}  # fmt: skip


@pytest.fixture
def pairs(people, folder, monkeypatch) -> dict[str, Pair]:
    stand_in(monkeypatch, people)
    return paired(folder)


@pytest.fixture(scope="module")
def evaluation(people, folder) -> Evaluation:
    """Of the late and of the small one."""
    with pytest.MonkeyPatch.context() as patch:
        stand_in(patch, people)
        pairs = paired(folder)
        return evaluate([pairs["late"], replace(pairs["small"], name="<b>&")], seed=3)


def test_a_film_against_itself_is_perfect(pairs):
    [clip] = evaluate([pairs["real"]]).clips
    values = clip.values[GENERATED]
    perfect = [values[key] for key in ("m_ld", "f_lvd", "identity_drift", "seam")]
    assert perfect == pytest.approx([0, 0, 0, 0], abs=1e-9)
    assert values["opening_r"] == pytest.approx(1)
    assert values["opening_lag"] == values["width_lag"] == 0
    assert [values["opening_travel"], values["mouth_sharpness"]] == pytest.approx([1, 1])
    assert values["ssim"] == pytest.approx(1)
    assert [values["psnr"], values["mouth_psnr"]] == pytest.approx([10 * np.log10(255**2 / 1e-10)] * 2)
    for key in ("flicker", "silence"):
        assert values[key] == pytest.approx(clip.values[REAL][key])
        assert values[key] > 0
    assert values["closures"] in (0, 100)
    assert 25 < clip.values[REAL]["psnr"] < 80
    assert clip.values[STILL]["m_ld"] > 0.5
    still = [clip.values[STILL][key] for key in ("jitter", "opening_travel", "silence")]
    assert still == pytest.approx([0, 0, 0], abs=1e-9)
    assert clip.frames == FRAMES
    assert clip.left_out == 0


def test_a_lag_of_two_frames_and_a_mouth_that_moves_half_as_far_are_found(evaluation, people):
    late, small = evaluation.clips
    assert late.values[GENERATED]["opening_lag"] == LATE
    assert late.values[GENERATED]["opening_r"] < 0.98
    assert late.values[GENERATED]["m_ld"] > 0.5
    assert small.values[GENERATED]["opening_lag"] == 0
    neutral = people["real"].head.neutral
    gap = neutral[14] - neutral[13]
    openings = [gap + size * (people["real"].head.displacement[:, 14] - people["real"].head.displacement[:, 13])
                for size in (0.5, 1)]  # fmt: skip
    half, whole = (np.linalg.norm(opening, axis=1).std() for opening in openings)
    assert small.values[GENERATED]["opening_travel"] == pytest.approx(half / whole, rel=0.02)


def test_baselines_are_fitted_to_the_other_clips(evaluation):
    clips = evaluation.clips
    for clip in clips:
        for who in (LOUDNESS, RIDGE):
            assert clip.values[who]["m_ld"] > 0
            assert "ssim" not in clip.values[who]
    assert "opening, ridge" in clips[0].curves


def test_a_film_without_sound_or_labels_says_what_is_missing(pairs):
    silent = Pair("silent", pairs["late"].generated, pairs["small"].generated)
    evaluation = evaluate([silent])
    missing = {row.figure.key: row.missing for row in evaluation.rows if row.missing}
    assert missing["silence"] == "neither film has sound"
    assert missing["closures"].startswith("no labels and no transcript")
    assert missing["fid"] == "no Inception network was given (--inception)"
    assert missing["emotion_agrees"].startswith("no portrait and no film")
    assert set(missing) == {
        "silence", "closures", "fid", "lse_c", "lse_d", "identity", "emotion_agrees", "emotion_asked",
    }  # fmt: skip
    assert LOUDNESS not in evaluation.clips[0].values
    assert "missing" in as_markdown(evaluation)


def test_faces_that_are_hardly_seen_are_refused(pairs, people, monkeypatch):
    def see(path: Path, _progress: object = None) -> Film:
        known = np.arange(FRAMES) < (10 if path.stem == "late" else FRAMES)
        return Film(path, people[path.stem].landmarks.copy(), known)

    monkeypatch.setattr(films.Film, "see", staticmethod(see))
    with pytest.raises(FaceError, match="in 10 frames only, 25 are needed"):
        evaluate([pairs["late"]])


def test_frames_without_a_face_are_left_out_everywhere(pairs, people, monkeypatch):
    def see(path: Path, _progress: object = None) -> Film:
        landmarks = people[path.stem].landmarks.copy()
        known = np.ones(FRAMES, bool)
        if path.stem == "late":
            landmarks[20:25], known[20:25] = np.nan, False
        return Film(path, landmarks, known)

    monkeypatch.setattr(films.Film, "see", staticmethod(see))
    [clip] = evaluate([pairs["late"]]).clips
    assert clip.left_out == 5
    assert np.isfinite(
        [clip.values[GENERATED][key] for key in ("m_ld", "f_lvd", "opening_r", "ssim", "jitter")]
    ).all()
    assert np.isnan(clip.curves["opening, generated"][20:25]).all()


class Page(HTMLParser):
    """What a page asks for, and how it is nested."""

    def __init__(self) -> None:
        super().__init__()
        self.sources: list[str] = []
        self.open: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.sources += [value for name, value in attrs if name in ("src", "href")]
        self.tags.append(tag)
        if tag not in ("meta", "br", "img", "line", "polygon", "polyline"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        if self.open and self.open[-1] == tag:
            self.open.pop()


def test_three_reports_are_written(evaluation, tmp_path):
    out = tmp_path / "new folder" / "out"
    written = write_reports(evaluation, out)
    assert [path.name for path in written] == [f"{NAME}.json", f"{NAME}.md", f"{NAME}.html"]
    stored = json.loads(written[0].read_text())
    assert stored["settings"]["seed"] == 3
    assert len(stored["portraits"]["me.evp"]) == 64
    assert {"motion/motion.onnx", "render/renderer.onnx"} <= stored["models"].keys()
    assert [figure["key"] for figure in stored["figures"]] == list(FIGURES)
    by_key = {figure["key"]: figure for figure in stored["figures"]}
    low, mean, high = (by_key["m_ld"]["generated"][name] for name in ("low", "mean", "high"))
    assert low <= mean <= high
    assert by_key["fid"]["missing"].startswith("no Inception")
    assert by_key["m_ld"]["direction"] == "less"
    assert len(stored["clips"][0]["curves"]["opening, generated"]) == FRAMES
    assert len(stored["clips"][0]["generated"]["sha256"]) == 64
    table = written[1].read_text()
    assert all(f"| {figure.name} | " in table for figure in FIGURES.values())
    assert "<h3>&lt;b&gt;&amp;</h3>" in written[2].read_text()  # a name is not read as HTML
    page = Page()
    page.feed(written[2].read_text())
    assert page.open == []
    assert page.tags.count("img") == 2 * 2 * measure.SHOWN
    assert all(source.startswith("data:image/jpeg;base64,") for source in page.sources)
    assert "http" not in written[2].read_text().replace("http://www.w3.org", "")


def test_a_file_in_the_place_of_the_folder_is_told(pairs, tmp_path):
    (tmp_path / "taken").touch()
    with pytest.raises(OutputError, match="cannot write into"):
        evaluate_files(pairs["small"].generated, pairs["small"].recorded, tmp_path / "taken")


def test_the_emotion_of_a_face_is_the_nearest_label():
    model = ExpressionModel.load()
    assert seen_emotion(np.zeros(model.faces.shape[1]), model) == "neutral"
    for label, face in zip(model.labels, model.faces, strict=True):
        if label not in ("neutral", "calm"):
            assert seen_emotion(0.8 * face, model) == label
            assert seen_emotion(0.05 * face, model) == "neutral"


def test_emotions_are_seen_heard_and_compared(pairs, people, monkeypatch):
    model = ExpressionModel.load()
    happy = model.basis.displacement(model.faces[model.labels.index("happy")][None])[0]
    own = portrait(30)
    usual = model.basis.displacement(own.aligner.coefficients.mean(axis=0)[None])[0]

    def see(path: Path, _progress: object = None) -> Film:
        person = people[path.stem]
        moved = person.head.neutral + usual + (happy if path.stem == "late" else 0)
        landmarks = person.head.pose.project(np.repeat(moved[None], FRAMES, axis=0)).astype(np.float32)
        return Film(path, landmarks, np.ones(FRAMES, bool))

    monkeypatch.setattr(films.Film, "see", staticmethod(see))
    [clip] = evaluate([pairs["late"]]).clips
    assert clip.emotions == {
        "asked": "neutral", "heard": "happy", "seen, generated": "happy", "seen, real": "neutral",
    }  # fmt: skip
    assert (clip.values[GENERATED]["emotion_agrees"], clip.values[GENERATED]["emotion_asked"]) == (100, 0)
    assert (clip.values[REAL]["emotion_agrees"], clip.values[REAL]["emotion_asked"]) == (0, 100)
