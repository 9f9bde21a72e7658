"""The queue: order, devices, cancelling, failing, stopping and starting again."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from evp.studio.jobs import Jobs, QueueFullError
from evp.studio.processes import TaskError
from evp.studio.settings import Limits
from evp.studio.store import Job, JobProgress, Store
from studio_stand_ins import StandIn, eventually


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "studio.sqlite3")
    yield store
    store.close()


@pytest.fixture
def queue(store: Store, stand_in: StandIn) -> Iterator[Callable[..., Jobs]]:
    """Opens queues, and closes them in the end."""
    opened: list[Jobs] = []

    def open_queue(**options: Any) -> Jobs:
        jobs = Jobs(store, stand_in, **options)
        opened.append(jobs)
        jobs.open()
        return jobs

    yield open_queue
    for jobs in opened:
        jobs.close()


def ended(jobs: Jobs, job: Job) -> Job:
    return eventually(lambda: (known := jobs.get(job.id)) and known.finished and known)


def test_jobs_are_done_one_after_the_other_in_order(queue: Callable[..., Jobs], stand_in: StandIn):
    jobs = queue()
    added = [jobs.add("film", {"number": number}) for number in range(4)]
    last = [ended(jobs, job) for job in added]
    assert [job.state for job in last] == ["done"] * 4
    assert [job_id for job_id, _ in stand_in.started] == [job.id for job in added]
    assert stand_in.most_at_once == 1
    assert [job.settings["number"] for job in jobs.all()] == [3, 2, 1, 0]
    assert last[0].result == {"width": 144, "height": 128, "seconds": 1.0}
    assert replace(last[0].progress, per_second=None) == JobProgress("rendering", 3, 3)


def test_every_device_has_a_worker(queue: Callable[..., Jobs], stand_in: StandIn):
    stand_in.go.clear()
    jobs = queue(devices=("0", "1"))
    added = [jobs.add("film", {}) for _ in range(4)]
    eventually(lambda: stand_in.most_at_once == 2)
    assert {device for _, device in stand_in.started} == {"0", "1"}
    assert [jobs.get(job.id).state for job in added] == ["running", "running", "waiting", "waiting"]
    stand_in.go.set()
    assert [ended(jobs, job).state for job in added] == ["done"] * 4
    assert stand_in.most_at_once == 2


def test_waiting_jobs_have_places_and_the_queue_an_end(
    queue: Callable[..., Jobs], stand_in: StandIn, store: Store
):
    stand_in.go.clear()
    jobs = queue(limits=Limits(waiting=2))
    running = jobs.add("film", {})
    eventually(lambda: stand_in.started)
    first, second = jobs.add("film", {}), jobs.add("film", {})
    assert [store.position(job.id) for job in (running, first, second)] == [None, 1, 2]
    with pytest.raises(QueueFullError, match="2 jobs are waiting already"):
        jobs.add("film", {})
    jobs.cancel(first.id)
    assert store.position(second.id) == 1
    jobs.add("film", {})


def test_waiting_job_that_is_cancelled_never_starts(queue: Callable[..., Jobs], stand_in: StandIn):
    over: list[Job] = []
    stand_in.go.clear()
    jobs = queue(finished=over.append)
    jobs.add("film", {})
    eventually(lambda: stand_in.started)
    waiting = jobs.add("film", {})
    assert jobs.cancel(waiting.id).state == "cancelled"
    assert [job.id for job in over] == [waiting.id]
    stand_in.go.set()
    eventually(lambda: len(over) == 2)
    assert len(stand_in.started) == 1
    assert jobs.cancel(waiting.id).state == "cancelled"


def test_running_job_that_is_cancelled_ends_and_the_next_one_starts(
    queue: Callable[..., Jobs], stand_in: StandIn
):
    stand_in.go.clear()
    jobs = queue()
    first, second = jobs.add("film", {}), jobs.add("film", {})
    eventually(lambda: stand_in.started)
    cancelled = jobs.cancel(first.id)
    assert (cancelled.state, cancelled.error) == ("cancelled", None)
    stand_in.go.set()
    assert ended(jobs, second).state == "done"
    assert jobs.cancel(second.id).state == "done"
    assert jobs.cancel("nothing") is None


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (TaskError("the sound of a.wav is silent"), "the sound of a.wav is silent"),
        (ValueError("a bug"), "this failed inside the program (ValueError): its log tells more"),
    ],
)
def test_one_job_fails_and_the_next_is_done(
    queue: Callable[..., Jobs], stand_in: StandIn, error: Exception, sentence: str
):
    stand_in.error = error
    jobs = queue()
    failed = ended(jobs, jobs.add("film", {}))
    assert (failed.state, failed.error, failed.result) == ("failed", sentence, None)
    stand_in.error = None
    assert ended(jobs, jobs.add("film", {})).state == "done"


def test_clearing_up_that_fails_does_not_stop_the_queue(queue: Callable[..., Jobs]):
    def fail(_: Job) -> None:
        raise OSError("no disk")

    jobs = queue(finished=fail)
    assert ended(jobs, jobs.add("film", {})).state == "done"
    assert ended(jobs, jobs.add("film", {})).state == "done"


def test_progress_has_a_speed_for_every_stage(store: Store):
    jobs = Jobs(store, StandIn())
    job = jobs.add("build", {})
    store.save_job(replace(job, state="running"))
    jobs._report(job.id, "finding the face", 10, 100)
    assert jobs.get(job.id).progress == JobProgress("finding the face", 10, 100, None)
    time.sleep(0.05)
    jobs._report(job.id, "finding the face", 20, 100)
    assert 0 < jobs.get(job.id).progress.per_second <= 10 / 0.05
    jobs._report(job.id, "learning", 1, 1500)
    assert jobs.get(job.id).progress == JobProgress("learning", 1, 1500, None)


def test_stopped_studio_starts_running_jobs_again_first(store: Store, stand_in: StandIn):
    stand_in.go.clear()
    jobs = Jobs(store, stand_in)
    jobs.open()
    first, second = jobs.add("film", {}), jobs.add("film", {})
    eventually(lambda: stand_in.started)
    jobs.close()
    assert [job.state for job in store.jobs()] == ["waiting", "waiting"]
    assert store.job(first.id).attempts == 0  # to stop it properly is not its fault
    stand_in.go.set()
    again = Jobs(store, stand_in)
    again.open()
    assert [ended(again, job).state for job in (first, second)] == ["done", "done"]
    again.close()
    assert [job_id for job_id, _ in stand_in.started] == [first.id, first.id, second.id]


def test_killed_studio_starts_running_jobs_again_but_not_for_ever(store: Store, stand_in: StandIn):
    job = Jobs(store, stand_in).add("film", {})
    for attempt in (1, 2, 3):
        store.save_job(replace(store.job(job.id), state="running", attempts=attempt))  # and then it is killed
        state = Jobs(store, stand_in).get(job.id).state
        assert state == ("waiting" if attempt < 3 else "failed")
    assert store.job(job.id).error == "the studio was stopped 3 times during this job"


def test_followers_are_told_of_every_change_and_leave(queue: Callable[..., Jobs]):
    told: list[str] = []
    jobs = queue()
    with jobs.following(lambda: told.append("changed")):
        ended(jobs, jobs.add("film", {}))
        eventually(lambda: len(told) >= 6)  # added, taken, three reports, ended
    count = len(told)
    ended(jobs, jobs.add("film", {}))
    assert len(told) == count
