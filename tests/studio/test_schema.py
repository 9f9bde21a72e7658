"""Every address of the API, asked for whatever its own description allows: never a bug, always what was described."""

import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import booleans
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.types import Receive, Scope, Send

HEADERS = {"X-Evp-Studio": "1", "Host": "127.0.0.1:8765"}


CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture
def described(client: TestClient) -> schemathesis.BaseSchema:
    async def running(scope: Scope, receive: Receive, send: Send) -> None:
        """The application, which is started already and is not to be stopped after every request."""
        if scope["type"] == "http":
            await client.app(scope, receive, send)
            return
        for event in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{event}.complete"})

    return schemathesis.openapi.from_asgi("/api/openapi.json", running, headers=HEADERS)


def test_no_request_finds_a_bug(described: schemathesis.BaseSchema, say, client: TestClient):
    speech = say(client)["id"]
    job = client.post("/api/jobs", json={"kind": "film", "portrait": "drawn", "speech": speech}).json()["id"]
    there = {"portrait_id": "drawn", "speech_id": speech, "job_id": job, "label": "happy"}
    asked: set[str] = set()
    for operation in (found.ok() for found in described.get_all_operations()):

        @settings(
            max_examples=8, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=operation.as_strategy(), found=booleans())
        def ask(case: schemathesis.Case, found: bool) -> None:
            if found and case.method != "DELETE":
                case.path_parameters = {name: there[name] for name in case.path_parameters or {}}
            response = case.call(headers=HEADERS, timeout=120)
            asked.add(f"{response.status_code} {case.method} {case.path}")
            case.validate_response(response, checks=CHECKS)

        ask()
    for wanted in (
        "200 GET /api/status", "422 POST /api/emotions/parse", "404 DELETE /api/jobs/{job_id}",
        "200 GET /api/portraits/{portrait_id}", "200 GET /api/jobs/{job_id}/events", "404 POST /api/jobs",
    ):  # fmt: skip
        assert wanted in asked, sorted(asked)
