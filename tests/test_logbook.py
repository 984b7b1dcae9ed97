"""The logbook describes each write of a setting and its result."""

from collections.abc import Callable
from typing import Any

from homeassistant.core import Context, Event, HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest

from custom_components.enphase_cloud.const import DOMAIN, EVENT_SETTING
from custom_components.enphase_cloud.logbook import async_describe_events
from simulator import Fault

from .conftest import SetUp, World
from .controls import MODE, OPTIONS, put, setting_events

pytestmark = pytest.mark.usefixtures("summer_noon")


@pytest.mark.parametrize("plan", ["megawatt"])
async def test_logbook_describes_writes_of_settings(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """Each entry names the entity and belongs to the user who wrote the setting."""
    await set_up(options=OPTIONS)
    events = setting_events(hass)
    user = await hass.auth.async_create_user("Ada")
    context = Context(user_id=user.id)
    await put(hass, MODE, "full_backup", context)
    world.cloud.faults.add(
        Fault(operation="set_battery_settings", status=422, details="Not now")
    )
    with pytest.raises(HomeAssistantError):
        await put(hass, MODE, "savings", context)
    assert [event["user_id"] for event in events] == [user.id] * 2
    assert [_described(hass, each)["message"] for each in events] == [
        "was set to full backup, and Enphase accepted it",
        "could not be set to savings: Enphase refuses this setting: Not now",
    ]
    described = _described(hass, events[0])
    assert described["name"] == "Hilltop Storage mode"
    assert described["entity_id"] == MODE


@pytest.mark.parametrize(
    ("value", "shown"),
    [(True, "on"), (False, "off"), ("full_backup", "full backup"), (40, "40")],
)
async def test_logbook_shows_values_as_the_entity_does(
    hass: HomeAssistant, value: object, shown: str
) -> None:
    data = {"entity_id": MODE, "value": value, "result": "confirmed"}
    expected = f"is {shown} at Enphase, as it was set"
    assert _described(hass, data)["message"] == expected


async def test_logbook_mentions_an_event_of_the_grid(hass: HomeAssistant) -> None:
    """The entity need not exist any more."""
    data = {
        "entity_id": MODE,
        "value": 40,
        "result": "different",
        "grid_services_event": True,
    }
    assert _described(hass, data) == {
        "name": MODE,
        "message": "was set to 40, but Enphase does not have it while an event of the"
        " grid operator controls the battery",
        "entity_id": MODE,
    }


def _described(hass: HomeAssistant, data: dict[str, Any]) -> dict[str, Any]:
    """Return how the logbook describes the event."""
    described: dict[str, Any] = {}

    def describe(
        domain: str, name: str, describe_event: Callable[[Event], dict[str, Any]]
    ) -> None:
        assert (domain, name) == (DOMAIN, EVENT_SETTING)
        described.update(describe_event(Event(name, data)))

    async_describe_events(hass, describe)
    return described
