"""Numbers of Enphase Cloud: levels of the battery in percent."""

from dataclasses import dataclass
from typing import Final, override

from homeassistant.components.number import (
    NumberDeviceClass,
    NumberEntity,
    NumberEntityDescription,
    NumberMode,
)
from homeassistant.const import PERCENTAGE, EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .data import EnphaseCloudConfigEntry
from .measurements.catalog import Measurement, Source
from .measurements.samples import Value
from .measurements.system import DeviceKind
from .settings_entities import (
    WHEN_QUIET,
    SettingDescription,
    SettingEntity,
    async_add_settings,
)

# The writer serializes requests, and writes only the last of several numbers.
PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class SettingNumberDescription(NumberEntityDescription, SettingDescription):
    """Describe a number, whose minimum may be a measurement."""

    least: Measurement | None = None


NUMBERS: Final = {
    DeviceKind.SYSTEM: (
        SettingNumberDescription(
            key="reserve_soc",
            translation_key="reserve_soc",
            device_class=NumberDeviceClass.BATTERY,
            native_unit_of_measurement=PERCENTAGE,
            native_min_value=0,
            native_max_value=100,
            native_step=1,
            mode=NumberMode.BOX,
            source=Source.BATTERY_SETTINGS,
            measurement=Measurement.RESERVE_LEVEL,
            field="reserve",
            quiet=WHEN_QUIET,
            least=Measurement.SHUTDOWN_LEVEL,
        ),
    ),
    DeviceKind.LOAD: (
        SettingNumberDescription(
            key="cutoff_battery_level",
            translation_key="cutoff_battery_level",
            device_class=NumberDeviceClass.BATTERY,
            entity_category=EntityCategory.CONFIG,
            native_unit_of_measurement=PERCENTAGE,
            native_min_value=10,
            native_max_value=90,
            native_step=1,
            mode=NumberMode.BOX,
            source=Source.LOAD_CONTROL,
            measurement=Measurement.LOAD_CUTOFF_LEVEL,
            field="low",
            quiet=WHEN_QUIET,
        ),
    ),
}


async def async_setup_entry(
    hass: HomeAssistant,
    entry: EnphaseCloudConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the numbers once the cloud reports their value."""
    await async_add_settings(entry, async_add_entities, NUMBERS, SettingNumber)


class SettingNumber(SettingEntity, NumberEntity):
    """A number that writes a level."""

    entity_description: SettingNumberDescription

    @override
    def read(self) -> object:
        return super().read(), self.native_min_value

    @override
    def show(self, value: Value | None) -> None:
        self._attr_native_value = None if value is None else float(value)
        if (least := self.entity_description.least) is not None:
            level = self._system.fresh(least)
            self._attr_native_min_value = float(level or 0)

    @override
    async def async_set_native_value(self, value: float) -> None:
        await self.async_write(round(value))
