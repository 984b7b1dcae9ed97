"""Switches of Enphase Cloud: settings of the battery."""

from dataclasses import dataclass
from typing import Any, Final, override

from homeassistant.components.switch import SwitchEntity, SwitchEntityDescription
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .api.models import BatteryMode
from .data import EnphaseCloudConfigEntry
from .measurements.catalog import Measurement, Source
from .measurements.samples import Value
from .measurements.system import DeviceKind
from .settings_entities import SettingDescription, SettingEntity, async_add_settings

# The writer serializes requests.
PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class SettingSwitchDescription(SwitchEntityDescription, SettingDescription):
    """Describe a switch."""


SWITCHES: Final = {
    DeviceKind.SYSTEM: (
        SettingSwitchDescription(
            key="energy_independence",
            translation_key="energy_independence",
            entity_category=EntityCategory.CONFIG,
            source=Source.BATTERY_SETTINGS,
            measurement=Measurement.ENERGY_INDEPENDENCE,
            field="energy_independence",
            only_in=BatteryMode.SAVINGS,
        ),
        SettingSwitchDescription(
            key="storm_guard",
            translation_key="storm_guard",
            entity_category=EntityCategory.CONFIG,
            source=Source.STORM_GUARD,
            measurement=Measurement.STORM_GUARD,
            field="is_on",
        ),
    ),
}


async def async_setup_entry(
    hass: HomeAssistant,
    entry: EnphaseCloudConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the switches once the cloud reports their value."""
    await async_add_settings(entry, async_add_entities, SWITCHES, SettingSwitch)


class SettingSwitch(SettingEntity, SwitchEntity):
    """A switch that writes a setting."""

    entity_description: SettingSwitchDescription

    @override
    def show(self, value: Value | None) -> None:
        self._attr_is_on = None if value is None else bool(value)

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        await self.async_write(True)  # noqa: FBT003 (a value of the setting)

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        await self.async_write(False)  # noqa: FBT003 (a value of the setting)
