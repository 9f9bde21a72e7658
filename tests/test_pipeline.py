from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from evp import pipeline
from evp.audio.prosody import prosody
from evp.clock import SAMPLE_RATE, frames_for_samples
from evp.emotion.hearing import EmotionModel
from evp.emotion.space import EmotionSpace
from evp.emotion.track import EmotionTrack, parse_track
from evp.errors import EvpError, FaceError, InputError, OutputError, PortraitError, WeightsError
from evp.face import tracking
from evp.face.tracking import Track
from evp.media import read_frames, read_speech
from evp.motion.expression import ExpressionModel
from evp.motion.facial import FacialMotion
from evp.motion.travel import Reach
from evp.pipeline import (
    animate,
    animate_file,
    choose_emotion,
    emotion_space,
    motion_from_film,
    move,
    save_emotion,
)
from evp.portrait.bundle import Portrait
from evp.portrait.perform import Painted
from tiny import Hearing, actor, portrait, tone, write_actor, write_media

MOUTH = 20


class Silent:
    """Stands in for the motion model: the mouth stays as it is at rest."""

    emotional = False

    @classmethod
    def load(cls) -> "Silent":
        return cls()

    def predict_blocks(self, waveform: np.ndarray, _: np.ndarray | None = None) -> Iterator[np.ndarray]:
        yield from np.array_split(np.zeros((frames_for_samples(len(waveform)), MOUTH), np.float32), 3)


@pytest.fixture(autouse=True)
def stand_ins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "MotionModel", Silent)
    monkeypatch.setattr(pipeline, "EmotionModel", Hearing)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("portrait") / "drawn.evp"
    portrait(30).save(path)
    return path


@pytest.fixture
def speech(tmp_path: Path) -> Path:
    """A recording of 10 frames and a bit."""
    return write_media(tmp_path / "speech.wav", waveform=tone(0.41))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def frames_of(film: Path) -> list[np.ndarray]:
    return list(read_frames(film))


def test_frames_are_as_many_as_the_speech_needs():
    frames = list(animate(tone(0.41), portrait(30)))
    assert len(frames) == 11
    assert frames[0].shape == (128, 144, 3)


def test_film_has_the_length_of_the_speech_and_says_what_it_is(bundle: Path, speech: Path, tmp_path: Path):
    seen: list[tuple[int, int]] = []
    animate_file(speech, bundle, tmp_path / "film.mp4", progress=lambda *told: seen.append(told))
    assert names(tmp_path) == ["film.mp4", "speech.wav"]
    frames = frames_of(tmp_path / "film.mp4")
    assert len(frames) == 11
    assert frames[0].shape == (128, 144, 3)
    assert seen == [(done, 11) for done in range(1, 12)]
    waveform = read_speech(tmp_path / "film.mp4")
    assert len(waveform) / SAMPLE_RATE == pytest.approx(0.41, abs=0.08)
    assert np.abs(waveform[:6000]).max() > 0.4
    with av.open(str(tmp_path / "film.mp4")) as film:
        told = film.metadata
    assert "generated" in told["comment"]
    assert told["software"].startswith("evp ")
    assert not {"consent", "portrait"} & told.keys()  # private: they stay in the portrait


def test_film_that_is_no_mp4_is_refused(bundle: Path, speech: Path, tmp_path: Path):
    with pytest.raises(OutputError, match=r"film\.gif: films are MP4"):
        animate_file(speech, bundle, tmp_path / "film.gif")
    assert names(tmp_path) == ["speech.wav"]


def test_interruption_leaves_nothing_behind(bundle: Path, speech: Path, tmp_path: Path):
    def stop(done: int, _: int) -> None:
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        animate_file(speech, bundle, tmp_path / "film.mp4", progress=stop)
    assert names(tmp_path) == ["speech.wav"]


def test_interruption_keeps_the_film_that_was_there(bundle: Path, speech: Path, tmp_path: Path):
    (tmp_path / "film.mp4").write_bytes(b"the film of yesterday")

    def stop(*_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        animate_file(speech, bundle, tmp_path / "film.mp4", progress=stop)
    assert (tmp_path / "film.mp4").read_bytes() == b"the film of yesterday"


def test_error_of_a_stage_reaches_the_caller(
    bundle: Path, speech: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    real = pipeline.paint

    def failing(*given: object) -> Iterator[Painted]:
        for number, frame in enumerate(real(*given)):
            if number == 3:
                raise WeightsError("the weights are broken")
            yield frame

    monkeypatch.setattr(pipeline, "paint", failing)
    done: list[int] = []
    with pytest.raises(WeightsError, match="the weights are broken"):
        animate_file(speech, bundle, tmp_path / "film.mp4", progress=lambda n, _: done.append(n))
    assert done == [1, 2, 3]
    assert names(tmp_path) == ["speech.wav"]


def test_what_the_user_can_mend_is_told(bundle: Path, speech: Path, tmp_path: Path):
    film = tmp_path / "film.mp4"
    with pytest.raises(InputError, match="give a recording"):
        animate_file(None, bundle, film)
    with pytest.raises(InputError, match="no file"):
        animate_file(tmp_path / "none.wav", bundle, film)
    with pytest.raises(PortraitError, match="no portrait"):
        animate_file(speech, tmp_path / "none.evp", film)
    with pytest.raises(PortraitError, match="not a portrait"):
        animate_file(speech, speech, film)
    with pytest.raises(OutputError, match="no folder"):
        animate_file(speech, bundle, tmp_path / "none" / "film.mp4")
    assert names(tmp_path) == ["speech.wav"]


def planted(monkeypatch: pytest.MonkeyPatch, count: int, lost: tuple[int, ...] = ()) -> None:
    """The tracker finds the drawn person in ``count`` frames, but in those that are ``lost``."""

    def find(frames: Iterator[np.ndarray]) -> Track:
        assert len(list(frames)) == count
        landmarks = actor(count).landmarks.copy()
        landmarks[list(lost)] = np.nan
        reasons = tuple("no face" if n in lost else "" for n in range(count))
        return Track(landmarks, reasons, (), (128, 144))

    monkeypatch.setattr(tracking, "track_faces", find)


def test_motion_of_a_film_is_its_expression(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    film = write_actor(tmp_path / "film.mp4", actor(40))
    planted(monkeypatch, 40)
    motion = motion_from_film(film)
    true = actor(40).coefficients
    assert motion.shape == true.shape
    for component in range(4):
        assert np.corrcoef(motion[:, component], true[:, component])[0, 1] > 0.95, component


def test_motion_bridges_lost_frames(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    film = write_actor(tmp_path / "film.mp4", actor(40))
    planted(monkeypatch, 40, lost=(0, 1, 20, 21, 22))
    motion = motion_from_film(film)
    assert motion.shape == (40, 36)
    assert np.isfinite(motion).all()
    low, high = np.sort(motion[[19, 23]], axis=0)
    assert (motion[21] > low - 0.2).all()
    assert (motion[21] < high + 0.2).all()


def test_film_without_a_face_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    film = write_actor(tmp_path / "film.mp4", actor(3))

    def faceless(_: object) -> Track:
        raise FaceError("no face was found in the footage")

    monkeypatch.setattr(tracking, "track_faces", faceless)
    with pytest.raises(FaceError, match=r"film\.mp4: no face was found"):
        motion_from_film(film)


@pytest.mark.parametrize("sound", [True, False])
def test_film_gives_the_motion_and_its_sound(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sound: bool
):
    driving = write_actor(tmp_path / "driving.mp4", actor(12), tone(0.48) if sound else None)
    planted(monkeypatch, 12)
    animate_file(None, bundle, tmp_path / "film.mp4", motion_from=driving)
    assert len(frames_of(tmp_path / "film.mp4")) == 12
    if sound:
        assert np.abs(read_speech(tmp_path / "film.mp4")).max() > 0.4
    else:
        with pytest.raises(InputError, match="no sound"):
            read_speech(tmp_path / "film.mp4")


def test_speech_that_is_longer_than_the_motion_is_cut(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    driving = write_actor(tmp_path / "driving.mp4", actor(12))
    recording = write_media(tmp_path / "speech.wav", waveform=tone(3.0))
    planted(monkeypatch, 12)
    animate_file(recording, bundle, tmp_path / "film.mp4", motion_from=driving)
    assert len(frames_of(tmp_path / "film.mp4")) == 12
    assert len(read_speech(tmp_path / "film.mp4")) / SAMPLE_RATE == pytest.approx(0.48, abs=0.08)


def told_codes(track: EmotionTrack, *times: float) -> np.ndarray:
    """How much of each label of the stand-in a track has at ``times``: (times, labels)."""
    return emotion_space().shares(track.at(np.array(times)))


NEUTRAL, HAPPY, SAD, ANGRY, _ = np.eye(5)


def test_emotion_is_heard_in_the_speech_by_default():
    loud, soft, nothing = tone(1.2, level=0.5), tone(1.2, level=0.1), np.zeros(19_200, np.float32)
    np.testing.assert_allclose(told_codes(choose_emotion(loud), 0.5), [HAPPY], atol=1e-3)
    np.testing.assert_allclose(told_codes(choose_emotion(soft), 0.5), [SAD], atol=1e-3)
    np.testing.assert_array_equal(told_codes(choose_emotion(nothing), 0, 1), [NEUTRAL, NEUTRAL])
    changing = told_codes(choose_emotion(np.concatenate([loud] * 5 + [soft] * 5)), 0, 12)
    np.testing.assert_allclose(changing, [0.9 * HAPPY + 0.1 * SAD, 0.1 * HAPPY + 0.9 * SAD], atol=0.02)


def test_emotion_is_described():
    track = choose_emotion(tone(4), "0 happy:0.5, 3.5 angry")
    np.testing.assert_allclose(told_codes(track, 0, 4), [(NEUTRAL + HAPPY) / 2, ANGRY], atol=0.01)
    with pytest.raises(InputError, match=r"goes to 3.5 s, but the speech ends at 3.00 s"):
        choose_emotion(tone(3), "0 happy:0.5, 3.5 angry")


def test_emotion_is_heard_in_another_recording(tmp_path: Path):
    other = write_media(tmp_path / "other.wav", waveform=tone(1.0, level=0.1))
    track = choose_emotion(tone(2), emotion_audio=other)
    np.testing.assert_allclose(told_codes(track, 0, 1, 2), [SAD] * 3, atol=1e-3)


def test_emotion_is_in_a_file(tmp_path: Path):
    np.save(tmp_path / "mix.npy", emotion_space().code({"angry": 0.25, "happy": 0.5}))
    track = choose_emotion(tone(2), emotion_feature=tmp_path / "mix.npy")
    np.testing.assert_allclose(told_codes(track, 0, 2), [(NEUTRAL + ANGRY + 2 * HAPPY) / 4] * 2, atol=1e-3)


def test_saved_emotion_is_read_again(tmp_path: Path):
    save_emotion(tmp_path / "mix.npy", "happy:0.5+angry:0.25")
    track = choose_emotion(tone(2), emotion_feature=tmp_path / "mix.npy")
    np.testing.assert_allclose(told_codes(track, 0, 2), [(NEUTRAL + ANGRY + 2 * HAPPY) / 4] * 2, atol=1e-3)
    save_emotion(tmp_path / "way.npy", "0 neutral, 2 happy")
    assert np.load(tmp_path / "way.npy").shape == (51, 128)
    np.testing.assert_allclose(
        told_codes(choose_emotion(tone(2), emotion_feature=tmp_path / "way.npy"), 1),
        [(NEUTRAL + HAPPY) / 2],
        atol=0.01,
    )


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("mix.txt", {"emotion": "happy"}, "must end in .npy"),
        ("mix.npy", {}, "either a description"),
        ("mix.npy", {"emotion": "happy", "emotion_audio": Path("other.wav")}, "either a description"),
        ("mix.npy", {"emotion": "hapy"}, "did you mean happy"),
        ("mix.npy", {"emotion_audio": Path("none.wav")}, "there is no file"),
    ],
)
def test_emotion_that_cannot_be_saved(tmp_path: Path, name: str, given: dict, message: str):
    with pytest.raises(EvpError, match=message):
        save_emotion(tmp_path / name, **given)
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    "chosen",
    [
        {"emotion": "happy", "emotion_audio": Path("other.wav")},
        {"emotion": "happy", "emotion_feature": Path("mix.npy")},
        {"emotion_audio": Path("other.wav"), "emotion_feature": Path("mix.npy")},
    ],
)
def test_emotion_comes_from_one_place(bundle: Path, speech: Path, tmp_path: Path, chosen: dict):
    with pytest.raises(InputError, match="not from several"):
        animate_file(speech, bundle, tmp_path / "film.mp4", **chosen)
    assert names(tmp_path) == ["speech.wav"]


def test_recording_that_lends_no_emotion_is_named_once(bundle: Path, speech: Path, tmp_path: Path):
    hum = write_media(tmp_path / "hum.wav", waveform=tone(1.0, 60, 0.005))
    for lender, message in (
        (hum, f"{hum}: the recording has no voice in it"),
        (tmp_path / "none.wav", f"there is no file {tmp_path / 'none.wav'}"),
    ):
        with pytest.raises(InputError) as refused:
            animate_file(speech, bundle, tmp_path / "film.mp4", emotion_audio=lender)
        assert str(refused.value) == message
    assert names(tmp_path) == ["hum.wav", "speech.wav"]


@pytest.mark.parametrize(
    ("emotion", "message"),
    [("hapy:0.5", "did you mean happy"), ("happy:2", "between 0 and 1"), ("0 sad, 9 happy", "0.41 s")],
)
def test_description_that_cannot_be_used_leaves_no_film(
    bundle: Path, speech: Path, tmp_path: Path, emotion: str, message: str
):
    with pytest.raises(InputError, match=message):
        animate_file(speech, bundle, tmp_path / "film.mp4", emotion=emotion)
    np.save(tmp_path / "mix.npy", np.zeros(64))
    with pytest.raises(InputError, match=r"mix\.npy must hold"):
        animate_file(speech, bundle, tmp_path / "film.mp4", emotion_feature=tmp_path / "mix.npy")
    assert names(tmp_path) == ["mix.npy", "speech.wav"]


def test_mouth_goes_as_far_as_the_persons_own_does(monkeypatch: pytest.MonkeyPatch):
    """A model that was given is left as it is: it may have been made for this person."""
    jaw = ExpressionModel.load().jaw

    class Talking(Silent):
        def predict_blocks(self, _: np.ndarray, __: object = None) -> Iterator[np.ndarray]:
            yield np.linspace(0.04, 0.1, 10)[:, None] * jaw

    monkeypatch.setattr(pipeline, "MotionModel", Talking)
    plain, lively, given = (
        np.stack([frame.expression for frame in move(tone(0.4), None, model, reach)])
        for model, reach in ((None, Reach()), (None, Reach(1.5)), (Talking(), Reach(1.5)))
    )
    np.testing.assert_allclose(lively, 1.5 * plain, rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(given, plain)


def test_chosen_emotion_reaches_the_film(
    bundle: Path, speech: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    seen: list[np.ndarray] = []

    def watched(_: np.ndarray, track: EmotionTrack, __: object, reach: Reach) -> Iterator[FacialMotion]:
        seen.append(told_codes(track, 0.2)[0])
        assert reach == Portrait.open(bundle).reach
        yield FacialMotion(np.zeros(20, np.float32))

    monkeypatch.setattr(pipeline, "move", watched)
    other = write_media(tmp_path / "other.wav", waveform=tone(1.0, level=0.1))
    np.save(tmp_path / "mix.npy", emotion_space().code({"angry": 1}))
    film = tmp_path / "film.mp4"
    animate_file(speech, bundle, film)
    animate_file(speech, bundle, film, emotion="happy:0.5")
    animate_file(speech, bundle, film, emotion_audio=other)
    animate_file(speech, bundle, film, emotion_feature=tmp_path / "mix.npy")
    np.testing.assert_allclose(seen, [HAPPY, (NEUTRAL + HAPPY) / 2, SAD, ANGRY], atol=1e-3)


def test_emotion_of_no_strength_is_neutral_to_the_last_bit():
    speech, person = tone(0.1), portrait(30)
    neutral = list(animate(speech, person))
    nothing = choose_emotion(speech, "happy:0+angry:0")
    np.testing.assert_array_equal(list(animate(speech, person, nothing)), neutral)
    felt = list(animate(speech, person, choose_emotion(speech, "happy:0.3")))
    assert np.abs(np.array(felt, int) - neutral).max() > 10


def test_every_packaged_label_has_a_face_and_is_nothing_but_itself():
    space, model = EmotionSpace(EmotionModel.load().label_codes), ExpressionModel.load()
    assert set(space.labels) == set(model.labels)
    for label in space.labels:
        track = parse_track(label, space)
        [share] = space.shares(track.at(np.zeros(1)))
        assert share[space.labels.index(label)] == 1
        [frame] = model.act([np.zeros((1, MOUTH), np.float32)], track, space, prosody(np.zeros(640)))
        if label == "neutral":
            assert frame.feeling is None
        else:
            assert frame.feeling is not None
            assert frame.feeling.shares == {label: 1.0}
            assert np.abs(frame.feeling.displacement).max() > 0.001


def test_emotion_changes_no_number_of_frames(bundle: Path, speech: Path, tmp_path: Path):
    animate_file(speech, bundle, tmp_path / "film.mp4", emotion="0 sad, 0.3 happy:0.8")
    assert len(frames_of(tmp_path / "film.mp4")) == 11


def test_nobody_is_asked_to_hear_a_film_that_brings_its_motion(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(pipeline, "EmotionModel", None)
    driving = write_actor(tmp_path / "driving.mp4", actor(12), tone(0.48))
    planted(monkeypatch, 12)
    animate_file(None, bundle, tmp_path / "film.mp4", motion_from=driving)
    assert len(frames_of(tmp_path / "film.mp4")) == 12
