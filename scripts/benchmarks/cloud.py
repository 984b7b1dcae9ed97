"""Clouds without a network: each request gets its response at once."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
import json
from random import random
from typing import Any, Self
from unittest.mock import patch

from aiohttp import ClientSession
from yarl import URL

from simulator import Published
from simulator.operations import find


def document(
    path: str, query: Mapping[str, str], published: Sequence[Published]
) -> Any:
    """Return the simulator's document for a path below `/systems`."""
    (operation, named), *_ = find(path)
    if operation.of_system is not None:
        system_id = named.get("system_id") or query.get("site_id")
        by_id = {str(each.system.system_id): each for each in published}
        return operation.of_system(by_id[str(system_id)], query)
    if operation.of_account is not None:
        return operation.of_account([*published], query, {"system": {}})
    return {}


def response_body(url: URL, published: Sequence[Published]) -> bytes:
    """Return the body of a response about some systems."""
    path = url.path.partition("/systems")[2]
    return json.dumps(document(path, url.query, published)).encode()


class _Response:
    """The parts of a response that clients use."""

    status = 200
    ok = True
    content_type = "application/json"
    url = ""

    def __init__(self, body: bytes) -> None:
        """Keep the body."""
        self._body = body
        self.content = self
        self.headers = {"Date": f"{datetime.now(UTC):%a, %d %b %Y %H:%M:%S} GMT"}

    async def iter_any(self) -> AsyncGenerator[bytes]:
        """Yield the whole body at once."""
        yield self._body

    async def json(self) -> Any:
        """Return the document."""
        return json.loads(self._body)

    async def __aenter__(self) -> Self:
        """Return the response; there is no connection."""
        return self

    async def __aexit__(self, *_error: object) -> None:
        """Do nothing; there is no connection."""


@contextmanager
def responding(body: Callable[[URL], bytes], latency: float = 0) -> Generator[None]:
    """Respond to all requests of Home Assistant, after up to `latency` seconds."""

    async def request(
        _session: ClientSession, _method: str, url: object, **options: Any
    ) -> _Response:
        # Other tasks run meanwhile, as with a network.
        await asyncio.sleep(latency * random())
        requested = URL(str(url)).update_query(options.get("params") or {})
        return _Response(body(requested))

    with patch.object(ClientSession, "_request", request):
        yield
