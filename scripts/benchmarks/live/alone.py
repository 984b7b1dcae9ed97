"""What Home Assistant alone needs to write the states that live frames feed."""

import asyncio
from typing import Any, Final

from homeassistant.components.sensor import SensorEntity
from homeassistant.core import HomeAssistant, callback
from pytest_homeassistant_custom_component.common import MockEntityPlatform

from custom_components.enphase_cloud.sensor import (
    MEASUREMENTS,
    MeasurementSensorDescription,
)
from simulator.live_frames import Payload

# What a frame tells, by the keys of the sensors.
FIELDS: Final = {
    "current_power_production": "pv_power",
    "current_power_consumption": "consumption_power",
    "net_consumption": "grid_power",
    "battery_discharge": "battery_power",
    "battery_level": "battery_soc",
    "battery_mode": "battery_mode",
    "grid_status": "grid_status",
}
# How the sensors name what frames tell in words.
_WORDS: Final = {"Self-consumption": "self_consumption", "On Grid": "on_grid"}

type _Writing = list[tuple[PlainSensor, Any]]


class PlainSensor(SensorEntity):
    """A sensor that is described as ours is, and only holds a value."""

    _attr_has_entity_name = True
    _attr_should_poll = False

    def __init__(self, description: MeasurementSensorDescription, owner: str) -> None:
        """Take a description."""
        self.entity_description = description
        self._attr_unique_id = f"{owner}_{description.key}"
        self._attr_name = f"{owner} {description.key}"

    @callback
    def write(self, value: Any) -> None:
        """Show a value."""
        self._attr_native_value = value
        self.async_write_ha_state()


class Alone:
    """A task that is woken with the values in hand, and writes them.

    It reads no bytes and decides nothing. As a rule it writes each sensor for each
    frame, as Home Assistant's own coordinator entities do; `only_changed` is the least
    that anything could do.
    """

    def __init__(self, name: str, *, only_changed: bool = False) -> None:
        """Begin without sensors; `begin` adds them."""
        self.sensors = {
            description.key: PlainSensor(description, name)
            for description in MEASUREMENTS
            if description.key in FIELDS
        }
        self._name = name
        self._only_changed = only_changed
        self._writings: asyncio.Queue[_Writing] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    async def begin(self, hass: HomeAssistant) -> None:
        """Add a sensor for all that frames feed."""
        platform = MockEntityPlatform(hass, domain="sensor", platform_name=self._name)
        platform.config_entry = None
        await platform.async_add_entities(self.sensors.values())
        self._task = asyncio.create_task(self._run())

    def end(self) -> None:
        """End the task."""
        if self._task is not None:
            self._task.cancel()

    def prepare(self, payload: Payload) -> _Writing:
        """Return what there is to write for a frame."""
        values = {
            sensor: _word(payload["data"][FIELDS[key]])
            for key, sensor in self.sensors.items()
        }
        return [
            (sensor, value)
            for sensor, value in values.items()
            if not self._only_changed or sensor.native_value != value
        ]

    def show(self, writing: _Writing) -> None:
        """Wake the task."""
        self._writings.put_nowait(writing)

    async def _run(self) -> None:
        while True:
            for sensor, value in await self._writings.get():
                sensor.write(value)


def _word(value: Any) -> Any:
    return _WORDS.get(value, value) if isinstance(value, str) else value
