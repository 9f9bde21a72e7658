"""Who is let in: this studio's own page, under this machine's names, with the token where there is one."""

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from evp.studio.security import COOKIE, Guard
from evp.studio.settings import Settings, is_loopback, new_token

ADDRESS = "http://127.0.0.1:8765"
SENT = {"X-Evp-Studio": "1"}


def guarded(tmp_path, address: str = ADDRESS, **settings) -> TestClient:
    def answer(request: Request) -> PlainTextResponse:
        return PlainTextResponse(f"{request.method} {request.url.path}")

    inside = Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST", "DELETE"])])
    return TestClient(Guard(inside, Settings(tmp_path, **settings)), address, follow_redirects=False)


def refused(response, status: int, sentence: str) -> bool:
    told = response.json()
    assert response.headers["content-type"] == "application/problem+json"
    assert (response.status_code, told["status"]) == (status, status)
    assert sentence in told["detail"]
    return True


@pytest.mark.parametrize("host", ["127.0.0.1:8765", "localhost:8765", "[::1]:8765", "LOCALHOST", "127.0.0.1"])
def test_names_of_this_machine_are_known(tmp_path, host):
    assert guarded(tmp_path).get("/api/status", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:8765", "192.168.1.5", "", "[::1", "a@b",
     "127.0.0.1@evil"],
)  # fmt: skip
def test_other_names_are_not(tmp_path, host):
    client = guarded(tmp_path)
    assert refused(client.get("/api/status", headers={"Host": host}), 421, "not known by that name")
    assert refused(client.post("/api/jobs", headers={"Host": host, **SENT}), 421, "not known by that name")


def test_what_changes_something_needs_the_header(tmp_path):
    client = guarded(tmp_path)
    assert client.get("/api/jobs").status_code == 200
    for method in ("POST", "DELETE", "PUT", "OPTIONS"):
        assert refused(client.request(method, "/api/jobs"), 403, "X-Evp-Studio: 1")
    assert client.post("/api/jobs", headers=SENT).status_code == 200
    assert refused(client.post("/api/jobs", headers={"X-Evp-Studio": "0"}), 403, "X-Evp-Studio: 1")


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:9999", "http://localhost:8765", "file://"]
)
def test_pages_of_other_sites_are_refused(tmp_path, origin):
    client = guarded(tmp_path)
    assert refused(client.post("/api/jobs", headers={**SENT, "Origin": origin}), 403, "other sites")
    assert refused(client.get("/api/jobs", headers={"Origin": origin}), 403, "other sites")


def test_pages_of_this_studio_are_not(tmp_path):
    client = guarded(tmp_path)
    assert client.post("/api/jobs", headers={**SENT, "Origin": ADDRESS}).status_code == 200
    same = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}
    assert client.post("/api/jobs", headers={**SENT, **same}).status_code == 200


def test_what_browsers_say_of_other_sites_is_believed(tmp_path):
    client = guarded(tmp_path)
    for site in ("cross-site", "same-site"):
        picture = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors"}
        assert refused(client.get("/api/portraits/a/picture", headers=picture), 403, "other sites")
        link = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate"}
        assert client.get("/", headers=link).status_code == 200
        assert refused(client.post("/api/jobs", headers={**SENT, **link}), 403, "other sites")


def test_every_answer_keeps_the_page_to_itself(tmp_path):
    for response in (guarded(tmp_path).get("/"), guarded(tmp_path).post("/")):
        assert "default-src 'self'" in response.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in response.headers["content-security-policy"]
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["referrer-policy"] == "no-referrer"
        assert "access-control-allow-origin" not in response.headers


@pytest.fixture
def locked(tmp_path) -> TestClient:
    return guarded(tmp_path, "http://192.168.1.5:8765", host="0.0.0.0", token="secret-token")


@pytest.mark.parametrize(
    "shown",
    [
        {}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic secret-token"}, {"Authorization": "Bearer"},
        {"Cookie": f"{COOKIE}=secret-token"}, {"Cookie": f"{COOKIE}=\xe9".encode("latin-1")},
    ],
)  # fmt: skip
def test_with_a_token_nothing_is_seen_without_it(locked, shown):
    for path in ("/", "/api/status", "/assets/a.js", "/?token=wrong", "/api/status?token=secret-token"):
        assert refused(locked.get(path, headers=shown), 401, "asks for its token")
    assert refused(locked.post("/api/jobs", headers={**SENT, **shown}), 401, "asks for its token")
    assert locked.get("/api/status").headers["www-authenticate"] == "Bearer"


def test_programs_show_the_token_in_a_header(locked):
    assert locked.get("/api/status", headers={"Authorization": "Bearer secret-token"}).status_code == 200
    assert locked.get("/api/status", headers={"Authorization": "bearer secret-token"}).status_code == 200


def test_browsers_get_a_cookie_for_the_token_which_leaves_the_address(locked):
    response = locked.get("/?token=secret-token")
    assert (response.status_code, response.headers["location"]) == (303, "/")
    cookie = response.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=strict" in cookie
    assert "secret-token" not in cookie
    assert locked.get("/").status_code == 200  # the client keeps the cookie
    assert refused(locked.post("/api/jobs"), 403, "X-Evp-Studio")
    assert locked.post("/api/jobs", headers=SENT).status_code == 200


def test_with_a_token_addresses_are_known_but_no_foreign_name(locked):
    shown = {"Authorization": "Bearer secret-token"}
    assert locked.get("/", headers={**shown, "Host": "[fe80::1]:8765"}).status_code == 200
    assert refused(locked.get("/", headers={**shown, "Host": "evil.example"}), 421, "not known")


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True), ("0.0.0.0", False),
     ("192.168.1.5", False), ("::", False), ("studio.example", False)],
)  # fmt: skip
def test_only_this_machine_reaches_loopback(host, loopback):
    assert is_loopback(host) == loopback


def test_tokens_are_long_and_never_the_same():
    assert len({new_token() for _ in range(100)}) == 100
    assert len(new_token()) >= 32
