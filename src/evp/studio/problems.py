"""Errors as problem details (RFC 9457): the sentence is that of the command line."""

import errno
import logging
from http import HTTPStatus

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException as AnyHTTPException

from evp.errors import EvpError
from evp.studio.jobs import QueueFullError
from evp.studio.processes import BusyError
from evp.studio.schema import Problem

_log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"

RESPONSES: dict[int | str, dict[str, object]] = {
    "4XX": {
        "description": "What is asked cannot be done; the detail says why.",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
}
"""What every address of the API may answer."""


def problem(status: int, detail: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """An answer that tells what went wrong."""
    told = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail)
    return JSONResponse(told.model_dump(), status, headers, MEDIA_TYPE)


def missing(what: str) -> HTTPException:
    """Raised for something that is not there."""
    return HTTPException(404, f"there is no such {what}")


def install(app: FastAPI) -> None:
    """Make every error of ``app`` a problem."""

    @app.exception_handler(AnyHTTPException)
    def _http(_: Request, error: AnyHTTPException) -> JSONResponse:
        return problem(error.status_code, str(error.detail), dict(error.headers or {}))

    @app.exception_handler(RequestValidationError)
    def _invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"][1:]) or str(first["loc"][0])
        return problem(422, f"{where}: {first['msg']}")

    @app.exception_handler(EvpError)
    def _told(_: Request, error: EvpError) -> JSONResponse:
        if isinstance(error, QueueFullError):
            return problem(429, str(error), {"Retry-After": "30"})
        if isinstance(error, BusyError):
            return problem(429, str(error), {"Retry-After": "1"})
        return problem(422, str(error))

    @app.exception_handler(OSError)
    def _disk(_: Request, error: OSError) -> JSONResponse:
        if error.errno != errno.ENOSPC:
            raise error
        return problem(507, "there is no room left on the disk")

    @app.exception_handler(Exception)
    def _bug(request: Request, error: Exception) -> JSONResponse:
        _log.error("%s %s failed", request.method, request.url.path, exc_info=error)
        return problem(500, f"this failed inside the program ({type(error).__name__}): its log tells more")
