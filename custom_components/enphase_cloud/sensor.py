"""Sensors of Enphase Cloud."""

from datetime import datetime
from functools import partial
from typing import Final, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
)
from homeassistant.const import MATCH_ALL
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.typing import StateType
from homeassistant.util import dt as dt_util

from .adding_entities import async_add_as_evidence_comes, async_add_in_batches
from .array_sensor import ARRAY, ArraySensor
from .const import ATTR_MEASURED_AT, DOMAIN
from .coordinator.document_plan import DocumentPlan
from .cost_sensor import COSTS, CostSensor
from .data import EnphaseCloudConfigEntry, EnphaseCloudData, EnphaseSystem
from .documents.readings import energy_today, start_of_day
from .entity import EnphaseAccountEntity, EnphaseSystemEntity, unique_id
from .figures.table import UNKNOWN
from .measurements.catalog import Measurement, Source
from .measurements.samples import Samples, fresh_value
from .measurements.system import SYSTEM, Device, DeviceKind
from .measurements.traits import Kind
from .runtime.account import account_owner
from .sensor_tables import (
    ACCOUNT,
    INTERVAL_FIGURES,
    MEASUREMENTS,
    NEXT_POLLS,
    SYSTEM_FIGURES,
    FigureSensorDescription,
    MeasurementSensorDescription,
    to_the_minute,
)

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,
    entry: EnphaseCloudConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the sensors; some later, once the cloud reports their value."""
    await _async_add_now(hass, entry, async_add_entities)
    await _async_add_measurements(hass, entry, async_add_entities)
    await async_add_as_evidence_comes(
        entry,
        async_add_entities,
        {DeviceKind.SYSTEM: NEXT_POLLS.values()},
        has_evidence=lambda system, description, _: (
            _plan(system, description).is_active
        ),
        create=partial(NextPollSensor, entry),
    )
    await async_add_as_evidence_comes(
        entry,
        async_add_entities,
        {DeviceKind.SYSTEM: INTERVAL_FIGURES},
        has_evidence=lambda system, description, _: (
            system.figures is not None
            and system.figures.is_there(description.key, dt_util.utcnow())
        ),
        create=partial(IntervalFigureSensor, entry),
    )


async def _async_add_now(
    hass: HomeAssistant,
    entry: EnphaseCloudConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the sensors of the account, and those that need no response."""
    if account_owner(hass, entry) is entry:
        async_add_entities(
            AccountSensor(entry, description)
            for description in ACCOUNT
            if description.exists_fn(entry.runtime_data)
        )
    for system in entry.runtime_data.systems:
        figures = (
            FigureSensor(entry, system, each)
            for each in SYSTEM_FIGURES
            if each.exists_fn(system)
        )
        await async_add_in_batches(async_add_entities, figures)
        async_add_entities(
            CostSensor(entry, system, each) for each in COSTS if each.exists(system)
        )
        for array in system.arrays:
            async_add_entities(
                (ArraySensor(entry, system, array, each) for each in ARRAY),
                config_subentry_id=array.key,
            )


async def _async_add_measurements(
    hass: HomeAssistant,
    entry: EnphaseCloudConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    await async_add_as_evidence_comes(
        entry,
        async_add_entities,
        MEASUREMENTS,
        has_evidence=partial(_has_evidence, er.async_get(hass)),
        create=lambda system, description, device: _SENSORS.get(
            description.measurement.traits.kind, MeasurementSensor
        )(entry, system, description, device),
    )


def _has_evidence(
    registry: er.EntityRegistry,
    system: EnphaseSystem,
    description: MeasurementSensorDescription,
    device: Device,
) -> bool:
    """Return whether the value of a sensor was ever reported."""
    key = unique_id(system.info.system_id, description.key, device)
    return description.measurement in system.board.newest(device) or bool(
        registry.async_get_entity_id("sensor", DOMAIN, key)
    )


def _plan(system: EnphaseSystem, description: SensorEntityDescription) -> DocumentPlan:
    """Return the plan of the document whose next poll a sensor shows."""
    return next(
        each.plan
        for each in system.documents
        if NEXT_POLLS.get(each.source) is description
    )


class MeasurementSensor(EnphaseSystemEntity, SensorEntity):
    """Show the newest value of a measurement from any source."""

    _unrecorded_attributes = frozenset({ATTR_MEASURED_AT})

    entity_description: MeasurementSensorDescription
    _measurement: Measurement

    def __init__(
        self,
        entry: EnphaseCloudConfigEntry,
        system: EnphaseSystem,
        description: MeasurementSensorDescription,
        device: Device = SYSTEM,
    ) -> None:
        """Show a measurement of a system or of a device of it."""
        super().__init__(entry, system, description, device)
        self._measurement = description.measurement
        known = system.board.newest(device).get(description.measurement)
        if known is not None and known.source is Source.PANEL_TELEMETRY:
            # With telemetry, values that a daily document makes stale are useful.
            self._attr_entity_registry_enabled_default = True

    @override
    def read(self) -> object:
        now = dt_util.utcnow()
        has = self._system.board.has(self._measurement, now)
        known = self._system.board.newest(self._device)
        value = self._value(known, now) if has else None
        self._attr_native_value = value
        self._attr_available = has and self._system.can_show(value)
        sample = None if value is None else known.get(self._measurement)
        measured_at = None if sample is None else sample.observed_at
        self._attr_extra_state_attributes = (
            {} if measured_at is None else {ATTR_MEASURED_AT: measured_at}
        )
        # Each frame of live data has a new time; write state once a minute for it.
        return value, self._attr_available, to_the_minute(measured_at)

    def _value(self, known: Samples, now: datetime) -> StateType | datetime:
        """Return the value; None if it is too old."""
        value = fresh_value(
            known,
            self._measurement,
            now=now,
            cellular=self._system.info.is_cellular,
        )
        if self.device_class is SensorDeviceClass.TIMESTAMP and value is not None:
            return dt_util.utc_from_timestamp(float(value))
        return value


class EnergyTodaySensor(MeasurementSensor):
    """Show the energy produced since the system's midnight."""

    @override
    def read(self) -> object:
        self._attr_last_reset = start_of_day(
            dt_util.utcnow(), self._system.info.time_zone
        )
        return super().read(), self._attr_last_reset

    @override
    def _value(self, known: Samples, now: datetime) -> StateType | datetime:
        return energy_today(
            known,
            self._measurement,
            now=now,
            time_zone=self._system.info.time_zone,
        )


class SessionCostSensor(MeasurementSensor):
    """Show a cost; the cloud reports no currency."""

    @property
    @override
    def native_unit_of_measurement(self) -> str:
        """Return the currency of Home Assistant."""
        return self.hass.config.currency


_SENSORS: Final = {Kind.COST: SessionCostSensor, Kind.ENERGY_TODAY: EnergyTodaySensor}


class NextPollSensor(EnphaseSystemEntity, SensorEntity):
    """Show when a document is polled next."""

    @override
    def read(self) -> object:
        # It shifts a little with each call.
        self._attr_native_value = to_the_minute(
            _plan(self._system, self.entity_description).next_poll_at
        )
        return self._attr_native_value


class FigureSensor(EnphaseSystemEntity, SensorEntity):
    """Show a figure of the system."""

    entity_description: FigureSensorDescription[EnphaseSystem]

    @override
    def read(self) -> object:
        value = self.entity_description.value_fn(self._system, dt_util.utcnow())
        self._attr_native_value = value
        return value


class IntervalFigureSensor(EnphaseSystemEntity, SensorEntity):
    """Show a figure that is calculated from intervals."""

    # They describe the current state only.
    _unrecorded_attributes = frozenset({MATCH_ALL})

    @override
    def read(self) -> object:
        key, now = self.entity_description.key, dt_util.utcnow()
        figures = self._system.figures
        figure = figures.figure(key, now) if figures else UNKNOWN
        self._attr_native_value = figure.value
        self._attr_extra_state_attributes = dict(figure.attributes)
        is_there = figures is not None and figures.is_there(key, now)
        self._attr_available = is_there and self._system.store.is_visible
        return figure.value, figure.attributes, self._attr_available


class AccountSensor(EnphaseAccountEntity, SensorEntity):
    """Show a figure of the budget."""

    entity_description: FigureSensorDescription[EnphaseCloudData]

    @override
    def read(self) -> object:
        value = self.entity_description.value_fn(self._data, dt_util.utcnow())
        self._attr_native_value = value
        return value
