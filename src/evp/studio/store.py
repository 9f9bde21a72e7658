"""What the studio remembers: a small SQLite database in its data folder."""

import json
import secrets
import sqlite3
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from evp.errors import InputError

Kind = Literal["film", "build"]
State = Literal["waiting", "running", "done", "failed", "cancelled"]
FINAL: frozenset[State] = frozenset({"done", "failed", "cancelled"})

FORMAT = 1
_TABLES = """
CREATE TABLE jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, kind TEXT NOT NULL, state TEXT NOT NULL,
    settings TEXT NOT NULL, created REAL NOT NULL, started REAL, finished REAL, attempts INTEGER NOT NULL,
    progress TEXT NOT NULL, error TEXT, result TEXT
);
CREATE INDEX jobs_by_state ON jobs (state, number);
CREATE TABLE speeches (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, seconds REAL NOT NULL, peaks TEXT NOT NULL, created REAL NOT NULL
);
CREATE TABLE portraits (id TEXT PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE keys (
    key TEXT PRIMARY KEY, route TEXT NOT NULL, request TEXT NOT NULL, resource TEXT, created REAL NOT NULL
);
"""


@dataclass(frozen=True)
class JobProgress:
    """How far a job is in its stage."""

    stage: str = ""
    done: int = 0
    total: int = 0
    per_second: float | None = None


@dataclass(frozen=True)
class Job:
    """A film or a portrait that is to be made, is being made, or was made. Times are seconds since 1970."""

    id: str
    kind: Kind
    state: State
    settings: dict[str, Any]
    """As they were asked for, with the names of what they refer to."""
    created: float
    started: float | None = None
    finished: float | None = None
    attempts: int = 0
    """How often it was started."""
    progress: JobProgress = field(default_factory=JobProgress)
    error: str | None = None
    """The sentence that the command line would say."""
    result: dict[str, Any] | None = None


@dataclass(frozen=True)
class Speech:
    """A recording that was uploaded."""

    id: str
    name: str
    seconds: float
    peaks: list[float]
    created: float


class Store:
    """All tables; every method is one transaction, and may be called by any thread."""

    def __init__(self, path: Path) -> None:
        """Open or make the database at ``path``. Raises InputError when it is broken, or of a newer program."""
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        try:
            self._connection.execute("PRAGMA journal_mode = WAL")
            # what is promised survives a killed process; FULL would survive a power cut too, but waits for the disk
            self._connection.execute("PRAGMA synchronous = NORMAL")
            [version] = self._connection.execute("PRAGMA user_version").fetchone()
            if version > FORMAT:
                raise InputError(f"{path} was written by a newer version of this program: update evp")
            if version < FORMAT:
                self._connection.executescript(f"BEGIN; {_TABLES} PRAGMA user_version = {FORMAT}; COMMIT;")
        except sqlite3.DatabaseError as error:
            raise InputError(f"{path} is not a database of this program, or it is broken: {error}") from error
        self._do("DELETE FROM keys WHERE resource IS NULL")

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def _do(self, statement: str, *values: Any) -> list[sqlite3.Row]:
        with self._lock:
            return self._connection.execute(statement, values).fetchall()

    # Jobs

    def add_job(self, kind: Kind, settings: dict[str, Any], most_waiting: int, job_id: str) -> Job | None:
        """A new waiting job, or None when ``most_waiting`` wait already."""
        with self._lock:
            if self.count("waiting") >= most_waiting:
                return None
            job = Job(job_id, kind, "waiting", settings, time.time())
            self._do(
                "INSERT INTO jobs (id, kind, state, settings, created, attempts, progress)"
                " VALUES (?, ?, ?, ?, ?, 0, ?)",
                job.id, kind, job.state, json.dumps(settings), job.created, _plain(job.progress),
            )  # fmt: skip
            return job

    def save_job(self, job: Job) -> None:
        """Write what has changed of a job."""
        self._do(
            "UPDATE jobs SET state = ?, started = ?, finished = ?, attempts = ?, progress = ?, error = ?, result = ?"
            " WHERE id = ?",
            job.state, job.started, job.finished, job.attempts, _plain(job.progress), job.error,
            None if job.result is None else json.dumps(job.result), job.id,
        )  # fmt: skip

    def job(self, job_id: str) -> Job | None:
        return next(iter(self._jobs("WHERE id = ?", job_id)), None)

    def jobs(self, *states: State) -> list[Job]:
        """Those in one of ``states``, or all, oldest first."""
        marks = ", ".join("?" * len(states))
        return self._jobs(
            f"WHERE state IN ({marks}) ORDER BY number" if states else "ORDER BY number", *states
        )

    def next_job(self) -> Job | None:
        return next(iter(self._jobs("WHERE state = 'waiting' ORDER BY number LIMIT 1")), None)

    def count(self, state: State) -> int:
        [[count]] = self._do("SELECT COUNT(*) FROM jobs WHERE state = ?", state)
        return int(count)

    def positions(self) -> dict[str, int]:
        """Of the waiting jobs: 1 is next."""
        rows = self._do("SELECT id FROM jobs WHERE state = 'waiting' ORDER BY number")
        return {row["id"]: place for place, row in enumerate(rows, 1)}

    def position(self, job_id: str) -> int | None:
        """The place of a job, if it waits."""
        return self.positions().get(job_id)

    def remove_job(self, job_id: str) -> None:
        self._do("DELETE FROM jobs WHERE id = ?", job_id)

    def _jobs(self, where: str, *values: Any) -> list[Job]:
        return [
            Job(
                row["id"], row["kind"], row["state"], json.loads(row["settings"]), row["created"], row["started"],
                row["finished"], row["attempts"], JobProgress(**json.loads(row["progress"])), row["error"],
                None if row["result"] is None else json.loads(row["result"]),
            )
            for row in self._do(f"SELECT * FROM jobs {where}", *values)
        ]  # fmt: skip

    # Speech

    def add_speech(self, speech: Speech) -> None:
        self._do(
            "INSERT INTO speeches VALUES (?, ?, ?, ?, ?)",
            speech.id, speech.name, speech.seconds, json.dumps(speech.peaks), speech.created,
        )  # fmt: skip

    def speech(self, speech_id: str) -> Speech | None:
        return next(iter(self._speeches("WHERE id = ?", speech_id)), None)

    def speeches(self) -> list[Speech]:
        """Oldest first."""
        return self._speeches("ORDER BY created")

    def _speeches(self, where: str, *values: Any) -> list[Speech]:
        rows = self._do(f"SELECT * FROM speeches {where}", *values)
        return [Speech(r["id"], r["name"], r["seconds"], json.loads(r["peaks"]), r["created"]) for r in rows]

    def remove_speech(self, speech_id: str) -> None:
        self._do("DELETE FROM speeches WHERE id = ?", speech_id)

    # Names of portraits

    def name_portrait(self, portrait_id: str, name: str) -> None:
        self._do("INSERT OR REPLACE INTO portraits VALUES (?, ?)", portrait_id, name)

    def portrait_names(self) -> dict[str, str]:
        return {row["id"]: row["name"] for row in self._do("SELECT * FROM portraits")}

    def forget_portrait(self, portrait_id: str) -> None:
        self._do("DELETE FROM portraits WHERE id = ?", portrait_id)

    # Idempotency keys

    def claim_key(self, key: str, route: str, request: str, since: float) -> sqlite3.Row | None:
        """The row of a key that was used after ``since``, or None: then it is claimed now."""
        with self._lock:
            self._do("DELETE FROM keys WHERE created < ? AND resource IS NOT NULL", since)
            rows = self._do("SELECT * FROM keys WHERE key = ?", key)
            if not rows:
                self._do("INSERT INTO keys VALUES (?, ?, ?, NULL, ?)", key, route, request, time.time())
            return rows[0] if rows else None

    def settle_key(self, key: str, resource: str | None) -> None:
        """What came of the request with a key; None when nothing did, and the key may be used again."""
        if resource is None:
            self._do("DELETE FROM keys WHERE key = ?", key)
        else:
            self._do("UPDATE keys SET resource = ? WHERE key = ?", resource, key)


def new_id() -> str:
    """An identifier that the server makes: nothing from outside ever names a file."""
    return secrets.token_hex(8)


def restarted(jobs: Iterable[Job], attempts: int) -> list[Job]:
    """What becomes of jobs under which the server was stopped: they wait again, unless that was so too often."""
    return [
        replace(job, state="waiting", started=None, progress=JobProgress())
        if job.attempts < attempts
        else replace(
            job,
            state="failed",
            finished=time.time(),
            error=f"the studio was stopped {attempts} times during this job",
        )
        for job in jobs
    ]


def _plain(progress: JobProgress) -> str:
    return json.dumps(vars(progress))
