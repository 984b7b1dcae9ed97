"""From bytes to server-sent events, against the fastest library for them."""

from collections.abc import Sequence
import gc
import time
from typing import Final

import httpx
from httpx_sse import EventSource

from custom_components.enphase_cloud.api.sse import EVENT_END, EventDataReader
from simulator import Cloud
from tests.world import build

from ..report import table
from .home import START, record

_FRAMES: Final = 3_000
_REPETITIONS: Final = 100
_KIBIBYTE: Final = 1024

type Chunks = Sequence[bytes]


def measure() -> tuple[float, list[str]]:
    """Parse the same chunks with both in turns; the best turn counts.

    Return the worst ratio of our speed to httpx-sse's, and a report.
    """
    system = build(Cloud(lambda: START), plan="partner", battery=2).system
    frames = [sent for _, sent in record(system, begin=START, seconds=_FRAMES)]
    body = b"".join(frames)
    ways = {
        "a frame at a time": frames,
        "1 KiB at a time": _cut(body, _KIBIBYTE),
        "16 KiB at a time": _cut(body, 16 * _KIBIBYTE),
    }
    ratios = []
    lines = ["From bytes to events, frames per second, the best of many turns"]
    for cut, chunks in ways.items():
        best = _best_of_both(chunks)
        ours, theirs = best.values()
        ratios.append(ours / theirs)
        lines.append(f"  {cut}: {ours / theirs:.2f} times httpx-sse")
        lines += table([(name, f"{rate:,.0f}") for name, rate in best.items()])
    return min(ratios), lines


def _cut(body: bytes, size: int) -> list[bytes]:
    return [body[begin : begin + size] for begin in range(0, len(body), size)]


def _best_of_both(chunks: Chunks) -> dict[str, float]:
    """Return the frames per second of ours and of the library."""
    readers = {"Enphase Cloud": _enphase_cloud, "httpx-sse": _httpx_sse}
    best = dict.fromkeys(readers, 0.0)
    gc.collect()
    gc.disable()
    for _ in range(_REPETITIONS):
        for name, read in readers.items():
            began = time.perf_counter()
            events = read(chunks)
            seconds = time.perf_counter() - began
            assert len(events) == _FRAMES, f"{name} read {len(events)} events"
            best[name] = max(best[name], len(events) / seconds)
    gc.enable()
    return best


def _enphase_cloud(chunks: Chunks) -> list[str]:
    reader = EventDataReader()
    events: list[str] = []
    event: list[bytes] = []
    for chunk in chunks:
        for piece in reader.feed(chunk):
            if piece != EVENT_END:
                event.append(piece)
                continue
            events.append(b"".join(event).removesuffix(b"\n").decode())
            event = []
    return events


def _httpx_sse(chunks: Chunks) -> list[str]:
    """Parse as users of httpx-sse do."""
    headers = {"content-type": "text/event-stream"}
    response = httpx.Response(200, headers=headers, content=iter(chunks))
    return [event.data for event in EventSource(response).iter_sse()]
