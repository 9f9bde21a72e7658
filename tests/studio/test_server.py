"""A real server process: it starts, survives being killed, carries many, and lets nobody in who may not come."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import evp
from evp import cli
from evp.media import probe
from evp.studio import serve as serving
from evp.studio.settings import Settings, data_folder
from studio_stand_ins import eventually
from tiny import voice, write_media

SENT = {"X-Evp-Studio": "1"}


class Server:
    """`evp studio` in a process of its own."""

    def __init__(self, data: Path, *options: str) -> None:
        source = str(Path(evp.__file__).parents[1])
        self.process = subprocess.Popen(
            [sys.executable, "-m", "evp", "studio", "--port", "0", "--no-browser", "--data", str(data), *options],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ, "PYTHONPATH": source},
        )  # fmt: skip
        self.said: list[str] = []
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line.strip())
            if found := re.match(r"evp studio: (http://[^/]+)/(?:\?token=(.+))?", line):
                self.address, self.token = found[1], found[2]
                break
        else:
            raise AssertionError(self.said)

    def ask(self, path: str, body: Any = None, method: str | None = None, **headers: str) -> Any:
        """What the server answers, JSON or bytes."""
        content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", **SENT, **headers}
        request = urllib.request.Request(self.address + path, content, headers, method=method)
        with urllib.request.urlopen(request, timeout=120) as response:
            answer = response.read()
            return json.loads(answer) if response.headers["content-type"] == "application/json" else answer

    def refuses(self, path: str, **headers: str) -> int:
        with pytest.raises(urllib.error.HTTPError) as refused:
            self.ask(path, **headers)
        return refused.value.code

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(number)
        code = self.process.wait(60)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code


@pytest.fixture
def server(data: Path) -> Iterator[Server]:
    server = Server(data)
    yield server
    if server.process.poll() is None:
        server.stop(signal.SIGKILL)


def upload(server: Server, path: Path) -> dict[str, Any]:
    boundary = "b" * 20
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{path.name}"\r\n\r\n'
    body = head.encode() + path.read_bytes() + f"\r\n--{boundary}--\r\n".encode()
    return server.ask("/api/speech", body, **{"Content-Type": f"multipart/form-data; boundary={boundary}"})


def film(server: Server, speech: dict[str, Any], emotion: str = "neutral") -> dict[str, Any]:
    asked = {"kind": "film", "portrait": "drawn", "speech": speech["id"], "emotion": emotion}
    return server.ask("/api/jobs", asked)


@pytest.mark.timeout(900)  # two films, on whatever machine this is
def test_a_killed_server_finishes_the_job_when_it_is_started_again(
    server: Server, data: Path, tmp_path: Path
):
    speech = upload(server, write_media(tmp_path / "a.wav", waveform=voice(2.4, 140)))
    job, waiting = film(server, speech, "happy"), film(server, upload(server, tmp_path / "a.wav"))
    eventually(lambda: server.ask(f"/api/jobs/{job['id']}")["done"] > 3, 120)
    server.stop(signal.SIGKILL)
    again = Server(data)
    try:
        for known in (job, waiting):
            done = eventually(
                lambda known=known: (j := again.ask(f"/api/jobs/{known['id']}"))["finished"] and j, 400
            )
            assert (done["state"], done["error"], done["settings"]) == ("done", None, known["settings"])
        made = tmp_path / "film.mp4"
        made.write_bytes(again.ask(f"/api/jobs/{job['id']}/film"))
        assert probe(made).frames == 60
        assert [path.name for path in (data / "jobs" / job["id"]).iterdir()] == ["film.mp4"]
    finally:
        assert again.stop() == 130


def test_a_server_that_is_stopped_leaves_at_once_and_goes_on_later(
    server: Server, data: Path, tmp_path: Path
):
    job = film(server, upload(server, write_media(tmp_path / "a.wav", waveform=voice(30, 140))))
    eventually(lambda: server.ask(f"/api/jobs/{job['id']}")["done"], 120)
    ends: list[bytes] = []
    follower = threading.Thread(target=lambda: ends.append(server.ask(f"/api/jobs/{job['id']}/events")))
    follower.start()
    assert server.stop(signal.SIGTERM) == 130
    follower.join(30)
    assert b'"state":"running"' in ends[0]
    again = Server(data)
    eventually(lambda: again.ask(f"/api/jobs/{job['id']}")["state"] == "running", 120)
    assert again.ask(f"/api/jobs/{job['id']}/cancel", b"")["state"] == "cancelled"
    again.stop()


@pytest.mark.usefixtures("server")
def test_a_folder_has_one_studio(data: Path):
    result = CliRunner().invoke(cli.app, ["studio", "--port", "0", "--no-browser", "--data", str(data)])
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert f"evp: a studio is running with {data} already" in result.stderr


def test_a_port_that_is_taken_is_told(server: Server, tmp_path: Path):
    port = server.address.rsplit(":", 1)[1]
    result = CliRunner().invoke(
        cli.app, ["studio", "--port", port, "--no-browser", "--data", str(tmp_path / "b")]
    )
    assert result.exit_code == 1
    assert f"evp: cannot listen on 127.0.0.1, port {port}: " in result.stderr
    assert not (tmp_path / "b").exists()


def test_other_addresses_need_the_token_that_is_shown_once(data: Path):
    server = Server(data, "--host", "0.0.0.0")
    try:
        assert "whoever knows the token below can" in server.said[0]
        assert server.token is not None
        server.address = server.address.replace("0.0.0.0", "127.0.0.1")
        assert server.refuses("/api/status") == 401
        assert server.refuses("/api/status", Authorization="Bearer guess") == 401
        shown = {"Authorization": f"Bearer {server.token}"}
        assert server.ask("/api/status", **shown)["token_required"] is True
        assert server.refuses("/api/status", Host="evil.example", **shown) == 421
        assert not any(server.token in path.read_text(errors="ignore") for path in data.glob("studio*"))
    finally:
        server.stop()


def test_cross_site_requests_are_refused(server: Server):
    assert server.refuses("/api/status", Host="evil.example") == 421
    assert server.refuses("/api/status", Origin="http://evil.example") == 403
    assert server.refuses("/api/jobs", **{"X-Evp-Studio": "0", "Sec-Fetch-Site": "cross-site"}) == 403
    assert server.ask("/api/status", Origin=server.address)["token_required"] is False


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Settings, bool]]:
    calls: list[tuple[Settings, bool]] = []
    monkeypatch.setattr(serving, "serve", lambda settings, _, browser: calls.append((settings, browser)))
    return calls


def test_the_command_hands_its_options_on(served: list, tmp_path: Path):
    given = ["studio", "--host", "::1", "--port", "9", "--data", str(tmp_path), "--no-browser"]
    assert CliRunner().invoke(cli.app, given).exit_code == 0
    assert CliRunner().invoke(cli.app, ["studio"]).exit_code == 0
    (settings, browser), (usual, usually) = served
    assert (settings.host, settings.port, settings.data, browser) == ("::1", 9, tmp_path, False)
    assert (usual.host, usual.port, usual.data, usually) == ("127.0.0.1", 8765, data_folder(), True)


def test_the_browser_is_opened_when_the_page_is_there(monkeypatch: pytest.MonkeyPatch):
    opened: list[str] = []
    monkeypatch.setattr(serving.webbrowser, "open", opened.append)
    said: list[str] = []
    serving._ready("http://127.0.0.1:1/", said.append, browser=False)
    assert (said, opened) == (["evp studio: http://127.0.0.1:1/"], [])
    serving._ready("http://127.0.0.1:1/", said.append, browser=True)
    assert eventually(lambda: opened) == ["http://127.0.0.1:1/"]


def test_the_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delitem(sys.modules, "evp.studio.serve")
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    result = CliRunner().invoke(cli.app, ["studio"])
    assert (result.exit_code, result.stderr) == (
        1,
        "evp: this command needs uvicorn: pip install 'evp[studio]'\n",
    )


def test_the_data_folder_is_that_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    assert data_folder() == tmp_path / ".local" / "share" / "evp"
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "x"))
    assert data_folder() == tmp_path / "x" / "evp"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert data_folder() == tmp_path / "Library" / "Application Support" / "evp"
