"""What is remembered: it survives, refuses what it does not know, and counts rightly."""

import sqlite3
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from evp.errors import InputError
from evp.studio.store import FORMAT, Job, JobProgress, Speech, Store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "studio.sqlite3"


def test_everything_survives_without_being_closed(path: Path):
    store = Store(path)
    job = store.add_job("film", {"speech": "a", "emotion": "0 heiter ✓"}, 5, "j1")
    assert job is not None
    known = replace(
        job, state="done", started=2.0, finished=3.5, attempts=1, error="e", result={"width": 4},
        progress=JobProgress("rendering", 3, 9, 24.5),
    )  # fmt: skip
    store.save_job(known)
    store.add_speech(Speech("s1", "a.wav", 1.5, [0.0, 1.0], 4.0))
    store.name_portrait("p1", "Me")
    again = Store(path)
    assert again.job("j1") == known
    assert again.speech("s1") == Speech("s1", "a.wav", 1.5, [0.0, 1.0], 4.0)
    assert again.portrait_names() == {"p1": "Me"}


def test_what_is_not_there_is_none(path: Path):
    store = Store(path)
    assert store.job("x") is None
    assert store.speech("x") is None
    assert store.position("x") is None
    assert store.next_job() is None
    assert store.jobs() == store.speeches() == []


def test_states_are_counted_and_listed_in_order(path: Path):
    store = Store(path)
    for number in range(4):
        store.add_job("film", {}, 9, f"j{number}")
    store.save_job(replace(store.job("j0"), state="running"))
    store.save_job(replace(store.job("j2"), state="failed"))
    assert (store.count("waiting"), store.count("running"), store.count("done")) == (2, 1, 0)
    assert [job.id for job in store.jobs("waiting", "failed")] == ["j1", "j2", "j3"]
    assert store.positions() == {"j1": 1, "j3": 2}
    assert store.next_job() == store.job("j1")


def test_the_limit_holds_when_many_ask_at_once(path: Path):
    store = Store(path)
    made: list[Job | None] = []
    threads = [
        threading.Thread(target=lambda n=n: made.append(store.add_job("film", {}, 7, f"j{n}")))
        for n in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(job is not None for job in made) == 7 == store.count("waiting")


def test_keys_are_claimed_once_settled_or_free_again(path: Path):
    store = Store(path)
    assert store.claim_key("k", "jobs", "digest", 0) is None
    assert store.claim_key("k", "jobs", "digest", 0)["resource"] is None
    store.settle_key("k", "j1")
    assert store.claim_key("k", "jobs", "digest", 0)["resource"] == "j1"
    assert store.claim_key("k", "jobs", "digest", float("inf")) is None  # it was too long ago
    store.settle_key("k", None)
    assert store.claim_key("k", "jobs", "digest", 0) is None
    assert Store(path).claim_key("k", "jobs", "digest", 0) is None  # whoever worked on it was killed


def test_newer_and_foreign_databases_are_refused_in_one_line(path: Path):
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {FORMAT + 1}")
    with pytest.raises(InputError, match="written by a newer version"):
        Store(path)
    path.write_bytes(b"no database " * 100)
    with pytest.raises(InputError, match="is not a database of this program") as refused:
        Store(path)
    assert "\n" not in str(refused.value)
