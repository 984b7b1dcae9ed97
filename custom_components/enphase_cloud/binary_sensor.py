"""Binary sensors of Enphase Cloud."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, override

# The device class has a module of its own since 2026.9; before, only this one.
from homeassistant.components.binary_sensor import (  # type: ignore[attr-defined]
    BinarySensorDeviceClass,
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .adding_entities import async_add_as_evidence_comes, async_add_in_batches
from .alarm_texts import alarm_details
from .api import BatteryOperation, DeviceStatus, EvChargerStatus
from .data import EnphaseCloudConfigEntry, EnphaseCloudData, EnphaseSystem
from .entity import EnphaseSystemEntity
from .gateway import is_reporting
from .measurements.catalog import Measurement
from .measurements.panel_history import PanelState
from .measurements.samples import Value
from .measurements.system import Device, DeviceKind

PARALLEL_UPDATES = 0

LIVE_STREAM = BinarySensorEntityDescription(
    key="live_stream",
    translation_key="live_stream",
    device_class=BinarySensorDeviceClass.RUNNING,
    entity_category=EntityCategory.DIAGNOSTIC,
)
REPORTING = BinarySensorEntityDescription(
    key="reporting",
    translation_key="reporting",
    device_class=BinarySensorDeviceClass.CONNECTIVITY,
    entity_category=EntityCategory.DIAGNOSTIC,
)


@dataclass(frozen=True, kw_only=True)
class MeasurementBinarySensorDescription(BinarySensorEntityDescription):
    """Describe a binary sensor that a measurement turns on."""

    measurement: Measurement
    is_on_fn: Callable[[Value], bool | None]
    # Another measurement that may turn it on.
    also: Measurement | None = None
    also_on_fn: Callable[[Value], bool] = bool
    details: tuple[Measurement, ...] = ()
    # Returns further attributes, which are not recorded.
    more_fn: Callable[[EnphaseCloudData, EnphaseSystem], dict[str, Any]] | None = None


def _is_problem(status: Value) -> bool | None:
    return DeviceStatus(str(status)).is_problem


def _is_plugged(status: Value) -> bool | None:
    """Return whether a car is plugged in; None if the charger is faulted."""
    if status == EvChargerStatus.FAULTED:
        return None
    return status != EvChargerStatus.PLUGGED_OUT


MEASUREMENTS: Final = {
    DeviceKind.SYSTEM: (
        MeasurementBinarySensorDescription(
            key="panel_problem",
            translation_key="panel_problem",
            device_class=BinarySensorDeviceClass.PROBLEM,
            measurement=Measurement.PANEL_PROBLEMS,
            is_on_fn=bool,
            details=(
                Measurement.PANEL_PROBLEMS,
                Measurement.DEAD_PANELS,
                Measurement.WEAK_PANELS,
            ),
        ),
        MeasurementBinarySensorDescription(
            key="alarm",
            translation_key="alarm",
            device_class=BinarySensorDeviceClass.PROBLEM,
            measurement=Measurement.OPEN_ALARMS,
            is_on_fn=bool,
            details=(Measurement.OPEN_ALARMS, Measurement.WORST_ALARM),
            more_fn=alarm_details,
        ),
        MeasurementBinarySensorDescription(
            key="charge_from_grid",
            translation_key="charge_from_grid",
            entity_category=EntityCategory.DIAGNOSTIC,
            measurement=Measurement.CHARGE_FROM_GRID,
            is_on_fn=bool,
        ),
        MeasurementBinarySensorDescription(
            key="storm_alert",
            translation_key="storm_alert",
            device_class=BinarySensorDeviceClass.SAFETY,
            measurement=Measurement.STORM_ALERT,
            is_on_fn=bool,
        ),
    ),
    DeviceKind.BATTERY: (
        MeasurementBinarySensorDescription(
            key="charging",
            device_class=BinarySensorDeviceClass.BATTERY_CHARGING,
            entity_registry_enabled_default=False,
            measurement=Measurement.OPERATIONAL_MODE,
            is_on_fn=lambda mode: mode == BatteryOperation.CHARGING,
        ),
    ),
    DeviceKind.CHARGER: (
        MeasurementBinarySensorDescription(
            key="plugged",
            device_class=BinarySensorDeviceClass.PLUG,
            measurement=Measurement.CHARGER_STATUS,
            is_on_fn=_is_plugged,
        ),
        MeasurementBinarySensorDescription(
            key="charging",
            device_class=BinarySensorDeviceClass.BATTERY_CHARGING,
            entity_registry_enabled_default=False,
            measurement=Measurement.CHARGER_STATUS,
            is_on_fn=lambda status: status == EvChargerStatus.CHARGING,
        ),
    ),
    DeviceKind.INVERTER: (
        MeasurementBinarySensorDescription(
            key="problem",
            device_class=BinarySensorDeviceClass.PROBLEM,
            entity_category=EntityCategory.DIAGNOSTIC,
            measurement=Measurement.DEVICE_STATUS,
            is_on_fn=_is_problem,
            also=Measurement.PANEL_STATE,
            also_on_fn=lambda state: state != PanelState.SOUND,
        ),
    ),
}


async def async_setup_entry(
    hass: HomeAssistant,
    entry: EnphaseCloudConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the binary sensors; some later, once the cloud reports their value."""
    for system in entry.runtime_data.systems:
        sensors: list[Entity] = [ReportingBinarySensor(entry, system, REPORTING)]
        if system.live is not None:
            sensors.append(LiveStreamBinarySensor(entry, system, LIVE_STREAM))
        await async_add_in_batches(async_add_entities, sensors)
    await async_add_as_evidence_comes(
        entry,
        async_add_entities,
        MEASUREMENTS,
        has_evidence=_has_evidence,
        create=partial(MeasurementBinarySensor, entry),
    )


def _has_evidence(
    system: EnphaseSystem,
    description: MeasurementBinarySensorDescription,
    device: Device,
) -> bool:
    known = system.board.newest(device)
    return not known.keys().isdisjoint({description.measurement, description.also})


class MeasurementBinarySensor(EnphaseSystemEntity, BinarySensorEntity):
    """Show whether the newest value of a measurement counts as on."""

    entity_description: MeasurementBinarySensorDescription
    _unrecorded_attributes = frozenset({"advice", "alarms"})

    @override
    def read(self) -> object:
        self._attr_is_on = self._is_reported_on()
        self._attr_available = self._system.can_show(self._attr_is_on)
        self._attr_extra_state_attributes = self._details()
        return self._attr_is_on, self._attr_available, self._attr_extra_state_attributes

    def _is_reported_on(self) -> bool | None:
        description = self.entity_description
        value = self._fresh(description.measurement)
        is_on = None if value is None else description.is_on_fn(value)
        if description.also is None or (also := self._fresh(description.also)) is None:
            return is_on
        return bool(is_on) or description.also_on_fn(also)

    def _details(self) -> dict[str, Any]:
        description = self.entity_description
        more = description.more_fn
        attributes: dict[str, Any] = {
            detail: value
            for detail in description.details
            if (value := self._fresh(detail)) is not None
        }
        return attributes | ({} if more is None else more(self._data, self._system))

    def _fresh(self, measurement: Measurement) -> Value | None:
        return self._system.fresh(measurement, self._device)


class ReportingBinarySensor(EnphaseSystemEntity, BinarySensorEntity):
    """Show whether the gateway reports on time."""

    @override
    def read(self) -> object:
        self._attr_is_on = is_reporting(self._data, self._system)
        self._attr_available = self._system.can_show(self._attr_is_on)
        return self._attr_is_on, self._attr_available


class LiveStreamBinarySensor(EnphaseSystemEntity, BinarySensorEntity):
    """Show whether live data is streaming."""

    @override
    def read(self) -> object:
        live_sessions = self._system.live_sessions
        self._attr_is_on = live_sessions is not None and live_sessions.is_running
        return self._attr_is_on
