"""Clouds without a network: what clients ask for is answered at once."""

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
    """Return what is answered at a path below `/systems` about some systems."""
    (operation, named), *_ = find(path)
    if operation.of_system is not None:
        asked = named.get("system_id") or query.get("site_id")
        by_id = {str(each.system.system_id): each for each in published}
        return operation.of_system(by_id[str(asked)], query)
    if operation.of_account is not None:
        return operation.of_account([*published], query, {"system": {}})
    return {}


def answer(url: URL, published: Sequence[Published]) -> bytes:
    """Return the body of an answer about some systems."""
    path = url.path.partition("/systems")[2]
    return json.dumps(document(path, url.query, published)).encode()


class _Response:
    """What clients read of a response."""

    status = 200
    ok = True
    content_type = "application/json"
    url = ""

    def __init__(self, body: bytes) -> None:
        """Take the body."""
        self._body = body
        self.content = self
        self.headers = {"Date": f"{datetime.now(UTC):%a, %d %b %Y %H:%M:%S} GMT"}

    async def iter_any(self) -> AsyncGenerator[bytes]:
        """Yield the body in one piece."""
        yield self._body

    async def json(self) -> Any:
        """Return the document."""
        return json.loads(self._body)

    async def __aenter__(self) -> Self:
        """Take no connection."""
        return self

    async def __aexit__(self, *_error: object) -> None:
        """Return none."""


@contextmanager
def answering(body: Callable[[URL], bytes], latency: float = 0) -> Generator[None]:
    """Answer all that Home Assistant asks for, within some seconds at most."""

    async def request(
        _session: ClientSession, _method: str, url: object, **options: Any
    ) -> _Response:
        # Others wait for their answers meanwhile, as over a network.
        await asyncio.sleep(latency * random())
        asked = URL(str(url)).update_query(options.get("params") or {})
        return _Response(body(asked))

    with patch.object(ClientSession, "_request", request):
        yield
