"""Base classes of the entities: their device, and when they write state."""

from abc import abstractmethod
from collections.abc import Mapping
from datetime import datetime
from typing import Any, override

from homeassistant.components.event import EventEntity
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, CoreState, HomeAssistant, callback
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity import Entity, EntityDescription
from homeassistant.helpers.event import async_call_later
from homeassistant.helpers.start import async_at_started

from .data import (
    EnphaseCloudConfigEntry,
    EnphaseSystem,
    account_identifier,
    device_identifier,
)
from .measurements.catalog import Measurement
from .measurements.system import SYSTEM, Device

type News = list[tuple[str, Mapping[str, Any]]]
"""Event types, each with its attributes."""


class _NamedEntity(Entity):
    """An entity that is named after its device."""

    _attr_has_entity_name = True
    _attr_should_poll = False


class _NewsEntity(_NamedEntity):
    """An entity that writes its state only when it has changed."""

    _shown: object = None

    @abstractmethod
    def read(self) -> object:
        """Set the attributes; return a value that changes whenever the state does."""

    @callback
    def _async_on_news(self) -> None:
        shown = self.read()
        if shown != self._shown:
            self._shown = shown
            self.async_write_ha_state()


class EnphaseCloudEntity(_NamedEntity):
    """An entity of a system."""

    # Called after the entity registry has dropped the entity.
    on_dropped: CALLBACK_TYPE | None = None

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

    @override
    async def async_removed_from_registry(self) -> None:
        """Let the entity be added again."""
        if self.on_dropped is not None:
            self.on_dropped()


def unique_id(system_id: int, key: str, device: Device = SYSTEM) -> str:
    """Return the unique id of an entity."""
    if device == SYSTEM:
        return f"{system_id}_{key}"
    return f"{system_id}_{device.kind}_{device.identifier}_{key}"


class EnphaseSystemEntity(EnphaseCloudEntity, _NewsEntity):
    """An entity that shows values from polls and live streams of a system."""

    # What frames of live data change; None where they change nothing.
    _measurement: Measurement | None = None

    @override
    async def async_added_to_hass(self) -> None:
        """Listen to all coordinators of the system."""
        await super().async_added_to_hass()
        for coordinator in self._system.coordinators:
            self.async_on_remove(
                coordinator.async_add_listener(self._async_on_news, self._measurement)
            )
        self._shown = self.read()


class EnphaseEventEntity(EnphaseCloudEntity, EventEntity):
    """An event entity that fires once for what a response shows."""

    @abstractmethod
    def take_news(self) -> News:
        """Return what has not fired yet, and keep that it has now."""

    @override
    async def async_added_to_hass(self) -> None:
        """Listen to polls; fire for what is stored but has not fired yet."""
        await super().async_added_to_hass()
        for coordinator in self._system.documents:
            self.async_on_remove(coordinator.async_add_listener(self._async_fire))
        self.async_on_remove(async_at_started(self.hass, self._async_begin))

    @callback
    def _async_begin(self, _hass: HomeAssistant) -> None:
        """Fire for earlier news, once the entity has a state.

        State triggers ignore the change from no state.
        """
        self.async_on_remove(async_call_later(self.hass, 0, self._async_fire))

    @callback
    def _async_fire(self, _now: datetime | None = None) -> None:
        if self.hass.state is not CoreState.running:
            # No automation runs yet; it fires once Home Assistant has started.
            return
        for event_type, attributes in self.take_news():
            self._trigger_event(event_type, dict(attributes))
            self.async_write_ha_state()


class EnphaseAccountEntity(_NewsEntity):
    """An entity of an account that shows the budget of its API key."""

    def __init__(
        self, entry: EnphaseCloudConfigEntry, description: EntityDescription
    ) -> None:
        """Put the entity on the device of the account."""
        self.entity_description = description
        self._data = entry.runtime_data
        self._attr_unique_id = account_unique_id(entry, description.key)
        self._attr_device_info = DeviceInfo(identifiers={account_identifier(entry)})

    @override
    async def async_added_to_hass(self) -> None:
        """Listen to the budget."""
        await super().async_added_to_hass()
        self.async_on_remove(self._data.budget.async_add_listener(self._async_on_news))
        self._shown = self.read()


def account_unique_id(entry: ConfigEntry[Any], key: str) -> str:
    """Return the unique id of an entity of an account."""
    _, identifier = account_identifier(entry)
    return f"{identifier}_{key}"
