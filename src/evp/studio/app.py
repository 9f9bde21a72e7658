"""The web application: routes, the page, and what stands in front of them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from starlette.responses import Response
from starlette.types import Scope

from evp.studio import problems, schema
from evp.studio.bodies import BodyLimit
from evp.studio.reference import reference
from evp.studio.routes import emotions, jobs, portraits, speech, stills
from evp.studio.routes.asked import Here
from evp.studio.security import Guard
from evp.studio.studio import Studio

DESCRIPTION = """What the page of the studio can do, other programs can do by these addresses.

Requests that change something carry the header X-Evp-Studio: 1. Where a token is set, every request shows it:
Authorization: Bearer TOKEN. Errors are problem details (RFC 9457), whose detail is the sentence of the command line."""

_ENVELOPE = 64 * 1024
"""What a form takes beside the file in it."""


def create_app(studio: Studio) -> FastAPI:
    """The application of a studio, which is opened and closed with it."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        studio.open()
        yield
        studio.close()

    app = FastAPI(
        title="evp studio", version=version("evp"), description=DESCRIPTION, lifespan=lifespan,
        openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False, responses=problems.RESPONSES,
    )  # fmt: skip
    app.state.studio = studio
    problems.install(app)
    for part in (portraits, speech, emotions, stills, jobs):
        app.include_router(part.router)

    @app.get("/api/status", tags=["status"])
    def status(here: Here) -> schema.Status:
        """How the studio stands."""
        limits, known = here.settings.limits, here.assistant.ask("status")
        return schema.Status(
            version=app.version,
            queue=schema.Queue(
                running=here.store.count("running"), waiting=here.store.count("waiting"), limit=limits.waiting
            ),
            token_required=here.settings.token is not None,
            engine=known["engine"],
            kept=schema.Kept(days=limits.keep_days, bytes=limits.keep_bytes),
            uploads=schema.Uploads(
                speech_bytes=limits.speech_bytes, speech_seconds=limits.speech_seconds,
                footage_bytes=limits.footage_bytes, footage_seconds=limits.footage_seconds,
            ),
        )  # fmt: skip

    @app.get("/api/openapi.json", include_in_schema=False)
    def description() -> JSONResponse:
        return JSONResponse(described(app))

    @app.get("/api/docs", include_in_schema=False)
    def documentation() -> HTMLResponse:
        return HTMLResponse(reference(described(app)))

    page = page_folder()
    if page is not None:
        app.mount("/", _Page(directory=page, html=True))
    limits = studio.settings.limits
    app.add_middleware(
        BodyLimit,
        most=limits.body_bytes,
        most_at={
            "/api/speech": limits.speech_bytes + _ENVELOPE, "/api/portraits": limits.footage_bytes + _ENVELOPE,
        },
    )  # fmt: skip
    app.add_middleware(Guard, settings=studio.settings)
    return app


def described(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI description, with the shape of problems."""
    if app.openapi_schema is None:
        made = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes
        )
        made["components"]["schemas"]["Problem"] = schema.Problem.model_json_schema()
        app.openapi_schema = made
    return app.openapi_schema


def page_folder() -> Path | None:
    """The built page, if the package carries it."""
    folder = Path(str(files("evp.studio") / "page"))
    return folder if (folder / "index.html").exists() else None


class _Page(StaticFiles):
    """Files with hashed names are kept by browsers, the page itself is asked for anew."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        kept = path.startswith("assets/") and response.status_code == 200
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if kept else "no-cache"
        return response
