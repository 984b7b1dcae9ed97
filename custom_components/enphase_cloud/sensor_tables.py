"""Tables of the sensors."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import (
    PERCENTAGE,
    EntityCategory,
    UnitOfEnergy,
    UnitOfPower,
    UnitOfTime,
)
from homeassistant.helpers.typing import StateType

from .data import EnphaseCloudData, EnphaseSystem
from .measurements.catalog import Measurement
from .measurements.system import DeviceKind
from .measurements.traits import Kind
from .quota.ledger import ASSUMED
from .scheduling.weights import POLLED


@dataclass(frozen=True, kw_only=True)
class MeasurementSensorDescription(SensorEntityDescription):
    """Describe a sensor that shows a measurement of a system."""

    measurement: Measurement


# How sensors show each kind of measurement.
_KINDS: Final[Mapping[Kind, Mapping[str, Any]]] = {
    Kind.POWER: {
        "device_class": SensorDeviceClass.POWER,
        "state_class": SensorStateClass.MEASUREMENT,
        "native_unit_of_measurement": UnitOfPower.WATT,
        "suggested_unit_of_measurement": UnitOfPower.KILO_WATT,
        "suggested_display_precision": 3,
    },
    Kind.LEVEL: {
        # Maintenance therefore lists a home at its reserve as low, but the Energy
        # dashboard and the battery triggers accept no other class.
        "device_class": SensorDeviceClass.BATTERY,
        "state_class": SensorStateClass.MEASUREMENT,
        "native_unit_of_measurement": PERCENTAGE,
        "suggested_display_precision": 0,
        # The device class names it.
        "translation_key": None,
    },
    Kind.CAPACITY: {
        "device_class": SensorDeviceClass.ENERGY_STORAGE,
        "native_unit_of_measurement": UnitOfEnergy.WATT_HOUR,
        "suggested_unit_of_measurement": UnitOfEnergy.KILO_WATT_HOUR,
        "suggested_display_precision": 1,
    },
    Kind.ENERGY_TODAY: {
        "device_class": SensorDeviceClass.ENERGY,
        "state_class": SensorStateClass.TOTAL,
        "native_unit_of_measurement": UnitOfEnergy.WATT_HOUR,
        "suggested_unit_of_measurement": UnitOfEnergy.KILO_WATT_HOUR,
        "suggested_display_precision": 2,
    },
    Kind.ENERGY_TOTAL: {
        "device_class": SensorDeviceClass.ENERGY,
        "state_class": SensorStateClass.TOTAL_INCREASING,
        "native_unit_of_measurement": UnitOfEnergy.WATT_HOUR,
        "suggested_unit_of_measurement": UnitOfEnergy.MEGA_WATT_HOUR,
        "suggested_display_precision": 3,
    },
    Kind.ENERGY_DAY: {
        "device_class": SensorDeviceClass.ENERGY,
        "native_unit_of_measurement": UnitOfEnergy.WATT_HOUR,
        "suggested_unit_of_measurement": UnitOfEnergy.KILO_WATT_HOUR,
        "suggested_display_precision": 2,
    },
    Kind.COUNT: {"state_class": SensorStateClass.MEASUREMENT},
    Kind.RATIO: {
        "state_class": SensorStateClass.MEASUREMENT,
        "native_unit_of_measurement": PERCENTAGE,
        "suggested_display_precision": 0,
    },
    Kind.DURATION: {
        "device_class": SensorDeviceClass.DURATION,
        "native_unit_of_measurement": UnitOfTime.SECONDS,
        "suggested_unit_of_measurement": UnitOfTime.HOURS,
        "suggested_display_precision": 1,
    },
    # Its unit is the currency of Home Assistant.
    Kind.COST: {
        "device_class": SensorDeviceClass.MONETARY,
        "suggested_display_precision": 2,
    },
    Kind.STATE: {"device_class": SensorDeviceClass.ENUM},
    Kind.MOMENT: {"device_class": SensorDeviceClass.TIMESTAMP},
}


def _describe(measurement: Measurement, key: str) -> MeasurementSensorDescription:
    traits = measurement.traits
    return MeasurementSensorDescription(
        measurement=measurement,
        key=key,
        options=list(traits.states) or None,
        entity_category=EntityCategory.DIAGNOSTIC if traits.is_diagnostic else None,
        entity_registry_enabled_default=traits.is_enabled,
        **{"translation_key": key, **_KINDS[traits.kind]},
    )


MEASUREMENTS: Final = {
    kind: tuple(
        _describe(measurement, key)
        for measurement in Measurement
        if measurement.traits.device is kind
        and (key := measurement.traits.sensor) is not None
    )
    for kind in DeviceKind
}
"""By the kind of device that they are of."""

# By document; the keys are those of the coordinators' documents.
NEXT_POLLS: Final = {
    document: SensorEntityDescription(
        key=f"next_poll_{document}",
        translation_key=f"next_poll_{document}",
        device_class=SensorDeviceClass.TIMESTAMP,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
    )
    for document in POLLED
}


@dataclass(frozen=True, kw_only=True)
class FigureSensorDescription[OwnerT](SensorEntityDescription):
    """Describe a sensor that shows a figure of a system or of an account."""

    value_fn: Callable[[OwnerT, datetime], StateType | datetime]
    exists_fn: Callable[[OwnerT], bool] = lambda _owner: True


def _next_update(system: EnphaseSystem, _now: datetime) -> datetime | None:
    """Return when the next document is polled."""
    polls = [
        each.plan.next_poll_at
        for each in system.documents
        if each.source in NEXT_POLLS and each.plan.is_active
    ]
    return to_the_minute(min((at for at in polls if at is not None), default=None))


def _live_stream_ends(system: EnphaseSystem, _now: datetime) -> datetime | None:
    return None if system.live_sessions is None else system.live_sessions.ends_at


def _history_import(system: EnphaseSystem, now: datetime) -> float | None:
    return None if system.energy is None else system.energy.importer.share_done(now)


def _next_energy_update(system: EnphaseSystem, now: datetime) -> datetime | None:
    energy = system.energy
    return None if energy is None else to_the_minute(energy.importer.next_update(now))


def to_the_minute(at: datetime | None) -> datetime | None:
    """Round a time to the minute, so that small shifts write no state."""
    return None if at is None else at.replace(second=0, microsecond=0)


SYSTEM_FIGURES: Final = (
    FigureSensorDescription[EnphaseSystem](
        key="next_update",
        translation_key="next_update",
        device_class=SensorDeviceClass.TIMESTAMP,
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=_next_update,
    ),
    FigureSensorDescription[EnphaseSystem](
        key="live_stream_ends",
        translation_key="live_stream_ends",
        device_class=SensorDeviceClass.TIMESTAMP,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        exists_fn=lambda system: system.live_sessions is not None,
        value_fn=_live_stream_ends,
    ),
    FigureSensorDescription[EnphaseSystem](
        key="history_import",
        translation_key="history_import",
        native_unit_of_measurement=PERCENTAGE,
        suggested_display_precision=0,
        entity_category=EntityCategory.DIAGNOSTIC,
        exists_fn=lambda system: system.energy is not None,
        value_fn=_history_import,
    ),
    FigureSensorDescription[EnphaseSystem](
        key="next_energy_update",
        translation_key="next_energy_update",
        device_class=SensorDeviceClass.TIMESTAMP,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        exists_fn=lambda system: system.energy is not None,
        value_fn=_next_energy_update,
    ),
)


def _calls_assumed(data: EnphaseCloudData, now: datetime) -> int:
    return data.budget.ledger.by_operation(now).get(ASSUMED, 0)


def _streams_left(data: EnphaseCloudData) -> int | None:
    """Return how many live streams are left for all systems together."""
    sessions = (system.live_sessions for system in data.systems)
    return next((each.budget.left for each in sessions if each is not None), None)


ACCOUNT: Final = (
    FigureSensorDescription[EnphaseCloudData](
        key="calls_used",
        translation_key="calls_used",
        state_class=SensorStateClass.TOTAL_INCREASING,
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=lambda data, now: (
            data.budget.ledger.used(now) - _calls_assumed(data, now)
        ),
    ),
    FigureSensorDescription[EnphaseCloudData](
        key="calls_left",
        translation_key="calls_left",
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=lambda data, now: data.budget.ledger.left(now),
    ),
    FigureSensorDescription[EnphaseCloudData](
        key="calls_assumed",
        translation_key="calls_assumed",
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=_calls_assumed,
    ),
    FigureSensorDescription[EnphaseCloudData](
        key="calls_expected",
        translation_key="calls_expected",
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=lambda data, now: data.budget.ledger.expected_at_period_end(now),
    ),
    FigureSensorDescription[EnphaseCloudData](
        key="calls_wasted",
        translation_key="calls_wasted",
        state_class=SensorStateClass.TOTAL_INCREASING,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=lambda data, now: data.budget.ledger.wasted(now),
    ),
    FigureSensorDescription[EnphaseCloudData](
        key="calls_renewed",
        translation_key="calls_renewed",
        device_class=SensorDeviceClass.TIMESTAMP,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=lambda data, now: data.budget.ledger.period_end(now),
    ),
    FigureSensorDescription[EnphaseCloudData](
        key="live_streams_left",
        translation_key="live_streams_left",
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=lambda data, _now: _streams_left(data),
        exists_fn=lambda data: _streams_left(data) is not None,
    ),
)


def _figure(
    key: str,
    kind: Kind,
    *,
    is_enabled: bool = False,
    is_diagnostic: bool = False,
    **others: Any,
) -> SensorEntityDescription:
    category = EntityCategory.DIAGNOSTIC if is_diagnostic else None
    return SensorEntityDescription(
        key=key,
        entity_category=category,
        entity_registry_enabled_default=is_enabled,
        **{"translation_key": key, **_KINDS[kind], **others},
    )


_TENTHS: Final = {"suggested_display_precision": 1}

INTERVAL_FIGURES: Final = (
    _figure("self_consumption_today", Kind.RATIO, is_enabled=True),
    _figure("self_consumption_yesterday", Kind.RATIO, is_enabled=True),
    _figure("self_consumption_month", Kind.RATIO),
    _figure("self_sufficiency_today", Kind.RATIO, is_enabled=True),
    _figure("self_sufficiency_yesterday", Kind.RATIO, is_enabled=True),
    _figure("self_sufficiency_month", Kind.RATIO),
    _figure("import_peak", Kind.POWER, is_enabled=True),
    _figure("import_peak_last_month", Kind.POWER),
    _figure("import_peak_mean", Kind.POWER),
    _figure(
        "battery_efficiency", Kind.RATIO, is_enabled=True, is_diagnostic=True, **_TENTHS
    ),
    _figure(
        "battery_cycles",
        Kind.COUNT,
        is_enabled=True,
        is_diagnostic=True,
        state_class=SensorStateClass.TOTAL,
        **_TENTHS,
    ),
    _figure(
        "battery_usable_capacity",
        Kind.CAPACITY,
        is_enabled=True,
        is_diagnostic=True,
        state_class=SensorStateClass.MEASUREMENT,
    ),
    _figure("production_last_year", Kind.ENERGY_DAY),
    _figure("production_ratio", Kind.RATIO),
    _figure(
        "degradation",
        Kind.RATIO,
        is_diagnostic=True,
        native_unit_of_measurement="%/year",
        suggested_display_precision=2,
    ),
)
