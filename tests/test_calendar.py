"""The calendar of events and alarms: what it shows, and what each query costs."""

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

type GetEvents = Callable[[datetime, datetime], Awaitable[list[dict[str, Any]]]]


@pytest.fixture(autouse=True)
def _summer_noon(freezer: FrozenDateTimeFactory) -> None:
    freezer.move_to(NOW)


@pytest.fixture
def get_events(
    hass: HomeAssistant, entity_registry_enabled_by_default: None
) -> GetEvents:
    """Return a function that requests the events of a range from the calendar."""

    async def get_events(start: datetime, end: datetime) -> list[dict[str, Any]]:
        response = await hass.services.async_call(
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
        assert response is not None
        found = response[EVENTS]
        assert isinstance(found, dict)
        return list(found["events"])  # type: ignore[arg-type]

    return get_events


def _take_calls(world: World) -> list[str]:
    """Return the calls for events since the last time."""
    calls = [
        each for each in world.calls if each in {"events", "alarms", "event_types"}
    ]
    world.cloud.requests.clear()
    return calls


def _names(events: list[dict[str, Any]]) -> list[str]:
    return [each["summary"] for each in events]


def _name(key: str) -> str:
    return find_type(key).name


async def test_calendar_is_disabled_by_default(
    hass: HomeAssistant, set_up: SetUp
) -> None:
    """A view of the calendar costs API calls."""
    await set_up(options=ALARMS)
    entity = er.async_get(hass).async_get(EVENTS)
    assert entity is not None
    assert entity.disabled_by is er.RegistryEntryDisabler.INTEGRATION


async def test_weeks_are_requested_once(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    get_events: GetEvents,
) -> None:
    """A week costs two calls, and is kept over restarts."""
    system = world.system
    battery = system.open_alarm("battery_hot", MONDAY - 3 * DAY)
    system.clear_alarm(battery, MONDAY - 2 * DAY)
    system.open_alarm("gateway_restarted", MONDAY + DAY, severity=None)
    entry = await set_up(options=ALARMS)
    assert _take_calls(world) == []

    events = await get_events(MONDAY - WEEK, MONDAY + WEEK)
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
    made = Counter(_take_calls(world))
    assert made == {"alarms": 2, "events": 2, "event_types": 1}

    await get_events(MONDAY - WEEK, MONDAY + WEEK)
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    again = await get_events(MONDAY - WEEK, MONDAY + WEEK)
    assert _names(again) == _names(events)
    assert _take_calls(world) == []

    # The present week is requested again after hours, a past week is not.
    freezer.tick(7 * HOUR)
    await get_events(MONDAY - WEEK, MONDAY + WEEK)
    assert _take_calls(world) == ["events", "alarms"]


async def test_open_alarm_keeps_calendar_on_over_midnight(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    get_events: GetEvents,
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


async def test_missing_names_are_requested_with_a_later_query(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    get_events: GetEvents,
) -> None:
    """The week is kept without them."""
    world.system.open_alarm("gateway_restarted", MONDAY - DAY, severity=None)
    await set_up()
    world.cloud.faults.add(Fault(operation="event_types", status=500))
    past = (MONDAY - WEEK, MONDAY)
    number = find_type("gateway_restarted").number
    assert _names(await get_events(*past)) == [f"Event {number}"]
    await get_events(*past)
    assert _take_calls(world) == ["events", "alarms", "event_types"]
    world.cloud.faults.clear()
    freezer.tick(2 * DAY)
    assert _names(await get_events(*past)) == [_name("gateway_restarted")]
    assert _take_calls(world) == ["event_types"]


async def test_past_week_is_final_unless_an_alarm_is_open(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    get_events: GetEvents,
) -> None:
    """Then it is requested once more, but not before a week has passed."""
    past = (MONDAY - 2 * WEEK, MONDAY - WEEK)
    number = world.system.open_alarm("meter_silent", MONDAY - 10 * DAY, severity=None)
    await set_up()
    [event] = await get_events(*past)
    assert _take_calls(world) == ["events", "alarms", "event_types"]
    assert dt_util.parse_datetime(event["end"]) == NOW
    world.system.clear_alarm(number, MONDAY - 8 * DAY)
    freezer.tick(3 * DAY)
    await get_events(*past)
    assert _take_calls(world) == []
    freezer.tick(5 * DAY)
    [event] = await get_events(*past)
    assert _take_calls(world) == ["events", "alarms"]
    assert dt_util.parse_datetime(event["end"]) == MONDAY - 8 * DAY
    freezer.tick(60 * DAY)
    await get_events(*past)
    assert _take_calls(world) == []


@pytest.mark.parametrize("plan", ["watt"])
async def test_month_on_watt_takes_two_queries(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    get_events: GetEvents,
) -> None:
    """A minute has ten calls; weeks that arrived are kept, and the query fails."""
    entry = world.entry(options=ALARMS)
    entry.add_to_hass(hass)
    await set_up(entry)
    freezer.tick(timedelta(minutes=5))
    _take_calls(world)
    start, end = MONDAY - 6 * WEEK, MONDAY + WEEK
    with pytest.raises(HomeAssistantError) as raised:
        await get_events(start, end)
    assert raised.value.translation_key == "budget_exhausted"
    first = _take_calls(world)
    assert 8 <= len(first) <= 10
    with pytest.raises(HomeAssistantError):
        await get_events(start, end)
    assert _take_calls(world) == []
    freezer.tick(timedelta(minutes=2))
    await get_events(start, end)
    second = _take_calls(world)
    assert len(first) + len(second) in (14, 15)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        # Automations with a trigger request such ranges each quarter of an hour.
        (NOW, NOW + timedelta(minutes=15)),
        (NOW - 2 * HOUR, NOW - HOUR),
        # The future, and what is too old.
        (NOW + DAY, NOW + 30 * DAY),
        (NOW - 600 * DAY, NOW - 300 * DAY),
    ],
)
async def test_short_future_and_old_ranges_cost_no_call(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    get_events: GetEvents,
    start: datetime,
    end: datetime,
) -> None:
    await set_up(options=ALARMS)
    _take_calls(world)
    assert await get_events(start, end) == []
    assert _take_calls(world) == []


async def test_oldest_week_is_cut_at_the_oldest_data_of_the_cloud(
    hass: HomeAssistant, world: World, set_up: SetUp, get_events: GetEvents
) -> None:
    """The cloud refuses ranges older than nine months."""
    world.system.open_alarm("meter_silent", NOW - 269 * DAY)
    await set_up(options=ALARMS)
    _take_calls(world)
    events = await get_events(NOW - 280 * DAY, NOW - 265 * DAY)
    assert len(events) == 1
    assert _take_calls(world).count("events") in (1, 2)


async def test_calendar_state_shows_worst_open_alarm(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    get_events: GetEvents,
) -> None:
    """It costs no call; an open alarm is in every range that it overlaps."""
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
    assert set(_take_calls(world)) == {"event_types"}
    now = dt_util.utcnow()
    events = await get_events(now, now + timedelta(minutes=15))
    assert set(_names(events)) == {_name("battery_hot"), _name("meter_silent")}
    assert _take_calls(world) == []
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
async def test_failed_query_raises_translated_error(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    get_events: GetEvents,
    hass_client: ClientSessionGenerator,
    fault: Fault,
    key: str,
) -> None:
    """Nothing else fails, and the failure is not stored."""
    entry = await set_up(options=ALARMS)
    world.cloud.faults.add(fault)
    with pytest.raises(HomeAssistantError) as raised:
        await get_events(MONDAY, MONDAY + WEEK)
    assert raised.value.translation_key == key
    assert not any(entry.async_get_active_flows(hass, {"reauth"}))
    client = await hass_client()
    query = {"start": MONDAY.isoformat(), "end": (MONDAY + WEEK).isoformat()}
    response = await client.get(f"/api/calendars/{EVENTS}", params=query)
    assert response.status == HTTPStatus.INTERNAL_SERVER_ERROR
    assert str(world.system.system_id) not in await response.text()
    world.cloud.faults.clear()
    assert await get_events(MONDAY, MONDAY + WEEK) == []


async def test_query_of_invisible_system_fails_without_request(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    get_events: GetEvents,
) -> None:
    await set_up(options=ALARMS)
    world.cloud.faults.add(Fault(operation="summary", status=404))
    await pass_time(hass, freezer, 3 * HOUR, step=timedelta(minutes=5))
    _take_calls(world)
    with pytest.raises(HomeAssistantError) as raised:
        await get_events(MONDAY - WEEK, MONDAY)
    assert raised.value.translation_key == "system_not_visible"
    assert _take_calls(world) == []
