"""Base of the entities: one device per system, state written only when it changes."""

from abc import abstractmethod
from typing import override

from homeassistant.core import callback
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity import Entity, EntityDescription

from .data import EnphaseCloudConfigEntry, EnphaseSystem, device_identifier
from .measurements.catalog import Measurement
from .measurements.system import SYSTEM, Device


class EnphaseCloudEntity(Entity):
    """An entity of a system."""

    _attr_has_entity_name = True
    _attr_should_poll = False

    def __init__(
        self,
        entry: EnphaseCloudConfigEntry,
        system: EnphaseSystem,
        description: EntityDescription,
        device: Device = SYSTEM,
    ) -> None:
        """Put the entity on its device."""
        self.entity_description = description
        self._data = entry.runtime_data
        self._system = system
        self._device = device
        self._attr_unique_id = unique_id(system.info.system_id, description.key, device)
        self._attr_device_info = DeviceInfo(
            identifiers={device_identifier(system.info.system_id, device)}
        )


def unique_id(system_id: int, key: str, device: Device = SYSTEM) -> str:
    """Return the unique id of an entity."""
    if device == SYSTEM:
        return f"{system_id}_{key}"
    return f"{system_id}_{device.kind}_{device.identifier}_{key}"


class EnphaseSystemEntity(EnphaseCloudEntity):
    """An entity that shows what polls and live streams say about a system."""

    # What frames of live data change; None where they change nothing.
    _measurement: Measurement | None = None
    _shown: object = None

    @abstractmethod
    def read(self) -> object:
        """Set the attributes to what is known; return all that the state depends on."""

    @override
    async def async_added_to_hass(self) -> None:
        """Listen to all that knows something about the system."""
        await super().async_added_to_hass()
        for coordinator in self._system.coordinators:
            self.async_on_remove(
                coordinator.async_add_listener(self._async_on_news, self._measurement)
            )
        self._shown = self.read()

    @callback
    def _async_on_news(self) -> None:
        shown = self.read()
        if shown != self._shown:
            self._shown = shown
            self.async_write_ha_state()


class EnphaseBudgetEntity(EnphaseCloudEntity):
    """An entity that shows the budget."""

    @override
    async def async_added_to_hass(self) -> None:
        """Listen to the budget."""
        await super().async_added_to_hass()
        self.async_on_remove(
            self._data.budget.async_add_listener(self.async_write_ha_state)
        )
