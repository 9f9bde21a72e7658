"""What is kept and for how long: results and speech, up to an age and a size."""

import os
import shutil
import time
from contextlib import suppress
from pathlib import Path

from evp.studio.folders import Folders
from evp.studio.settings import Limits
from evp.studio.store import FINAL, Job, Store

_DAY = 24 * 3600.0


def tidy(store: Store, folders: Folders, limits: Limits, now: float | None = None) -> None:
    """Remove finished jobs, and speech that no job uses, when too old; then the oldest until the rest is small enough.

    Speech lasts as long as the films of it, which can be made again with other settings.
    """
    oldest = (time.time() if now is None else now) - limits.keep_days * _DAY
    takes = size_of(folders.jobs) + size_of(folders.speeches)
    for job in store.jobs(*FINAL):
        if (job.finished or job.created) < oldest or takes > limits.keep_bytes:
            takes -= _gone(folders.job(job.id))
            store.remove_job(job.id)
    used = {job.settings.get("speech") for job in store.jobs()}
    for speech in store.speeches():
        if speech.id not in used and (speech.created < oldest or takes > limits.keep_bytes):
            takes -= _gone(folders.speech(speech.id))
            store.remove_speech(speech.id)


def sweep(store: Store, folders: Folders) -> None:
    """Remove files that nothing knows: a killed server may have left them. Only before anything works."""
    pictures = {f"{name}.{path.stat().st_mtime_ns}" for name, path in folders.every_portrait().items()}
    for folder, known in (
        (folders.jobs, {job.id for job in store.jobs()}),
        (folders.speeches, {speech.id for speech in store.speeches()}),
        (folders.cache, pictures),
    ):
        for path in folder.iterdir():
            if path.name not in known:
                shutil.rmtree(path, ignore_errors=True)


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
    """Bytes of all files in a folder; one that disappears meanwhile counts nothing."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):
                total += os.stat(os.path.join(parent, name)).st_size
    return total


def _gone(folder: Path) -> int:
    """Remove a folder; how many bytes that makes free."""
    size = size_of(folder)
    shutil.rmtree(folder, ignore_errors=True)
    return size
