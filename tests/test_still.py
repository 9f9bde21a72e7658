"""A still is the frame that the film shows, without the frames before it."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from evp.clock import SAMPLE_RATE
from evp.errors import InputError, OutputError, PortraitError
from evp.pipeline import animate, choose_emotion
from evp.portrait.bundle import Portrait
from evp.still import MOST_SECONDS, Rehearsal, encoded, still, still_file
from tiny import portrait, voice, write_media

SECONDS = 2.5


@pytest.fixture(scope="module")
def drawn() -> Portrait:
    return portrait(30)


@pytest.fixture(scope="module")
def speech() -> np.ndarray:
    return voice(SECONDS, 140)


@pytest.fixture(scope="module")
def rehearsal(speech: np.ndarray) -> Rehearsal:
    return Rehearsal.of(speech)


@pytest.mark.parametrize("emotion", ["neutral", "0 neutral, 1.5 angry:0.8, 2.5 happy", "auto"])
def test_still_is_the_frame_of_the_film(
    drawn: Portrait, speech: np.ndarray, rehearsal: Rehearsal, emotion: str
):
    film = list(animate(speech, drawn, choose_emotion(speech, emotion)))
    track = rehearsal.emotion(emotion)
    exact = 0
    for number in range(0, len(film), 7):
        shown = rehearsal.show(drawn, track, number / 25 + 0.01).astype(int)
        apart = np.abs(shown - film[number])
        exact += not apart.any()
        assert apart.mean() < 0.5  # where the film is reluctant to change the frame that gives the mouth
        others = [np.abs(shown - film[other]).mean() for other in (number - 3, (number + 3) % len(film))]
        assert apart.mean() < 0.5 * min(others)
    assert exact >= 2


def test_still_of_arrays_and_of_files_are_the_same(drawn: Portrait, speech: np.ndarray, tmp_path: Path):
    write_media(tmp_path / "speech.wav", waveform=speech, codec="pcm_f32le")
    drawn.save(tmp_path / "drawn.evp")
    still_file(tmp_path / "speech.wav", tmp_path / "drawn.evp", tmp_path / "a.png", emotion="happy", at=1.2)
    picture = cv2.cvtColor(cv2.imread(str(tmp_path / "a.png")), cv2.COLOR_BGR2RGB)
    expected = still(speech, Portrait.open(tmp_path / "drawn.evp"), "happy", 1.2)
    assert picture.shape == (128, 144, 3)
    assert np.abs(picture.astype(int) - expected).mean() < 0.05


def test_after_the_end_the_last_frame_stays(drawn: Portrait, rehearsal: Rehearsal):
    track = rehearsal.emotion("happy")
    last = rehearsal.show(drawn, track, SECONDS - 0.01)
    np.testing.assert_array_equal(rehearsal.show(drawn, track, 100.0), last)


def test_without_speech_the_mouth_rests_and_the_emotion_is_there(drawn: Portrait):
    rest = Rehearsal.at_rest()
    assert not rest.mouths.any()
    calm, glad = (rest.show(drawn, rest.emotion(text), 0.4) for text in ("neutral", "happy"))
    np.testing.assert_array_equal(calm, rest.show(drawn, rest.emotion("auto"), 0.4))
    assert np.abs(glad.astype(int) - calm).max() > 20
    later = rest.emotion("0 neutral, 5 neutral, 6 happy")
    np.testing.assert_array_equal(rest.show(drawn, later, 0.4), calm)
    felt, unfelt = (rest.show(drawn, track, 60.0) for track in (later, rest.emotion("neutral")))
    assert np.abs(felt.astype(int) - unfelt).max() > 20


@pytest.mark.parametrize("at", [-0.1, MOST_SECONDS + 1, float("nan")])
def test_impossible_moment_is_refused(drawn: Portrait, at: float):
    rest = Rehearsal.at_rest()
    with pytest.raises(InputError, match="there is nothing to show at"):
        rest.show(drawn, rest.emotion("happy"), at)


def test_what_the_user_can_mend_is_told(drawn: Portrait, speech: np.ndarray, tmp_path: Path):
    drawn.save(tmp_path / "drawn.evp")
    with pytest.raises(InputError, match="did you mean happy"):
        still(speech, drawn, "hapy")
    with pytest.raises(InputError, match=r"but the speech ends at 2\.50 s"):
        still(speech, drawn, "0 happy, 3 sad")
    with pytest.raises(OutputError, match="pictures are PNG or JPEG"):
        still_file(None, tmp_path / "drawn.evp", tmp_path / "a.gif")
    with pytest.raises(OutputError, match="no folder"):
        still_file(None, tmp_path / "drawn.evp", tmp_path / "none" / "a.png")
    with pytest.raises(PortraitError, match="no portrait"):
        still_file(None, tmp_path / "none.evp", tmp_path / "a.png")
    assert [path.name for path in tmp_path.iterdir()] == ["drawn.evp"]


@pytest.mark.parametrize(("width", "most", "expected"), [(300, 512, 300), (300, 100, 100), (300, None, 300)])
def test_pictures_are_no_wider_than_asked(width: int, most: int | None, expected: int):
    picture = np.zeros((200, width, 3), np.uint8)
    picture[..., 0] = 200
    read = cv2.imdecode(np.frombuffer(encoded(picture, ".jpg", most), np.uint8), cv2.IMREAD_COLOR)
    assert read.shape == (round(200 * expected / width), expected, 3)
    assert np.abs(read[10, 10].astype(int) - [0, 0, 200]).max() < 6


def test_sample_rate_is_that_of_the_seconds(rehearsal: Rehearsal, speech: np.ndarray):
    assert rehearsal.seconds == len(speech) / SAMPLE_RATE
