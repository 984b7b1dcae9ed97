"""Bytes to server-sent events, beside the libraries that do the same."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
import gc
import time
from types import SimpleNamespace
from typing import Any, Final, override
from unittest.mock import Mock

from aiohttp.base_protocol import BaseProtocol
from aiohttp.streams import StreamReader
from aiohttp_sse_client2.client import EventSource as AiohttpEventSource
import httpx
from httpx_sse import EventSource as HttpxEventSource
from yarl import URL

from custom_components.enphase_cloud.api.sse import EVENT_END, EventDataReader
from simulator import Cloud

from .home import record

_EVENT_STREAM: Final = "text/event-stream"
_ADDRESS: Final = "http://localhost/"
_FRAMES: Final = 3_000
_REPETITIONS: Final = 100
_KIBIBYTE: Final = 1024

type Chunks = Sequence[bytes]
# Makes ready, which is not measured, and returns what reads all events.
type Reader = Callable[[Chunks], Callable[[], Awaitable[list[str]]]]


@dataclass(frozen=True, slots=True)
class Parsing:
    """Frames per second of each reader, for one way of cutting the stream."""

    cut: str
    ours: float
    rivals: dict[str, float]

    @property
    def ratio(self) -> float:
        """Return how many times as fast as the fastest rival ours is."""
        return self.ours / max(self.rivals.values())


async def measure() -> list[Parsing]:
    """Let all read the same chunks in turns, again and again; the best turn counts."""
    begin = datetime(2026, 6, 21, 7, 7, tzinfo=UTC)
    cloud = Cloud(lambda: begin)
    owner = cloud.add_account(email="owner@example.com", password="secret")
    frames = [
        frame.encoded
        for frame in record(
            cloud.add_system(owner, battery=2), begin=begin, seconds=_FRAMES
        )
    ]
    body = b"".join(frames)
    return [
        await _compare("a frame at a time", frames),
        await _compare("1 KiB at a time", _cut(body, _KIBIBYTE)),
        await _compare("16 KiB at a time", _cut(body, 16 * _KIBIBYTE)),
    ]


def _cut(body: bytes, size: int) -> list[bytes]:
    return [body[begin : begin + size] for begin in range(0, len(body), size)]


async def _compare(cut: str, chunks: Chunks) -> Parsing:
    readers = {"ours": _enphase_cloud, **_RIVALS}
    best = dict.fromkeys(readers, 0.0)
    gc.collect()
    gc.disable()
    for _ in range(_REPETITIONS):
        for name, reader in readers.items():
            read = reader(chunks)
            began = time.perf_counter()
            events = await read()
            seconds = time.perf_counter() - began
            assert len(events) == _FRAMES, f"{name} read {len(events)} events"
            best[name] = max(best[name], len(events) / seconds)
    gc.enable()
    return Parsing(cut, best.pop("ours"), best)


def _enphase_cloud(chunks: Chunks) -> Callable[[], Awaitable[list[str]]]:
    async def read() -> list[str]:
        reader = EventDataReader()
        events: list[str] = []
        event: list[bytes] = []
        for chunk in chunks:
            for piece in reader.polled(chunk):
                if piece != EVENT_END:
                    event.append(piece)
                    continue
                events.append(b"".join(event).removesuffix(b"\n").decode())
                event = []
        return events

    return read


def _httpx_sse(chunks: Chunks) -> Callable[[], Awaitable[list[str]]]:
    """Read as users of httpx-sse do."""

    async def read() -> list[str]:
        response = httpx.Response(
            200, headers={"content-type": _EVENT_STREAM}, stream=_Body(chunks)
        )
        return [event.data for event in HttpxEventSource(response).iter_sse()]

    return read


def _aiohttp_sse_client2(chunks: Chunks) -> Callable[[], Awaitable[list[str]]]:
    """Read as users of aiohttp-sse-client2 do, what has arrived already."""
    loop = asyncio.get_running_loop()
    body = StreamReader(BaseProtocol(loop), sum(map(len, chunks)), loop=loop)
    for chunk in chunks:
        body.feed_data(chunk)

    async def read() -> list[str]:
        data: list[str] = []
        async with AiohttpEventSource(_ADDRESS, session=_Session(body)) as events:
            async for event in events:
                data.append(event.data)
                if len(data) == _FRAMES:
                    break
        return data

    return read


class _Body(httpx.SyncByteStream):
    """The chunks as the body of an answer."""

    def __init__(self, chunks: Chunks) -> None:
        self._chunks = chunks

    @override
    def __iter__(self) -> Iterator[bytes]:
        return iter(self._chunks)


class _Session:
    """Answers any request with a body."""

    def __init__(self, body: StreamReader) -> None:
        self._body = body

    async def request(self, *_: object, **__: object) -> Any:
        return SimpleNamespace(
            status=200,
            content_type=_EVENT_STREAM,
            content=self._body,
            real_url=URL(_ADDRESS),
            close=Mock(),
        )


_RIVALS: Final[dict[str, Reader]] = {
    "httpx-sse": _httpx_sse,
    "aiohttp-sse-client2": _aiohttp_sse_client2,
}
