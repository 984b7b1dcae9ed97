"""Memory that live sessions leave behind."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
import gc
from http import HTTPStatus
from itertools import cycle, islice
import tracemalloc
from typing import Final, Literal

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler
from homeassistant.exceptions import HomeAssistantError

from simulator import System

from .home import Home, home, now, pass_time, record, until

BURSTS: Final = 10_000
# The number of sessions that fill caches and pools before the comparison.
_WARMING_UP: Final = 500
_LENGTH: Final = timedelta(seconds=30)
_FRAMES: Final = 3
_ERROR: Final = b'data: {"error": {"code": 551}}\n\n'
_MIB: Final = 1024 * 1024

type Kind = Literal["whole", "broken", "failing", "refused", "stopped"]

_KINDS: Final[tuple[Kind, ...]] = (
    *("whole", "broken", "whole", "failing"),
    *("whole", "refused", "whole", "stopped"),
)


async def measure() -> tuple[float, list[str]]:
    """Run sessions of all kinds over loopback, one after the other.

    Return the growth of Python's memory [MiB], and a report.
    """
    kinds, cloud = cycle(_KINDS), _Cloud()
    async with home(web.middleware(partial(_Cloud.respond, cloud))) as at_home:
        await cloud.stream_to(at_home, islice(kinds, _WARMING_UP))
        tracemalloc.start()
        await cloud.stream_to(at_home, islice(kinds, _WARMING_UP))
        before = _held()
        await cloud.stream_to(at_home, islice(kinds, BURSTS))
        growth = (_held() - before) / _MIB
        tracemalloc.stop()
    return growth, [f"Memory after {BURSTS:,} live sessions: {growth:+.3f} MiB"]


def _held() -> int:
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


@dataclass(slots=True)
class _Cloud:
    """Responds to requests for live data instead of the simulated cloud."""

    kind: Kind = "whole"
    system: System | None = None

    async def stream_to(self, at_home: Home, kinds: Iterable[Kind]) -> None:
        """Run live sessions, one after the other."""
        bursts, self.system = at_home.bursts, at_home.system
        for self.kind in kinds:
            with suppress(HomeAssistantError):
                await bursts.async_request(_LENGTH)
            if self.kind == "stopped":
                await bursts.async_stop()
            await until(lambda: not bursts.is_running)
            await pass_time(1)

    async def respond(
        self, request: web.Request, handler: Handler
    ) -> web.StreamResponse:
        """Stream a few frames, or an error in their place."""
        if self.system is None or not request.path.endswith("/live_data"):
            return await handler(request)
        if self.kind == "refused":
            return web.Response(status=HTTPStatus.INTERNAL_SERVER_ERROR)
        response = web.StreamResponse(headers={hdrs.CONTENT_TYPE: "text/event-stream"})
        await response.prepare(request)
        begin = now() - timedelta(seconds=_FRAMES)
        frames = record(self.system, begin=begin, seconds=_FRAMES)
        with suppress(ConnectionResetError):
            for _, frame in frames:
                await response.write(frame)
            await self._end(request, response, frame)
        return response

    async def _end(
        self, request: web.Request, response: web.StreamResponse, frame: bytes
    ) -> None:
        match self.kind:
            case "broken":
                await response.write(frame[:40])
                if request.transport is not None:
                    request.transport.abort()
            case "failing":
                await response.write(_ERROR)
            case "stopped":
                await until(
                    lambda: request.transport is None or request.transport.is_closing()
                )
