"""What is kept, and what is removed when it is old, too much, or belongs to nothing."""

from dataclasses import replace
from pathlib import Path

import pytest

from evp.studio.folders import Folders
from evp.studio.housekeeping import job_ended, size_of, sweep, tidy
from evp.studio.settings import Limits
from evp.studio.store import Job, Speech, State, Store

DAY = 24 * 3600.0
NOW = 1000 * DAY


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    folders = Folders(tmp_path / "data")
    folders.make()
    return folders


@pytest.fixture
def store(folders: Folders) -> Store:
    return Store(folders.database)


def film(store: Store, folders: Folders, job_id: str, speech: str, age: float, state: State = "done") -> Job:
    store.add_job("film", {"speech": speech}, 99, job_id)
    job = replace(store.job(job_id), state=state, finished=None if state == "waiting" else NOW - age * DAY)
    store.save_job(job)
    folders.job(job_id).mkdir()
    folders.film(job_id).write_bytes(bytes(1000))
    return job


def recording(store: Store, folders: Folders, speech_id: str, age: float) -> None:
    store.add_speech(Speech(speech_id, "a.wav", 1, [], NOW - age * DAY))
    folders.speech(speech_id).mkdir()
    folders.sound(speech_id).write_bytes(bytes(500))


def left(store: Store, folders: Folders) -> set[str]:
    known = {job.id for job in store.jobs()} | {speech.id for speech in store.speeches()}
    assert known == {path.name for folder in (folders.jobs, folders.speeches) for path in folder.iterdir()}
    return known


def test_old_films_go_and_speech_that_none_is_left_of(store: Store, folders: Folders):
    for age, name in ((40, "old"), (20, "new")):
        recording(store, folders, f"s_{name}", 50)
        film(store, folders, f"f_{name}", f"s_{name}", age)
    recording(store, folders, "s_unused_old", 31)
    recording(store, folders, "s_unused_new", 29)
    recording(store, folders, "s_waiting", 99)
    film(store, folders, "f_waiting", "s_waiting", 99, "waiting")
    tidy(store, folders, Limits(keep_days=30), NOW)
    assert left(store, folders) == {"s_new", "f_new", "s_unused_new", "s_waiting", "f_waiting"}


def test_the_oldest_go_when_it_is_too_much(store: Store, folders: Folders):
    recording(store, folders, "s", 5)
    for age in (3, 2, 1):
        film(store, folders, f"f{age}", "s", age)
    tidy(store, folders, Limits(keep_bytes=3500), NOW)
    assert left(store, folders) == {"s", "f3", "f2", "f1"}
    tidy(store, folders, Limits(keep_bytes=2600), NOW)
    assert left(store, folders) == {"s", "f2", "f1"}
    tidy(store, folders, Limits(keep_bytes=0), NOW)
    assert left(store, folders) == set()


def test_files_that_nothing_knows_go_before_work_begins(store: Store, folders: Folders):
    recording(store, folders, "s", 1)
    film(store, folders, "f", "s", 1)
    bundle = folders.portraits / "me.evp"
    bundle.touch()
    pictures = folders.cache / f"me.{bundle.stat().st_mtime_ns}"
    for folder in (folders.jobs / "lost", folders.speeches / "lost", folders.cache / "gone.123", pictures):
        folder.mkdir()
        (folder / "file").touch()
    sweep(store, folders)
    assert left(store, folders) == {"s", "f"}
    assert list(folders.cache.iterdir()) == [pictures]


def test_of_a_build_the_portrait_stays_with_its_name(store: Store, folders: Folders):
    for job_id, state in (("good", "done"), ("bad", "failed"), ("stopped", "cancelled")):
        store.add_job("build", {"name": f"a {job_id} one"}, 99, job_id)
        folders.job(job_id).mkdir()
        folders.footage_of(job_id).touch()
        bundle = folders.new_portrait(job_id)
        if state == "done":
            bundle.touch()
        else:
            (bundle.parent / f".{bundle.name}.building").mkdir()
        job_ended(replace(store.job(job_id), state=state), store, folders)
        assert not folders.job(job_id).exists()
    assert [path.name for path in folders.portraits.iterdir()] == ["good.evp"]
    assert store.portrait_names() == {"good": "a good one"}


@pytest.mark.parametrize(("state", "stays"), [("done", True), ("failed", False), ("cancelled", False)])
def test_only_whole_films_stay(store: Store, folders: Folders, state: State, stays: bool):
    job_ended(film(store, folders, "f", "s", 0, state), store, folders)
    assert folders.job("f").exists() == stays


def test_size_counts_every_file(tmp_path: Path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x").write_bytes(bytes(10))
    (tmp_path / "y").write_bytes(bytes(5))
    assert size_of(tmp_path) == 15
    assert size_of(tmp_path / "none") == 0
