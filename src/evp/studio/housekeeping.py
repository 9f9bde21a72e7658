"""What is kept and for how long: results and speech, up to an age and a size."""

import shutil
import time
from pathlib import Path

from evp.studio.folders import Folders
from evp.studio.settings import Limits
from evp.studio.store import FINAL, Job, Store

_DAY = 24 * 3600.0


def tidy(store: Store, folders: Folders, limits: Limits, now: float | None = None) -> None:
    """Remove finished jobs and unused speech that are too old, then the oldest until the rest is small enough.

    Files that the database does not know, which a killed server may have left, go too.
    """
    now = time.time() if now is None else now
    jobs = store.jobs()
    busy = {job.settings.get("speech") for job in jobs if job.state not in FINAL}
    oldest = now - limits.keep_days * _DAY
    removable: list[tuple[float, Job | str]] = [
        *((job.finished or job.created, job) for job in jobs if job.state in FINAL),
        *((speech.created, speech.id) for speech in store.speeches() if speech.id not in busy),
    ]
    removable.sort(key=lambda entry: entry[0])
    takes = size_of(folders.jobs) + size_of(folders.speeches)
    for since, item in removable:
        if since >= oldest and takes <= limits.keep_bytes:
            break
        folder = folders.job(item.id) if isinstance(item, Job) else folders.speech(item)
        takes -= size_of(folder)
        if isinstance(item, Job):
            store.remove_job(item.id)
        else:
            store.remove_speech(item)
        shutil.rmtree(folder, ignore_errors=True)
    _sweep(folders.jobs, {job.id for job in store.jobs()})
    _sweep(folders.speeches, {speech.id for speech in store.speeches()})
    _sweep(
        folders.cache,
        {f"{name}.{path.stat().st_mtime_ns}" for name, path in folders.every_portrait().items()},
    )


def job_ended(job: Job, store: Store, folders: Folders) -> None:
    """Leave of an ended job what is worth keeping: the film, or the portrait with its name."""
    if job.kind == "build":
        shutil.rmtree(folders.job(job.id), ignore_errors=True)
        bundle = folders.new_portrait(job.id)
        if job.state == "done":
            store.name_portrait(job.id, job.settings["name"])
        else:
            shutil.rmtree(bundle.with_name(f".{bundle.name}.building"), ignore_errors=True)
            bundle.unlink(missing_ok=True)
    elif job.state != "done":
        shutil.rmtree(folders.job(job.id), ignore_errors=True)


def size_of(folder: Path) -> int:
    """Bytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _sweep(folder: Path, known: set[str]) -> None:
    for path in folder.iterdir():
        if path.name not in known:
            shutil.rmtree(path, ignore_errors=True)
