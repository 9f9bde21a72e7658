"""Many jobs and many who follow them, over real connections: nothing is lost, and memory does not grow."""

import asyncio
import json
import resource
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest
import uvicorn

from evp.studio.app import create_app
from evp.studio.processes import Assistant
from evp.studio.settings import Limits, Settings
from evp.studio.studio import Studio
from studio_stand_ins import Borrowed, StandIn, eventually

JOBS, CLIENTS, JOBS_OF_A_CLIENT = 50, 20, 3
STEPS = 200
ORDER = ["waiting", "running", "done"]
MEBIBYTE = 1 << 20


@pytest.fixture
def stand_in() -> StandIn:
    return StandIn(steps=STEPS)


@pytest.fixture
def studio(
    data: Path, stand_in: StandIn, assistant: Assistant, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Studio, str]]:
    """A studio that listens, and its address."""
    monkeypatch.setattr("evp.studio.studio.Assistant", lambda _: Borrowed(assistant))
    studio = Studio(Settings(data, limits=Limits(waiting=JOBS)), stand_in)
    server = uvicorn.Server(uvicorn.Config(create_app(studio), log_level="warning"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        eventually(lambda: server.started)
        yield studio, f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join()


async def follow(client: httpx2.AsyncClient, job_id: str) -> list[dict]:
    """What a client is told of a job until it ends."""
    async with client.stream("GET", f"/api/jobs/{job_id}/events") as response:
        lines = [line async for line in response.aiter_lines() if line.startswith("data: ")]
    return [json.loads(line.removeprefix("data: ")) for line in lines]


async def load(
    address: str, speech: str, stand_in: StandIn
) -> tuple[list[str], dict[tuple[int, str], list[dict]]]:
    """Queue the jobs, follow them, let them go; the jobs, and what every client was told of each of its own."""
    asked = {"kind": "film", "portrait": "drawn", "speech": speech, "emotion": "auto"}
    headers = {"X-Evp-Studio": "1"}
    async with httpx2.AsyncClient(base_url=address, headers=headers, timeout=240) as client:
        answers = [await client.post("/api/jobs", json=asked) for _ in range(JOBS)]
        jobs = [answer.json()["id"] for answer in answers]
    told: dict[tuple[int, str], list[dict]] = {}

    async def one(number: int) -> None:
        own = [jobs[(5 * number + 17 * step) % JOBS] for step in range(JOBS_OF_A_CLIENT)]
        async with httpx2.AsyncClient(base_url=address, headers=headers, timeout=240) as client:
            answers = await asyncio.gather(*(follow(client, job_id) for job_id in own))
        told.update({(number, job_id): answer for job_id, answer in zip(own, answers, strict=True)})

    clients = [asyncio.create_task(one(number)) for number in range(CLIENTS)]
    await asyncio.sleep(1)
    stand_in.go.set()
    await asyncio.gather(*clients)
    return jobs, told


def memory() -> int:
    """Bytes that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def test_many_jobs_and_followers(studio: tuple[Studio, str], stand_in: StandIn, say):
    running, address = studio
    speech = say(running)["id"]
    stand_in.go.clear()
    before = memory()
    with ThreadPoolExecutor(
        1
    ) as other:  # a browser test before this one leaves its loop running in this thread
        jobs, told = other.submit(asyncio.run, load(address, speech, stand_in)).result()
    grown = memory() - before
    assert len(set(jobs)) == JOBS
    assert [job_id for job_id, _ in stand_in.started] == jobs  # every one, once, in order
    assert stand_in.most_at_once == 1
    assert len(told) == CLIENTS * JOBS_OF_A_CLIENT
    for states in told.values():
        last = states[-1]
        assert (last["state"], last["done"], last["total"]) == ("done", STEPS, STEPS)
        assert last["result"] is not None
        places = [ORDER.index(known["state"]) for known in states]
        assert places == sorted(places)
        assert len(states) < STEPS  # changes that come fast are told together
    assert grown < 60 * MEBIBYTE
    assert not running.jobs._followers
    assert not running.jobs._progress
    assert not running.jobs._running
