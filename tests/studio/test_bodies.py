"""Requests that are too large are refused by what they announce, and cut off when they send more."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI, Request, UploadFile
from fastapi.testclient import TestClient

from evp.studio import problems
from evp.studio.bodies import BodyLimit


@pytest.fixture
def client() -> TestClient:
    app = FastAPI()
    problems.install(app)
    app.state.came = 0

    @app.post("/small")
    @app.post("/large")
    async def take(request: Request) -> int:
        async for block in request.stream():
            app.state.came += len(block)
        return app.state.came

    @app.post("/file")
    def file(file: UploadFile) -> int:
        return len(file.file.read())

    app.add_middleware(BodyLimit, most=10_000, most_at={"/large": 1 << 20, "/file": 1 << 20})
    return TestClient(app)


def in_blocks(size: int) -> Iterator[bytes]:
    """A body whose size is not announced."""
    for _ in range(size // 1000):
        yield bytes(1000)


def test_what_is_announced_as_too_large_is_not_read(client):
    response = client.post("/small", content=bytes(10_001))
    assert (response.status_code, response.json()["detail"]) == (
        413, "this is larger than 9 KiB, which is the most that is taken here",
    )  # fmt: skip
    assert client.app.state.came == 0
    assert client.post("/small", content=bytes(10_000)).json() == 10_000


def test_what_is_not_announced_is_cut_off(client):
    response = client.post("/small", content=in_blocks(500_000))
    assert response.status_code == 413
    assert client.app.state.came <= 10_000
    assert client.post("/large", content=in_blocks(500_000)).json() >= 500_000


def test_a_form_is_cut_off_too(client):
    form = {"file": ("a.wav", bytes(900_000))}
    assert client.post("/file", files=form).json() == 900_000
    body, kind = client.build_request("POST", "/file", files={"file": ("a.wav", bytes(2 << 20))}), None
    kind = body.headers["content-type"]
    content = body.read()
    blocks = (content[start : start + 4096] for start in range(0, len(content), 4096))
    response = client.post("/file", content=blocks, headers={"Content-Type": kind})
    assert (response.status_code, response.headers["content-type"]) == (413, "application/problem+json")


@pytest.mark.parametrize("announced", ["-1", "many", "1e9"])
def test_nonsense_is_refused(client, announced):
    assert client.post("/small", content=b"", headers={"Content-Length": announced}).status_code == 413
