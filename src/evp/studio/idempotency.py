"""Idempotency keys: a request that is sent again, because its answer was lost, does its work once."""

import hashlib
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fastapi import HTTPException

from evp.studio.store import Store

_REMEMBERED = 24 * 3600.0
"""Seconds for which a key is known."""


class Claim:
    """A request with a key, or without."""

    def __init__(self, earlier: str | None) -> None:
        self.earlier = earlier
        """What the same request made before, if it did."""
        self.made: str | None = None
        """What this one makes: to be set when it is made."""


@contextmanager
def once(store: Store, key: str | None, route: str, request: Any) -> Iterator[Claim]:
    """Around the work of a request. Raises HTTPException when its key belongs to another, or it is still worked on."""
    if key is None:
        yield Claim(None)
        return
    digest = hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()
    row = store.claim_key(key, route, digest, time.time() - _REMEMBERED)
    if row is not None:
        if (row["route"], row["request"]) != (route, digest):
            raise HTTPException(422, "this Idempotency-Key was used for another request")
        if row["resource"] is None:
            raise HTTPException(409, "the request with this Idempotency-Key is still being worked on")
        yield Claim(row["resource"])
        return
    claim = Claim(None)
    try:
        yield claim
    finally:
        store.settle_key(key, claim.made)
