"""Actions that request history, and cancel it."""

from collections.abc import Callable
from datetime import date
from typing import Any, Final

from homeassistant.core import ServiceCall, ServiceResponse
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv
from homeassistant.util import dt as dt_util
import voluptuous as vol

from ..coordinator.energy import EnergyCoordinator
from ..data import EnphaseSystem
from ..energy.import_progress import KEPT, Days, ImportProgress
from ..energy.parsing import system_day
from ..errors import translated
from ..runtime.options import History
from .targets import TARGET, async_targeted_systems, of_our_time, response

ATTR_FROM: Final = "from"
ATTR_RESOLUTION: Final = "resolution"
ATTR_TO: Final = "to"
_ATTR_AGAIN: Final = "again"
_ATTR_PREVIEW: Final = "preview"

IMPORT_SCHEMA: Final = vol.Schema(
    {
        **TARGET,
        vol.Optional(ATTR_FROM): vol.All(cv.date, of_our_time),
        vol.Optional(ATTR_TO): vol.All(cv.date, of_our_time),
        vol.Required(ATTR_RESOLUTION): vol.All(
            vol.Coerce(History), vol.In([History.DAY, History.HOUR])
        ),
        vol.Optional(_ATTR_AGAIN, default=False): cv.boolean,
        vol.Optional(_ATTR_PREVIEW, default=False): cv.boolean,
    }
)


async def async_import_history(call: ServiceCall) -> ServiceResponse:
    """Request history, and return the number of calls that it takes."""
    systems = await async_targeted_systems(call)
    requests = [(system, *_requested_history(system, call)) for system in systems]
    responses: dict[str, Any] = {}
    for system, energy, change in requests:
        calls = energy.importer.cost(change, dt_util.utcnow())
        duration = energy.duration(calls)
        if not call.data[_ATTR_PREVIEW]:
            energy.async_change(change)
        end = duration and (dt_util.utcnow() + duration).isoformat()
        responses |= response(system, {"calls": calls, "expected_end": end})
    return responses


async def async_stop_history_import(call: ServiceCall) -> None:
    """Cancel all history that is not imported yet."""
    for system in await async_targeted_systems(call):
        if system.energy is not None:
            system.energy.async_change(ImportProgress.cancel_requests)


def _requested_history(
    system: EnphaseSystem, call: ServiceCall
) -> tuple[EnergyCoordinator, Callable[[ImportProgress], ImportProgress]]:
    """Return the coordinator of a system's energy, and the change that is requested.

    Raises ServiceValidationError for history that is unavailable.
    """
    if (energy := system.energy) is None:
        raise translated(ServiceValidationError, "history_needs_recorder")
    first: date | None = call.data.get(ATTR_FROM)
    last: date | None = call.data.get(ATTR_TO)
    now = dt_util.utcnow()
    zone = system.info.time_zone
    today = now.astimezone(zone).date()
    if (first or date.min) > (last or today):
        raise translated(ServiceValidationError, "history_range_empty")
    if call.data[ATTR_RESOLUTION] is History.DAY:
        return energy, lambda progress: progress.request_days(Days(first, last))
    kept = (now - KEPT).astimezone(zone).date()
    if (first or today) < kept:
        raise translated(ServiceValidationError, "history_too_old", earliest=kept)
    start = energy.earliest_hour()
    if first is not None:
        start = max(start, system_day(first, zone).start)
    end = now if last is None else system_day(last, zone).end
    again: bool = call.data[_ATTR_AGAIN]
    return energy, lambda progress: progress.request_hours(
        start, end, now=now, again=again
    )
