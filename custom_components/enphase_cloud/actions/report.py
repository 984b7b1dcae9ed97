"""The action that returns the report of a day, from the recorder only."""

from datetime import date
from typing import Any, Final

from homeassistant.auth.permissions.const import POLICY_READ
from homeassistant.core import ServiceCall, ServiceResponse
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv
import voluptuous as vol

from ..data import EnphaseSystem
from ..errors import translated
from ..report import async_report, yesterday
from .targets import TARGET, async_targeted_systems, of_our_time, response

_ATTR_DATE: Final = "date"

SCHEMA: Final = vol.Schema(
    {**TARGET, vol.Optional(_ATTR_DATE): vol.All(cv.date, of_our_time)}
)


async def async_get_report(call: ServiceCall) -> ServiceResponse:
    """Return the report of a day, by default yesterday."""
    systems = await async_targeted_systems(call, POLICY_READ)
    responses: dict[str, Any] = {}
    for system in systems:
        raise_without_recorder(system)
        day: date = call.data.get(_ATTR_DATE) or yesterday(system)
        entry = system.context.shared.entry
        report = await async_report(call.hass, entry, system, day)
        responses |= response(system, report)
    return responses


def raise_without_recorder(system: EnphaseSystem) -> None:
    """Raise ServiceValidationError where no recorder stores energy."""
    if system.energy is None:
        raise translated(ServiceValidationError, "energy_needs_recorder")
