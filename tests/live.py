"""Steps live data through a Home Assistant under a frozen clock."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import STATE_OFF, STATE_ON
from homeassistant.core import HomeAssistant
import pytest

from custom_components.enphase_cloud.const import DOMAIN

from .helpers import fire_timers, state
from .world import World

LIVE = "binary_sensor.hilltop_live_session"
PRODUCTION = "sensor.hilltop_production_power"
CONSUMPTION = "sensor.hilltop_consumption_power"
GRID = "sensor.hilltop_grid_power"
BATTERY = "sensor.hilltop_battery_power"
LEVEL = "sensor.hilltop_battery"
MODE = "sensor.hilltop_battery_mode"
GRID_STATUS = "sensor.hilltop_grid_status"
BUTTON_START = "button.hilltop_start_live_session"


async def until(condition: Callable[[], bool]) -> None:
    """Let the event loop work until something is so."""
    for _ in range(20_000):
        if condition():
            return
        await asyncio.sleep(0)
    pytest.fail("It did not come to that")


async def settle() -> None:
    """Let the event loop work off what is on its way over loopback."""
    for _ in range(50):
        await asyncio.sleep(0)


async def start(hass: HomeAssistant, **data: Any) -> Any:
    """Start a live session by the action."""
    return await hass.services.async_call(
        DOMAIN, "start_live_stream", data, blocking=True, return_response=True
    )


class Stepper:
    """Lets live streams go on by steps instead of seconds."""

    def __init__(self) -> None:
        """Begin with streams that wait."""
        self._waiting: list[asyncio.Future[None]] = []

    async def sleep(self, _seconds: float) -> None:
        """Wait for the next step."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        await future

    @property
    def is_waiting(self) -> bool:
        """Whether a stream waits for its next step."""
        return bool(self._waiting)

    def step(self) -> None:
        """Let all streams send their next frame."""
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)


class Burst:
    """Steps a burst second by second, with Home Assistant's clock."""

    def __init__(
        self,
        hass: HomeAssistant,
        world: World,
        stepper: Stepper,
        freezer: FrozenDateTimeFactory,
    ) -> None:
        """Drive the streams of a world."""
        self._hass = hass
        self._world = world
        self._stepper = stepper
        self._freezer = freezer

    async def second(self) -> None:
        """Let the time between two frames pass, a second at first."""
        await self.step(self._world.cloud.live_interval)

    async def step(self, seconds: float) -> None:
        """Let streams send what comes next, some time after what came last."""
        await until(lambda: self._stepper.is_waiting or self._is_over)
        self._freezer.tick(seconds)
        self._stepper.step()
        await until(lambda: self._stepper.is_waiting or self._is_over)
        await settle()
        fire_timers(self._hass)
        await asyncio.sleep(0)

    @property
    def has_ended(self) -> bool:
        """Whether the cloud has closed all its streams."""
        return all(stream.closed_at for stream in self._world.cloud.streams)

    @property
    def _is_over(self) -> bool:
        return self.has_ended and not self._hass.states.is_state(LIVE, STATE_ON)

    async def until_closed(self) -> None:
        """Let the cloud notice that nobody listens any more."""
        for _ in range(100):
            if not len(self._world.cloud.connections):
                return
            self._freezer.tick(0.1)
            fire_timers(self._hass)
            await settle()
        pytest.fail("A connection is still open")

    async def run(self) -> None:
        """Let it run to its end."""
        while not self.has_ended:
            await self.second()
        await until(lambda: state(self._hass, LIVE) == STATE_OFF)


def grid_of(frame: Any) -> float:
    """Return what the entity shows for a frame."""
    return round(frame.payload["data"]["grid_power"] / 1000, 3)


def truth_at(world: World, moment: datetime) -> dict[str, str]:
    """Return what entities that live data feeds show when they tell of a moment."""
    power = world.cloud.truth(world.system.system_id).power(moment)
    assert power.soc is not None
    return {
        PRODUCTION: str(power.production / 1000),
        CONSUMPTION: str(power.consumption / 1000),
        GRID: str(power.grid / 1000),
        BATTERY: str(power.battery / 1000),
        LEVEL: str(round(power.soc)),
        MODE: "self_consumption",
        GRID_STATUS: "on_grid" if power.on_grid else "off_grid",
    }
