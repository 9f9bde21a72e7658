"""The page that is served, and what jobs can run on."""

from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from evp.studio import app as application
from evp.studio import devices as device_module
from evp.studio.app import create_app
from evp.studio.devices import devices
from evp.studio.settings import Settings
from evp.studio.studio import Studio
from studio_stand_ins import StandIn


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    """A client of a studio, not opened, with a built page."""
    folder = tmp_path / "page"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>evp</title>")
    (folder / "assets" / "index-a1b2.js").write_text("export {}")
    monkeypatch.setattr(application, "page_folder", lambda: folder)
    return TestClient(create_app(Studio(Settings(tmp_path / "data"), StandIn())), "http://127.0.0.1:8765")


def test_the_page_is_asked_for_anew_and_its_parts_are_kept(page: TestClient):
    start = page.get("/")
    assert "<title>evp" in start.text
    assert start.headers["cache-control"] == "no-cache"
    assert "default-src 'self'" in start.headers["content-security-policy"]
    part = page.get("/assets/index-a1b2.js")
    assert part.headers["content-type"].startswith("text/javascript")
    assert "immutable" in part.headers["cache-control"]


def test_what_the_page_does_not_have_is_a_problem(page: TestClient):
    for path in ("/assets/none.js", "/none.html", "/../data/studio.sqlite3", "/%2e%2e/data/studio.sqlite3"):
        response = page.get(path)
        assert (response.status_code, response.headers["content-type"]) == (404, "application/problem+json")
    assert page.get("/api/jobs").json() == {"jobs": []}


def test_without_a_page_the_api_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(application, "page_folder", lambda: None)
    client = TestClient(create_app(Studio(Settings(tmp_path / "data"), StandIn())), "http://127.0.0.1:8765")
    assert client.get("/").status_code == 404
    assert client.get("/api/jobs").status_code == 200


def test_a_job_runs_on_every_gpu_that_the_engine_can_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("0000:01:00.0", "0000:02:00.0"):
        (tmp_path / name).mkdir()

    def missing(_: str) -> str:
        raise PackageNotFoundError

    monkeypatch.setattr(device_module, "version", missing)
    assert devices(tmp_path) == ("cpu",)
    monkeypatch.setattr(device_module, "version", lambda _: "1.32.0")
    assert devices(tmp_path) == ("0", "1")
    assert devices(tmp_path / "none") == ("cpu",)
