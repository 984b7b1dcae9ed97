"""Actions: what users and automations ask for, at the cost of calls."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Final

from homeassistant.const import ATTR_CONFIG_ENTRY_ID, ATTR_DEVICE_ID
from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
)
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import (
    config_validation as cv,
    device_registry as dr,
    service,
)
import voluptuous as vol

from .const import DOMAIN, MAX_STREAM, MIN_STREAM
from .data import EnphaseCloudConfigEntry, EnphaseSystem
from .errors import translated

ACTION_START_LIVE_STREAM: Final = "start_live_stream"
ATTR_DURATION: Final = "duration"

_START_LIVE_STREAM_SCHEMA: Final = vol.Schema(
    {
        vol.Optional(ATTR_DEVICE_ID): vol.All(cv.ensure_list, [cv.string]),
        vol.Optional(ATTR_CONFIG_ENTRY_ID): cv.string,
        vol.Optional(ATTR_DURATION): vol.All(
            cv.positive_time_period, vol.Range(min=MIN_STREAM, max=MAX_STREAM)
        ),
    }
)


def async_setup_actions(hass: HomeAssistant) -> None:
    """Register the actions."""
    hass.services.async_register(
        DOMAIN,
        ACTION_START_LIVE_STREAM,
        _async_start_live_streams,
        schema=_START_LIVE_STREAM_SCHEMA,
        supports_response=SupportsResponse.OPTIONAL,
    )


async def async_refresh(system: EnphaseSystem) -> None:
    """Ask for all documents of a system now."""
    for coordinator in system.documents:
        if coordinator.is_active:
            await coordinator.async_refresh_for_user()


async def async_start_live_stream(
    system: EnphaseSystem, duration: timedelta | None = None
) -> dict[str, Any]:
    """Start live data of a system, or join what runs; return when it ends."""
    if system.live is None:
        raise translated(ServiceValidationError, "live_not_in_plan")
    ends_at = await system.live.async_start(duration)
    return {"ends_at": ends_at.isoformat()}


async def _async_start_live_streams(call: ServiceCall) -> ServiceResponse:
    systems = list(_targeted_systems(call))
    if not systems:
        raise translated(ServiceValidationError, "no_target")
    return {
        system.name: await async_start_live_stream(system, call.data.get(ATTR_DURATION))
        for system in systems
    }


def _targeted_systems(call: ServiceCall) -> Iterable[EnphaseSystem]:
    """Yield the systems of the devices or the entry that the call names.

    Raises ServiceValidationError for what is none of ours, or not loaded.
    """
    if (entry_id := call.data.get(ATTR_CONFIG_ENTRY_ID)) is not None:
        entry: EnphaseCloudConfigEntry = service.async_get_config_entry(
            call.hass, DOMAIN, entry_id
        )
        yield from entry.runtime_data.systems
    for device_id in call.data.get(ATTR_DEVICE_ID, ()):
        yield _system_of_device(call.hass, device_id)


def _system_of_device(hass: HomeAssistant, device_id: str) -> EnphaseSystem:
    device = dr.async_get(hass).async_get(device_id)
    entries: list[EnphaseCloudConfigEntry]
    entries = hass.config_entries.async_loaded_entries(DOMAIN)
    for entry in entries:
        for system in entry.runtime_data.systems:
            if device and (DOMAIN, str(system.system_id)) in device.identifiers:
                return system
    raise translated(ServiceValidationError, "unknown_device")
