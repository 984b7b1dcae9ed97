"""System health: is the cloud reachable, and how many calls are left."""

from typing import Any

from homeassistant.components.system_health import (
    SystemHealthRegistration,
    async_check_can_reach_url,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.util import dt as dt_util

from .const import DOMAIN
from .data import EnphaseCloudConfigEntry
from .errors import readable
from .runtime.oauth import cloud_url


@callback
def async_register(hass: HomeAssistant, register: SystemHealthRegistration) -> None:
    """Register what system health shows."""
    register.async_register_info(_async_info)


async def _async_info(hass: HomeAssistant) -> dict[str, Any]:
    entries: list[EnphaseCloudConfigEntry]
    entries = hass.config_entries.async_loaded_entries(DOMAIN)
    ledgers = [entry.runtime_data.budget.ledger for entry in entries]
    now = dt_util.utcnow()
    blocked = [until for ledger in ledgers if (until := ledger.blocked_until(now))]
    return {
        # The front page needs no key, so it costs no call.
        "can_reach_cloud": async_check_can_reach_url(hass, str(cloud_url())),
        "calls_left": min((ledger.left(now) for ledger in ledgers), default=None),
        "blocked_until": readable(max(blocked)) if blocked else None,
    }
