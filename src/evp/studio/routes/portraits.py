"""Portraits: to look at, to build and to delete."""

import shutil
from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, UploadFile
from fastapi.responses import FileResponse, Response

from evp.errors import InputError
from evp.studio.folders import BUILTIN
from evp.studio.idempotency import once
from evp.studio.problems import missing
from evp.studio.routes.asked import Here, Id, Key
from evp.studio.routes.jobs import view
from evp.studio.schema import Faces, JobView, Labels, Portrait, Portraits
from evp.studio.store import FINAL, new_id
from evp.studio.uploads import kept, shown_name, understood

router = APIRouter(prefix="/api/portraits", tags=["portraits"])

_MADE_ONCE = {"Cache-Control": "private, max-age=3600"}


@router.get("")
def every_portrait(here: Here) -> Portraits:
    """All portraits, the built-in one first."""
    return Portraits(portraits=here.library.all())


@router.get("/{portrait_id}")
def portrait(portrait_id: Id, here: Here) -> Portrait:
    """What a portrait says of itself."""
    return here.library.get(portrait_id)


@router.get("/{portrait_id}/picture", response_class=FileResponse)
def picture(portrait_id: Id, here: Here) -> FileResponse:
    """The whole picture, the face at rest (JPEG)."""
    return FileResponse(_file(here, portrait_id, "picture.jpg", "picture"), headers=_MADE_ONCE)


@router.get("/{portrait_id}/sheet", response_class=FileResponse)
def sheet(portrait_id: Id, here: Here) -> FileResponse:
    """The contact sheet, real frames above made ones (JPEG)."""
    return FileResponse(_file(here, portrait_id, "sheet.jpg", "sheet"), headers=_MADE_ONCE)


@router.get("/{portrait_id}/footage", response_class=FileResponse)
def footage(portrait_id: Id, here: Here) -> FileResponse:
    """The footage that the portrait plays (MP4, ranges)."""
    return FileResponse(_file(here, portrait_id, "footage.mp4", "footage"), headers=_MADE_ONCE)


@router.get("/{portrait_id}/faces")
def faces(portrait_id: Id, here: Here) -> Faces:
    """Addresses of small pictures of this face with all of every emotion."""
    here.library.path(portrait_id)
    labels = Labels.model_validate(here.assistant.ask("status")).labels
    return Faces(faces={label: f"/api/portraits/{portrait_id}/faces/{label}.jpg" for label in labels})


@router.get("/{portrait_id}/faces/{label}.jpg", response_class=FileResponse)
def face(portrait_id: Id, label: Id, here: Here) -> FileResponse:
    """A small picture of this face with all of an emotion (JPEG)."""
    if label not in Labels.model_validate(here.assistant.ask("status")).labels:
        raise missing("emotion")
    return FileResponse(
        _file(here, portrait_id, f"face-{label}.jpg", "face", label=label), headers=_MADE_ONCE
    )


@router.post("", status_code=202)
def build(
    here: Here,
    file: UploadFile,
    name: Annotated[str, Form(min_length=1, max_length=120)],
    consent: Annotated[str, Form(max_length=2000, description="How the person shown has agreed, and when.")],
    quick: Annotated[bool, Form()] = False,
    seed: Annotated[int, Form(ge=0, le=2**31 - 1)] = 0,
    key: Key = None,
) -> JobView:
    """Build a portrait from a video of a person who has agreed to it: a job."""
    if not consent.strip():
        raise InputError("a portrait needs a statement of consent: how the person shown has agreed, and when")
    limits, file_name = here.settings.limits, shown_name(file.filename)
    settings = {
        "name": shown_name(name), "consent": consent.strip(), "quick": quick, "seed": seed, "file_name": file_name,
    }  # fmt: skip
    with (
        kept(file, here.folders) as (upload, digest),
        once(here.store, key, "portraits", {**settings, "sha256": digest}) as claim,
    ):
        if claim.earlier is not None:
            return view(here, claim.earlier)
        understood(
            "check_footage", upload, file_name, limits,
            most_seconds=limits.footage_seconds, most_pixels=limits.footage_pixels,
        )  # fmt: skip
        job_id = new_id()
        footage = here.folders.footage_of(job_id)
        footage.parent.mkdir()
        upload.rename(footage)
        try:
            here.jobs.add("build", settings, job_id)
        except BaseException:
            shutil.rmtree(footage.parent)
            raise
        claim.made = job_id
    return view(here, job_id)


@router.delete("/{portrait_id}", status_code=204)
def delete(portrait_id: Id, here: Here) -> Response:
    """Delete a portrait, but not the built-in one, and none that a job needs."""
    path = here.library.path(portrait_id)
    if portrait_id == BUILTIN:
        raise HTTPException(409, "the built-in portrait stays")
    if any(job.settings.get("portrait") == portrait_id for job in here.jobs.all() if job.state not in FINAL):
        raise HTTPException(409, "a job needs this portrait: cancel it first")
    path.unlink(missing_ok=True)
    path.with_suffix(".contact-sheet.jpg").unlink(missing_ok=True)
    here.store.forget_portrait(portrait_id)
    for pictures in here.folders.cache.glob(f"{portrait_id}.*"):
        shutil.rmtree(pictures, ignore_errors=True)
    return Response(status_code=204)


def _file(here: Here, portrait_id: str, name: str, task: str, **arguments: str) -> str:
    made = here.library.file(portrait_id, name, task, **arguments)
    if made is None:
        raise missing("picture")
    return str(made)
