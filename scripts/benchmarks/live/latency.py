"""The time from the bytes of a frame to the states of Home Assistant.

The rival is the least that Home Assistant needs to write the same states: a task that
is woken with the values, and writes each sensor for each frame, as Home Assistant's own
coordinator entities do. It reads no bytes and decides nothing.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
import gc
from statistics import median
import time
from types import SimpleNamespace
from typing import Any, Final, cast
from unittest.mock import Mock, patch

from aiohttp import ClientResponse
from aiohttp.base_protocol import BaseProtocol
from aiohttp.streams import StreamReader
from homeassistant.components.sensor import SensorEntity
from homeassistant.core import HomeAssistant, callback
from pytest_homeassistant_custom_component.common import MockEntityPlatform

from custom_components.enphase_cloud.api import EnphaseCloudClient, LiveStream
from custom_components.enphase_cloud.const import CONF_PUBLISH_INTERVAL
from custom_components.enphase_cloud.measurements.system import DeviceKind
from custom_components.enphase_cloud.sensor_tables import (
    MEASUREMENTS,
    MeasurementSensorDescription,
)
from simulator.live_frames import Payload
from tests.helpers import state

from ..report import table
from .home import Home, home, now, pass_time, record, settle

# Frame fields by the keys of the sensors.
FIELDS: Final = {
    "current_power_production": "pv_power",
    "current_power_consumption": "consumption_power",
    "net_consumption": "grid_power",
    "battery_discharge": "battery_power",
    "battery_level": "battery_soc",
    "battery_mode": "battery_mode",
    "grid_status": "grid_status",
}
# The sensors' states for words in frames.
_WORDS: Final = {"Self-consumption": "self_consumption", "On Grid": "on_grid"}
_BURSTS: Final = 12
_BURST_SECONDS: Final = 300
# A session ends after its time; its last seconds are not measured.
_FRAMES: Final = 290
_A_TURN: Final = 3

type _Writing = list[tuple[_PlainSensor, Any]]


async def measure() -> tuple[float, list[str]]:
    """Measure frame by frame, ours and Home Assistant alone in turns.

    Return the ratio of the times until the last changed state is written (ours over
    Home Assistant alone), and a report.
    """
    ours, alone = list[float](), list[float]()
    writings = asyncio.Queue[_Writing]()
    async with home(**{CONF_PUBLISH_INTERVAL: 0}) as at_home:
        sensors = await _add_sensors(at_home.hass)
        writer = asyncio.create_task(_write_alone(writings))
        for _ in range(_BURSTS):
            async with _open_stream(at_home) as body:
                begin = now() + timedelta(seconds=1)
                frames = record(at_home.system, begin=begin, seconds=_FRAMES)
                for number, (payload, sent) in enumerate(frames):
                    await pass_time(1)
                    values = _values(payload)
                    writing = [(sensors[key], values[key]) for key in sensors]
                    acts: list[tuple[list[float], Callable[[], object]]] = [
                        (ours, partial(body.feed_data, sent)),
                        (alone, partial(writings.put_nowait, writing)),
                    ]
                    for seconds, act in acts[:: 1 if number % 2 else -1]:
                        seconds.append(await _measure(act))
                    _assert_same_states(at_home, sensors)
        writer.cancel()
    ratio = median(ours) / median(alone)
    taken = {"Enphase Cloud": ours, "Home Assistant alone": alone}
    summary = (
        f"From bytes to states, {len(ours):,} frames one by one, the median:"
        f" {ratio:.2f} times Home Assistant alone"
    )
    rows = [(name, f"{median(each) * 1e6:,.1f} µs") for name, each in taken.items()]
    return ratio, [summary, *table(rows)]


async def _measure(act: Callable[[], object]) -> float:
    """Return the seconds until all work is done that an act has started."""
    began = time.perf_counter()
    act()
    # First finish work that was started before.
    await asyncio.sleep(0)
    seconds = time.perf_counter() - began
    await settle(_A_TURN)
    return seconds


class _PlainSensor(SensorEntity):
    """A sensor with our description that only holds a value."""

    _attr_has_entity_name = True
    _attr_should_poll = False

    def __init__(self, description: MeasurementSensorDescription) -> None:
        """Take a description."""
        self.entity_description = description
        self._attr_unique_id = f"alone_{description.key}"
        self._attr_name = f"alone {description.key}"

    @callback
    def write(self, value: Any) -> None:
        """Write a value."""
        self._attr_native_value = value
        self.async_write_ha_state()


async def _add_sensors(hass: HomeAssistant) -> dict[str, _PlainSensor]:
    """Add a sensor for each value that frames contain, by key."""
    sensors = {
        description.key: _PlainSensor(description)
        for description in MEASUREMENTS[DeviceKind.SYSTEM]
        if description.key in FIELDS
    }
    platform = MockEntityPlatform(hass, domain="sensor", platform_name="alone")
    platform.config_entry = None
    await platform.async_add_entities(sensors.values())
    return sensors


def _values(payload: Payload) -> dict[str, Any]:
    """Return the values of a frame to write."""
    values = {key: payload["data"][field] for key, field in FIELDS.items()}
    return {key: _WORDS.get(value, value) for key, value in values.items()}


async def _write_alone(writings: asyncio.Queue[_Writing]) -> None:
    """Write the given values each time it is woken."""
    while True:
        for sensor, value in await writings.get():
            sensor.write(value)


@asynccontextmanager
async def _open_stream(at_home: Home) -> AsyncGenerator[StreamReader]:
    """Run a live session; yield the reader of its body, without HTTP's framing."""
    loop = asyncio.get_running_loop()
    protocol = BaseProtocol(loop)
    protocol.connection_made(Mock(spec=asyncio.Transport))
    body = StreamReader(protocol, 2**16, loop=loop)
    response = cast("ClientResponse", SimpleNamespace(content=body, close=Mock()))

    @asynccontextmanager
    async def stream(*_: Any, **__: Any) -> AsyncGenerator[LiveStream]:
        system_id = at_home.system.system_id
        yield LiveStream(response, system_id=system_id, ends_at=loop.time())

    with patch.object(EnphaseCloudClient, "stream", stream):
        # Opening the stream waits for the first frame.
        ((_, first),) = record(at_home.system, begin=now(), seconds=1)
        body.feed_data(first)
        await at_home.bursts.async_request(timedelta(seconds=_BURST_SECONDS))
        gc.collect()
        gc.disable()
        try:
            yield body
        finally:
            gc.enable()
        body.feed_eof()
        await settle()


def _assert_same_states(at_home: Home, sensors: dict[str, _PlainSensor]) -> None:
    """Check that both have written the same states."""
    states = at_home.hass.states
    for key, sensor in sensors.items():
        ours = state(at_home.hass, at_home.entity_id(key))
        assert states.is_state(sensor.entity_id, ours), key
