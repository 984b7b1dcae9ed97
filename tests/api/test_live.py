"""The live stream, from opening to end."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime
import gzip
import json
from typing import Any

from aiohttp import web
from hypothesis import HealthCheck, given, settings, strategies as st
import pytest

from custom_components.enphase_cloud.api import (
    ApiError,
    EnphaseCloudClient,
    EnphaseConnectionError,
    EnphaseTimeoutError,
    GatewayOfflineError,
    InvalidTokenError,
    LiveFrame,
    MalformedResponseError,
    MonthQuotaError,
    QuotaExceededError,
    StreamSample,
    UnreadableStreamError,
)

from .conftest import SYSTEM_ID, Clock, FakeCloud, FakeGate, RawServer, Reply, reply

START = datetime(2026, 6, 1, 12, tzinfo=UTC)
ERROR = {"error": {"code": 473, "message": "No", "status": "X"}, "type": "error"}


def frame(number: int = 0, **measured: Any) -> dict[str, Any]:
    """Return a frame in the format of the cloud."""
    return {
        "type": "response",
        "timestamp_epoch": int(START.timestamp() + number) * 1000,
        "data": {"pv_power": number} | measured,
    }


def event(document: object) -> bytes:
    """Return a document as an event."""
    return f"data: {json.dumps(document)}\n\n".encode()


async def prepared(request: web.Request) -> web.StreamResponse:
    """Open a stream."""
    response = web.StreamResponse()
    response.content_type = "text/event-stream"
    await response.prepare(request)
    return response


def streamed(
    *chunks: bytes,
    content_type: str | None = "text/event-stream",
    headers: dict[str, str] | None = None,
) -> Reply:
    """Script a stream that sends chunks and ends."""

    async def respond(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers=headers)
        if content_type is not None:
            response.content_type = content_type
        await response.prepare(request)
        for chunk in chunks:
            await response.write(chunk)
        return response

    return respond


async def read(
    client: EnphaseCloudClient, *, duration: int = 30
) -> tuple[list[int | None], int]:
    """Read a stream to its end; return production of frames and number of skipped."""
    async with client.stream(SYSTEM_ID, duration=duration) as stream:
        productions = [frame.production async for frame in stream]
        return productions, stream.skipped


async def test_frames_come_in_order_until_the_stream_ends(
    client: EnphaseCloudClient, cloud: FakeCloud
) -> None:
    cloud.script(streamed(*(event(frame(number)) for number in range(3))))
    async with client.stream(SYSTEM_ID, duration=30) as stream:
        frames = [frame async for frame in stream]
        assert [frame async for frame in stream] == []
    assert all(isinstance(frame, LiveFrame) for frame in frames)
    assert [frame.production for frame in frames] == [0, 1, 2]
    assert frames[0].sampled_at == START


@pytest.mark.parametrize(
    "body",
    [
        event(frame(1)) + event(frame(2)),
        event({"data": frame(1)}) + event({"data": {"data": frame(2)}}),
        f"{json.dumps(frame(1))}\n{json.dumps(frame(2))}".encode(),
        b": hi\nevent: update\nid: 7\nretry: 9\n" + event(frame(1)) + event(frame(2)),
        (event(frame(1)) + event(frame(2))).replace(b"\n", b"\r\n"),
        (event(frame(1)) + event(frame(2))).removesuffix(b"\n\n"),
        b"\xef\xbb\xbf"
        + b"".join(
            b"data: " + line + b"\n"
            for line in json.dumps(frame(1), indent=1).encode().splitlines()
        )
        + b"\n"
        + event(frame(2)),
    ],
    ids=["plain", "wrapped", "lines", "fields", "crlf", "cut end", "multi-line"],
)
@pytest.mark.parametrize("size", [1, 7, 10_000])
async def test_every_plausible_framing_is_read(
    client: EnphaseCloudClient, cloud: FakeCloud, body: bytes, size: int
) -> None:
    cloud.script(streamed(*(body[i : i + size] for i in range(0, len(body), size))))
    assert await read(client) == ([1, 2], 0)


@pytest.mark.parametrize("indent", [None, 2])
async def test_a_whole_json_document_is_one_frame(
    client: EnphaseCloudClient, cloud: FakeCloud, indent: int | None
) -> None:
    body = json.dumps({"data": frame(5)}, indent=indent).encode()
    cloud.script(reply(body=body))
    assert await read(client) == ([5], 0)


@pytest.mark.parametrize(
    "content_type",
    [None, "text/plain", "application/x-ndjson", "application/json", "text/html"],
)
@pytest.mark.parametrize("with_length", [False, True])
@pytest.mark.parametrize(
    "body",
    [
        event(frame(1)) + event(frame(2)),
        f"{json.dumps(frame(1))}\n{json.dumps(frame(2))}\n".encode(),
        json.dumps([frame(1), frame(2)], indent=2).encode(),
    ],
    ids=["events", "lines", "array"],
)
async def test_the_content_type_does_not_matter(
    client: EnphaseCloudClient,
    cloud: FakeCloud,
    body: bytes,
    content_type: str | None,
    *,
    with_length: bool,
) -> None:
    headers = {"Content-Length": str(len(body))} if with_length else None
    cloud.script(streamed(body, content_type=content_type, headers=headers))
    assert await read(client) == ([1, 2], 0)


async def test_a_frame_with_a_length_comes_before_the_rest(
    client: EnphaseCloudClient, cloud: FakeCloud
) -> None:
    rest = asyncio.Event()

    async def respond(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "500"})
        response.content_type = "application/json"
        await response.prepare(request)
        await response.write(event(frame(1)))
        await rest.wait()
        await response.write(event(frame(2)).ljust(500 - len(event(frame(1)))))
        return response

    cloud.script(respond)
    async with client.stream(SYSTEM_ID, duration=30) as stream:
        assert (await anext(stream)).production == 1
        rest.set()
        assert [live.production async for live in stream] == [2]


@pytest.mark.parametrize("content_type", ["text/html", "application/xml"])
async def test_a_page_is_an_unreadable_stream(
    client: EnphaseCloudClient, cloud: FakeCloud, gate: FakeGate, content_type: str
) -> None:
    cloud.script(streamed(b"<html>", content_type=content_type))
    with pytest.raises(UnreadableStreamError) as raised:
        await read(client)
    assert raised.value.sample == StreamSample(content_type, "<xxxx>")
    assert gate.outcomes == [raised.value]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b": hello\n\n" * 9,
        b"data: {}\n\n",
        event(frame() | {"data": {}}),
        b"x" * 9_999,
    ],
)
async def test_a_stream_without_a_frame_is_unreadable(
    client: EnphaseCloudClient, cloud: FakeCloud, gate: FakeGate, body: bytes
) -> None:
    cloud.script(streamed(body))
    async with client.stream(SYSTEM_ID, duration=30) as stream:
        with pytest.raises(UnreadableStreamError) as raised:
            await anext(stream)
        assert [live async for live in stream] == []
    assert raised.value.sample == StreamSample.of("text/event-stream", body)
    assert "text/event-stream" in str(raised.value)
    assert gate.outcomes == [None]


async def test_a_stream_of_another_system_is_unreadable(
    client: EnphaseCloudClient, cloud: FakeCloud
) -> None:
    cloud.script(streamed(event(frame(1, system_id=SYSTEM_ID + 1))))
    async with client.stream(SYSTEM_ID, duration=30) as stream:
        with pytest.raises(UnreadableStreamError):
            await anext(stream)
        assert stream.skipped == 1


async def test_an_unreadable_stream_is_closed_at_a_limit(
    client: EnphaseCloudClient, cloud: FakeCloud
) -> None:
    async def respond(request: web.Request) -> web.StreamResponse:
        response = await prepared(request)
        with suppress(ConnectionResetError):
            while True:
                await response.write(b": hello\n" * 8_192)
        return response

    cloud.script(respond)
    with pytest.raises(UnreadableStreamError):
        await read(client)


async def test_a_redirected_stream_is_malformed(
    client: EnphaseCloudClient, cloud: FakeCloud
) -> None:
    cloud.script(reply(status=302, headers={"Location": "/"}))
    with pytest.raises(MalformedResponseError):
        await read(client)


async def test_compressed_streams_are_read(
    client: EnphaseCloudClient, cloud: FakeCloud
) -> None:
    body = gzip.compress(event(frame(1)))
    cloud.script(streamed(body, headers={"Content-Encoding": "gzip"}))
    assert await read(client) == ([1], 0)


@pytest.mark.parametrize(
    "bad",
    [
        b"data: {\n\n",
        b"data: hello\n\n",
        b"data\n\n",
        b"data: []\n\n",
        b"data: \xff\n\n",
        b"{\n",
        b"data: " + b"[" * 100_000 + b"\n\n",
        b"data: " + b'{"data":' * 20_000 + b"0" + b"}" * 20_000 + b"\n\n",
        b"data: " + b"x" * 300_000 + b"\n\n",
        event({}),
        event(frame() | {"timestamp_epoch": None}),
        event(frame() | {"data": {"pv_power": "a lot"}}),
    ],
)
async def test_an_unreadable_frame_does_not_end_the_stream(
    client: EnphaseCloudClient, cloud: FakeCloud, bad: bytes
) -> None:
    cloud.script(streamed(event(frame(1)), bad, event(frame(2))))
    assert await read(client) == ([1, 2], 1)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.binary(max_size=30), max_size=8))
async def test_a_frame_after_any_bytes_is_read(
    client: EnphaseCloudClient, cloud: FakeCloud, chunks: list[bytes]
) -> None:
    noise = [chunk for chunk in chunks if chunk]
    cloud.script(streamed(*noise, b"\n\n", event(frame(1))))
    productions, _ = await read(client)
    assert productions == [1]


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (ERROR, GatewayOfflineError),
        ({"data": ERROR}, GatewayOfflineError),
        ({"error": {"code": "429", "message": "No"}}, QuotaExceededError),
        ({"message": "Too Many Requests", "code": 429}, QuotaExceededError),
        ({"error": {"code": 401, "message": "expired"}}, InvalidTokenError),
        ({"error": "gone"}, ApiError),
        ({"code": 200, "message": "Success"}, ApiError),
    ],
)
@pytest.mark.parametrize("bare", [False, True])
async def test_an_error_in_the_stream_follows_earlier_frames(
    client: EnphaseCloudClient,
    cloud: FakeCloud,
    document: object,
    expected: type[ApiError],
    *,
    bare: bool,
) -> None:
    written = json.dumps(document).encode() + b"\n" if bare else event(document)
    cloud.script(streamed(event(frame(1)) + written + event(frame(2))))
    async with client.stream(SYSTEM_ID, duration=30) as stream:
        assert (await anext(stream)).production == 1
        with pytest.raises(ApiError) as raised:
            await anext(stream)
    assert type(raised.value) is expected


async def test_the_gate_receives_a_quota_error_of_a_stream(
    client: EnphaseCloudClient, cloud: FakeCloud, gate: FakeGate
) -> None:
    error = {"code": 429, "message": "No", "period": "month", "period_end": 1782864000}
    cloud.script(streamed(event(frame(1)) + event({"error": error})))
    with pytest.raises(MonthQuotaError) as raised:
        await read(client)
    assert gate.outcomes == [None]
    assert gate.refusals == [raised.value]
    assert raised.value.period_end == datetime(2026, 7, 1, tzinfo=UTC)


async def test_the_gate_receives_it_even_if_the_caller_handles_it(
    client: EnphaseCloudClient, cloud: FakeCloud, gate: FakeGate
) -> None:
    cloud.script(streamed(event({"error": {"code": 429, "message": "No"}})))
    async with client.stream(SYSTEM_ID, duration=30) as stream:
        with pytest.raises(QuotaExceededError):
            await anext(stream)
        assert [frame async for frame in stream] == []
    assert len(gate.refusals) == 1


async def test_the_gate_receives_no_other_error_of_a_stream(
    client: EnphaseCloudClient, cloud: FakeCloud, gate: FakeGate
) -> None:
    cloud.script(streamed(event(frame(1)) + event(ERROR)))
    with pytest.raises(GatewayOfflineError):
        await read(client)
    assert gate.outcomes == [None]
    assert not gate.refusals


async def test_a_closed_stream_has_no_more_frames(
    client: EnphaseCloudClient, cloud: FakeCloud
) -> None:
    cloud.script(streamed(event(frame(1))))
    async with client.stream(SYSTEM_ID, duration=30) as stream:
        pass
    assert [frame async for frame in stream] == []


async def test_an_error_document_raises_when_the_stream_opens(
    client: EnphaseCloudClient, cloud: FakeCloud, gate: FakeGate
) -> None:
    body = json.dumps({"error": {"code": 429, "message": "No"}}, indent=2).encode()
    cloud.script(reply(body=body))
    with pytest.raises(QuotaExceededError) as raised:
        async with client.stream(SYSTEM_ID, duration=30):
            pytest.fail("The stream is open")
    assert gate.outcomes == [raised.value]


@pytest.mark.parametrize("error", [None, {}, [], ""])
async def test_an_empty_error_is_ignored(
    client: EnphaseCloudClient, cloud: FakeCloud, error: object
) -> None:
    cloud.script(streamed(event(frame(1) | {"error": error})))
    assert await read(client) == ([1], 0)


async def test_the_attempt_ends_when_the_stream_is_open(
    client: EnphaseCloudClient, cloud: FakeCloud, gate: FakeGate
) -> None:
    cloud.script(streamed(event(frame(1))))
    async with client.stream(SYSTEM_ID, duration=30):
        assert gate.outcomes == [None]


class TestEnd:
    """Other ends of a stream."""

    HEAD = (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n"
    )

    async def test_an_early_break_is_a_connection_error(
        self, raw_client: EnphaseCloudClient, raw_server: RawServer
    ) -> None:
        raw_server.response = self.HEAD + chunked(event(frame(1)))
        async with raw_client.stream(SYSTEM_ID, duration=30) as stream:
            assert (await anext(stream)).production == 1
            with pytest.raises(EnphaseConnectionError) as raised:
                await anext(stream)
            assert [live async for live in stream] == []
        assert not isinstance(raised.value, EnphaseTimeoutError)

    async def test_a_break_before_any_frame_is_an_unreadable_stream(
        self, raw_client: EnphaseCloudClient, raw_server: RawServer
    ) -> None:
        raw_server.response = self.HEAD + chunked(b": hello\n")
        with pytest.raises(UnreadableStreamError) as raised:
            await read(raw_client)
        assert raised.value.sample.beginning == ": xxxxx⏎"

    async def test_a_break_when_the_time_is_over_is_the_end(
        self, raw_client: EnphaseCloudClient, raw_server: RawServer, clock: Clock
    ) -> None:
        raw_server.response = self.HEAD + chunked(event(frame(1)))
        productions = []
        async with raw_client.stream(SYSTEM_ID, duration=30) as stream:
            async for live in stream:
                productions.append(live.production)
                clock.advance(30)
        assert productions == [1]

    async def test_a_stream_without_length_ends_with_its_connection(
        self, raw_client: EnphaseCloudClient, raw_server: RawServer
    ) -> None:
        raw_server.response = b"HTTP/1.1 200 OK\r\n\r\n" + event(frame(1))
        assert await read(raw_client) == ([1], 0)

    @pytest.mark.parametrize(
        "pauses", [[46], [44, 44, 33]], ids=["silence", "endlessness"]
    )
    async def test_a_stream_that_hangs_is_a_timeout(
        self,
        client: EnphaseCloudClient,
        cloud: FakeCloud,
        clock: Clock,
        pauses: list[int],
    ) -> None:
        wanted: asyncio.Queue[int | None] = asyncio.Queue()

        async def respond(request: web.Request) -> web.StreamResponse:
            response = await prepared(request)
            while (number := await wanted.get()) is not None:
                await response.write(event(frame(number)))
            return response

        cloud.script(respond)
        async with client.stream(SYSTEM_ID, duration=60) as stream:
            for number, pause in enumerate(pauses):
                wanted.put_nowait(number)
                assert (await anext(stream)).production == number
                clock.advance(pause)
            with pytest.raises(EnphaseTimeoutError):
                await anext(stream)
        wanted.put_nowait(None)

    async def test_leaving_early_closes_the_connection(
        self, client: EnphaseCloudClient, cloud: FakeCloud
    ) -> None:
        closed = asyncio.get_running_loop().create_future()

        async def respond(request: web.Request) -> web.StreamResponse:
            response = await prepared(request)
            await response.write(event(frame(1)))
            try:
                await asyncio.Event().wait()
            finally:
                closed.set_result(None)
            return response

        cloud.script(respond)
        async with client.stream(SYSTEM_ID, duration=30) as stream:
            await anext(stream)
            assert not closed.done()
        await closed


async def test_other_responses_leave_no_open_connection(
    client: EnphaseCloudClient, cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Its content never arrives; the client must not wait for it.
    monkeypatch.setattr(
        "custom_components.enphase_cloud.api.client._STREAM_IDLE_SECONDS", 0.2
    )
    closed = asyncio.get_running_loop().create_future()

    async def respond(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.content_type = "text/html"
        await response.prepare(request)
        try:
            await asyncio.Event().wait()
        finally:
            closed.set_result(None)
        return response

    cloud.script(respond)
    with pytest.raises(MalformedResponseError):
        await read(client)
    await closed


async def test_a_flood_of_frames_yields_to_other_tasks(
    client: EnphaseCloudClient, cloud: FakeCloud
) -> None:
    count = 20_000
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    cloud.script(streamed(b"".join(event(frame(number)) for number in range(count))))
    task = asyncio.create_task(other())
    longest = frames = 0
    async with client.stream(SYSTEM_ID, duration=30) as stream:
        turns_before = turns
        async for _ in stream:
            frames = frames + 1 if turns == turns_before else 1
            turns_before = turns
            longest = max(longest, frames)
    task.cancel()
    assert longest < 300


def chunked(data: bytes) -> bytes:
    """Return data as a chunk of a chunked transfer."""
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"
