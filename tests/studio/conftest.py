"""A studio with a drawn person in it, whose jobs are run by a stand-in unless a test says otherwise."""

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from evp.studio.app import create_app
from evp.studio.processes import Assistant, one_child
from evp.studio.settings import Limits, Settings
from evp.studio.store import Speech, new_id
from evp.studio.studio import Studio
from studio_stand_ins import Borrowed, StandIn
from tiny import portrait, voice, write_media

ADDRESS = "http://127.0.0.1:8765"
HEADERS = {"X-Evp-Studio": "1"}


@pytest.fixture(scope="session")
def drawn_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bundle") / "drawn.evp"
    portrait(30).save(path)
    return path


@pytest.fixture(scope="session")
def speech_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_media(tmp_path_factory.mktemp("speech") / "hello there.wav", waveform=voice(1.6, 140))


def furnished(data: Path, bundle: Path) -> Path:
    """A data folder with the drawn person in it."""
    (data / "portraits").mkdir(parents=True)
    (data / "portraits" / "drawn.evp").write_bytes(bundle.read_bytes())
    return data


@pytest.fixture
def data(tmp_path: Path, drawn_bundle: Path) -> Path:
    return furnished(tmp_path / "data", drawn_bundle)


@pytest.fixture
def stand_in() -> StandIn:
    return StandIn()


@pytest.fixture(scope="session")
def assistant() -> Iterator[Assistant]:
    """One for all tests: to start one takes a while."""
    assistant = Assistant(60)
    yield assistant
    assistant.close()


@pytest.fixture
def client(
    data: Path, stand_in: StandIn, assistant: Assistant, monkeypatch: pytest.MonkeyPatch
) -> Iterator[TestClient]:
    """A client of a studio whose jobs are run by the stand-in."""
    monkeypatch.setattr("evp.studio.studio.Assistant", lambda _: Borrowed(assistant))
    limits = Limits(speech_seconds=60, waiting=5)
    with TestClient(
        create_app(Studio(Settings(data, limits=limits), stand_in)), ADDRESS, headers=HEADERS
    ) as client:
        yield client


@pytest.fixture(scope="module")
def working(tmp_path_factory: pytest.TempPathFactory, drawn_bundle: Path) -> Iterator[TestClient]:
    """A client of a studio whose jobs are really run."""
    data = furnished(tmp_path_factory.mktemp("working") / "data", drawn_bundle)
    with TestClient(create_app(Studio(Settings(data))), ADDRESS, headers=HEADERS) as client:
        yield client


@pytest.fixture(scope="session")
def decoded(tmp_path_factory: pytest.TempPathFactory, speech_file: Path) -> tuple[Path, dict[str, Any]]:
    """The speech as an upload is kept, and what is known of it."""
    sound = tmp_path_factory.mktemp("decoded") / "sound.wav"
    with one_child() as child:
        asked = {"upload": str(speech_file), "sound": str(sound), "most_seconds": 60}
        return sound, child.ask("check_speech", asked)


@pytest.fixture
def say(decoded: tuple[Path, dict[str, Any]]) -> Callable[[TestClient | Studio], dict[str, Any]]:
    """Puts the speech where an upload would, and gives what the upload would answer."""

    def put(where: TestClient | Studio) -> dict[str, Any]:
        studio = where if isinstance(where, Studio) else where.app.state.studio
        speech_id = new_id()
        studio.folders.speech(speech_id).mkdir()
        shutil.copy(decoded[0], studio.folders.sound(speech_id))
        studio.store.add_speech(Speech(speech_id, "hello there.wav", created=time.time(), **decoded[1]))
        known = studio.store.speech(speech_id)
        return {"id": speech_id, "name": known.name, "seconds": known.seconds, "peaks": known.peaks}

    return put
