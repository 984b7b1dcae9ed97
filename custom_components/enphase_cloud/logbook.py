"""Settings in the logbook: each write and its result."""

from collections.abc import Callable
from typing import Any, Final

from homeassistant.components.logbook.const import (
    LOGBOOK_ENTRY_ENTITY_ID,
    LOGBOOK_ENTRY_MESSAGE,
    LOGBOOK_ENTRY_NAME,
)
from homeassistant.const import ATTR_ENTITY_ID, ATTR_FRIENDLY_NAME
from homeassistant.core import Event, HomeAssistant, callback

from .const import DOMAIN, EVENT_SETTING

_RESULTS: Final = {
    "accepted": "was set to {value}, and Enphase accepted it",
    "confirmed": "is {value} at Enphase, as it was set",
    "different": "was set to {value}, but Enphase does not have it",
    "failed": "could not be set to {value}: {reason}",
}
_EVENT: Final = " while an event of the grid operator controls the battery"


@callback
def async_describe_events(
    hass: HomeAssistant,
    async_describe_event: Callable[[str, str, Callable[[Event], dict[str, Any]]], None],
) -> None:
    """Describe the event of a setting."""

    @callback
    def describe(event: Event) -> dict[str, Any]:
        """Return what the logbook shows."""
        data = event.data
        entity_id = str(data.get(ATTR_ENTITY_ID, ""))
        state = hass.states.get(entity_id)
        name = state.attributes.get(ATTR_FRIENDLY_NAME) if state else None
        value = _readable(data.get("value"))
        message = _RESULTS.get(str(data.get("result")), "was set to {value}")
        return {
            LOGBOOK_ENTRY_NAME: name or entity_id,
            LOGBOOK_ENTRY_MESSAGE: message.format(
                value=value, reason=data.get("reason")
            )
            + (_EVENT if data.get("grid_services_event") else ""),
            LOGBOOK_ENTRY_ENTITY_ID: entity_id,
        }

    async_describe_event(DOMAIN, EVENT_SETTING, describe)


def _readable(value: object) -> str:
    """Return a value as users see it."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value).replace("_", " ")
