"""Binary sensors of Enphase Cloud."""

from typing import override

# The device class lives in a module of its own since 2026.9; before, only here.
from homeassistant.components.binary_sensor import (  # type: ignore[attr-defined]
    BinarySensorDeviceClass,
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .data import EnphaseCloudConfigEntry
from .entity import EnphaseSystemEntity

PARALLEL_UPDATES = 0

LIVE_STREAM = BinarySensorEntityDescription(
    key="live_stream",
    translation_key="live_stream",
    device_class=BinarySensorDeviceClass.RUNNING,
    entity_category=EntityCategory.DIAGNOSTIC,
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: EnphaseCloudConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add a binary sensor for each system that can stream."""
    async_add_entities(
        LiveStreamBinarySensor(entry, system, LIVE_STREAM)
        for system in entry.runtime_data.systems
        if system.live is not None
    )


class LiveStreamBinarySensor(EnphaseSystemEntity, BinarySensorEntity):
    """Tell whether live data is streaming."""

    @override
    def read(self) -> object:
        live_sessions = self._system.live_sessions
        self._attr_is_on = live_sessions is not None and live_sessions.is_running
        return self._attr_is_on
