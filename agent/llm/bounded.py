"""An answer that trickles in is broken off once it has taken too long in all: a time-out between two bytes never ends it."""

import time
from collections.abc import Iterator
from typing import cast

import httpx2


class Bounded(httpx2.SyncByteStream):
    """A body that comes until a moment of `time.monotonic`; then `httpx2.ReadTimeout` is raised, as after a silence."""

    def __init__(self, body: httpx2.SyncByteStream, until: float) -> None:
        self._body, self._until = body, until

    def __iter__(self) -> Iterator[bytes]:
        for part in self._body:
            if time.monotonic() > self._until:
                raise httpx2.ReadTimeout("the answer was not whole in time")
            yield part

    def close(self) -> None:
        """Closes the body."""
        self._body.close()


def bounded(response: httpx2.Response, until: float) -> None:
    """Bound a response's body, before anything of it is read."""
    response.stream = Bounded(cast(httpx2.SyncByteStream, response.stream), until)
