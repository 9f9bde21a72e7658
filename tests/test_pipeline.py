from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from evp import pipeline
from evp.clock import SAMPLE_RATE, frames_for_samples
from evp.errors import FaceError, InputError, OutputError, PortraitError, WeightsError
from evp.face import tracking
from evp.face.tracking import Track
from evp.media import read_frames, read_speech
from evp.pipeline import animate, animate_file, motion_from_film
from tiny import actor, portrait, tone, write_actor, write_media

MOUTH = 20


class Silent:
    """Stands in for the motion model: the mouth stays as it is at rest."""

    @classmethod
    def load(cls) -> "Silent":
        return cls()

    def predict_blocks(self, waveform: np.ndarray, _: np.ndarray | None = None) -> Iterator[np.ndarray]:
        yield from np.array_split(np.zeros((frames_for_samples(len(waveform)), MOUTH), np.float32), 3)


@pytest.fixture(autouse=True)
def silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "MotionModel", Silent)


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
    real = pipeline.perform

    def failing(*given: object) -> Iterator[np.ndarray]:
        for number, frame in enumerate(real(*given)):
            if number == 3:
                raise WeightsError("the weights are broken")
            yield frame

    monkeypatch.setattr(pipeline, "perform", failing)
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
