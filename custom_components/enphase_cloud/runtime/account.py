"""Which entry shows the budget of an API key."""

from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_API_KEY
from homeassistant.core import HomeAssistant, callback

from ..const import DOMAIN


@callback
def account_owner(hass: HomeAssistant, entry: ConfigEntry[Any]) -> ConfigEntry[Any]:
    """Return the entry that has the account device of an entry's API key.

    A device belongs to one entry: the oldest enabled one of those that share the key,
    in whatever order they load.
    """
    api_key = entry.data[CONF_API_KEY]
    sharing = (
        each
        for each in hass.config_entries.async_entries(DOMAIN, include_disabled=False)
        if each.data.get(CONF_API_KEY) == api_key
    )
    return next(sharing, entry)
