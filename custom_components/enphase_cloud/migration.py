"""Migration of entries of older versions."""

from typing import Any, Final

from homeassistant.components.sensor import DOMAIN as SENSOR
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er

from .const import DOMAIN
from .devices import async_register_account
from .entity import account_unique_id, unique_id
from .runtime.account import account_owner
from .runtime.system_properties import chosen_systems

VERSION: Final = 1
MINOR_VERSION: Final = 2

# Up to minor version 1, each system had these sensors of the account.
_MOVED: Final = (
    "calls_used",
    "calls_left",
    "calls_expected",
    "calls_wasted",
    "calls_renewed",
    "live_streams_left",
)


@callback
def async_migrate(hass: HomeAssistant, entry: ConfigEntry[Any]) -> None:
    """Migrate an entry; Home Assistant itself refuses later versions."""
    if entry.minor_version < MINOR_VERSION:
        for key in _MOVED:
            _move_to_account(hass, entry, key)
        hass.config_entries.async_update_entry(entry, minor_version=MINOR_VERSION)


def _move_to_account(hass: HomeAssistant, entry: ConfigEntry[Any], key: str) -> None:
    """Move the first system's entity, with its id and history; remove the others."""
    registry = er.async_get(hass)
    new_id = account_unique_id(entry, key)
    is_free = (
        account_owner(hass, entry) is entry
        and registry.async_get_entity_id(SENSOR, DOMAIN, new_id) is None
    )
    for system_id in chosen_systems(entry):
        old_id = unique_id(system_id, key)
        entity_id = registry.async_get_entity_id(SENSOR, DOMAIN, old_id)
        entity = None if entity_id is None else registry.async_get(entity_id)
        if entity is None or entity.config_entry_id != entry.entry_id:
            continue
        if not is_free:
            registry.async_remove(entity.entity_id)
            continue
        device = async_register_account(hass, entry)
        registry.async_update_entity(
            entity.entity_id, new_unique_id=new_id, device_id=device.id
        )
        is_free = False
