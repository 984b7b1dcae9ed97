"""The gateway falls silent and reports again: told once each, at no cost."""

from datetime import datetime, timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.util import dt as dt_util
import pytest

from .conftest import SetUp, World
from .helpers import pass_time, state

GATEWAY = "event.hilltop_gateway_connection"
REPORTING = "binary_sensor.hilltop_gateway_reporting"
QUARTER = timedelta(minutes=15)


pytestmark = pytest.mark.usefixtures("summer_noon")


@pytest.fixture
def told(hass: HomeAssistant) -> list[tuple[str, str]]:
    """Return the types and the moments that are told, as they come."""
    heard: list[tuple[str, Any]] = []

    @callback
    def hear(event: Event[EventStateChangedData]) -> None:
        before, after = event.data["old_state"], event.data["new_state"]
        if before and after and "unavailable" not in (before.state, after.state):
            attributes = after.attributes
            heard.append((attributes["event_type"], attributes["silent_since"]))

    async_track_state_change_event(hass, [GATEWAY], hear)
    return heard


async def test_a_silence_and_its_end_are_told(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    told: list[tuple[str, str]],
) -> None:
    """Together with the binary sensor; no call is made for it."""
    await set_up()
    await pass_time(hass, freezer, timedelta(hours=1), step=QUARTER)
    assert told == []
    silent_at = dt_util.utcnow()
    world.system.go_offline(silent_at)
    calls = len(world.calls)
    await pass_time(hass, freezer, timedelta(hours=3), step=QUARTER)
    assert [event_type for event_type, _ in told] == ["lost"]
    since = datetime.fromisoformat(told[0][1])
    assert silent_at - timedelta(minutes=20) <= since <= silent_at
    assert state(hass, REPORTING) == "off"
    assert set(world.calls[calls:]) <= {
        "summary",
        "latest_telemetry",
        "telemetry_battery",
    }

    world.system.come_online(dt_util.utcnow())
    await pass_time(hass, freezer, timedelta(hours=6), step=QUARTER)
    assert state(hass, REPORTING) == "on"
    assert told[1:] == [("restored", told[0][1])]


async def test_a_silence_is_told_once_over_restarts(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    told: list[tuple[str, str]],
) -> None:
    """And its end, should that come while the account is not loaded."""
    entry = await set_up()
    world.system.go_offline(dt_util.utcnow())
    await pass_time(hass, freezer, timedelta(hours=3), step=QUARTER)
    await hass.config_entries.async_reload(entry.entry_id)
    await pass_time(hass, freezer, timedelta(hours=3), step=QUARTER)
    assert [event_type for event_type, _ in told] == ["lost"]

    await hass.config_entries.async_unload(entry.entry_id)
    world.system.come_online(dt_util.utcnow())
    freezer.tick(timedelta(hours=12))
    await set_up(entry)
    await pass_time(hass, freezer, timedelta(hours=1), step=QUARTER)
    assert [event_type for event_type, _ in told] == ["lost", "restored"]


async def test_a_gateway_that_is_silent_at_first_is_no_news(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    told: list[tuple[str, str]],
) -> None:
    """Its first report is."""
    world.system.go_offline(dt_util.utcnow() - timedelta(days=2))
    await set_up()
    await pass_time(hass, freezer, timedelta(hours=1), step=QUARTER)
    assert state(hass, REPORTING) == "off"
    assert told == []
    world.system.come_online(dt_util.utcnow())
    await pass_time(hass, freezer, timedelta(hours=12), step=QUARTER)
    assert [event_type for event_type, _ in told] == ["restored"]
