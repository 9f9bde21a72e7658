"""How large a request may be: it is refused by what it announces, and cut off when it sends more."""

from collections.abc import Mapping

from fastapi import HTTPException
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from evp.studio.problems import problem
from evp.studio.settings import MEBIBYTE


class BodyLimit:
    """An ASGI application that lets no more of a body through than its path allows."""

    def __init__(self, app: ASGIApp, most: int, most_at: Mapping[str, int]) -> None:
        """``most`` bytes, but ``most_at`` some paths."""
        self._app, self._most, self._most_at = app, most, most_at

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most = self._most_at.get(scope["path"], self._most)
        announced = Headers(scope=scope).get("content-length", "0")
        if not announced.isdigit() or int(announced) > most:
            await problem(413, _sentence(most))(scope, receive, send)
            return
        came = 0

        async def counted() -> Message:
            nonlocal came
            message = await receive()
            came += len(message.get("body", b""))
            if came > most:
                raise HTTPException(413, _sentence(most))
            return message

        await self._app(scope, counted, send)


def _sentence(most: int) -> str:
    size = f"{most / MEBIBYTE:.0f} MiB" if most >= MEBIBYTE else f"{most // 1024} KiB"
    return f"this is larger than {size}, which is the most that is taken here"
