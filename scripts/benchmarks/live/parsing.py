"""Bytes to server-sent events, beside the fastest library that does the same."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
import gc
import time
from typing import Final

import httpx
from httpx_sse import EventSource

from custom_components.enphase_cloud.api.sse import EVENT_END, EventDataReader
from simulator import Cloud
from tests.world import build

from .home import START, record

_FRAMES: Final = 3_000
_REPETITIONS: Final = 100
_KIBIBYTE: Final = 1024

type Chunks = Sequence[bytes]
type Reader = Callable[[Chunks], list[str]]


@dataclass(frozen=True, slots=True)
class Parsing:
    """Frames per second of both, for one way of cutting the stream."""

    cut: str
    ours: float
    httpx_sse: float

    @property
    def ratio(self) -> float:
        """Return how many times as fast as httpx-sse ours is."""
        return self.ours / self.httpx_sse


def measure() -> list[Parsing]:
    """Let both read the same chunks in turns, again and again; the best turn counts."""
    system = build(Cloud(lambda: START), plan="partner", battery=2).system
    frames = [each.encoded for each in record(system, begin=START, seconds=_FRAMES)]
    body = b"".join(frames)
    return [
        _compare("a frame at a time", frames),
        _compare("1 KiB at a time", _cut(body, _KIBIBYTE)),
        _compare("16 KiB at a time", _cut(body, 16 * _KIBIBYTE)),
    ]


def _cut(body: bytes, size: int) -> list[bytes]:
    return [body[begin : begin + size] for begin in range(0, len(body), size)]


def _compare(cut: str, chunks: Chunks) -> Parsing:
    readers: tuple[Reader, ...] = (_enphase_cloud, _httpx_sse)
    best = dict.fromkeys(readers, 0.0)
    gc.collect()
    gc.disable()
    for _ in range(_REPETITIONS):
        for read in readers:
            began = time.perf_counter()
            events = read(chunks)
            seconds = time.perf_counter() - began
            assert len(events) == _FRAMES, f"{read.__name__} read {len(events)} events"
            best[read] = max(best[read], len(events) / seconds)
    gc.enable()
    return Parsing(cut, *best.values())


def _enphase_cloud(chunks: Chunks) -> list[str]:
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


def _httpx_sse(chunks: Chunks) -> list[str]:
    """Read as users of httpx-sse do."""
    headers = {"content-type": "text/event-stream"}
    response = httpx.Response(200, headers=headers, content=iter(chunks))
    return [event.data for event in EventSource(response).iter_sse()]
