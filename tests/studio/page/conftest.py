"""The page in headless Chromium, against a stand-in for the server."""

import shutil
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from evp.clock import SAMPLE_RATE
from studio.page.drawn import BEN
from studio.page.standin import PAGE, Standin
from tiny import voice

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ("--no-sandbox", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
PATIENCE_MS = 30_000
"""The machine may be busy: nothing here is about time."""


@pytest.fixture(scope="session")
def chromium():
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install playwright")
    program = CHROMIUM if Path(CHROMIUM).exists() else shutil.which("chromium")
    if program is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    if not (PAGE / "index.html").exists():
        pytest.fail("the page is not built: run 'make page'")
    playwright.expect.set_options(timeout=PATIENCE_MS)
    with playwright.sync_playwright() as engine:
        browser = engine.chromium.launch(executable_path=program, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def studio() -> Iterator[Standin]:
    standin = Standin(pace=0.001)
    yield standin
    standin.hold.clear()
    standin.stop()


@pytest.fixture
def address(studio: Standin) -> str:
    return studio.start()


class Visit:
    """A window of the browser, and all that went on in it."""

    def __init__(self, browser, address: str, **options) -> None:
        self.context = browser.new_context(**{"viewport": {"width": 1440, "height": 900}, **options})
        self.page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        self.requests: list[str] = []
        self.errors: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", self._note)
        self.page.goto(address)

    def _note(self, message) -> None:
        # A request that was answered with a problem is logged by the browser; the page shows the problem itself.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.errors.append(message.text)


@pytest.fixture
def visit(chromium, address):
    """Opens windows; closes them, and fails when the page raised anything."""
    visits: list[Visit] = []

    def opened(where: str = "", **options) -> Visit:
        visits.append(Visit(chromium, address + where, **options))
        return visits[-1]

    yield opened
    for one in visits:
        one.context.close()
    assert [error for one in visits for error in one.errors] == []


@pytest.fixture
def page(visit):
    return visit().page


@pytest.fixture(scope="session")
def speech(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("speech") / "good morning.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes((voice(4, 140) * 32767).astype("<i2").tobytes())
    return path


@pytest.fixture(scope="session")
def clip(tmp_path_factory) -> Path:
    """Footage of a drawn person, 3.2 s."""
    return _footage(tmp_path_factory.mktemp("clip") / "me.mp4", 80)


@pytest.fixture(scope="session")
def short_clip(tmp_path_factory) -> Path:
    return _footage(tmp_path_factory.mktemp("clip") / "short.mp4", 20)


def _footage(path: Path, frames: int) -> Path:
    from evp.media import FilmWriter
    from studio.page.drawn import draw

    with FilmWriter(path, 128, 128, None) as film:
        for number in range(frames):
            film.write(draw(BEN, {}, 0.5 + 0.5 * np.sin(number), size=128))
    return path
