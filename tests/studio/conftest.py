"""A studio with a drawn person in it, whose jobs are run by a stand-in unless a test says otherwise."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from evp.studio.app import create_app
from evp.studio.settings import Limits, Settings
from evp.studio.studio import Studio
from studio_stand_ins import StandIn
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


@pytest.fixture
def client(data: Path, stand_in: StandIn) -> Iterator[TestClient]:
    """A client of a studio whose jobs are run by the stand-in."""
    limits = Limits(speech_seconds=60, waiting=5)
    with TestClient(create_app(Studio(Settings(data, limits=limits), stand_in)), ADDRESS, headers=HEADERS) as client:
        yield client


@pytest.fixture(scope="module")
def working(tmp_path_factory: pytest.TempPathFactory, drawn_bundle: Path) -> Iterator[TestClient]:
    """A client of a studio whose jobs are really run."""
    data = furnished(tmp_path_factory.mktemp("working") / "data", drawn_bundle)
    with TestClient(create_app(Studio(Settings(data))), ADDRESS, headers=HEADERS) as client:
        yield client


@pytest.fixture
def say(speech_file: Path) -> Callable[[TestClient], dict[str, Any]]:
    """Uploads the speech."""

    def upload(client: TestClient) -> dict[str, Any]:
        with speech_file.open("rb") as file:
            answer = client.post("/api/speech", files={"file": (speech_file.name, file)})
        assert answer.status_code == 201, answer.text
        return answer.json()

    return upload
