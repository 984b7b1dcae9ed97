"""Base of the entities that write a setting and report the result."""

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, Final, override

from homeassistant.const import ATTR_ENTITY_ID
from homeassistant.core import Context, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity import EntityDescription
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .adding_entities import async_add_as_evidence_comes
from .api.models import BatteryMode
from .const import EVENT_SETTING
from .coordinator.settings_writer import AT_ONCE
from .data import EnphaseCloudConfigEntry, EnphaseSystem
from .entity import EnphaseSystemEntity
from .measurements.catalog import Measurement, Source
from .measurements.samples import Value
from .measurements.system import SYSTEM, Device, DeviceKind

WHEN_QUIET: Final = timedelta(seconds=5)
"""How long a number or a time waits for another one, which then counts instead."""

_OF_BATTERY: Final = (Source.BATTERY_SETTINGS, Source.STORM_GUARD)


@dataclass(frozen=True, kw_only=True)
class SettingDescription(EntityDescription):
    """Describe an entity that shows a measurement, and writes a field of its source.

    With `only_in`, it is available only in that mode of the battery.
    """

    source: Source
    measurement: Measurement
    field: str
    quiet: timedelta = AT_ONCE
    only_in: BatteryMode | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _Write:
    """A value that was written and is not read back yet."""

    value: Value
    context: Context | None


class SettingEntity(EnphaseSystemEntity):
    """An entity that shows a setting of the cloud, and writes it."""

    entity_description: SettingDescription

    def __init__(
        self,
        entry: EnphaseCloudConfigEntry,
        system: EnphaseSystem,
        description: SettingDescription,
        device: Device = SYSTEM,
    ) -> None:
        """Initialize without a pending write."""
        super().__init__(entry, system, description, device)
        self._source = description.source
        self._writer = system.settings[self._source]
        if self._source in _OF_BATTERY:
            # Live frames also report when a utility program controls the battery.
            self._measurement = Measurement.BATTERY_MODE
        # The last write, and the last one that the cloud accepted.
        self._newest: _Write | None = None
        self._accepted: _Write | None = None

    @abstractmethod
    def show(self, value: Value | None) -> None:
        """Set the attributes of the platform to a value."""

    @override
    def read(self) -> object:
        value = self._value
        self._attr_available = value is not None and self._is_usable
        self._attr_assumed_state = self._writer.is_unconfirmed(self._device.identifier)
        if self._source in _OF_BATTERY:
            self._attr_extra_state_attributes = {
                "grid_services_event": self._is_in_event
            }
        self.show(value)
        return (
            value,
            self._attr_available,
            self._attr_assumed_state,
            self._is_in_event,
        )

    @property
    def _value(self) -> Value | None:
        return self._system.fresh(self.entity_description.measurement, self._device)

    @property
    def _is_usable(self) -> bool:
        store, only_in = self._system.store, self.entity_description.only_in
        if self._source in store.refusals or not store.is_visible:
            return False
        return only_in is None or only_in == self._system.fresh(
            Measurement.STORAGE_MODE
        )

    @property
    def _is_in_event(self) -> bool:
        """Whether a utility program overrides the settings of the battery."""
        modes = (Measurement.STORAGE_MODE, Measurement.BATTERY_MODE)
        return BatteryMode.GRID_SERVICES in map(self._system.fresh, modes)

    async def async_write(self, value: Value) -> None:
        """Write a value; raises HomeAssistantError if the cloud refuses it."""
        description = self.entity_description
        write = self._newest = _Write(value, self._context)
        try:
            await self._writer.async_set(
                {description.field: value},
                self._device.identifier,
                quiet=description.quiet,
            )
        except HomeAssistantError as err:
            self._report(write, "failed", reason=str(err))
            raise
        # A newer write replaced this one before it left: report nothing.
        if self._newest is write:
            self._report(write, "accepted")
            self._accepted = write

    @callback
    @override
    def _async_on_news(self) -> None:
        super()._async_on_news()
        self._report_effect()
        registry = er.async_get(self.hass)
        is_absent = self._system.board.evidence_of(self._source).is_absent
        if is_absent and registry.async_get(self.entity_id) is not None:
            # The system no longer has this setting.
            registry.async_remove(self.entity_id)

    def _report_effect(self) -> None:
        """Report whether the accepted value is in effect, after the read-back."""
        write = self._accepted
        if write is None or self._writer.is_unconfirmed(self._device.identifier):
            return
        self._accepted = None
        is_there = self._value == write.value
        self._report(write, "confirmed" if is_there else "different")

    def _report(self, write: _Write, result: str, **more: Any) -> None:
        """Fire the event that the logbook shows."""
        data: dict[str, Any] = {
            ATTR_ENTITY_ID: self.entity_id,
            "value": write.value,
            "result": result,
            "grid_services_event": self._is_in_event,
            **more,
        }
        self.hass.bus.async_fire(EVENT_SETTING, data, context=write.context)


async def async_add_settings[DescriptionT: SettingDescription](
    entry: EnphaseCloudConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
    table: Mapping[DeviceKind, Iterable[DescriptionT]],
    kind: type[SettingEntity],
) -> None:
    """Add the entities of a table once the cloud reports their value."""
    await async_add_as_evidence_comes(
        entry,
        async_add_entities,
        table,
        has_evidence=_has_evidence,
        create=partial(kind, entry),
    )


def _has_evidence(
    system: EnphaseSystem, description: SettingDescription, device: Device
) -> bool:
    reported = system.board.samples(description.source, device)
    return description.source in system.settings and description.measurement in reported
