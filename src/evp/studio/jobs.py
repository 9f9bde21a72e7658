"""The queue: jobs wait in the database, one worker for each device runs them in processes, and people follow them."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Protocol

from evp.errors import EvpError
from evp.studio.settings import Limits
from evp.studio.store import FINAL, Job, JobProgress, Kind, Store, new_id, restarted

_log = logging.getLogger(__name__)

Progress = Callable[[str, int, int], None]


class QueueFullError(EvpError):
    """No more jobs may wait."""


class Running(Protocol):
    """A job that has been started."""

    def result(self, progress: Progress) -> dict[str, Any]:
        """Wait for what comes of it. Raises EvpError."""

    def kill(self) -> None:
        """End it at once; `result` then raises."""


Start = Callable[[Job, str], Running]
"""Starts a job on a device."""


class Jobs:
    """All jobs of a studio."""

    def __init__(
        self,
        store: Store,
        start: Start,
        *,
        devices: Sequence[str] = ("cpu",),
        limits: Limits | None = None,
        finished: Callable[[Job], None] = lambda _: None,
    ) -> None:
        """``finished`` is called with every job that ends, in whatever way, before its followers learn of it."""
        self._store, self._start, self._finished = store, start, finished
        self._limits = limits or Limits()
        self._changed = threading.Condition()
        self._running: dict[str, Running | None] = {}
        self._progress: dict[str, tuple[JobProgress, float, int]] = {}
        """Of running jobs: the progress, when its stage began, and how much was done then."""
        self._cancelled: set[str] = set()
        self._followers: set[Callable[[], object]] = set()
        self._closing = False
        for job in restarted(store.jobs("running"), self._limits.attempts):
            store.save_job(job)
        self._workers = [
            threading.Thread(target=self._work, args=(device,), name=f"worker on {device}", daemon=True)
            for device in devices
        ]

    def open(self) -> None:
        """Begin to work."""
        for worker in self._workers:
            worker.start()

    def hang_up(self) -> None:
        """Begin to close: nothing more is started, and followers leave."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._tell()

    def close(self) -> None:
        """Stop working; jobs that are running wait again, for the next time."""
        self.hang_up()
        with self._changed:
            for running in self._running.values():
                if running is not None:
                    running.kill()
        for worker in self._workers:
            if worker.is_alive():
                worker.join()

    @property
    def closing(self) -> bool:
        return self._closing

    def add(self, kind: Kind, settings: dict[str, Any], job_id: str | None = None) -> Job:
        """A new job. Raises QueueFullError."""
        with self._changed:
            job = self._store.add_job(kind, settings, self._limits.waiting, job_id or new_id())
            if job is None:
                raise QueueFullError(
                    f"{self._limits.waiting} jobs are waiting already: try again when some are done"
                )
            self._changed.notify()
        self._tell()
        return job

    def get(self, job_id: str) -> Job | None:
        """A job as it is now."""
        job = self._store.job(job_id)
        return job and self._lively(job)

    def all(self) -> list[Job]:
        """Newest first."""
        return [self._lively(job) for job in reversed(self._store.jobs())]

    def cancel(self, job_id: str) -> Job | None:
        """Take a job out of the queue, or end it; one that has ended stays as it is. What the job then is."""
        with self._changed:
            job = self._store.job(job_id)
            if job is not None and job.state == "waiting":
                job = replace(job, state="cancelled", finished=time.time())
                self._end(job)
            elif job is not None and job.state == "running" and job_id in self._running:
                self._cancelled.add(job_id)
                running = self._running[job_id]
                if running is not None:
                    running.kill()
                self._changed.wait_for(lambda: job_id not in self._running, timeout=10)
                job = self.get(job_id)
        self._tell()
        return job

    @contextmanager
    def following(self, follower: Callable[[], object]) -> Iterator[None]:
        """Inside, ``follower`` is called, by any thread, whenever something has changed."""
        self._followers.add(follower)
        try:
            yield
        finally:
            self._followers.discard(follower)

    def _tell(self) -> None:
        for follower in tuple(self._followers):
            follower()

    def _lively(self, job: Job) -> Job:
        known = self._progress.get(job.id)
        return replace(job, progress=known[0]) if known and job.state == "running" else job

    def _work(self, device: str) -> None:
        while (job := self._take()) is not None:
            self._tell()
            ended = self._run(job, device)
            with self._changed:
                self._end(ended)
                self._running.pop(job.id)
                self._progress.pop(job.id, None)
                self._cancelled.discard(job.id)
                self._changed.notify_all()
            self._tell()

    def _end(self, job: Job) -> None:
        """Write down how a job ended; what was asked to be done then cannot stop the queue."""
        self._store.save_job(job)
        if job.state in FINAL:
            try:
                self._finished(job)
            except Exception:
                _log.exception("clearing up after job %s failed", job.id)

    def _take(self) -> Job | None:
        """The next job, marked as running; None when the studio closes."""
        with self._changed:
            while not self._closing:
                job = self._store.next_job()
                if job is not None:
                    job = replace(job, state="running", started=time.time(), attempts=job.attempts + 1)
                    self._store.save_job(job)
                    self._running[job.id] = None
                    return job
                self._changed.wait()
        return None

    def _run(self, job: Job, device: str) -> Job:
        """Run a job to its end; what it then is."""
        error = None
        try:
            running = self._start(job, device)
            with self._changed:
                self._running[job.id] = running
                if job.id in self._cancelled or self._closing:
                    running.kill()
            result = running.result(lambda *values: self._report(job.id, *values))
            return replace(self._lively(job), state="done", finished=time.time(), result=result)
        except EvpError as told:
            error = str(told)
        except Exception as bug:  # one job fails, not the server
            _log.exception("job %s failed", job.id)
            error = f"this failed inside the program ({type(bug).__name__}): its log tells more"
        if job.id in self._cancelled:
            return replace(self._lively(job), state="cancelled", finished=time.time())
        if self._closing:
            return replace(job, state="waiting", started=None, attempts=job.attempts - 1)
        return replace(self._lively(job), state="failed", finished=time.time(), error=error)

    def _report(self, job_id: str, stage: str, done: int, total: int) -> None:
        now = time.monotonic()
        known = self._progress.get(job_id)
        since, already = known[1:] if known and known[0].stage == stage else (now, done)
        speed = (done - already) / (now - since) if done > already and now > since else None
        self._progress[job_id] = (JobProgress(stage, done, total, speed), since, already)
        self._tell()
