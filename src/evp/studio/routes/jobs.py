"""Jobs: films and portraits in the making, and what came of them."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import PurePath

from fastapi import APIRouter, HTTPException
from fastapi.responses import FileResponse, Response, StreamingResponse

from evp.studio.idempotency import once
from evp.studio.problems import missing
from evp.studio.routes.asked import Here, Id, Key
from evp.studio.schema import FilmAsked, JobResult, JobView, JobViews
from evp.studio.store import FINAL, Job, new_id
from evp.studio.studio import Studio

router = APIRouter(prefix="/api/jobs", tags=["jobs"])

_LEAST_PAUSE = 0.2
"""Seconds between two events of a job."""
_HEARTBEAT = 15.0
"""Seconds without an event after which a comment shows that the line is open."""


@router.post("", status_code=202)
def create(asked: FilmAsked, here: Here, key: Key = None) -> JobView:
    """Make a film: a job. 429 when too many wait."""
    with once(here.store, key, "jobs", asked.model_dump()) as claim:
        if claim.earlier is not None:
            return view(here, claim.earlier)
        portrait = here.library.get(asked.portrait)
        speech = here.store.speech(asked.speech)
        if speech is None:
            raise missing("speech")
        if asked.emotion != "auto":
            here.assistant.ask(
                "parse", text=asked.emotion, seconds=speech.seconds
            )  # refused now, not in the queue
        settings = {
            "portrait": portrait.id, "portrait_name": portrait.name, "speech": speech.id, "speech_name": speech.name,
            "seconds": speech.seconds, "emotion": asked.emotion,
        }  # fmt: skip
        job_id = new_id()
        here.jobs.add("film", settings, job_id)
        claim.made = job_id
    return view(here, job_id)


@router.get("")
def every_job(here: Here) -> JobViews:
    """All jobs that are known, newest first."""
    places = here.store.positions()
    return JobViews(jobs=[_view(job, places.get(job.id)) for job in here.jobs.all()])


@router.get("/{job_id}")
def job(job_id: Id, here: Here) -> JobView:
    """How a job stands."""
    return view(here, job_id)


@router.post("/{job_id}/cancel")
def cancel(job_id: Id, here: Here) -> JobView:
    """Take a job out of the queue, or end it; one that has ended stays as it is."""
    here.jobs.cancel(job_id)
    return view(here, job_id)


@router.delete("/{job_id}", status_code=204)
def delete(job_id: Id, here: Here) -> Response:
    """Forget a job that has ended, and its film. A portrait that it built stays."""
    if _job(here, job_id).state not in FINAL:
        raise HTTPException(409, "this job has not ended: cancel it first")
    here.store.remove_job(job_id)
    shutil.rmtree(here.folders.job(job_id), ignore_errors=True)
    return Response(status_code=204)


@router.get("/{job_id}/film", response_class=FileResponse)
def film(job_id: Id, here: Here, download: bool = False) -> FileResponse:
    """The film (MP4, ranges)."""
    made = _job(here, job_id)
    path = here.folders.film(made.id)
    if made.kind != "film" or made.state != "done" or not path.exists():
        raise missing("film")
    name = f"{made.settings['portrait_name']} - {PurePath(made.settings['speech_name']).stem}.mp4"
    disposition = "attachment" if download else "inline"
    return FileResponse(path, media_type="video/mp4", filename=name, content_disposition_type=disposition)


@router.get(
    "/{job_id}/events", response_class=Response,
    responses={200: {"content": {"text/event-stream": {}}}},
)  # fmt: skip
async def events(job_id: Id, here: Here) -> StreamingResponse:
    """The job at every change, as server-sent events; the last one is its end."""
    _job(here, job_id)
    return StreamingResponse(
        _events(here, job_id), media_type="text/event-stream", headers={"Cache-Control": "no-store"}
    )


async def _events(here: Studio, job_id: str) -> AsyncIterator[str]:
    """Changes that come faster than events may are told together; the last state is always told."""
    changed, loop, told = asyncio.Event(), asyncio.get_running_loop(), ""

    def wake() -> None:
        if not changed.is_set():
            loop.call_soon_threadsafe(changed.set)

    with here.jobs.following(job_id, wake):
        while not here.jobs.closing:
            changed.clear()
            known = here.jobs.get(job_id)
            if known is None:
                return
            text = _view(known, here.store.position(job_id)).model_dump_json()
            if text != told:
                yield f"event: job\ndata: {text}\n\n"
                told = text
            if known.state in FINAL:
                return
            await asyncio.sleep(_LEAST_PAUSE)
            try:
                await asyncio.wait_for(changed.wait(), _HEARTBEAT)
            except TimeoutError:
                yield ": still here\n\n"


def view(here: Studio, job_id: str) -> JobView:
    """A job as clients see it. Raises HTTPException."""
    return _view(_job(here, job_id), here.store.position(job_id))


def _job(here: Studio, job_id: str) -> Job:
    known = here.jobs.get(job_id)
    if known is None:
        raise missing("job")
    return known


def _view(job: Job, position: int | None) -> JobView:
    done, speed = job.progress, job.progress.per_second
    return JobView(
        id=job.id, kind=job.kind, state=job.state, stage=done.stage, done=done.done, total=done.total,
        frames_per_second=None if speed is None else round(speed, 2),
        seconds_left=round((done.total - done.done) / speed, 1) if speed and job.state == "running" else None,
        created=_time(job.created), started=None if job.started is None else _time(job.started),
        finished=None if job.finished is None else _time(job.finished),
        settings=job.settings, error=job.error, result=_result(job), position=position,
    )  # fmt: skip


def _result(job: Job) -> JobResult | None:
    if job.result is None:
        return None
    if job.kind == "film":
        return JobResult(film=f"/api/jobs/{job.id}/film", **job.result)
    return JobResult(film=f"/api/portraits/{job.id}/footage", portrait_id=job.id, **job.result)


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
