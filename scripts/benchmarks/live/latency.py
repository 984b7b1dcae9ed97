"""From the bytes of a frame to the states of Home Assistant."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
import gc
from statistics import median, quantiles
import time
from types import SimpleNamespace
from typing import Any, Final, cast
from unittest.mock import Mock, patch

from aiohttp import ClientResponse
from aiohttp.base_protocol import BaseProtocol
from aiohttp.streams import StreamReader

from custom_components.enphase_cloud.api import LiveStream
from custom_components.enphase_cloud.const import CONF_PUBLISH_INTERVAL

from .alone import Alone
from .home import Home, home, now, settle
from .recording import Recorded, record

_BURSTS: Final = 12
_BURST_SECONDS: Final = 300
# A burst ends when its time is over; its last seconds are not measured.
_FRAMES: Final = 290
_A_TURN: Final = 3


@dataclass(frozen=True, slots=True)
class Durations:
    """How long something took, frame by frame in each burst [s]."""

    bursts: list[list[float]] = field(default_factory=list)

    @property
    def median(self) -> float:
        """Return the median of all frames."""
        return median(seconds for burst in self.bursts for seconds in burst)

    @property
    def percentile_99(self) -> float:
        """Return the 99th percentile of the burst in which it was lowest.

        What else the machine does can only make it longer.
        """
        return min(quantiles(burst, n=100)[98] for burst in self.bursts)


@dataclass(frozen=True, slots=True)
class Latency:
    """The time until the last state that a frame changes is written."""

    frames: int
    ours: Durations
    alone: Durations
    """Home Assistant alone, writing each fed sensor for each frame."""
    least: Durations
    """Home Assistant alone, writing only what has changed."""

    @property
    def ratio(self) -> float:
        """Return how many times as long as Home Assistant alone ours takes."""
        return self.ours.median / self.alone.median


@dataclass(frozen=True, slots=True)
class Throughput:
    """What frames cost that follow one another without a pause."""

    frames_per_second: float
    cpu_per_frame: float
    """Seconds."""


async def measure_latency() -> Latency:
    """Measure frame by frame, ours and Home Assistant alone in turns."""
    rivals = (Alone("alone"), Alone("least", only_changed=True))
    taken = (Durations(), Durations(), Durations())
    async with home(**{CONF_PUBLISH_INTERVAL: 0}) as at_home:
        for rival in rivals:
            await rival.begin(at_home.hass)
        for _ in range(_BURSTS):
            async with _open_stream(at_home) as body:
                for durations in taken:
                    durations.bursts.append([])
                for number, frame in enumerate(_next_frames(at_home)):
                    await at_home.pass_time(1)
                    acts: list[Callable[[], object]] = [
                        partial(body.feed_data, frame.encoded),
                        *(
                            partial(rival.show, rival.prepare(frame.payload))
                            for rival in rivals
                        ),
                    ]
                    for turn in range(len(acts)):
                        which = (number + turn) % len(acts)
                        seconds = await _measure(acts[which])
                        taken[which].bursts[-1].append(seconds)
                    for rival in rivals:
                        _assert_same_states(at_home, rival)
        for rival in rivals:
            rival.end()
    return Latency(_BURSTS * _FRAMES, *taken)


async def measure_throughput(*, publish_interval: int) -> Throughput:
    """Measure frames one after the other; the best burst counts."""
    results = []
    async with home(**{CONF_PUBLISH_INTERVAL: publish_interval}) as at_home:
        for _ in range(_BURSTS):
            frames = _next_frames(at_home)
            async with _open_stream(at_home) as body:
                await at_home.pass_time(_FRAMES)
                began, began_cpu = time.perf_counter(), time.thread_time()
                for frame in frames:
                    body.feed_data(frame.encoded)
                    await settle(_A_TURN)
                seconds = time.perf_counter() - began
                cpu = time.thread_time() - began_cpu
                results.append(Throughput(_FRAMES / seconds, cpu / _FRAMES))
    return max(results, key=lambda result: result.frames_per_second)


async def _measure(act: Callable[[], object]) -> float:
    """Return the seconds until all is done that an act has woken."""
    began = time.perf_counter()
    act()
    # What was woken comes first.
    await asyncio.sleep(0)
    seconds = time.perf_counter() - began
    await settle(_A_TURN)
    return seconds


def _next_frames(at_home: Home) -> list[Recorded]:
    begin = now() + timedelta(seconds=1)
    return record(at_home.system, begin=begin, seconds=_FRAMES)


@asynccontextmanager
async def _open_stream(at_home: Home) -> AsyncGenerator[StreamReader]:
    """Run a burst; give where its bytes arrive, once HTTP has unpacked them."""
    loop = asyncio.get_running_loop()
    protocol = BaseProtocol(loop)
    protocol.connection_made(Mock(spec=asyncio.Transport))
    body = StreamReader(protocol, 2**16, loop=loop)
    response = cast("ClientResponse", SimpleNamespace(content=body, close=Mock()))

    @asynccontextmanager
    async def stream(*_: Any, **__: Any) -> AsyncGenerator[LiveStream]:
        yield LiveStream(
            response, system_id=at_home.system.system_id, ends_at=loop.time()
        )

    with patch.object(at_home.data.client, "stream", stream):
        await at_home.bursts.async_request(timedelta(seconds=_BURST_SECONDS))
        with _without_garbage_collection():
            yield body
        body.feed_eof()
        await settle()


@contextmanager
def _without_garbage_collection() -> Generator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _assert_same_states(at_home: Home, rival: Alone) -> None:
    """Make sure that both have written the same."""
    for key, sensor in rival.sensors.items():
        ours = at_home.hass.states.get(at_home.entity_id(key))
        theirs = at_home.hass.states.get(sensor.entity_id)
        assert ours is not None, key
        assert theirs is not None, key
        assert ours.state == theirs.state, key
