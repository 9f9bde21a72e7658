"""Quick answers about portraits, speech and emotion, by a process that keeps what it has opened."""

import base64
import os
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evp.emotion.space import EmotionSpace
    from evp.portrait.bundle import Portrait
    from evp.still import Rehearsal

MOST_WIDTH = 512
"""Pixels of a still."""
FACE_WIDTH = 160
"""Pixels of the small picture of an emotion."""


def status() -> dict[str, Any]:
    """What runs the networks, and the emotions that can be shown."""
    import onnxruntime

    providers = [name.removesuffix("ExecutionProvider") for name in onnxruntime.get_available_providers()]
    engine = "CUDA" if "CUDA" in providers else "CPU"
    return {"engine": f"onnxruntime {onnxruntime.__version__}, {engine}", "labels": list(_space().labels)}


def parse(text: str, seconds: float | None) -> list[dict[str, Any]]:
    """The points of a description. Raises InputError."""
    from evp.emotion.track import parse_points

    return [point._asdict() for point in parse_points(text, _space(), seconds)]


def hear(sound: str) -> dict[str, Any]:
    """What is heard in speech, as numbers and as a description to go on from. Raises InputError."""
    from evp.clock import SAMPLE_RATE
    from evp.emotion.description import describe
    from evp.emotion.hearing import EmotionModel
    from evp.media import read_speech

    model, waveform = EmotionModel.load(), read_speech(Path(sound))
    heard = model.hear(waveform)
    whole = {label: round(float(p), 4) for label, p in zip(model.labels, heard.whole, strict=True)}
    return {
        "track": describe(heard, model.labels, _space(), len(waveform) / SAMPLE_RATE),
        "times": heard.times.round(3).tolist(),
        "labels": list(model.labels),
        "probabilities": heard.probabilities.astype(float).round(4).tolist(),
        "whole": whole,
    }


def describe(portrait: str) -> dict[str, Any]:
    """What a portrait says of itself. Raises PortraitError."""
    from evp.clock import FRAME_RATE

    manifest = _portrait(portrait).manifest
    height, width = manifest.size
    return {
        "width": width, "height": height, "seconds": manifest.frames / FRAME_RATE, "quick": manifest.quick,
        "consent": {"statement": manifest.consent.statement, "recorded": manifest.consent.recorded},
        "created": manifest.created, "left_out": list(manifest.left_out), "held_out": manifest.held_out,
        "source": manifest.source,
    }  # fmt: skip


def still(portrait: str, sound: str | None, emotion: str, at: float) -> str:
    """The frame of a film at a moment, as JPEG in base64. Raises EvpError."""
    from evp.still import encoded

    rehearsal = _rehearsal(sound)
    frame = rehearsal.show(_portrait(portrait), rehearsal.emotion(emotion), at)
    return base64.b64encode(encoded(frame, ".jpg", MOST_WIDTH)).decode()


def face(portrait: str, label: str, output: str) -> None:
    """Write a small picture of the face at rest with all of an emotion, cut to the face. Raises EvpError."""
    from evp.files import write_whole
    from evp.still import encoded

    person, rest = _portrait(portrait), _rehearsal(None)
    frame = rest.show(person, rest.emotion(label), 0)
    box = person.boxes[next(person.play())[0]]
    write_whole(Path(output), encoded(box.cut(frame), ".jpg", FACE_WIDTH))


def picture(portrait: str, output: str) -> None:
    """Write the whole picture of the face at rest. Raises EvpError."""
    from evp.files import write_whole
    from evp.still import encoded

    rest = _rehearsal(None)
    frame = rest.show(_portrait(portrait), rest.emotion("neutral"), 0)
    write_whole(Path(output), encoded(frame, ".jpg", MOST_WIDTH))


def sheet(portrait: str, output: str) -> bool:
    """Write the contact sheet; whether there is one. Raises EvpError."""
    from evp.files import write_whole

    content = _portrait(portrait).sheet
    if content is not None:
        write_whole(Path(output), content)
    return content is not None


def footage(portrait: str, output: str) -> None:
    """Write the portrait's own film. Raises EvpError."""
    from evp.files import write_whole

    write_whole(Path(output), _portrait(portrait).footage)


TASKS: tuple[Callable[..., Any], ...] = (
    status, parse, hear, describe, still, face, picture, sheet, footage,
)  # fmt: skip


@lru_cache(1)
def _space() -> "EmotionSpace":
    from evp.pipeline import emotion_space

    return emotion_space()


def _portrait(path: str) -> "Portrait":
    try:
        changed = os.stat(path).st_mtime_ns
    except OSError:
        changed = 0
    return _opened(path, changed)


@lru_cache(2)
def _opened(path: str, _changed: int) -> "Portrait":
    from evp.portrait.bundle import Portrait

    return Portrait.open(Path(path))


@lru_cache(4)
def _rehearsal(sound: str | None) -> "Rehearsal":
    from evp.media import read_speech
    from evp.still import Rehearsal

    return Rehearsal.at_rest() if sound is None else Rehearsal.of(read_speech(Path(sound)))
