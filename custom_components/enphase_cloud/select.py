"""Selects of Enphase Cloud: the storage mode and the modes of loads."""

from dataclasses import dataclass
from typing import Final, override

from homeassistant.components.select import SelectEntity, SelectEntityDescription
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .api.models import BatteryMode, LoadMode
from .api.models.settings import BATTERY_MODES, LOAD_MODES
from .data import EnphaseCloudConfigEntry
from .measurements.catalog import Measurement, Source
from .measurements.samples import Value
from .measurements.system import DeviceKind
from .settings_entities import SettingDescription, SettingEntity, async_add_settings

# The writer serializes requests.
PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class SettingSelectDescription(SelectEntityDescription, SettingDescription):
    """Describe a select that writes a mode of a kind."""

    kind: type[BatteryMode | LoadMode]


SELECTS: Final = {
    DeviceKind.SYSTEM: (
        SettingSelectDescription(
            key="storage_mode",
            translation_key="storage_mode",
            source=Source.BATTERY_SETTINGS,
            measurement=Measurement.STORAGE_MODE,
            field="mode",
            kind=BatteryMode,
            options=[mode.value for mode in BATTERY_MODES],
        ),
    ),
    DeviceKind.LOAD: (
        SettingSelectDescription(
            key="relay_mode",
            translation_key="relay_mode",
            entity_category=EntityCategory.CONFIG,
            source=Source.LOAD_CONTROL,
            measurement=Measurement.LOAD_MODE,
            field="mode",
            kind=LoadMode,
            options=[mode.value for mode in LOAD_MODES],
        ),
    ),
}


async def async_setup_entry(
    hass: HomeAssistant,
    entry: EnphaseCloudConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the selects once the cloud reports their value."""
    await async_add_settings(entry, async_add_entities, SELECTS, SettingSelect)


class SettingSelect(SettingEntity, SelectEntity):
    """A select that writes a mode."""

    entity_description: SettingSelectDescription

    @override
    def show(self, value: Value | None) -> None:
        # The mode of a grid services event cannot be selected.
        is_option = value in (self.entity_description.options or ())
        self._attr_current_option = str(value) if is_option else None

    @override
    async def async_select_option(self, option: str) -> None:
        await self.async_write(self.entity_description.kind(option))
