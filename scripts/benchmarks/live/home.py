"""A Home Assistant beside a simulated cloud, on a clock that the benchmark moves."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final, override
from unittest.mock import patch

from aiohttp.typedefs import Middleware
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er, event as event_helper
from homeassistant.util import dt as dt_util

from custom_components.enphase_cloud.const import CONF_STREAMS_PER_MONTH, DOMAIN
from custom_components.enphase_cloud.coordinator.live_sessions import LiveSessions
from custom_components.enphase_cloud.runtime import key_budgets
from simulator import Cloud, System
from simulator.live_faults import event
from simulator.live_frames import Payload, Source
from tests.world import build, served

from ..home_assistant import PLENTY, home_with

# A summer morning: sun, load and battery change every second.
START: Final = datetime(2026, 6, 21, 7, 7, tzinfo=UTC)
# Rounds of the event loop.
_PATIENCE: Final = 100_000


class HandMovedLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock stands still until it is moved."""

    def __init__(self) -> None:
        """Begin at zero."""
        self._now = 0.0
        self.moment = START
        super().__init__()

    @override
    def time(self) -> float:
        """Return the seconds by which the clock was moved."""
        return self._now

    def move(self, seconds: float) -> None:
        """Move the clock; due callbacks run in the loop's next round."""
        self._now += seconds
        self.moment = START + timedelta(seconds=self._now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """The integration in a running Home Assistant, with one system."""

    hass: HomeAssistant
    cloud: Cloud
    system: System
    bursts: LiveSessions

    def entity_id(self, key: str) -> str:
        """Return the entity id of a sensor of the system."""
        registry = er.async_get(self.hass)
        unique_id = f"{self.system.system_id}_{key}"
        found = registry.async_get_entity_id("sensor", DOMAIN, unique_id)
        assert found is not None, key
        return found


def record(
    system: System, *, begin: datetime, seconds: int
) -> list[tuple[Payload, bytes]]:
    """Return a frame for each second, as an object and as sent bytes.

    Real meters are never quite constant, but the simulated battery keeps the grid at
    zero; so a few watts are added.
    """
    source = Source(system, lambda: begin)
    moments = (begin + timedelta(seconds=number) for number in range(seconds))
    payloads = [source.frame(moment) for moment in moments]
    for number, payload in enumerate(payloads):
        payload["data"]["grid_power"] += number % 9 - 4
    return [(payload, event(payload)) for payload in payloads]


async def pass_time(seconds: float) -> None:
    """Move the clock, and run what is due."""
    _loop().move(seconds)
    await settle()


async def settle(rounds: int = 25) -> None:
    """Let the loop do all ready work, including that over loopback."""
    for _ in range(rounds):
        await asyncio.sleep(0)


async def until(condition: Callable[[], bool]) -> None:
    """Run the loop until a condition holds."""
    for _ in range(_PATIENCE):
        if condition():
            return
        await asyncio.sleep(0)
    raise TimeoutError


def now() -> datetime:
    """Return the date and time of the loop's clock."""
    return _loop().moment


def _loop() -> HandMovedLoop:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, HandMovedLoop)
    return loop


@asynccontextmanager
async def home(*middlewares: Middleware, **options: Any) -> AsyncGenerator[Home]:
    """Set the integration up with some options, and a plan without limits.

    Requests pass some middlewares on their way to the simulated cloud.
    """
    loop = _loop()
    world = build(
        Cloud(now),
        plan="partner",
        name="Hilltop",
        battery=2,
        time_zone="Europe/Berlin",
        latitude=48.0,
    )
    options = {**PLENTY, CONF_STREAMS_PER_MONTH: 100_000, **options}
    with (
        # As fast as the functions that they replace.
        patch.object(dt_util, "utcnow", partial(getattr, loop, "moment")),
        patch.object(event_helper, "time_tracker_timestamp", lambda: now().timestamp()),
        patch.object(key_budgets, "_monotonic", loop.time),
    ):
        entry = world.entry(options=options)
        async with served(world, *middlewares), home_with(entry) as hass:
            assert await hass.config_entries.async_setup(entry.entry_id)
            await hass.async_block_till_done()
            yield Home(
                hass=hass,
                cloud=world.cloud,
                system=world.system,
                bursts=entry.runtime_data.systems[0].live_sessions,
            )
            await hass.config_entries.async_unload(entry.entry_id)
