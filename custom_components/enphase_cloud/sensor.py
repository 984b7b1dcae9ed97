"""Sensors of Enphase Cloud."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import PERCENTAGE, EntityCategory, UnitOfEnergy, UnitOfPower
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.typing import StateType
from homeassistant.util import dt as dt_util

from .account import Account
from .api import BatteryMode, GridStatus, SystemStatus
from .budget.ledger import ASSUMED
from .budget.schedule import Document
from .bursts import Bursts
from .const import DOMAIN
from .coordinator import DocumentCoordinator
from .data import EnphaseCloudConfigEntry, EnphaseSystem
from .entity import EnphaseAccountEntity, EnphaseSystemEntity
from .site.documents import energy_today, start_of_day
from .site.samples import Measurement, fresh_value

PARALLEL_UPDATES = 0


def _states(kind: type[BatteryMode | GridStatus | SystemStatus]) -> list[str]:
    return [member.value for member in kind if member.name != "UNKNOWN"]


@dataclass(frozen=True, kw_only=True)
class MeasurementSensorDescription(SensorEntityDescription):
    """Describe a sensor that shows a measurement of a system."""

    measurement: Measurement


def _power(
    key: str, measurement: Measurement, *, enabled: bool = True
) -> MeasurementSensorDescription:
    return MeasurementSensorDescription(
        key=key,
        translation_key=key,
        measurement=measurement,
        device_class=SensorDeviceClass.POWER,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=UnitOfPower.WATT,
        suggested_unit_of_measurement=UnitOfPower.KILO_WATT,
        suggested_display_precision=3,
        entity_registry_enabled_default=enabled,
    )


# Keys that Home Assistant's Enphase Envoy integration has too mean the same here.
MEASUREMENTS = (
    _power("current_power_production", Measurement.PRODUCTION_POWER),
    _power("current_power_consumption", Measurement.CONSUMPTION_POWER),
    _power("net_consumption", Measurement.GRID_POWER),
    _power("battery_discharge", Measurement.BATTERY_POWER),
    _power("generator_power", Measurement.GENERATOR_POWER),
    MeasurementSensorDescription(
        key="battery_level",
        measurement=Measurement.BATTERY_LEVEL,
        device_class=SensorDeviceClass.BATTERY,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=PERCENTAGE,
        suggested_display_precision=0,
    ),
    MeasurementSensorDescription(
        key="max_capacity",
        translation_key="max_capacity",
        measurement=Measurement.BATTERY_CAPACITY,
        device_class=SensorDeviceClass.ENERGY_STORAGE,
        native_unit_of_measurement=UnitOfEnergy.WATT_HOUR,
        suggested_unit_of_measurement=UnitOfEnergy.KILO_WATT_HOUR,
        suggested_display_precision=1,
        entity_category=EntityCategory.DIAGNOSTIC,
    ),
    MeasurementSensorDescription(
        key="battery_mode",
        translation_key="battery_mode",
        measurement=Measurement.BATTERY_MODE,
        device_class=SensorDeviceClass.ENUM,
        options=_states(BatteryMode),
    ),
    MeasurementSensorDescription(
        key="grid_status",
        translation_key="grid_status",
        measurement=Measurement.GRID_STATUS,
        device_class=SensorDeviceClass.ENUM,
        options=_states(GridStatus),
    ),
    MeasurementSensorDescription(
        key="lifetime_production",
        translation_key="lifetime_production",
        measurement=Measurement.ENERGY_PRODUCED_LIFETIME,
        device_class=SensorDeviceClass.ENERGY,
        state_class=SensorStateClass.TOTAL_INCREASING,
        native_unit_of_measurement=UnitOfEnergy.WATT_HOUR,
        suggested_unit_of_measurement=UnitOfEnergy.MEGA_WATT_HOUR,
        suggested_display_precision=3,
    ),
    MeasurementSensorDescription(
        key="system_status",
        translation_key="system_status",
        measurement=Measurement.SYSTEM_STATUS,
        device_class=SensorDeviceClass.ENUM,
        options=_states(SystemStatus),
        entity_category=EntityCategory.DIAGNOSTIC,
    ),
    MeasurementSensorDescription(
        key="last_reported",
        translation_key="last_reported",
        measurement=Measurement.LAST_REPORT,
        device_class=SensorDeviceClass.TIMESTAMP,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
    ),
)

ENERGY_TODAY = MeasurementSensorDescription(
    key="daily_production",
    translation_key="daily_production",
    measurement=Measurement.ENERGY_PRODUCED_TODAY,
    device_class=SensorDeviceClass.ENERGY,
    state_class=SensorStateClass.TOTAL,
    native_unit_of_measurement=UnitOfEnergy.WATT_HOUR,
    suggested_unit_of_measurement=UnitOfEnergy.KILO_WATT_HOUR,
    suggested_display_precision=2,
)

# By document; the keys are those of the coordinators' documents.
NEXT_POLLS = {
    document: SensorEntityDescription(
        key=f"next_poll_{document}",
        translation_key=f"next_poll_{document}",
        device_class=SensorDeviceClass.TIMESTAMP,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
    )
    for document in Document
}


@dataclass(frozen=True, kw_only=True)
class LiveSensorDescription(SensorEntityDescription):
    """Describe a sensor that shows a figure of the live streams."""

    value_fn: Callable[[Bursts], StateType | datetime]


LIVE = (
    LiveSensorDescription(
        key="live_stream_ends",
        translation_key="live_stream_ends",
        device_class=SensorDeviceClass.TIMESTAMP,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=lambda bursts: bursts.ends_at,
    ),
    LiveSensorDescription(
        key="live_streams_left",
        translation_key="live_streams_left",
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=lambda bursts: bursts.streams_left,
    ),
)


@dataclass(frozen=True, kw_only=True)
class AccountSensorDescription(SensorEntityDescription):
    """Describe a sensor that shows the budget."""

    value_fn: Callable[[Account, datetime], StateType | datetime]


ACCOUNT = (
    AccountSensorDescription(
        key="calls_used",
        translation_key="calls_used",
        state_class=SensorStateClass.TOTAL_INCREASING,
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=lambda account, now: (
            account.ledger.used(now) - account.ledger.by_operation(now).get(ASSUMED, 0)
        ),
    ),
    AccountSensorDescription(
        key="calls_left",
        translation_key="calls_left",
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=lambda account, now: account.ledger.left(now),
    ),
    AccountSensorDescription(
        key="calls_expected",
        translation_key="calls_expected",
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=lambda account, now: account.ledger.expected_at_period_end(now),
    ),
    AccountSensorDescription(
        key="calls_wasted",
        translation_key="calls_wasted",
        state_class=SensorStateClass.TOTAL_INCREASING,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=lambda account, now: account.ledger.wasted(now),
    ),
    AccountSensorDescription(
        key="calls_renewed",
        translation_key="calls_renewed",
        device_class=SensorDeviceClass.TIMESTAMP,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=lambda account, now: account.ledger.period_end(now),
    ),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: EnphaseCloudConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the sensors of each system; those with evidence later, as it comes."""
    for system in entry.runtime_data.systems:
        async_add_entities(
            AccountSensor(entry, system, description) for description in ACCOUNT
        )
        async_add_entities(
            NextPollSensor(entry, system, coordinator)
            for coordinator in system.documents
            if coordinator.is_active
        )
        if (bursts := system.bursts) is not None:
            async_add_entities(
                LiveSensor(entry, system, bursts, description) for description in LIVE
            )
        _add_as_evidence_comes(hass, entry, system, async_add_entities)


def _add_as_evidence_comes(
    hass: HomeAssistant,
    entry: EnphaseCloudConfigEntry,
    system: EnphaseSystem,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add a measurement's sensor once the system has been seen to have it."""
    registry = er.async_get(hass)
    added: set[str] = set()

    def has_evidence(description: MeasurementSensorDescription) -> bool:
        unique_id = f"{system.system_id}_{description.key}"
        return description.measurement in system.samples or bool(
            registry.async_get_entity_id("sensor", DOMAIN, unique_id)
        )

    @callback
    def add_new() -> None:
        new = [
            description
            for description in (*MEASUREMENTS, ENERGY_TODAY)
            if description.key not in added and has_evidence(description)
        ]
        if not new:
            return
        added.update(description.key for description in new)
        async_add_entities(
            (EnergyTodaySensor if description is ENERGY_TODAY else MeasurementSensor)(
                entry, system, description
            )
            for description in new
        )

    for coordinator in system.coordinators:
        entry.async_on_unload(coordinator.async_add_listener(add_new))
    add_new()


class MeasurementSensor(EnphaseSystemEntity, SensorEntity):
    """Show the newest value of a measurement, whatever its source."""

    entity_description: MeasurementSensorDescription

    def __init__(
        self,
        entry: EnphaseCloudConfigEntry,
        system: EnphaseSystem,
        description: MeasurementSensorDescription,
    ) -> None:
        """Show a measurement of a system."""
        super().__init__(entry, system, description)
        self._measurement = description.measurement

    @override
    def read(self) -> object:
        self._attr_native_value = self._value(dt_util.utcnow())
        # Unavailable is what has no value and nobody who could give one.
        self._attr_available = self._attr_native_value is not None or all(
            coordinator.last_update_success for coordinator in self._system.documents
        )
        return self._attr_native_value, self._attr_available

    def _value(self, now: datetime) -> StateType | datetime:
        """Return the value unless it is too old to be told."""
        value = fresh_value(
            self._system.samples,
            self.entity_description.measurement,
            now=now,
            cellular=self._system.cellular,
        )
        if self.device_class is SensorDeviceClass.TIMESTAMP and value is not None:
            return dt_util.utc_from_timestamp(float(value))
        return value


class EnergyTodaySensor(MeasurementSensor):
    """Show the energy produced since the system's midnight."""

    @override
    def read(self) -> object:
        self._attr_last_reset = start_of_day(dt_util.utcnow(), self._system.time_zone)
        return super().read(), self._attr_last_reset

    @override
    def _value(self, now: datetime) -> StateType | datetime:
        return energy_today(
            self._system.samples, now=now, time_zone=self._system.time_zone
        )


class NextPollSensor(EnphaseSystemEntity, SensorEntity):
    """Show when a document will be asked for."""

    def __init__(
        self,
        entry: EnphaseCloudConfigEntry,
        system: EnphaseSystem,
        coordinator: DocumentCoordinator,
    ) -> None:
        """Show the plan of a coordinator."""
        super().__init__(entry, system, NEXT_POLLS[coordinator.source.document])
        self._coordinator = coordinator

    @override
    def read(self) -> object:
        due = self._coordinator.next_poll()
        # To the minute, for it shifts with each call.
        self._attr_native_value = due and due.replace(second=0, microsecond=0)
        return self._attr_native_value


class LiveSensor(EnphaseSystemEntity, SensorEntity):
    """Show a figure of the live streams."""

    entity_description: LiveSensorDescription

    def __init__(
        self,
        entry: EnphaseCloudConfigEntry,
        system: EnphaseSystem,
        bursts: Bursts,
        description: LiveSensorDescription,
    ) -> None:
        """Show a figure of a system's bursts."""
        super().__init__(entry, system, description)
        self._bursts = bursts

    @override
    def read(self) -> object:
        self._attr_native_value = self.entity_description.value_fn(self._bursts)
        return self._attr_native_value


class AccountSensor(EnphaseAccountEntity, SensorEntity):
    """Show a figure of the budget."""

    entity_description: AccountSensorDescription

    @property
    @override
    def native_value(self) -> StateType | datetime:
        """Return the figure."""
        return self.entity_description.value_fn(self._data.account, dt_util.utcnow())
