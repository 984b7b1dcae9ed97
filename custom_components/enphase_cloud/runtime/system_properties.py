"""The properties of systems that a config entry stores, from the list of systems."""

from datetime import tzinfo
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_ID, CONF_NAME
from homeassistant.core import HomeAssistant, callback
from homeassistant.util import dt as dt_util

from ..api import System
from ..const import (
    CONF_CONNECTION,
    CONF_LIVE_STREAM,
    CONF_SYSTEMS,
    CONF_TIME_ZONE,
    DOMAIN,
)
from ..quota.plans import Plan


def stored_system(system: System) -> dict[str, Any]:
    """Return a system as an entry stores it."""
    return {
        CONF_ID: system.system_id,
        CONF_NAME: system.name,
        CONF_TIME_ZONE: system.time_zone,
        CONF_CONNECTION: system.connection_type,
        CONF_LIVE_STREAM: system.live_stream,
    }


def calls_of_system(entry: ConfigEntry[Any], plan: Plan) -> float:
    """Return the calls a month that a plan has for each system of an entry."""
    return plan.calls_per_month / max(1, len(entry.data[CONF_SYSTEMS]))


async def async_time_zone(name: object) -> tzinfo | None:
    """Return a time zone; None if the name is not in the IANA database."""
    if not isinstance(name, str) or not name:
        return None
    try:
        return await dt_util.async_get_time_zone(name)
    except OSError, ValueError:
        # The name may be a folder, too long for a file, or an invalid path.
        return None


@callback
def systems_of_other_entries(
    hass: HomeAssistant, entry: ConfigEntry[Any] | None
) -> dict[int, ConfigEntry[Any]]:
    """Return the systems of other entries, which an entry cannot have.

    Unique ids of entities belong to one entry. If two entries have a system already,
    it belongs to the older one.
    """
    holders: dict[int, ConfigEntry[Any]] = {}
    for holder in hass.config_entries.async_entries(DOMAIN):
        for system_id in chosen_systems(holder):
            holders.setdefault(system_id, holder)
    return {
        system_id: holder
        for system_id, holder in holders.items()
        if entry is None or holder.entry_id != entry.entry_id
    }


def chosen_systems(entry: ConfigEntry[Any]) -> list[int]:
    """Return the ids of the systems that the user chose for an entry."""
    return [stored[CONF_ID] for stored in entry.data.get(CONF_SYSTEMS, ())]
