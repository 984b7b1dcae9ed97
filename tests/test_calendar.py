"""The calendar of events and alarms: what it shows, and what each look costs."""

from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.calendar import DOMAIN as CALENDAR
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from simulator import Fault
from simulator.alarms import find_type

from .conftest import SetUp, World
from .helpers import pass_time, state

ALARMS: dict[str, Any] = {"groups": ["alarms"]}
EVENTS = "calendar.hilltop_events_and_alarms"
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
# A Sunday; so the week has begun on the 15th.
NOW = datetime(2026, 6, 21, 10, 7, tzinfo=UTC)
MONDAY = datetime(2026, 6, 15, tzinfo=UTC)
WEEK = timedelta(days=7)

type Look = Callable[[datetime, datetime], Awaitable[list[dict[str, Any]]]]


@pytest.fixture(autouse=True)
def _summer_noon(freezer: FrozenDateTimeFactory) -> None:
    freezer.move_to(NOW)


@pytest.fixture
def look(hass: HomeAssistant, entity_registry_enabled_by_default: None) -> Look:
    """Return a function that asks the calendar for a range."""

    async def look(start: datetime, end: datetime) -> list[dict[str, Any]]:
        answer = await hass.services.async_call(
            CALENDAR,
            "get_events",
            {
                "entity_id": EVENTS,
                "start_date_time": start.isoformat(),
                "end_date_time": end.isoformat(),
            },
            blocking=True,
            return_response=True,
        )
        assert answer is not None
        found = answer[EVENTS]
        assert isinstance(found, dict)
        return list(found["events"])  # type: ignore[arg-type]

    return look


def _made(world: World) -> list[str]:
    calls = [
        each for each in world.calls if each in {"events", "alarms", "event_types"}
    ]
    world.cloud.requests.clear()
    return calls


def _names(events: list[dict[str, Any]]) -> list[str]:
    return [each["summary"] for each in events]


def _name(key: str) -> str:
    return find_type(key).name


async def test_it_is_disabled_at_first(hass: HomeAssistant, set_up: SetUp) -> None:
    """For a look at it costs calls."""
    await set_up(options=ALARMS)
    entity = er.async_get(hass).async_get(EVENTS)
    assert entity is not None
    assert entity.disabled_by is er.RegistryEntryDisabler.INTEGRATION


async def test_weeks_are_requested_once(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    look: Look,
) -> None:
    """Two calls a week; what was requested is kept over restarts."""
    system = world.system
    battery = system.open_alarm("battery_hot", MONDAY - 3 * DAY)
    system.clear_alarm(battery, MONDAY - 2 * DAY)
    system.open_alarm("gateway_restarted", MONDAY + DAY, severity=None)
    entry = await set_up(options=ALARMS)
    assert _made(world) == []

    events = await look(MONDAY - WEEK, MONDAY + WEEK)
    assert _names(events) == [_name("battery_hot"), _name("gateway_restarted")]
    assert dt_util.parse_datetime(events[0]["start"]) == MONDAY - 3 * DAY
    assert dt_util.parse_datetime(events[0]["end"]) == MONDAY - 2 * DAY
    assert events[0]["description"].splitlines() == [
        "Warning",
        find_type("battery_hot").description,
        find_type("battery_hot").advice,
    ]
    restarted = find_type("gateway_restarted")
    assert events[1]["description"].startswith(restarted.description)
    ended_at = dt_util.parse_datetime(events[1]["end"])
    assert ended_at == MONDAY + DAY + timedelta(minutes=1)
    made = Counter(_made(world))
    assert made == {"alarms": 2, "events": 2, "event_types": 1}

    await look(MONDAY - WEEK, MONDAY + WEEK)
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    again = await look(MONDAY - WEEK, MONDAY + WEEK)
    assert _names(again) == _names(events)
    assert _made(world) == []

    # The present week is asked for again after hours, the past one is not.
    freezer.tick(7 * HOUR)
    await look(MONDAY - WEEK, MONDAY + WEEK)
    assert _made(world) == ["events", "alarms"]


async def test_an_open_alarm_lasts_over_midnight(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    look: Look,
) -> None:
    """The state does not change for a moment."""
    await hass.config.async_set_time_zone("Pacific/Auckland")
    world.system.open_alarm("battery_hot", NOW - DAY)
    await set_up(options=ALARMS)
    states: list[str] = []

    @callback
    def hear(event: Event[EventStateChangedData]) -> None:
        states.append(event.data["new_state"].state if event.data["new_state"] else "")

    async_track_state_change_event(hass, [EVENTS], hear)
    # In Auckland it is past ten in the evening.
    await pass_time(hass, freezer, timedelta(hours=4), step=timedelta(minutes=1))
    assert states
    assert set(states) == {"on"}


async def test_names_that_could_not_be_had_come_with_another_look(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    look: Look,
) -> None:
    """Weeks are kept without them."""
    world.system.open_alarm("gateway_restarted", MONDAY - DAY, severity=None)
    await set_up()
    world.cloud.faults.add(Fault(operation="event_types", status=500))
    past = (MONDAY - WEEK, MONDAY)
    number = find_type("gateway_restarted").number
    assert _names(await look(*past)) == [f"Event {number}"]
    await look(*past)
    assert _made(world) == ["events", "alarms", "event_types"]
    world.cloud.faults.clear()
    freezer.tick(2 * DAY)
    assert _names(await look(*past)) == [_name("gateway_restarted")]
    assert _made(world) == ["event_types"]


async def test_a_past_week_is_final_unless_something_goes_on(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    look: Look,
) -> None:
    """Then it is asked for once more, but not before a week has passed."""
    past = (MONDAY - 2 * WEEK, MONDAY - WEEK)
    number = world.system.open_alarm("meter_silent", MONDAY - 10 * DAY, severity=None)
    await set_up()
    [event] = await look(*past)
    assert _made(world) == ["events", "alarms", "event_types"]
    assert dt_util.parse_datetime(event["end"]) == NOW
    world.system.clear_alarm(number, MONDAY - 8 * DAY)
    freezer.tick(3 * DAY)
    await look(*past)
    assert _made(world) == []
    freezer.tick(5 * DAY)
    [event] = await look(*past)
    assert _made(world) == ["events", "alarms"]
    assert dt_util.parse_datetime(event["end"]) == MONDAY - 8 * DAY
    freezer.tick(60 * DAY)
    await look(*past)
    assert _made(world) == []


@pytest.mark.parametrize("plan", ["watt"])
async def test_a_month_on_watt_takes_two_looks(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    look: Look,
) -> None:
    """The minute has ten calls; what has arrived is kept, and the user is told."""
    entry = world.entry(options=ALARMS)
    entry.add_to_hass(hass)
    await set_up(entry)
    freezer.tick(timedelta(minutes=5))
    _made(world)
    start, end = MONDAY - 6 * WEEK, MONDAY + WEEK
    with pytest.raises(HomeAssistantError) as raised:
        await look(start, end)
    assert raised.value.translation_key == "budget_exhausted"
    first = _made(world)
    assert 8 <= len(first) <= 10
    with pytest.raises(HomeAssistantError):
        await look(start, end)
    assert _made(world) == []
    freezer.tick(timedelta(minutes=2))
    await look(start, end)
    second = _made(world)
    assert len(first) + len(second) in (14, 15)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        # What automations with a trigger ask for, each quarter of an hour.
        (NOW, NOW + timedelta(minutes=15)),
        (NOW - 2 * HOUR, NOW - HOUR),
        # The future, and what is too old.
        (NOW + DAY, NOW + 30 * DAY),
        (NOW - 600 * DAY, NOW - 300 * DAY),
    ],
)
async def test_what_costs_nothing(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    look: Look,
    start: datetime,
    end: datetime,
) -> None:
    """Nothing is known of it, and nobody looks."""
    await set_up(options=ALARMS)
    _made(world)
    assert await look(start, end) == []
    assert _made(world) == []


async def test_the_oldest_week_is_cut_where_the_cloud_ends(
    hass: HomeAssistant, world: World, set_up: SetUp, look: Look
) -> None:
    """It refuses what is older than nine months."""
    world.system.open_alarm("meter_silent", NOW - 269 * DAY)
    await set_up(options=ALARMS)
    _made(world)
    events = await look(NOW - 280 * DAY, NOW - 265 * DAY)
    assert len(events) == 1
    assert _made(world).count("events") in (1, 2)


async def test_its_state_is_that_of_the_worst_open_alarm(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    look: Look,
) -> None:
    """At no cost; and what is open is in every range that it reaches into."""
    await set_up(options=ALARMS)
    assert state(hass, EVENTS) == "off"
    began = dt_util.utcnow()
    number = world.system.open_alarm("battery_hot", began, severity=4)
    worse = world.system.open_alarm("meter_silent", began, severity=1)
    await pass_time(hass, freezer, DAY, step=HOUR)
    shown = hass.states.get(EVENTS)
    assert shown is not None
    assert shown.state == "on"
    assert shown.attributes["message"] == _name("meter_silent")
    assert set(_made(world)) == {"event_types"}
    now = dt_util.utcnow()
    events = await look(now, now + timedelta(minutes=15))
    assert set(_names(events)) == {_name("battery_hot"), _name("meter_silent")}
    assert _made(world) == []
    world.system.clear_alarm(number, dt_util.utcnow())
    world.system.clear_alarm(worse, dt_util.utcnow())
    await pass_time(hass, freezer, DAY, step=HOUR)
    assert state(hass, EVENTS) == "off"


@pytest.mark.parametrize(
    ("fault", "key"),
    [
        (Fault(operation="alarms", status=500), "update_failed"),
        (Fault(operation="events", status=401), "not_entitled"),
        (Fault(operation="events", status=403), "forbidden"),
        (Fault(operation="events", body="html"), "update_failed"),
    ],
)
async def test_what_fails_is_explained(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    look: Look,
    hass_client: ClientSessionGenerator,
    fault: Fault,
    key: str,
) -> None:
    """To who looks; nothing else suffers, and nothing is kept of it."""
    entry = await set_up(options=ALARMS)
    world.cloud.faults.add(fault)
    with pytest.raises(HomeAssistantError) as raised:
        await look(MONDAY, MONDAY + WEEK)
    assert raised.value.translation_key == key
    assert not any(entry.async_get_active_flows(hass, {"reauth"}))
    client = await hass_client()
    query = {"start": MONDAY.isoformat(), "end": (MONDAY + WEEK).isoformat()}
    response = await client.get(f"/api/calendars/{EVENTS}", params=query)
    assert response.status == HTTPStatus.INTERNAL_SERVER_ERROR
    assert str(world.system.system_id) not in await response.text()
    world.cloud.faults.clear()
    assert await look(MONDAY, MONDAY + WEEK) == []


async def test_a_system_that_is_not_shown_is_not_asked(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    look: Look,
) -> None:
    """Of what is known the calendar tells."""
    await set_up(options=ALARMS)
    world.cloud.faults.add(Fault(operation="summary", status=404))
    await pass_time(hass, freezer, 3 * HOUR, step=timedelta(minutes=5))
    _made(world)
    with pytest.raises(HomeAssistantError) as raised:
        await look(MONDAY - WEEK, MONDAY)
    assert raised.value.translation_key == "system_not_visible"
    assert _made(world) == []
