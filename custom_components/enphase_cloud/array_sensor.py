"""Sensors of arrays: groups of panels that the user defines."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import PERCENTAGE, EntityCategory, UnitOfEnergy
from homeassistant.util import dt as dt_util

from .const import ATTR_MEASURED_AT, CONF_AZIMUTH, CONF_TILT
from .data import EnphaseCloudConfigEntry, EnphaseSystem
from .documents.readings import start_of_day
from .entity import EnphaseSystemEntity
from .measurements.arrays import ArrayFigures, PanelArray, figures

# A value from before noon belongs to the day before.
_HALF_A_DAY: Final = timedelta(hours=12)


@dataclass(frozen=True, kw_only=True)
class ArraySensorDescription(SensorEntityDescription):
    """Describe a sensor that shows a figure of an array."""

    value_fn: Callable[[ArrayFigures], float | None]


ARRAY: Final = (
    ArraySensorDescription(
        key="energy_yesterday",
        translation_key="energy_yesterday",
        device_class=SensorDeviceClass.ENERGY,
        # Falls when a panel leaves the array.
        state_class=SensorStateClass.TOTAL,
        native_unit_of_measurement=UnitOfEnergy.WATT_HOUR,
        suggested_unit_of_measurement=UnitOfEnergy.KILO_WATT_HOUR,
        suggested_display_precision=2,
        value_fn=lambda array: array.energy_yesterday,
    ),
    ArraySensorDescription(
        key="panels_reporting",
        translation_key="panels_reporting",
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=lambda array: array.reporting,
    ),
    ArraySensorDescription(
        key="weakest_panel",
        translation_key="weakest_panel",
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=PERCENTAGE,
        suggested_display_precision=0,
        value_fn=lambda array: array.weakest,
    ),
)


class ArraySensor(EnphaseSystemEntity, SensorEntity):
    """Show a figure of an array."""

    _unrecorded_attributes = frozenset({ATTR_MEASURED_AT, CONF_AZIMUTH, CONF_TILT})

    entity_description: ArraySensorDescription

    def __init__(
        self,
        entry: EnphaseCloudConfigEntry,
        system: EnphaseSystem,
        array: PanelArray,
        description: ArraySensorDescription,
    ) -> None:
        """Show an array of a system."""
        super().__init__(entry, system, description, array.device)
        self._array = array

    @override
    def read(self) -> object:
        info = self._system.info
        current = figures(
            self._array,
            self._system.board,
            now=dt_util.utcnow(),
            cellular=info.is_cellular,
        )
        self._attr_available = self._system.store.is_visible
        self._attr_native_value = self.entity_description.value_fn(current)
        attributes = {
            CONF_TILT: self._array.tilt,
            CONF_AZIMUTH: self._array.azimuth,
            ATTR_MEASURED_AT: current.observed_at,
        }
        self._attr_extra_state_attributes = {
            key: value for key, value in attributes.items() if value is not None
        }
        if (
            self.state_class is SensorStateClass.TOTAL
            and current.observed_at is not None
        ):
            day = current.observed_at - _HALF_A_DAY
            self._attr_last_reset = start_of_day(day, info.time_zone)
        return self._attr_native_value, self._attr_available, current.observed_at
