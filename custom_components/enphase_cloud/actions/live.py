"""Actions that start and stop live sessions, which cost money."""

from datetime import timedelta
from typing import Any, Final

from homeassistant.core import ServiceCall, ServiceResponse
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv
import voluptuous as vol

from ..const import MAX_LIVE, MIN_STREAM
from ..coordinator.live_session import LiveGrant
from ..data import EnphaseSystem
from ..errors import translated
from .targets import TARGET, async_targeted_systems, response

_ATTR_DURATION: Final = "duration"


def _duration(value: object) -> timedelta:
    """Return a duration; Home Assistant's own check overflows if it is too long."""
    try:
        return cv.positive_time_period(value)
    except ArithmeticError:
        raise vol.Invalid("The duration is too long") from None


START_SCHEMA: Final = vol.Schema(
    {
        **TARGET,
        vol.Optional(_ATTR_DURATION): vol.All(
            _duration, vol.Range(min=MIN_STREAM, max=MAX_LIVE)
        ),
    }
)


async def async_start_live_stream(
    system: EnphaseSystem, duration: timedelta | None = None
) -> LiveGrant:
    """Start a live session of a system, or join and extend the one that runs."""
    if system.live_sessions is None:
        raise translated(ServiceValidationError, "live_not_in_plan")
    return await system.live_sessions.async_request(duration)


async def async_start_live_streams(call: ServiceCall) -> ServiceResponse:
    """Start a live session, and return its end and cost."""
    responses: dict[str, Any] = {}
    for system in await async_targeted_systems(call):
        grant = await async_start_live_stream(system, call.data.get(_ATTR_DURATION))
        result = {
            "ends_at": grant.ends_at.isoformat(),
            "streams": grant.streams,
            "cost_usd": grant.cost,
        }
        responses |= response(system, result)
    return responses


async def async_stop_live_streams(call: ServiceCall) -> None:
    """Stop live sessions."""
    for system in await async_targeted_systems(call):
        if system.live_sessions is not None:
            await system.live_sessions.async_stop()
