from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from evp.audio.prosody import Prosody
from evp.clock import FRAME_RATE
from evp.emotion.space import NEUTRAL, EmotionSpace
from evp.emotion.track import EmotionTrack, parse_track
from evp.errors import WeightsError
from evp.face.basis import FaceBasis
from evp.motion import expression
from evp.motion.expression import GAPS, ExpressionModel, Liveliness, gap_rows
from evp.motion.facial import FacialMotion
from tiny import emotion_codes

LABELS = (NEUTRAL, "happy", "sad", "angry")
BASIS = FaceBasis.load()
MOUTH = BASIS.mouth_count


def planted() -> ExpressionModel:
    """Strong made-up faces that move everything, and mouths that emotion opens wider or less wide."""
    random = np.random.default_rng(0)
    faces = random.normal(0, 2, (len(LABELS), len(BASIS.components))).astype(np.float32)
    faces[0] = 0
    jaw = np.linalg.pinv(gap_rows(BASIS)[:1])[:, 0].astype(np.float32)
    return ExpressionModel(LABELS, faces, np.float32([1, 1.7, 0.6, 1.3]), jaw, 0 * faces, BASIS)


MODELS = {"planted": planted(), "packaged": ExpressionModel.load()}
SPACE = EmotionSpace(emotion_codes((*LABELS, "bored")))


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest) -> ExpressionModel:
    return MODELS[request.param]


def one(model: ExpressionModel, **strengths: float) -> np.ndarray:
    """Shares (1, L)."""
    return np.array([[strengths.get(label, 0.0) for label in model.labels]])


@pytest.fixture
def roomy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mouths that can open as wide and as fast as they like, so that everything is linear."""
    monkeypatch.setattr(expression, "_WIDE", 60.0)
    monkeypatch.setattr(expression, "_FASTEST", 60.0)


def speaking(frames: int = 12, seed: int = 1) -> np.ndarray:
    """Mouths (F, M) of someone who speaks."""
    return np.random.default_rng(seed).normal(size=(frames, MOUTH)).astype(np.float32)


def with_opening(opening: float, frames: int = 1) -> np.ndarray:
    """Mouths (F, M) that speak and are open in the middle by ``opening``, face heights."""
    rows = gap_rows(BASIS)[:1]
    mouths = speaking(frames)
    return mouths + (opening - mouths @ rows.T) @ np.linalg.pinv(rows).T


def gaps(displacement: np.ndarray, axis: int = 1) -> np.ndarray:
    """(F, gaps) how far apart the lips are moved, down or (axis 2) in depth."""
    return np.stack([displacement[:, low, axis] - displacement[:, high, axis] for high, low in GAPS], axis=1)


def steady_voice(frames: int, loudness: float = -10.0) -> Prosody:
    return Prosody(np.full(frames, loudness, np.float32), np.zeros(frames, np.float32))


def acted(
    model: ExpressionModel, text: str, blocks: list[np.ndarray], space: EmotionSpace = SPACE
) -> list[FacialMotion]:
    voice = steady_voice(sum(map(len, blocks)) + 3)
    return list(model.act(blocks, parse_track(text, space), space, voice))


@pytest.mark.parametrize("text", ["neutral", "happy:0", "happy:0+sad:0", "0 happy:0, 0.3 neutral"])
def test_no_strength_is_no_feeling(model: ExpressionModel, text: str):
    mouths = speaking()
    motion = acted(model, text, [mouths])
    assert all(frame.feeling is None for frame in motion)
    np.testing.assert_array_equal([frame.expression for frame in motion], mouths)


def test_displacement_of_no_shares_is_nothing(model: ExpressionModel):
    assert not model.displacement(np.zeros((12, len(model.labels))), speaking()).any()


@pytest.mark.usefixtures("roomy")
def test_displacement_is_linear_in_the_shares(model: ExpressionModel):
    mouths = speaking(6)
    happy, sad, half, mixed = (
        model.displacement(np.repeat(one(model, **shares), 6, axis=0), mouths)
        for shares in ({"happy": 1}, {"sad": 1}, {"happy": 0.5}, {"happy": 0.3, "sad": 0.7})
    )
    np.testing.assert_allclose(half, happy / 2, atol=1e-6)
    np.testing.assert_allclose(mixed, 0.3 * happy + 0.7 * sad, atol=1e-6)
    assert np.abs(happy - sad).max() > 0.01


@pytest.mark.usefixtures("roomy")
@pytest.mark.parametrize("label", ["happy", "sad", "angry"])
def test_more_strength_moves_the_face_farther(model: ExpressionModel, label: str):
    mouths = speaking(3)
    size = []
    for strength in (0, 0.25, 0.5, 0.75, 1):
        motion = acted(model, f"{label}:{strength}", [mouths])
        moves = [np.zeros((478, 3)) if f.feeling is None else f.feeling.displacement for f in motion]
        size.append(np.linalg.norm(moves))
    assert (np.diff(size) > 0).all()
    np.testing.assert_allclose(np.array(size) / size[-1], [0, 0.25, 0.5, 0.75, 1], atol=1e-3)


@pytest.mark.usefixtures("roomy")
def test_mixture_lies_in_between(model: ExpressionModel):
    mouths = speaking(3)
    felt = [
        np.array([f.feeling.displacement for f in acted(model, text, [mouths]) if f.feeling])
        for text in ("happy", "happy:0.5+angry:0.5", "angry")
    ]
    np.testing.assert_allclose(felt[1], (felt[0] + felt[2]) / 2, atol=1e-5)


def test_shares_that_the_skin_follows_are_those_of_the_track():
    motion = acted(MODELS["planted"], "happy:0.5+sad:0.2", [speaking(3)])
    for frame in motion:
        assert frame.feeling is not None
        assert frame.feeling.shares == pytest.approx({"happy": 0.5, "sad": 0.2}, abs=1e-3)


def test_labels_without_a_face_count_as_neutral():
    model = MODELS["planted"]
    assert all(frame.feeling is None for frame in acted(model, "bored", [speaking(4)]))
    half, alone = acted(model, "bored:0.5+sad:0.5", [speaking(4)]), acted(model, "sad:0.5", [speaking(4)])
    for a, b in zip(half, alone, strict=True):
        assert a.feeling is not None and b.feeling is not None
        assert a.feeling.shares == pytest.approx({"sad": 0.5}, abs=1e-3)
        np.testing.assert_allclose(a.feeling.displacement, b.feeling.displacement, atol=1e-4)


def test_labels_without_a_code_are_not_felt():
    space = EmotionSpace(emotion_codes((NEUTRAL, "sad")))
    [frame] = acted(MODELS["planted"], "sad", [speaking(1)], space)
    assert frame.feeling is not None and frame.feeling.shares == pytest.approx({"sad": 1})


@pytest.mark.parametrize("side", [-0.08, 0.0, 0.08])
def test_closed_lips_stay_closed_under_every_label(model: ExpressionModel, side: float):
    for label in model.labels:
        shares = one(model, **{label: 1})
        for mouth in (np.zeros((1, MOUTH), np.float32), with_opening(0.004), with_opening(-0.01)):
            moved = model.displacement(shares, mouth, 1.3, 1.05, side)
            np.testing.assert_allclose(gaps(moved), 0, atol=1.5e-3, err_msg=label)  # face heights
            np.testing.assert_allclose(gaps(moved, axis=2), 0, atol=2e-3, err_msg=label)


@pytest.mark.usefixtures("roomy")
def test_lips_that_speech_parts_may_be_parted_farther():
    model = MODELS["planted"]
    shares = one(model, happy=1)
    wide, wider = (gaps(model.displacement(shares, with_opening(x)))[0, 0] for x in (0.07, 0.1))
    assert wider - wide == pytest.approx((1.7 - 1) * 0.03, rel=0.01)
    asked = (model.faces[1, :MOUTH] @ gap_rows(BASIS).T)[0]
    assert wide == pytest.approx(asked + (1.7 - 1) * 0.07, abs=1e-3)


@pytest.mark.parametrize("widest", [0.1, 0.15])
@pytest.mark.parametrize("strength", [0.3, 1.0])
@pytest.mark.parametrize("label", ["angry", "happy", "fear", "surprised"])
def test_no_feeling_opens_a_mouth_wider_than_it_goes(label: str, strength: float, widest: float):
    model = MODELS["packaged"]
    openings = np.linspace(0, 0.2, 81)
    mouths = np.concatenate([with_opening(opening) for opening in openings])
    shares = strength * np.repeat(one(model, **{label: 1}), 81, axis=0)
    added = gaps(model.displacement(shares, mouths, widest=widest))[:, 0]
    whole = openings + added
    assert added.max() > 0.006
    assert whole[openings < widest].max() <= widest + 1e-3
    assert (added > -1e-3).all()  # what speech opens stays open
    assert (np.diff(whole) > -1e-4).all()


def test_more_strength_opens_the_mouth_ever_less_but_never_back():
    model = MODELS["packaged"]
    parted = [
        gaps(model.displacement(s * one(model, angry=1), with_opening(0.06)))[0, 0]
        for s in np.linspace(0, 1, 6)
    ]
    assert (np.diff(parted) > 0).all()
    assert np.diff(parted)[-1] < np.diff(parted)[0]


def test_lips_part_without_a_jump():
    model = MODELS["planted"]
    openings = np.linspace(-0.01, 0.06, 141)
    mouths = np.concatenate([with_opening(opening) for opening in openings])
    moves = model.displacement(np.repeat(one(model, happy=1), 141, axis=0), mouths)
    assert np.abs(np.diff(moves, axis=0)).max() < 0.05 * np.abs(moves).max()


def test_only_what_parts_the_lips_is_held_back():
    model = MODELS["planted"]
    depth = np.stack([BASIS.mouth[:, low, 2] - BASIS.mouth[:, high, 2] for high, low in GAPS])
    faces, rows = model.faces.copy(), np.concatenate([gap_rows(BASIS), depth])
    faces[2, :MOUTH] -= np.linalg.pinv(rows) @ rows @ faces[2, :MOUTH]
    held = replace(model, faces=faces).displacement(one(model, sad=1), np.zeros((1, MOUTH), np.float32))
    np.testing.assert_allclose(held, BASIS.displacement(faces[2:3]), atol=1e-5)


def width(displacement: np.ndarray) -> float:
    """How much wider the first face's mouth is made."""
    return float(displacement[0, 291, 0] - displacement[0, 61, 0])


@pytest.mark.usefixtures("roomy")
def test_width_of_the_mouth_does_not_pay_for_its_closure():
    model = MODELS["planted"]
    for label in ("happy", "sad", "angry"):
        row = model.labels.index(label)
        held = model.displacement(one(model, **{label: 1}), np.zeros((1, MOUTH), np.float32))
        assert width(held) == pytest.approx(width(BASIS.displacement(model.faces[row : row + 1])), abs=1e-4)
    jaw = replace(model, faces=0 * model.faces).displacement(one(model, happy=1), with_opening(0.08))
    assert gaps(jaw)[0, 0] == pytest.approx(0.7 * 0.08, rel=0.01)
    assert width(jaw) == pytest.approx(0, abs=1e-4)


def test_factors_swell_mouth_and_brows_apart():
    model, mouths = MODELS["planted"], np.zeros((2, MOUTH), np.float32)
    shares = np.repeat(one(model, sad=1), 2, axis=0)
    calm = model.displacement(shares, mouths)
    felt = model.displacement(shares, mouths, np.array([2.0, 1.0]), np.array([1.0, 3.0]))
    brow, chin = [70, 105], [152, 17]
    np.testing.assert_allclose(felt[0, brow], 2 * calm[0, brow], atol=1e-6)
    np.testing.assert_allclose(felt[1, brow], calm[1, brow], atol=1e-6)
    np.testing.assert_allclose(felt[0, chin], calm[0, chin], atol=1e-6)
    np.testing.assert_allclose(felt[1, chin], 3 * calm[1, chin], atol=1e-6)


def test_one_half_leads_the_other():
    model, mouth = MODELS["planted"], np.zeros((1, MOUTH), np.float32)
    even, led = (model.displacement(one(model, sad=1), mouth, side=side)[0] for side in (0.0, 0.08))
    np.testing.assert_allclose(led[454], 1.08 * even[454], rtol=1e-3)  # right of the picture
    np.testing.assert_allclose(led[234], 0.92 * even[234], rtol=1e-3)
    np.testing.assert_allclose(led[168], even[168], atol=2e-3)


def flapping(frames: int = 60) -> np.ndarray:
    """Mouths (F, M) that shut and open within a frame, and not all as wide."""
    openings = np.where(np.arange(frames) % 9 < 4, 0.0, np.random.default_rng(2).uniform(0.04, 0.058, frames))
    return np.concatenate([with_opening(opening) for opening in openings])


def test_no_feeling_makes_a_mouth_faster_than_mouths_are(monkeypatch: pytest.MonkeyPatch):
    model, mouths = MODELS["packaged"], flapping()
    spoken = mouths @ gap_rows(BASIS)[0]
    shares = np.repeat(one(model, angry=1), len(mouths), axis=0)
    steady = gaps(model.displacement(shares, mouths))[:, 0]
    monkeypatch.setattr(expression, "_FASTEST", 60.0)
    hasty = gaps(model.displacement(shares, mouths))[:, 0]
    assert np.abs(np.diff(spoken + hasty)).max() > 0.08
    assert np.abs(np.diff(spoken + steady)).max() < 0.0605
    assert (steady <= hasty + 1e-6).all() and (steady > -1e-3).all()
    shut = spoken < 0.01
    np.testing.assert_allclose(steady[shut], hasty[shut], atol=1e-5)
    np.testing.assert_allclose(steady.max(), hasty.max(), rtol=0.05)  # between closures it opens as far


@pytest.mark.parametrize("cuts", [[], [1], [5, 5, 17], [8, 16, 24]])
def test_every_frame_once_whatever_the_blocks(model: ExpressionModel, cuts: list[int]):
    mouths = np.concatenate([flapping(20), speaking(10)])
    track = parse_track("0 sad, 0.5 happy:0.8, 1 angry", SPACE)
    random = np.random.default_rng(5)
    voice = Prosody(random.uniform(-40, 0, 33).astype(np.float32), random.normal(size=33).astype(np.float32))
    whole = list(model.act([mouths], track, SPACE, voice))
    blocks = list(model.act(np.split(mouths, cuts), track, SPACE, voice))
    assert len(whole) == len(blocks) == 30
    for a, b in zip(whole, blocks, strict=True):
        assert a.feeling is not None and b.feeling is not None
        np.testing.assert_array_equal(a.expression, b.expression)
        np.testing.assert_allclose(a.feeling.displacement, b.feeling.displacement, atol=1e-6)


def test_no_sound_no_motion(model: ExpressionModel):
    assert acted(model, "happy", []) == []
    assert acted(model, "happy", [np.zeros((0, MOUTH), np.float32)]) == []


def test_blocks_are_taken_when_their_frames_are_wanted():
    taken = []

    def endless() -> Iterator[np.ndarray]:
        while True:
            taken.append(0)
            yield np.zeros((4, MOUTH), np.float32)

    motion = MODELS["planted"].act(endless(), EmotionTrack.steady(SPACE.code({})), SPACE, steady_voice(100))
    for _ in range(5):
        next(motion)
    assert len(taken) == 2


def test_feeling_at_a_time_is_that_of_the_track_then():
    motion = acted(MODELS["planted"], "0 sad, 4 happy", [speaking(60), speaking(60)])
    happy = [frame.feeling.shares.get("happy", 0) for frame in motion if frame.feeling]
    assert happy[0] < 0.01 < 0.99 < happy[-1]
    assert (np.diff(happy) > -1e-3).all()
    assert happy[50] == pytest.approx(0.5, abs=0.01)
    assert np.diff(happy).max() < 0.02


def test_emotion_swells_with_the_voice_within_bounds():
    random = np.random.default_rng(3)
    for voice in (
        steady_voice(200, 0),
        steady_voice(200, -120),
        Prosody(random.uniform(-90, 10, 400).astype(np.float32), random.normal(0, 9, 400).astype(np.float32)),
    ):
        lively = Liveliness.of(voice)
        for factor in (lively.mouth, lively.upper):
            assert factor.min() > 0.5  # an emotion never leaves the face
            assert factor.max() < 1.4
        assert np.abs(lively.side).max() <= 0.08
        assert all(len(part) == len(voice.pitch) for part in (lively.upper, lively.mouth, lively.side))


def test_pause_rests_and_stress_raises_the_brows():
    frames = 200
    loudness = np.where(np.arange(frames) < 100, 0.0, -60.0).astype(np.float32)
    pitch = np.where(np.abs(np.arange(frames) - 40) < 6, 6.0, 0.0).astype(np.float32)
    plain, lively, low = (Liveliness.of(Prosody(loudness, tune)) for tune in (0 * pitch, pitch, -pitch))
    for factor in (plain.mouth, plain.upper):
        assert factor[-1] < 1 < factor[40]
        steps = np.diff(factor)
        assert steps.max() < 1e-9 and steps.min() > -0.02  # it fades, and slowly
    assert lively.upper.argmax() == 40
    assert lively.upper[40] > 1.2 * plain.upper[40]
    np.testing.assert_allclose(lively.upper[80:], plain.upper[80:], rtol=1e-6)
    np.testing.assert_allclose(low.upper, plain.upper)
    np.testing.assert_array_equal(lively.mouth, plain.mouth)


def test_asymmetry_wanders_slowly():
    side = Liveliness.of(steady_voice(60 * FRAME_RATE)).side
    assert side.min() < -0.04 and side.max() > 0.04
    assert np.abs(np.diff(side)).max() < 0.006


def test_model_survives_its_file(tmp_path: Path):
    model = planted()
    model.save(tmp_path / "faces.npz")
    found = ExpressionModel.load(tmp_path / "faces.npz")
    assert found.labels == model.labels
    for name in ("faces", "openness", "jaw", "prior"):
        np.testing.assert_array_equal(getattr(found, name), getattr(model, name))


def test_other_files_are_refused(tmp_path: Path):
    whole = tmp_path / "faces.npz"
    planted().save(whole)
    (tmp_path / "cut.npz").write_bytes(whole.read_bytes()[:500])
    (tmp_path / "text.npz").write_text("faces")
    np.savez(tmp_path / "lacking.npz", format=1, labels=np.array(LABELS), faces=planted().faces)
    np.savez(tmp_path / "newer.npz", format=2, labels=np.array(LABELS), faces=planted().faces)
    replace(planted(), faces=planted().faces[:, :-1]).save(tmp_path / "other_basis.npz")
    for name in ("none", "cut", "text", "lacking", "newer", "other_basis"):
        with pytest.raises(WeightsError, match=f"{name}.npz: not the faces of emotions") as refused:
            ExpressionModel.load(tmp_path / f"{name}.npz")
        assert "\n" not in str(refused.value)


def test_packaged_faces_move_what_their_names_say():
    model = MODELS["packaged"]
    assert {"happy", "sad", "angry", "fear", "disgusted", "surprised", "contempt", "calm"} <= set(
        model.labels
    )
    mouth = with_opening(0.03)
    happy, sad, angry, surprised = (
        model.displacement(one(model, **{label: 1}), mouth)[0]
        for label in ("happy", "sad", "angry", "surprised")
    )
    corners, inner_brows, brows = [61, 291], [107, 336], [105, 334]
    assert happy[corners, 1].mean() < sad[corners, 1].mean()  # y points down
    assert happy[291, 0] - happy[61, 0] > 0.01
    assert surprised[brows, 1].mean() < -0.01
    assert angry[inner_brows, 1].mean() > surprised[inner_brows, 1].mean() + 0.02
