"""Reload an entry when what it was set up with has changed elsewhere."""

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


@callback
def async_reload_on_change(hass: HomeAssistant, entry: EnphaseCloudConfigEntry) -> None:
    """Reload an entry once the account device of its API key has another owner.

    An older entry with the key may be added, removed, enabled, disabled, or get another
    key. What is known is kept, so it costs no call.
    """
    owner = account_owner(hass, entry)

    @callback
    def changed(_change: ConfigEntryChange, other: ConfigEntry[Any]) -> None:
        if (
            other.domain == DOMAIN
            and entry.state is ConfigEntryState.LOADED
            and account_owner(hass, entry) is not owner
        ):
            hass.config_entries.async_schedule_reload(entry.entry_id)

    entry.async_on_unload(
        async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, changed)
    )
