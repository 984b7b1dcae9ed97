"""A fake cloud on loopback with scripted responses, and a client of it."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
import json
from typing import Any, override

from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
import pytest
from yarl import URL

from custom_components.enphase_cloud.api import (
    AbstractAuth,
    EnphaseCloudClient,
    QuotaExceededError,
)

type Reply = Callable[[web.Request], Awaitable[web.StreamResponse]]

API_KEY = "key-d41d8cd98f00b204"
TOKEN = "token-5eb63bbbe01eeed0"
RENEWED_TOKEN = "token-0cc175b9c0f1b6a8"
SYSTEM_ID = 8_675_309_001


def reply(
    document: Any = None,
    *,
    status: int = 200,
    body: bytes | None = None,
    content_type: str = "application/json",
    headers: dict[str, str] | None = None,
) -> Reply:
    """Script a response: a JSON document, or the given body."""
    if body is None:
        body = json.dumps(document).encode()

    async def respond(request: web.Request) -> web.StreamResponse:
        return web.Response(
            status=status, body=body, content_type=content_type, headers=headers
        )

    return respond


def refusal(status: int = 401, message: str = "Not Authorized", **more: Any) -> Reply:
    """Script an error with the usual body of the cloud."""
    return reply(
        {"message": message, "details": "User is not authorized", "code": status}
        | more,
        status=status,
    )


class FakeCloud:
    """Sends scripted responses in order, and records requests."""

    def __init__(self, journal: list[str]) -> None:
        self.requests: list[web.Request] = []
        self.bodies: list[bytes] = []
        self.url = URL()
        self._journal = journal
        self._replies: list[Reply] = []

    def script(self, *replies: Reply) -> None:
        """Add responses."""
        self._replies.extend(replies)

    def discard(self) -> None:
        """Discard responses that were not requested."""
        self._replies.clear()

    async def respond(self, request: web.Request) -> web.StreamResponse:
        """Send the next scripted response."""
        self._journal.append("request")
        self.requests.append(request)
        self.bodies.append(await request.read())
        return await self._replies.pop(0)(request)


class FakeAuth(AbstractAuth):
    """Returns a token, and another one if the first is refused."""

    def __init__(self, journal: list[str]) -> None:
        self.renewed = RENEWED_TOKEN
        self._journal = journal

    @override
    async def async_get_access_token(self, *, rejected: str | None = None) -> str:
        if rejected is None:
            self._journal.append("token")
            return TOKEN
        assert rejected == TOKEN
        self._journal.append("renewal")
        return self.renewed


class FakeAttempt:
    """Records status and date of a response."""

    def __init__(self) -> None:
        self.status: int | None = None
        self.date: datetime | None = None

    def on_response(self, status: int, date: datetime | None) -> None:
        """Record them."""
        self.status, self.date = status, date


class FakeGate:
    """Records attempts and how they end."""

    def __init__(self, journal: list[str]) -> None:
        self.refuse_with: Exception | None = None
        self.attempts: list[FakeAttempt] = []
        self.outcomes: list[BaseException | None] = []
        self.refusals: list[QuotaExceededError] = []
        self._journal = journal

    @asynccontextmanager
    async def attempt(self, operation: str) -> AsyncIterator[FakeAttempt]:
        """Count an attempt."""
        self._journal.append(f"enter {operation}")
        if self.refuse_with is not None:
            raise self.refuse_with
        attempt = FakeAttempt()
        self.attempts.append(attempt)
        try:
            yield attempt
        except BaseException as error:
            self.outcomes.append(error)
            raise
        else:
            self.outcomes.append(None)
        finally:
            self._journal.append("leave")

    async def on_quota_error(self, err: QuotaExceededError) -> None:
        """Record the quota error of an open stream."""
        self.refusals.append(err)


class RawServer:
    """Sends the same bytes on each connection, then closes it."""

    def __init__(self) -> None:
        self.response = b""
        self.connections = 0
        self.port = 0

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Serve one connection."""
        self.connections += 1
        await reader.readuntil(b"\r\n\r\n")
        writer.write(self.response)
        writer.close()


class Clock:
    """Advances the time of the event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._real = loop.time
        self._ahead = 0.0

    def time(self) -> float:
        """Return the time of the loop."""
        return self._real() + self._ahead

    def advance(self, seconds: float) -> None:
        """Advance the time."""
        self._ahead += seconds


@pytest.fixture
def journal() -> list[str]:
    """Return the log of events, in order."""
    return []


@pytest.fixture
def auth(journal: list[str]) -> FakeAuth:
    """Return the auth."""
    return FakeAuth(journal)


@pytest.fixture
def gate(journal: list[str]) -> FakeGate:
    """Return the gate."""
    return FakeGate(journal)


@pytest.fixture
async def cloud(journal: list[str], socket_enabled: None) -> AsyncGenerator[FakeCloud]:
    """Run a fake cloud on loopback."""
    fake = FakeCloud(journal)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", fake.respond)
    async with TestServer(app) as server:
        fake.url = server.make_url("/")
        yield fake


@pytest.fixture
async def session() -> AsyncGenerator[ClientSession]:
    """Open a client session."""
    async with ClientSession() as session:
        yield session


@pytest.fixture
def client(
    session: ClientSession, auth: FakeAuth, gate: FakeGate, cloud: FakeCloud
) -> EnphaseCloudClient:
    """Return the client under test."""
    return EnphaseCloudClient(session, auth, API_KEY, gate, url=cloud.url)


@pytest.fixture
async def raw_server(socket_enabled: None) -> AsyncGenerator[RawServer]:
    """Run a TCP server that sends raw bytes."""
    raw = RawServer()
    server = await asyncio.start_server(raw.serve, "127.0.0.1", 0)
    raw.port = server.sockets[0].getsockname()[1]
    yield raw
    server.close()
    await server.wait_closed()


@pytest.fixture
def raw_client(
    session: ClientSession, auth: FakeAuth, gate: FakeGate, raw_server: RawServer
) -> EnphaseCloudClient:
    """Return a client of the TCP server."""
    url = f"http://127.0.0.1:{raw_server.port}"
    return EnphaseCloudClient(session, auth, API_KEY, gate, url=url)


@pytest.fixture
async def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Control the time of the running loop."""
    loop = asyncio.get_running_loop()
    clock = Clock(loop)
    monkeypatch.setattr(loop, "time", clock.time)
    return clock
