"""Actions: what users and automations ask for, at the cost of calls."""

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

from .bursts import Grant
from .const import DOMAIN, MAX_LIVE, MIN_STREAM
from .data import EnphaseCloudConfigEntry, EnphaseSystem
from .errors import translated

ACTION_START_LIVE_STREAM: Final = "start_live_stream"
ACTION_STOP_LIVE_STREAM: Final = "stop_live_stream"
ATTR_DURATION: Final = "duration"

_TARGET: Final = {
    vol.Optional(ATTR_DEVICE_ID): vol.All(cv.ensure_list, [cv.string]),
    vol.Optional(ATTR_CONFIG_ENTRY_ID): cv.string,
}
_STOP_LIVE_STREAM_SCHEMA: Final = vol.Schema(_TARGET)
_START_LIVE_STREAM_SCHEMA: Final = vol.Schema(
    {
        **_TARGET,
        vol.Optional(ATTR_DURATION): vol.All(
            cv.positive_time_period, vol.Range(min=MIN_STREAM, max=MAX_LIVE)
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
    hass.services.async_register(
        DOMAIN,
        ACTION_STOP_LIVE_STREAM,
        _async_stop_live_streams,
        schema=_STOP_LIVE_STREAM_SCHEMA,
    )


async def async_refresh(system: EnphaseSystem) -> None:
    """Ask for all documents of a system now."""
    for coordinator in system.documents:
        if coordinator.is_active:
            await coordinator.async_refresh_for_user()


async def async_start_live_stream(
    system: EnphaseSystem, duration: timedelta | None = None
) -> Grant:
    """Start live data of a system, join what runs, or lengthen it."""
    if system.bursts is None:
        raise translated(ServiceValidationError, "live_not_in_plan")
    return await system.bursts.async_request(duration)


async def _async_start_live_streams(call: ServiceCall) -> ServiceResponse:
    answer: dict[str, Any] = {}
    for system in _targeted_systems(call):
        grant = await async_start_live_stream(system, call.data.get(ATTR_DURATION))
        answer[system.name] = {
            "ends_at": grant.ends_at.isoformat(),
            "streams": grant.streams,
            "cost_usd": grant.cost,
        }
    return answer


async def _async_stop_live_streams(call: ServiceCall) -> None:
    for system in _targeted_systems(call):
        if system.bursts is not None:
            await system.bursts.async_stop()


def _targeted_systems(call: ServiceCall) -> list[EnphaseSystem]:
    """Return the systems of the devices or the entry that the call names.

    Raises ServiceValidationError for what is none of ours, or not loaded.
    """
    systems: list[EnphaseSystem] = []
    if (entry_id := call.data.get(ATTR_CONFIG_ENTRY_ID)) is not None:
        entry: EnphaseCloudConfigEntry = service.async_get_config_entry(
            call.hass, DOMAIN, entry_id
        )
        systems += entry.runtime_data.systems
    for device_id in call.data.get(ATTR_DEVICE_ID, ()):
        system = _system_of_device(call.hass, device_id)
        if system not in systems:
            systems.append(system)
    if not systems:
        raise translated(ServiceValidationError, "no_target")
    return systems


def _system_of_device(hass: HomeAssistant, device_id: str) -> EnphaseSystem:
    device = dr.async_get(hass).async_get(device_id)
    entries: list[EnphaseCloudConfigEntry]
    entries = hass.config_entries.async_loaded_entries(DOMAIN)
    for entry in entries:
        for system in entry.runtime_data.systems:
            if device and (DOMAIN, str(system.system_id)) in device.identifiers:
                return system
    raise translated(ServiceValidationError, "unknown_device")
