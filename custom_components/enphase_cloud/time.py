"""Times of Enphase Cloud: between which a load has power."""

from dataclasses import dataclass
from datetime import time, timedelta
from typing import Final, override

from homeassistant.components.time import TimeEntity, TimeEntityDescription
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .data import EnphaseCloudConfigEntry
from .measurements.catalog import Measurement, Source
from .measurements.samples import Value
from .measurements.system import DeviceKind
from .settings_entities import (
    WHEN_QUIET,
    SettingDescription,
    SettingEntity,
    async_add_settings,
)

# The writer serializes requests, and writes only the last of several times.
PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class SettingTimeDescription(TimeEntityDescription, SettingDescription):
    """Describe a time of day."""


def _of_load(key: str, measurement: Measurement, field: str) -> SettingTimeDescription:
    return SettingTimeDescription(
        key=key,
        translation_key=key,
        entity_category=EntityCategory.CONFIG,
        source=Source.LOAD_CONTROL,
        measurement=measurement,
        field=field,
        quiet=WHEN_QUIET,
    )


TIMES: Final = {
    DeviceKind.LOAD: (
        _of_load("essential_start", Measurement.LOAD_START, "start"),
        _of_load("essential_end", Measurement.LOAD_END, "end"),
    ),
}


async def async_setup_entry(
    hass: HomeAssistant,
    entry: EnphaseCloudConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the times once the cloud reports their value."""
    await async_add_settings(entry, async_add_entities, TIMES, SettingTime)


class SettingTime(SettingEntity, TimeEntity):
    """A time of day in the time zone of the system."""

    entity_description: SettingTimeDescription

    @override
    def show(self, value: Value | None) -> None:
        self._attr_native_value = None if value is None else _time(int(value))

    @override
    async def async_set_value(self, value: time) -> None:
        await self.async_write((value.hour * 60 + value.minute) * 60 + value.second)


def _time(seconds: int) -> time:
    minutes, second = divmod(seconds, timedelta(minutes=1) // timedelta(seconds=1))
    hour, minute = divmod(minutes, timedelta(hours=1) // timedelta(minutes=1))
    return time(hour, minute, second)
