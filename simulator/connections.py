"""The connections on which something is being answered."""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress

from aiohttp import web

_GLANCE = 0.1
"""Seconds between two looks at the line; nothing tells that a client has left."""


class Connection:
    """The line on which a request is being answered."""

    def __init__(self, request: web.Request) -> None:
        """Belong to a request."""
        self._request = request
        self._dropped = asyncio.Event()

    @property
    def is_open(self) -> bool:
        """Tell whether somebody still listens."""
        transport = self._request.transport
        gone = transport is None or transport.is_closing()
        return not gone and not self._dropped.is_set()

    def drop(self) -> None:
        """Reset the line."""
        if self._request.transport is not None:
            self._request.transport.abort()
        self._dropped.set()

    async def until_closed(self) -> None:
        """Wait until nobody listens any more."""
        while self.is_open:
            with suppress(TimeoutError):
                async with asyncio.timeout(_GLANCE):
                    await self._dropped.wait()

    async def wait(self, pause: Coroutine[None, None, None]) -> None:
        """Wait for the pause to end, or until nobody listens any more."""
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
    """Knows all open requests, so that they can be cut at once."""

    def __init__(self) -> None:
        """Begin with none."""
        self._open: set[Connection] = set()
        self._idle = asyncio.Event()
        self._idle.set()

    def __len__(self) -> int:
        """Return how many requests are being answered."""
        return len(self._open)

    @contextmanager
    def track(self, request: web.Request) -> Iterator[Connection]:
        """Track a request while it is answered."""
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
        """Wait until no request is being answered."""
        await self._idle.wait()

    def drop(self) -> int:
        """Cut all open connections as a broken line would; return how many."""
        dropped = list(self._open)
        for connection in dropped:
            connection.drop()
        return len(dropped)
