"""Actions: what users and automations ask for, at the cost of calls."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from homeassistant.auth.permissions.const import POLICY_CONTROL
from homeassistant.const import ATTR_CONFIG_ENTRY_ID, ATTR_DEVICE_ID
from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
)
from homeassistant.exceptions import ServiceValidationError, Unauthorized, UnknownUser
from homeassistant.helpers import (
    config_validation as cv,
    device_registry as dr,
    entity_registry as er,
    service,
)
from homeassistant.util import dt as dt_util
import voluptuous as vol

from .const import DOMAIN, MAX_LIVE, MIN_STREAM
from .coordinator.energy import EnergyCoordinator
from .coordinator.live_session import LiveGrant
from .data import EnphaseCloudConfigEntry, EnphaseSystem
from .energy.import_progress import KEPT, Days, ImportProgress
from .errors import translated
from .runtime.options import History

ACTION_START_LIVE_STREAM: Final = "start_live_stream"
ACTION_STOP_LIVE_STREAM: Final = "stop_live_stream"
ACTION_IMPORT_HISTORY: Final = "import_history"
ACTION_STOP_HISTORY_IMPORT: Final = "stop_history_import"
ATTR_AGAIN: Final = "again"
ATTR_DURATION: Final = "duration"
ATTR_FROM: Final = "from"
ATTR_PREVIEW: Final = "preview"
ATTR_RESOLUTION: Final = "resolution"
ATTR_TO: Final = "to"


def _duration(value: object) -> timedelta:
    """Return a duration; Home Assistant's own check overflows where there is no end."""
    try:
        return cv.positive_time_period(value)
    except ArithmeticError:
        raise vol.Invalid("The duration has no end") from None


_TARGET: Final = {
    vol.Optional(ATTR_DEVICE_ID): vol.All(cv.ensure_list, [cv.string]),
    vol.Optional(ATTR_CONFIG_ENTRY_ID): cv.string,
}
_TARGET_SCHEMA: Final = vol.Schema(_TARGET)
_START_LIVE_STREAM_SCHEMA: Final = vol.Schema(
    {
        **_TARGET,
        vol.Optional(ATTR_DURATION): vol.All(
            _duration, vol.Range(min=MIN_STREAM, max=MAX_LIVE)
        ),
    }
)
_IMPORT_HISTORY_SCHEMA: Final = vol.Schema(
    {
        **_TARGET,
        vol.Optional(ATTR_FROM): cv.date,
        vol.Optional(ATTR_TO): cv.date,
        vol.Required(ATTR_RESOLUTION): vol.All(
            vol.Coerce(History), vol.In([History.DAY, History.HOUR])
        ),
        vol.Optional(ATTR_AGAIN, default=False): cv.boolean,
        vol.Optional(ATTR_PREVIEW, default=False): cv.boolean,
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
        schema=_TARGET_SCHEMA,
    )
    hass.services.async_register(
        DOMAIN,
        ACTION_IMPORT_HISTORY,
        _async_import_history,
        schema=_IMPORT_HISTORY_SCHEMA,
        supports_response=SupportsResponse.OPTIONAL,
    )
    hass.services.async_register(
        DOMAIN,
        ACTION_STOP_HISTORY_IMPORT,
        _async_stop_history_import,
        schema=_TARGET_SCHEMA,
    )


async def async_refresh(system: EnphaseSystem) -> None:
    """Request all polled documents of a system now."""
    for coordinator in system.documents:
        if coordinator.plan.is_active and coordinator.document.period is None:
            await coordinator.async_refresh_for_user()


async def async_start_live_stream(
    system: EnphaseSystem, duration: timedelta | None = None
) -> LiveGrant:
    """Start live data of a system, join what runs, or lengthen it."""
    if system.live_sessions is None:
        raise translated(ServiceValidationError, "live_not_in_plan")
    return await system.live_sessions.async_request(duration)


async def _async_start_live_streams(call: ServiceCall) -> ServiceResponse:
    answer: dict[str, Any] = {}
    for system in await _async_targeted_systems(call):
        grant = await async_start_live_stream(system, call.data.get(ATTR_DURATION))
        answer[system.info.name] = {
            "ends_at": grant.ends_at.isoformat(),
            "streams": grant.streams,
            "cost_usd": grant.cost,
        }
    return answer


async def _async_stop_live_streams(call: ServiceCall) -> None:
    for system in await _async_targeted_systems(call):
        if system.live_sessions is not None:
            await system.live_sessions.async_stop()


async def _async_import_history(call: ServiceCall) -> ServiceResponse:
    systems = await _async_targeted_systems(call)
    wanted = [(system, *_wanted_history(system, call)) for system in systems]
    answer: dict[str, Any] = {}
    for system, energies, change in wanted:
        calls = energies.importer.cost(change, dt_util.utcnow())
        duration = energies.duration(calls)
        if not call.data[ATTR_PREVIEW]:
            energies.async_change(change)
        answer[system.info.name] = {
            "calls": calls,
            "expected_end": duration and (dt_util.utcnow() + duration).isoformat(),
        }
    return answer


async def _async_stop_history_import(call: ServiceCall) -> None:
    for system in await _async_targeted_systems(call):
        if system.energies is not None:
            system.energies.async_change(ImportProgress.want_nothing)


def _wanted_history(
    system: EnphaseSystem, call: ServiceCall
) -> tuple[EnergyCoordinator, Callable[[ImportProgress], ImportProgress]]:
    """Return who imports a system's history, and what the call wants of it.

    Raises ServiceValidationError for what cannot be had.
    """
    if (energies := system.energies) is None:
        raise translated(ServiceValidationError, "history_needs_recorder")
    first: date | None = call.data.get(ATTR_FROM)
    last: date | None = call.data.get(ATTR_TO)
    now = dt_util.utcnow()
    today = now.astimezone(system.info.time_zone).date()
    if (first or date.min) > (last or today):
        raise translated(ServiceValidationError, "history_range_empty")
    if call.data[ATTR_RESOLUTION] is History.DAY:
        return energies, lambda progress: progress.want_days(Days(first, last))
    kept = (now - KEPT).astimezone(system.info.time_zone).date()
    if (first or today) < kept:
        raise translated(ServiceValidationError, "history_too_old", earliest=kept)
    start = energies.earliest_hour()
    if first is not None:
        start = max(start, _midnight(first, system))
    end = now if last is None else _midnight(last + timedelta(days=1), system)
    again: bool = call.data[ATTR_AGAIN]
    return energies, lambda progress: progress.want_hours(
        start, end, now=now, again=again
    )


def _midnight(day: date, system: EnphaseSystem) -> datetime:
    """Return when a system's day begins."""
    return dt_util.as_utc(datetime.combine(day, time(), system.info.time_zone))


async def _async_targeted_systems(call: ServiceCall) -> list[EnphaseSystem]:
    """Return the systems that the call names and its user may control.

    Raises ServiceValidationError for what is none of ours, or not loaded;
    Unauthorized and UnknownUser as entity actions do.
    """
    systems = _targeted_systems(call)
    if (user_id := call.context.user_id) is None:
        return systems  # An automation, for instance.
    if (user := await call.hass.auth.async_get_user(user_id)) is None:
        raise UnknownUser(
            context=call.context, permission=POLICY_CONTROL, user_id=user_id
        )
    for system in systems:
        for entity_id in _entity_ids(call.hass, system):
            if not user.permissions.check_entity(entity_id, POLICY_CONTROL):
                raise Unauthorized(
                    context=call.context,
                    user_id=user_id,
                    entity_id=entity_id,
                    permission=POLICY_CONTROL,
                )
    return systems


def _entity_ids(hass: HomeAssistant, system: EnphaseSystem) -> list[str]:
    """Return the entities of a system; at least its buttons are always there."""
    identifiers = {(DOMAIN, str(system.info.system_id))}
    device = dr.async_get(hass).async_get_device(identifiers=identifiers)
    if device is None:
        return []
    entities = er.async_entries_for_device(
        er.async_get(hass), device.id, include_disabled_entities=True
    )
    return [entity.entity_id for entity in entities if entity.platform == DOMAIN]


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
            if device and any(
                domain == DOMAIN
                and identifier.partition("_")[0] == str(system.info.system_id)
                for domain, identifier in device.identifiers
            ):
                return system
    raise translated(ServiceValidationError, "unknown_device")
