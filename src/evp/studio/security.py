"""Who may ask: only pages of this studio, on names of this machine, and with the token where one is set."""

import hashlib
import hmac
import ipaddress
import socket
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from evp.studio.problems import problem
from evp.studio.settings import LOOPBACK, Settings

HEADER = "x-evp-studio"
"""Every request that changes something carries it: a form or a picture on another site cannot."""
COOKIE = "evp_studio"

_SAFE = {"GET", "HEAD"}
_HEADERS = {
    "content-security-policy": "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; "
    "worker-src 'self' blob:; style-src 'self' 'unsafe-inline'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'; object-src 'none'",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "permissions-policy": "camera=(self), microphone=(self), geolocation=()",
}


class Guard:
    """An ASGI application that refuses what the one inside must not see."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._token = settings.token
        self._names = {*LOOPBACK, settings.host.lower()}
        if settings.token is not None:  # others reach this machine by its name
            name = socket.gethostname().lower()
            self._names |= {name, f"{name}.local"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                known = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [
                    *message["headers"],
                    *((n.encode(), v.encode()) for n, v in _HEADERS.items() if n.encode() not in known),
                ]
            await send(message)

        refusal = self._refusal(scope)
        await (refusal or self._app)(scope, receive, guarded)

    def _refusal(self, scope: Scope) -> Response | None:
        """The answer to a request that goes no further."""
        headers, method = Headers(scope=scope), scope["method"]
        if not self._known(headers.get("host", "")):
            return problem(
                421, "this studio is not known by that name: open the address that 'evp studio' printed"
            )
        if self._foreign(headers, method):
            return problem(403, "requests of other sites are refused")
        if method not in _SAFE and headers.get(HEADER) != "1":
            return problem(403, "a request that changes something must carry the header X-Evp-Studio: 1")
        return self._unproven(scope, headers) if self._token is not None else None

    def _known(self, host: str) -> bool:
        """Whether a Host header names this machine: a name that an attacker pointed here does not (DNS rebinding)."""
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        if name in self._names:
            return True
        return self._token is not None and _is_address(name)  # an address cannot be pointed elsewhere

    @staticmethod
    def _foreign(headers: Mapping[str, str], method: str) -> bool:
        """Whether a page of another site sends this. A link to the studio may be followed from anywhere."""
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc.lower() != headers.get("host", "").lower():
            return True
        site, mode = headers.get("sec-fetch-site"), headers.get("sec-fetch-mode")
        return site in ("cross-site", "same-site") and not (mode == "navigate" and method in _SAFE)

    def _unproven(self, scope: Scope, headers: Mapping[str, str]) -> Response | None:
        assert self._token is not None
        query = parse_qs(scope["query_string"].decode("latin-1"))
        if scope["path"] == "/" and "token" in query and _same(query["token"][0], self._token):
            answer = RedirectResponse("/", 303)  # so that the token does not stay in the address
            answer.set_cookie(COOKIE, _proof(self._token), httponly=True, samesite="strict", path="/")
            return answer
        kind, _, shown = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer" and _same(shown.strip(), self._token):
            return None
        if _same(_cookie(headers.get("cookie", "")), _proof(self._token)):
            return None
        return problem(
            401, "this studio asks for its token: open the address that 'evp studio' printed",
            {"WWW-Authenticate": "Bearer"},
        )  # fmt: skip


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(), wanted.encode())


def _proof(token: str) -> str:
    """What the cookie holds: it proves that the token is known without being it."""
    return hashlib.sha256(f"evp studio {token}".encode()).hexdigest()


def _cookie(header: str) -> str:
    try:
        morsel = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return ""
    return morsel.value if morsel is not None else ""
