"""The shapes of requests and answers: what the API's own description shows."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from evp.studio.store import Kind, State

Identifier = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
EmotionText = Annotated[str, Field(max_length=20_000, examples=["0 neutral, 2.5 happy:0.8, 6 sad"])]
Seconds = Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)]


class Asked(BaseModel):
    """What a client sends; a field that is not known is refused."""

    model_config = ConfigDict(extra="forbid")


class Problem(BaseModel):
    """What went wrong (RFC 9457)."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    """One sentence, the same as the command line says."""


class Queue(BaseModel):
    running: int
    waiting: int
    limit: int


class Kept(BaseModel):
    """How long finished jobs and unused speech are kept."""

    days: float
    bytes: int


class Uploads(BaseModel):
    """How large uploads may be."""

    speech_bytes: int
    speech_seconds: float
    footage_bytes: int
    footage_seconds: float


class Status(BaseModel):
    version: str
    queue: Queue
    token_required: bool
    engine: str
    kept: Kept
    uploads: Uploads


class Labels(BaseModel):
    labels: list[str]


class ConsentRecord(BaseModel):
    statement: str
    recorded: str


class Portrait(BaseModel):
    id: str
    name: str
    builtin: bool
    width: int
    height: int
    seconds: float
    quick: bool
    consent: ConsentRecord
    created: str
    left_out: list[str]
    held_out: dict[str, float]


class Portraits(BaseModel):
    portraits: list[Portrait]


class Faces(BaseModel):
    faces: dict[str, str]
    """Label -> address of a small picture."""


class Speech(BaseModel):
    id: str
    name: str
    seconds: float
    peaks: list[float]
    """At most 800, 0..1, of equal parts."""


class HeardSpeech(BaseModel):
    track: str
    """A description of what is heard, to go on from."""
    times: list[float]
    """The middle of every window, seconds."""
    labels: list[str]
    probabilities: list[list[float]]
    """Of every label in every window."""
    whole: dict[str, float]


class StillAsked(Asked):
    portrait: Identifier
    speech: Identifier | None = None
    emotion: EmotionText = "neutral"
    at: Annotated[float, Field(ge=0, le=3600, allow_inf_nan=False)] = 0.0


class ParseAsked(Asked):
    text: EmotionText
    seconds: Seconds | None = None
    """Length of the speech, which no point may exceed."""


class TrackPoint(BaseModel):
    time: float
    mixture: dict[str, float]
    """Label -> strength 0..1; what is left to 1 is neutral."""


class TrackPoints(BaseModel):
    points: list[TrackPoint]


class FilmAsked(Asked):
    kind: Literal["film"]
    portrait: Identifier
    speech: Identifier
    emotion: EmotionText = "auto"


class BuildReport(BaseModel):
    shots: int
    source_frames: int
    build_seconds: float
    left_out: list[str]
    held_out: dict[str, float]


class JobResult(BaseModel):
    film: str | None
    """Address of the film; of a portrait's own footage when one was built."""
    width: int
    height: int
    seconds: float
    portrait_id: str | None = None
    report: BuildReport | None = None


class JobView(BaseModel):
    id: str
    kind: Kind
    state: State
    stage: str
    done: int
    total: int
    frames_per_second: float | None
    seconds_left: float | None
    created: str
    started: str | None
    finished: str | None
    settings: dict[str, str | bool | int | float]
    """As asked for, with the names of portrait and speech."""
    error: str | None
    result: JobResult | None
    position: int | None
    """1 for the waiting job that is next."""


class JobViews(BaseModel):
    jobs: list[JobView]
