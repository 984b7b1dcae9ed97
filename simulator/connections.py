"""Open connections."""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress

from aiohttp import web

_POLL_SECONDS = 0.1
"""There is no event when a client disconnects, so the connection is polled."""


class Connection:
    """The connection of a request without a complete response."""

    def __init__(self, request: web.Request) -> None:
        """Use the connection of a request."""
        self._request = request
        self._dropped = asyncio.Event()

    @property
    def is_open(self) -> bool:
        """Return whether the client is still connected."""
        transport = self._request.transport
        gone = transport is None or transport.is_closing()
        return not gone and not self._dropped.is_set()

    def drop(self) -> None:
        """Reset the connection."""
        if self._request.transport is not None:
            self._request.transport.abort()
        self._dropped.set()

    async def until_closed(self) -> None:
        """Wait until the client disconnects."""
        while self.is_open:
            with suppress(TimeoutError):
                async with asyncio.timeout(_POLL_SECONDS):
                    await self._dropped.wait()

    async def wait(self, pause: Coroutine[None, None, None]) -> None:
        """Wait until the pause ends or the client disconnects."""
        waits = {
            asyncio.ensure_future(pause),
            asyncio.ensure_future(self.until_closed()),
        }
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()


class Connections:
    """All open connections, to drop them at once."""

    def __init__(self) -> None:
        """Begin with none."""
        self._open: set[Connection] = set()
        self._idle = asyncio.Event()
        self._idle.set()

    def __len__(self) -> int:
        """Return the number of open connections."""
        return len(self._open)

    @contextmanager
    def track(self, request: web.Request) -> Iterator[Connection]:
        """Track a request until its response is complete."""
        connection = Connection(request)
        self._open.add(connection)
        self._idle.clear()
        try:
            yield connection
        finally:
            self._open.discard(connection)
            if not self._open:
                self._idle.set()

    async def until_idle(self) -> None:
        """Wait until no connection is open."""
        await self._idle.wait()

    def drop(self) -> int:
        """Reset all open connections; return their number."""
        dropped = list(self._open)
        for connection in dropped:
            connection.drop()
        return len(dropped)
