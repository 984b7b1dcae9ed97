"""Actions that start and stop live data, at the cost of money."""

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
    """Return a duration; Home Assistant's own check overflows where there is no end."""
    try:
        return cv.positive_time_period(value)
    except ArithmeticError:
        raise vol.Invalid("The duration has no end") from None


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
    """Start a live session of a system, join what runs, or lengthen it."""
    if system.live_sessions is None:
        raise translated(ServiceValidationError, "live_not_in_plan")
    return await system.live_sessions.async_request(duration)


async def async_start_live_streams(call: ServiceCall) -> ServiceResponse:
    """Start a live session, and tell until when and at what cost."""
    answer: dict[str, Any] = {}
    for system in await async_targeted_systems(call):
        grant = await async_start_live_stream(system, call.data.get(_ATTR_DURATION))
        told = {
            "ends_at": grant.ends_at.isoformat(),
            "streams": grant.streams,
            "cost_usd": grant.cost,
        }
        answer |= response(system, told)
    return answer


async def async_stop_live_streams(call: ServiceCall) -> None:
    """Stop live data."""
    for system in await async_targeted_systems(call):
        if system.live_sessions is not None:
            await system.live_sessions.async_stop()
