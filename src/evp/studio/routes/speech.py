"""Speech: to upload, to listen to, and to hear the emotion in."""

import json
import time

from fastapi import APIRouter, UploadFile
from fastapi.responses import FileResponse

from evp.files import write_whole
from evp.studio import schema
from evp.studio.idempotency import once
from evp.studio.problems import missing
from evp.studio.routes.asked import Here, Id, Key
from evp.studio.store import Speech, new_id
from evp.studio.uploads import kept, shown_name, understood

router = APIRouter(prefix="/api/speech", tags=["speech"])


@router.post("", status_code=201)
def upload(file: UploadFile, here: Here, key: Key = None) -> schema.Speech:
    """Upload any sound file, or a video with a sound track."""
    limits, name = here.settings.limits, shown_name(file.filename)
    with (
        kept(file, here.folders) as (path, digest),
        once(here.store, key, "speech", {"name": name, "sha256": digest}) as claim,
    ):
        if claim.earlier is not None:
            return get(claim.earlier, here)
        speech_id = new_id()
        decoded = here.folders.uploads / f"{speech_id}.wav"
        understood_as = understood(
            "check_speech", path, name, limits, sound=str(decoded), most_seconds=limits.speech_seconds
        )
        here.folders.speech(speech_id).mkdir()
        decoded.rename(here.folders.sound(speech_id))
        here.store.add_speech(Speech(speech_id, name, created=time.time(), **understood_as))
        claim.made = speech_id
    return get(speech_id, here)


@router.get("/{speech_id}")
def get(speech_id: Id, here: Here) -> schema.Speech:
    """What is known of a recording."""
    speech = _speech(here, speech_id)
    return schema.Speech(id=speech.id, name=speech.name, seconds=speech.seconds, peaks=speech.peaks)


@router.get("/{speech_id}/audio", response_class=FileResponse)
def audio(speech_id: Id, here: Here) -> FileResponse:
    """Its sound (WAV, 16 kHz, ranges)."""
    return FileResponse(here.folders.sound(_speech(here, speech_id).id), media_type="audio/wav")


@router.get("/{speech_id}/hear")
def hear(speech_id: Id, here: Here) -> schema.HeardSpeech:
    """The emotion that is heard in it, and as a description to go on from."""
    speech = _speech(here, speech_id)
    remembered = here.folders.speech(speech_id) / "heard.json"
    if not remembered.exists():
        sound = str(here.folders.sound(speech_id))
        heard = here.assistant.ask("hear", names={sound: speech.name}, sound=sound)
        write_whole(remembered, json.dumps(heard).encode())
    return schema.HeardSpeech.model_validate_json(remembered.read_bytes())


def _speech(here: Here, speech_id: str) -> Speech:
    speech = here.store.speech(speech_id)
    if speech is None:
        raise missing("speech")
    return speech
