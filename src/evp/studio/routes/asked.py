"""What routes are given: the studio, and what several of them read from a request."""

from typing import Annotated

from fastapi import Depends, Header, Request

from evp.studio.schema import Identifier
from evp.studio.studio import Studio


async def _studio(request: Request) -> Studio:
    studio: Studio = request.app.state.studio
    return studio


Here = Annotated[Studio, Depends(_studio)]
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key", min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$",
        description="Any text of your own: a request that is sent again with it does its work once.",
    ),
]  # fmt: skip
Id = Identifier
