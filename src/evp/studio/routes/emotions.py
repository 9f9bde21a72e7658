"""Emotions: their names, and descriptions of them."""

from fastapi import APIRouter

from evp.studio.routes.asked import Here
from evp.studio.schema import Labels, ParseAsked, TrackPoints

router = APIRouter(prefix="/api/emotions", tags=["emotions"])


@router.get("")
def labels(here: Here) -> Labels:
    """The emotions that a description may name."""
    return Labels.model_validate(here.assistant.ask("status"))


@router.post("/parse")
def parse(asked: ParseAsked, here: Here) -> TrackPoints:
    """The points of a description, as the command line reads it."""
    return TrackPoints(points=here.assistant.ask("parse", text=asked.text, seconds=asked.seconds))
