"""Events when the gateway stops and resumes reporting: one each, without calls."""

from datetime import datetime, timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.util import dt as dt_util
import pytest

from simulator import Fault

from .conftest import SetUp, World
from .helpers import pass_time, state

GATEWAY = "event.hilltop_gateway_connection"
REPORTING = "binary_sensor.hilltop_gateway_reporting"
QUARTER = timedelta(minutes=15)


pytestmark = pytest.mark.usefixtures("summer_noon")


@pytest.fixture
def fired(hass: HomeAssistant) -> list[tuple[str, str]]:
    """Return the type and the start of the silence of each event, in order."""
    events: list[tuple[str, Any]] = []

    @callback
    def capture(event: Event[EventStateChangedData]) -> None:
        before, after = event.data["old_state"], event.data["new_state"]
        if before and after and "unavailable" not in (before.state, after.state):
            attributes = after.attributes
            events.append((attributes["event_type"], attributes["silent_since"]))

    async_track_state_change_event(hass, [GATEWAY], capture)
    return events


async def test_silence_and_its_end_fire_an_event_each(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    fired: list[tuple[str, str]],
) -> None:
    """The binary sensor changes with them; no extra call is made."""
    await set_up()
    await pass_time(hass, freezer, timedelta(hours=1), step=QUARTER)
    assert fired == []
    silent_at = dt_util.utcnow()
    world.system.go_offline(silent_at)
    calls = len(world.calls)
    await pass_time(hass, freezer, timedelta(hours=3), step=QUARTER)
    assert [event_type for event_type, _ in fired] == ["lost"]
    since = datetime.fromisoformat(fired[0][1])
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
    assert fired[1:] == [("restored", fired[0][1])]


async def test_silence_fires_one_event_despite_restarts(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    fired: list[tuple[str, str]],
) -> None:
    """Its end fires one, too, even if the account is not loaded at that time."""
    entry = await set_up()
    world.system.go_offline(dt_util.utcnow())
    await pass_time(hass, freezer, timedelta(hours=3), step=QUARTER)
    await hass.config_entries.async_reload(entry.entry_id)
    await pass_time(hass, freezer, timedelta(hours=3), step=QUARTER)
    assert [event_type for event_type, _ in fired] == ["lost"]

    await hass.config_entries.async_unload(entry.entry_id)
    world.system.come_online(dt_util.utcnow())
    freezer.tick(timedelta(hours=12))
    await set_up(entry)
    await pass_time(hass, freezer, timedelta(hours=1), step=QUARTER)
    assert [event_type for event_type, _ in fired] == ["lost", "restored"]


async def test_failing_cloud_does_not_make_a_gateway_silent(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    fired: list[tuple[str, str]],
) -> None:
    """What the gateway does is unknown meanwhile."""
    await set_up()
    world.cloud.faults.add(Fault(status=500))
    await pass_time(hass, freezer, timedelta(hours=4), step=QUARTER)
    assert state(hass, REPORTING) == "on"
    world.cloud.faults.clear()
    await pass_time(hass, freezer, timedelta(hours=4), step=QUARTER)
    assert state(hass, REPORTING) == "on"
    assert fired == []


async def test_gateway_silent_since_before_set_up_fires_no_lost_event(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    fired: list[tuple[str, str]],
) -> None:
    """Its first report fires the restored event."""
    world.system.go_offline(dt_util.utcnow() - timedelta(days=2))
    await set_up()
    await pass_time(hass, freezer, timedelta(hours=1), step=QUARTER)
    assert state(hass, REPORTING) == "off"
    assert fired == []
    world.system.come_online(dt_util.utcnow())
    await pass_time(hass, freezer, timedelta(hours=12), step=QUARTER)
    assert [event_type for event_type, _ in fired] == ["restored"]
