"""Reload an entry when its subentries, its systems or its account's owner change."""

from typing import Any

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
    ConfigEntryState,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect

from .const import DOMAIN
from .data import EnphaseCloudConfigEntry
from .runtime.account import account_owner
from .runtime.system_properties import chosen_systems, systems_of_other_entries


@callback
def async_reload_on_change(hass: HomeAssistant, entry: EnphaseCloudConfigEntry) -> None:
    """Reload an entry once its subentries change, or what it shows for other entries.

    An older entry with the API key or with systems of this one may be added, removed,
    enabled, disabled, or changed. The state is stored, so a reload costs no call.
    """
    used = _used(hass, entry)
    is_over = False

    @callback
    def changed(_change: ConfigEntryChange, other: ConfigEntry[Any]) -> None:
        nonlocal is_over
        if (
            not is_over
            and other.domain == DOMAIN
            and entry.state is ConfigEntryState.LOADED
            and _used(hass, entry) != used
        ):
            is_over = True
            hass.config_entries.async_schedule_reload(entry.entry_id)

    entry.async_on_unload(
        async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, changed)
    )


def _used(hass: HomeAssistant, entry: EnphaseCloudConfigEntry) -> tuple[Any, ...]:
    # Home Assistant changes subentries in place.
    subentries = [each.as_dict() for each in entry.subentries.values()]
    elsewhere = systems_of_other_entries(hass, entry).keys() | _loaded(hass, entry)
    taken = elsewhere & set(chosen_systems(entry))
    return account_owner(hass, entry).entry_id, taken, subentries


def _loaded(hass: HomeAssistant, entry: EnphaseCloudConfigEntry) -> set[int]:
    """Return the systems that other entries have until they are unloaded."""
    return {
        system.info.system_id
        for each in hass.config_entries.async_entries(DOMAIN)
        if each is not entry and hasattr(each, "runtime_data")
        for system in each.runtime_data.systems
    }
