"""Stills: the face at a moment, before the film is made."""

import base64

from fastapi import APIRouter
from fastapi.responses import Response

from evp.studio.problems import missing
from evp.studio.routes.asked import Here
from evp.studio.schema import StillAsked

router = APIRouter(prefix="/api/still", tags=["stills"])


@router.post("", response_class=Response, responses={200: {"content": {"image/jpeg": {}}}})
def still(asked: StillAsked, here: Here) -> Response:
    """The frame of the film at a moment (JPEG, 512 pixels wide at most); without speech, the face at rest."""
    portrait = here.library.path(asked.portrait)
    names, sound = {str(portrait): here.library.name(asked.portrait)}, None
    if asked.speech is not None:
        speech = here.store.speech(asked.speech)
        if speech is None:
            raise missing("speech")
        sound = str(here.folders.sound(speech.id))
        names[sound] = speech.name
    picture = here.assistant.ask(
        "still", names=names, portrait=str(portrait), sound=sound, emotion=asked.emotion, at=asked.at
    )
    return Response(base64.b64decode(picture), media_type="image/jpeg", headers={"Cache-Control": "no-store"})
