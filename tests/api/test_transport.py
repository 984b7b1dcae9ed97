"""Failures between the client and the cloud."""

import asyncio
import gzip
import json

from aiohttp import ClientSession, web
import pytest

from custom_components.enphase_cloud.api import (
    EnphaseCloudClient,
    EnphaseConnectionError,
    EnphaseTimeoutError,
    MalformedResponseError,
    MonthQuotaError,
    QuotaExceededError,
    ServerError,
    request_token,
)
from custom_components.enphase_cloud.api.endpoints import SUMMARY

from .conftest import (
    API_KEY,
    SYSTEM_ID,
    Clock,
    FakeAuth,
    FakeCloud,
    FakeGate,
    RawServer,
    reply,
)

DOCUMENT = {"system_id": SYSTEM_ID, "current_power": 815}
MIB = 1024 * 1024


@pytest.mark.parametrize(
    "response",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n{",
        b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"a":\r\n',
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope",
        b"SSH-2.0-OpenSSH_9.9\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    ],
    ids=[
        "hangs up",
        "truncated",
        "truncated chunks",
        "bad chunks",
        "bad compression",
        "no HTTP",
        "bad length",
    ],
)
async def test_a_broken_response_is_a_connection_error_after_one_request(
    raw_client: EnphaseCloudClient,
    raw_server: RawServer,
    gate: FakeGate,
    response: bytes,
) -> None:
    raw_server.response = response
    with pytest.raises(EnphaseConnectionError):
        await raw_client.get(SUMMARY, system_id=SYSTEM_ID)
    assert raw_server.connections == 1
    assert len(gate.outcomes) == 1


async def test_an_unreachable_cloud_is_a_connection_error(
    session: ClientSession,
    auth: FakeAuth,
    gate: FakeGate,
    socket_enabled: None,
    unused_tcp_port: int,
) -> None:
    url = f"http://127.0.0.1:{unused_tcp_port}"
    client = EnphaseCloudClient(session, auth, API_KEY, gate, url=url)
    with pytest.raises(EnphaseConnectionError):
        await client.get(SUMMARY, system_id=SYSTEM_ID)


async def test_a_slow_response_is_a_timeout(
    client: EnphaseCloudClient, cloud: FakeCloud, clock: Clock
) -> None:
    """No single byte is late, but the whole response is."""
    sent = 0

    async def trickle(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        while sent < 100:
            await response.write(b" ")
            sent += 1
            clock.advance(1)
            await asyncio.sleep(0.001)
        return response

    cloud.script(trickle)
    with pytest.raises(EnphaseTimeoutError):
        await client.get(SUMMARY, system_id=SYSTEM_ID)
    assert 25 < sent < 40


async def test_no_data_for_30_seconds_is_a_timeout(
    client: EnphaseCloudClient, cloud: FakeCloud, clock: Clock
) -> None:
    silence = asyncio.Event()

    async def hang(request: web.Request) -> web.StreamResponse:
        clock.advance(31)
        await silence.wait()
        return web.Response()

    cloud.script(hang)
    with pytest.raises(EnphaseTimeoutError):
        await client.get(SUMMARY, system_id=SYSTEM_ID)
    silence.set()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"summary"',
        b'{"system_id": 1',
        b"\xff\xfe\xfd",
        b"<html>Please sign in</html>",
        b"[" * 100_000,
        b'{"system_id": ' + b"9" * 5000 + b"}",
    ],
    ids=[
        "empty",
        "null",
        "array",
        "string",
        "truncated",
        "not text",
        "page",
        "nested too deeply",
        "number too long",
    ],
)
async def test_a_body_that_is_not_a_json_object_is_malformed(
    client: EnphaseCloudClient, cloud: FakeCloud, body: bytes
) -> None:
    cloud.script(reply(body=body))
    with pytest.raises(MalformedResponseError):
        await client.get(SUMMARY, system_id=SYSTEM_ID)


@pytest.mark.parametrize("status", [200, 203])
@pytest.mark.parametrize("content_type", ["application/octet-stream", "text/html"])
async def test_json_is_read_with_any_content_type(
    client: EnphaseCloudClient, cloud: FakeCloud, content_type: str, status: int
) -> None:
    cloud.script(reply(DOCUMENT, content_type=content_type, status=status))
    assert (await client.get(SUMMARY, system_id=SYSTEM_ID)).current_power == 815


async def test_compressed_responses_are_read(
    client: EnphaseCloudClient, cloud: FakeCloud
) -> None:
    body = gzip.compress(json.dumps(DOCUMENT).encode())
    cloud.script(reply(body=body, headers={"Content-Encoding": "gzip"}))
    assert (await client.get(SUMMARY, system_id=SYSTEM_ID)).current_power == 815


@pytest.mark.parametrize("compressed", [False, True])
async def test_reading_stops_at_the_size_limit(
    client: EnphaseCloudClient, cloud: FakeCloud, *, compressed: bool
) -> None:
    body = b" " * (64 * MIB)
    headers = {}
    if compressed:
        body, headers = gzip.compress(body), {"Content-Encoding": "gzip"}
    cloud.script(reply(body=body, headers=headers))
    with pytest.raises(MalformedResponseError):
        await client.get(SUMMARY, system_id=SYSTEM_ID)


@pytest.mark.parametrize("status", [301, 302, 304, 307, 308])
async def test_a_redirect_is_not_followed(
    client: EnphaseCloudClient, cloud: FakeCloud, status: int
) -> None:
    location = str(cloud.url / "elsewhere")
    cloud.script(reply(status=status, headers={"Location": location}))
    with pytest.raises(MalformedResponseError):
        await client.get(SUMMARY, system_id=SYSTEM_ID)
    assert len(cloud.requests) == 1


async def test_an_error_with_a_long_body_is_raised(
    client: EnphaseCloudClient, cloud: FakeCloud
) -> None:
    cloud.script(reply({"period": "month", "details": "x" * MIB}, status=429))
    with pytest.raises(QuotaExceededError) as raised:
        await client.get(SUMMARY, system_id=SYSTEM_ID)
    assert raised.value.period is None


async def test_an_error_with_an_incomplete_body_is_raised(
    raw_client: EnphaseCloudClient, raw_server: RawServer
) -> None:
    raw_server.response = b"HTTP/1.1 503 Busy\r\nContent-Length: 90\r\n\r\n{"
    with pytest.raises(ServerError) as raised:
        await raw_client.get(SUMMARY, system_id=SYSTEM_ID)
    assert raised.value.status == 503


async def test_a_session_with_raise_for_status_does_not_matter(
    auth: FakeAuth, gate: FakeGate, cloud: FakeCloud
) -> None:
    cloud.script(reply({"period": "month"}, status=429))
    async with ClientSession(raise_for_status=True) as session:
        client = EnphaseCloudClient(session, auth, API_KEY, gate, url=cloud.url)
        with pytest.raises(MonthQuotaError):
            await client.get(SUMMARY, system_id=SYSTEM_ID)


@pytest.mark.parametrize(
    "url",
    [
        "http://api.enphaseenergy.com",
        "http://192.168.1.2",
        "http://localhost.example.com",
        "ftp://localhost",
        "localhost",
        "https:///api",
        "",
    ],
)
async def test_credentials_are_sent_over_https_only(
    session: ClientSession, auth: FakeAuth, gate: FakeGate, url: str
) -> None:
    with pytest.raises(ValueError, match="https"):
        EnphaseCloudClient(session, auth, API_KEY, gate, url=url)
    with pytest.raises(ValueError, match="https"):
        await request_token(
            session, url, client_id="id", client_secret="secret", parameters={}
        )


async def test_a_key_with_invalid_characters_is_refused(
    session: ClientSession, auth: FakeAuth, gate: FakeGate
) -> None:
    with pytest.raises(ValueError, match="key") as raised:
        EnphaseCloudClient(
            session, auth, "abc\r\nHost: x", gate, url="https://example.com"
        )
    assert "abc" not in str(raised.value)


@pytest.mark.parametrize(
    "url",
    ["https://example.com", "http://localhost:8", "http://127.0.0.2", "http://[::1]:8"],
)
async def test_development_may_use_plain_http_on_this_machine(
    session: ClientSession, auth: FakeAuth, gate: FakeGate, url: str
) -> None:
    EnphaseCloudClient(session, auth, API_KEY, gate, url=url)
