"""No error reveals a secret: text, repr, arguments, context or log."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
import json
import logging
import traceback

from aiohttp import ClientSession, web
import pytest

from custom_components.enphase_cloud.api import (
    EnphaseCloudClient,
    EnphaseCloudError,
    RequestWithheldError,
    request_token,
)
from custom_components.enphase_cloud.api.endpoints import (
    DEVICES,
    INVERTERS_SUMMARY,
    OPEN_ALARMS,
    SUMMARY,
)

from .conftest import (
    API_KEY,
    RENEWED_TOKEN,
    SYSTEM_ID,
    TOKEN,
    Clock,
    FakeAuth,
    FakeCloud,
    FakeGate,
    RawServer,
    Reply,
    reply,
)

CLIENT_ID = "client-900150983cd24fb0"
CLIENT_SECRET = "secret-d6963f7d28e17f72"
REFRESH_TOKEN = "refresh-f96b697d7cb7938d"
SERIAL_NUMBER = "122999888777"
SECRETS = [
    API_KEY,
    TOKEN,
    RENEWED_TOKEN,
    CLIENT_ID,
    CLIENT_SECRET,
    REFRESH_TOKEN,
    SERIAL_NUMBER,
    str(SYSTEM_ID),
    "Elm Street",
]
TELLTALE = {
    "message": f"System not found for {{:id=>{SYSTEM_ID}}}",
    "details": [f"Envoy {SERIAL_NUMBER} at Elm Street", f"key {API_KEY}"],
    "error_description": f"Bearer {TOKEN} of {REFRESH_TOKEN}",
}

type Action = Callable[[EnphaseCloudClient, ClientSession, str], Awaitable[object]]


async def request_document(
    client: EnphaseCloudClient, session: ClientSession, url: str
) -> None:
    """Request a document."""
    await client.get(SUMMARY, system_id=SYSTEM_ID)


async def stream(client: EnphaseCloudClient, session: ClientSession, url: str) -> None:
    """Read a stream."""
    async with client.stream(SYSTEM_ID, duration=30) as frames:
        async for _ in frames:
            pass


async def sign_in(client: EnphaseCloudClient, session: ClientSession, url: str) -> None:
    """Request a token."""
    await request_token(
        session,
        f"{url}/oauth/token",
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        parameters={"grant_type": "refresh_token", "refresh_token": REFRESH_TOKEN},
    )


async def request_devices(
    client: EnphaseCloudClient, session: ClientSession, url: str
) -> None:
    """Request the devices of a system."""
    await client.get(DEVICES, system_id=SYSTEM_ID)


async def request_panels(
    client: EnphaseCloudClient, session: ClientSession, url: str
) -> None:
    """Request microinverters with the serial number of a gateway in the query."""
    await client.pages(INVERTERS_SUMMARY, query={"envoy_serial_number": SERIAL_NUMBER})


async def request_alarms(
    client: EnphaseCloudClient, session: ClientSession, url: str
) -> None:
    """Request the open alarms."""
    await client.get(OPEN_ALARMS, system_id=SYSTEM_ID)


ACTIONS: list[Action] = [
    request_document,
    request_alarms,
    request_devices,
    request_panels,
    sign_in,
    stream,
]


def assert_silent(error: BaseException) -> None:
    """Assert that an error and everything attached to it has no secret."""
    text = "".join(traceback.format_exception(error))
    waiting: list[BaseException] = [error]
    while waiting:
        current = waiting.pop()
        text += f"{current} {current!r} {current.args} {vars(current)}"
        waiting += [
            linked for linked in (current.__cause__, current.__context__) if linked
        ]
    for secret in SECRETS:
        assert secret not in text


@pytest.fixture(autouse=True)
def silent_log(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Assert that the client writes no secret to the log."""
    caplog.set_level(logging.DEBUG)
    yield
    for record in caplog.records:
        if record.name.startswith(("aiohttp.access", "asyncio")):
            continue  # These are the fake cloud's.
        assert not any(secret in record.getMessage() for secret in SECRETS)


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize(
    "status",
    [200, 302, 400, 401, 403, 404, 422, 429, 461, 466, 468, 472, 473, 500, 551, 552],
)
async def test_refusals_reveal_nothing(
    client: EnphaseCloudClient,
    session: ClientSession,
    cloud: FakeCloud,
    action: Action,
    status: int,
) -> None:
    refusal = reply(
        TELLTALE | {"code": 0}, status=status, headers={"X-Serial": SERIAL_NUMBER}
    )
    cloud.script(refusal, refusal)
    with pytest.raises(EnphaseCloudError) as raised:
        await action(client, session, str(cloud.url.origin()))
    assert_silent(raised.value)


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize(
    "response",
    [
        b"",
        f"HTTP/1.1 200 {API_KEY}\r\nbroken {TOKEN}\r\n\r\n".encode(),
        b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n{" + API_KEY.encode(),
        f"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{TOKEN}\r\n".encode(),
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + TOKEN.encode(),
        f"{REFRESH_TOKEN} {CLIENT_SECRET}\r\n\r\n".encode(),
    ],
)
async def test_broken_connections_reveal_nothing(
    raw_client: EnphaseCloudClient,
    raw_server: RawServer,
    session: ClientSession,
    action: Action,
    response: bytes,
) -> None:
    raw_server.response = response
    with pytest.raises(EnphaseCloudError) as raised:
        await action(raw_client, session, f"http://127.0.0.1:{raw_server.port}")
    assert_silent(raised.value)


@pytest.mark.parametrize("action", ACTIONS)
async def test_unreachable_clouds_reveal_nothing(
    session: ClientSession,
    auth: FakeAuth,
    gate: FakeGate,
    socket_enabled: None,
    unused_tcp_port: int,
    action: Action,
) -> None:
    url = f"http://127.0.0.1:{unused_tcp_port}"
    client = EnphaseCloudClient(session, auth, API_KEY, gate, url=url)
    with pytest.raises(EnphaseCloudError) as raised:
        await action(client, session, url)
    assert_silent(raised.value)


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize(
    "document",
    [
        json.dumps(TELLTALE)[:-1],
        json.dumps([TELLTALE]),
        json.dumps({"system_id": TELLTALE, "data": TELLTALE}),
        f"<html>{SERIAL_NUMBER}</html>",
    ],
)
async def test_malformed_responses_reveal_nothing(
    client: EnphaseCloudClient,
    session: ClientSession,
    cloud: FakeCloud,
    action: Action,
    document: str,
) -> None:
    cloud.script(reply(body=document.encode()))
    with pytest.raises(EnphaseCloudError) as raised:
        await action(client, session, str(cloud.url.origin()))
    assert_silent(raised.value)


async def test_errors_in_a_stream_reveal_nothing(
    client: EnphaseCloudClient, session: ClientSession, cloud: FakeCloud
) -> None:
    cloud.script(streamed(f"data: {json.dumps({'error': TELLTALE})}\n\n"))
    with pytest.raises(EnphaseCloudError) as raised:
        await stream(client, session, "")
    assert_silent(raised.value)


@pytest.mark.parametrize("action", ACTIONS)
async def test_timeouts_reveal_nothing(
    client: EnphaseCloudClient,
    session: ClientSession,
    cloud: FakeCloud,
    clock: Clock,
    action: Action,
) -> None:
    over = asyncio.Event()

    async def hang(request: web.Request) -> web.StreamResponse:
        clock.advance(200)
        await over.wait()
        return web.Response()

    cloud.script(hang)
    with pytest.raises(EnphaseCloudError) as raised:
        await action(client, session, str(cloud.url.origin()))
    over.set()
    assert_silent(raised.value)


async def test_withheld_requests_reveal_nothing(
    client: EnphaseCloudClient, gate: FakeGate
) -> None:
    gate.refuse_with = RequestWithheldError(until=None, reason="month")
    with pytest.raises(RequestWithheldError) as raised:
        await client.get(SUMMARY, system_id=SYSTEM_ID)
    assert_silent(raised.value)


def test_repr_of_the_client_omits_its_key(client: EnphaseCloudClient) -> None:
    assert API_KEY not in repr(client)


def streamed(text: str) -> Reply:
    """Script a stream."""
    return reply(body=text.encode(), content_type="text/event-stream")
