"""The page against the studio itself, in a process of its own as users start it."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.page.browsing import click, give, text, until

expect = pytest.importorskip("playwright.sync_api").expect
pytest.importorskip("uvicorn", reason="needs the studio extra")


@pytest.fixture
def address(tmp_path: Path, drawn_bundle: Path) -> Iterator[str]:
    """A studio with a drawn portrait; the built-in one, if the package has it, comes first."""
    data = tmp_path / "data"
    (data / "portraits").mkdir(parents=True)
    (data / "portraits" / "drawn.evp").write_bytes(drawn_bundle.read_bytes())
    command = [sys.executable, "-m", "evp", "studio", "--port", "0", "--no-browser", "--data", str(data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as studio:
        assert studio.stdout is not None
        yield studio.stdout.readline().split()[-1]
        studio.terminate()


def test_film_with_an_edited_lane(visit, speech_file):
    page = visit().page
    page.set_default_timeout(120_000)
    give(page, speech_file)
    until(page, "document.querySelector('.face-now').dataset.live === 'true'")
    click(page, 0.3, 0.9)
    page.locator(".face", has_text="angry").click()
    click(page, 0.8, 0.5)
    page.locator(".face", has_text="happy").click()
    written = text(page)
    assert written.count("angry") == written.count("happy") == 1
    page.get_by_role("button", name="Render the film").click()
    page.wait_for_selector(".films video")
    until(page, "document.querySelector('.films video').readyState >= 2")
    assert page.locator(".films video").evaluate("video => video.duration") == pytest.approx(1.6, abs=0.1)
    expect(page.locator(".take-emotion")).to_have_text(written)
    page.get_by_label("Beside it").select_option(label="the target's footage")
    until(page, "document.querySelectorAll('.films video')[1].readyState >= 2")
    page.reload()
    expect(page.locator(".take-emotion")).to_have_text(written)


def test_footage_without_a_face_is_told_in_the_words_of_the_command_line(visit, clip, tmp_path):
    page = visit("#/portraits").page
    page.set_default_timeout(120_000)
    page.set_input_files("#footage-file", clip)
    page.get_by_label("Who is shown and agreed").fill("Ben")
    page.get_by_label("When they agreed").fill("2026-11-01")
    page.get_by_label("I am this person").check()
    page.get_by_role("button", name="Build the portrait").click()
    told = page.locator(".builds [role=alert]")
    expect(told).to_contain_text("face", timeout=120_000)
    broken = tmp_path / "broken.wav"
    broken.write_text("this is no sound")
    page.get_by_role("link", name="Film", exact=True).click()
    page.set_input_files("#speech-file", broken)
    expect(page.locator(".speech-choice [role=alert]")).to_contain_text("broken.wav")
