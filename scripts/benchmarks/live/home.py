"""A Home Assistant beside a simulated cloud, on a clock that is moved by hand."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final, NamedTuple, override
from unittest.mock import patch

from aiohttp import web
from aiohttp.typedefs import Middleware
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er, event as event_helper
from homeassistant.util import dt as dt_util

from custom_components.enphase_cloud.const import (
    CONF_CALLS_PER_MINUTE,
    CONF_CALLS_PER_MONTH,
    CONF_LIVE_STREAM,
    CONF_PLAN,
    CONF_STREAMS_PER_MONTH,
    DOMAIN,
    PLAN_CUSTOM,
)
from custom_components.enphase_cloud.coordinator.live_sessions import LiveSessions
from custom_components.enphase_cloud.runtime import key_budgets
from simulator import Cloud, System
from simulator.live_faults import event
from simulator.live_frames import Payload, Source
from tests.world import build, served

from ..home_assistant import add_account, configuration, home_assistant

# A summer morning: sun, load and battery change every second.
_START: Final = datetime(2026, 6, 21, 7, 7, tzinfo=UTC)
# Turns of the event loop.
_PATIENCE: Final = 100_000
_PLENTY: Final = {
    CONF_PLAN: PLAN_CUSTOM,
    CONF_CALLS_PER_MINUTE: 10_000,
    CONF_CALLS_PER_MONTH: 10_000_000,
    CONF_LIVE_STREAM: True,
    CONF_STREAMS_PER_MONTH: 100_000,
}

type Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class HandMovedLoop(asyncio.SelectorEventLoop):
    """An event loop whose time stands still until it is moved."""

    def __init__(self) -> None:
        """Begin at zero."""
        self._now = 0.0
        self.moment = _START
        super().__init__()

    @override
    def time(self) -> float:
        """Return the seconds by which the loop was moved."""
        return self._now

    def move(self, seconds: float) -> None:
        """Let time pass; what is due then runs in the loop's next round."""
        self._now += seconds
        self.moment = _START + timedelta(seconds=self._now)


@dataclass(slots=True, kw_only=True)
class Home:
    """The integration in a running Home Assistant, with one system."""

    hass: HomeAssistant
    cloud: Cloud
    system: System
    answer: Answer | None = None
    """What answers requests for live data instead of the simulated cloud."""

    def entity_id(self, key: str) -> str:
        """Return the entity of a sensor of the system."""
        registry = er.async_get(self.hass)
        unique_id = f"{self.system.system_id}_{key}"
        found = registry.async_get_entity_id("sensor", DOMAIN, unique_id)
        assert found is not None, key
        return found

    @property
    def bursts(self) -> LiveSessions:
        """Return the live streams of the system."""
        (entry,) = self.hass.config_entries.async_entries(DOMAIN)
        bursts: LiveSessions = entry.runtime_data.systems[0].live_sessions
        return bursts

    @property
    def answer_instead(self) -> Middleware:
        """Return what lets `answer` take the place of the simulated cloud."""

        @web.middleware
        async def answer(request: web.Request, handler: Answer) -> web.StreamResponse:
            if self.answer is not None and request.path.endswith("/live_data"):
                return await self.answer(request)
            return await handler(request)

        return answer

    async def pass_time(self, seconds: float) -> None:
        """Let time pass, and what is due then happen."""
        loop = asyncio.get_running_loop()
        assert isinstance(loop, HandMovedLoop)
        loop.move(seconds)
        await settle()


class Recorded(NamedTuple):
    """A frame of the simulator, and how it is sent."""

    payload: Payload
    encoded: bytes


def record(system: System, *, begin: datetime, seconds: int) -> list[Recorded]:
    """Return a frame for each second.

    Meters are never quite still, while the simulator's grid is where the battery takes
    it all; so a few watts flow.
    """
    source = Source(system, lambda: begin)
    frames = []
    for second in range(seconds):
        payload = source.frame(begin + timedelta(seconds=second))
        payload["data"]["grid_power"] += second % 9 - 4
        frames.append(Recorded(payload, event(payload)))
    return frames


async def settle(rounds: int = 25) -> None:
    """Let the loop work off what is ready, over loopback, too."""
    for _ in range(rounds):
        await asyncio.sleep(0)


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop work until something is so."""
    for _ in range(_PATIENCE):
        if condition():
            return
        await asyncio.sleep(0)
    raise TimeoutError


def now() -> datetime:
    """Return the moment that the loop's time stands for."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, HandMovedLoop)
    return loop.moment


def _timestamp() -> float:
    return now().timestamp()


@asynccontextmanager
async def home(**options: Any) -> AsyncGenerator[Home]:
    """Set the integration up with some options, and a plan that allows anything."""
    loop = asyncio.get_running_loop()
    world = build(
        Cloud(now),
        plan="partner",
        name="Hilltop",
        battery=2,
        time_zone="Europe/Berlin",
        latitude=48.0,
    )
    with (
        configuration() as folder,
        # As quick as the functions they replace.
        patch.object(dt_util, "utcnow", partial(getattr, loop, "moment")),
        patch.object(event_helper, "time_tracker_timestamp", _timestamp),
        patch.object(key_budgets, "_monotonic", loop.time),
    ):
        async with home_assistant(folder) as hass:
            at_home = Home(hass=hass, cloud=world.cloud, system=world.system)
            async with served(world, at_home.answer_instead):
                entry = world.entry(options={**_PLENTY, **options})
                await add_account(hass, entry)
                assert await hass.config_entries.async_setup(entry.entry_id)
                await hass.async_block_till_done()
                yield at_home
                await hass.config_entries.async_unload(entry.entry_id)
