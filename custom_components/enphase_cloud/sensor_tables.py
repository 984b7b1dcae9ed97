"""Tables of the sensors."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import PERCENTAGE, EntityCategory, UnitOfEnergy, UnitOfPower
from homeassistant.helpers.typing import StateType

from .account import Account
from .api import BatteryMode, GridStatus, SystemStatus
from .budget.ledger import ASSUMED
from .budget.schedule import Document
from .bursts import Bursts
from .metering import EnergyCoordinator
from .site.samples import Measurement


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


def _lifetime_energy(
    key: str, measurement: Measurement
) -> MeasurementSensorDescription:
    return MeasurementSensorDescription(
        key=key,
        translation_key=key,
        measurement=measurement,
        device_class=SensorDeviceClass.ENERGY,
        state_class=SensorStateClass.TOTAL_INCREASING,
        native_unit_of_measurement=UnitOfEnergy.WATT_HOUR,
        suggested_unit_of_measurement=UnitOfEnergy.MEGA_WATT_HOUR,
        suggested_display_precision=3,
    )


def _energy_today(key: str, measurement: Measurement) -> MeasurementSensorDescription:
    return MeasurementSensorDescription(
        key=key,
        translation_key=key,
        measurement=measurement,
        device_class=SensorDeviceClass.ENERGY,
        state_class=SensorStateClass.TOTAL,
        native_unit_of_measurement=UnitOfEnergy.WATT_HOUR,
        suggested_unit_of_measurement=UnitOfEnergy.KILO_WATT_HOUR,
        suggested_display_precision=2,
    )


# Keys that Home Assistant's Enphase Envoy integration has too mean the same here.
MEASUREMENTS: Final = (
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
    _lifetime_energy("lifetime_production", Measurement.ENERGY_PRODUCED_LIFETIME),
    _lifetime_energy("lifetime_consumption", Measurement.ENERGY_CONSUMED_LIFETIME),
    _lifetime_energy("lifetime_grid_import", Measurement.ENERGY_IMPORTED_LIFETIME),
    _lifetime_energy("lifetime_grid_export", Measurement.ENERGY_EXPORTED_LIFETIME),
    _lifetime_energy("lifetime_battery_charged", Measurement.ENERGY_CHARGED_LIFETIME),
    _lifetime_energy(
        "lifetime_battery_discharged", Measurement.ENERGY_DISCHARGED_LIFETIME
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

ENERGIES_TODAY: Final = (
    _energy_today("daily_production", Measurement.ENERGY_PRODUCED_TODAY),
    _energy_today("daily_consumption", Measurement.ENERGY_CONSUMED_TODAY),
    _energy_today("daily_grid_import", Measurement.ENERGY_IMPORTED_TODAY),
    _energy_today("daily_grid_export", Measurement.ENERGY_EXPORTED_TODAY),
    _energy_today("daily_battery_charged", Measurement.ENERGY_CHARGED_TODAY),
    _energy_today("daily_battery_discharged", Measurement.ENERGY_DISCHARGED_TODAY),
)

# By document; the keys are those of the coordinators' documents.
NEXT_POLLS: Final = {
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


LIVE: Final = (
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
class EnergySensorDescription(SensorEntityDescription):
    """Describe a sensor that shows how far energies are imported."""

    value_fn: Callable[[EnergyCoordinator], StateType | datetime]


ENERGIES: Final = (
    EnergySensorDescription(
        key="history_import",
        translation_key="history_import",
        native_unit_of_measurement=PERCENTAGE,
        suggested_display_precision=0,
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=lambda energies: energies.share_done,
    ),
    EnergySensorDescription(
        key="next_energy_update",
        translation_key="next_energy_update",
        device_class=SensorDeviceClass.TIMESTAMP,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=lambda energies: energies.next_update(),
    ),
)


@dataclass(frozen=True, kw_only=True)
class AccountSensorDescription(SensorEntityDescription):
    """Describe a sensor that shows the budget."""

    value_fn: Callable[[Account, datetime], StateType | datetime]


ACCOUNT: Final = (
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
