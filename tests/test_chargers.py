"""Enphase chargers: their entities, events, calendar and API calls."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.calendar import DOMAIN as CALENDAR
from homeassistant.const import EVENT_HOMEASSISTANT_STARTED
from homeassistant.core import CoreState, Event, HomeAssistant, callback
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.enphase_cloud.const import DOMAIN
from simulator import Charger, ChargingSession, EvCharger, Fault, IqCharger

from .conftest import SetUp, World
from .helpers import calls_of_groups, pass_time

SERIAL = "202620010308"
CHARGERS = {"groups": ["ev_charger"]}
BERLIN = ZoneInfo("Europe/Berlin")
OF_CHARGERS = (
    "ev_charger_devices",
    "ev_charger_telemetry",
    "ev_charger_sessions",
    "ev_charger_schedules",
    "ev_charger_lifetime",
)


pytestmark = pytest.mark.usefixtures("summer_noon")


def at(day: int, hour: int) -> int:
    """Return the timestamp of an hour in June in the time zone of the home."""
    return int(datetime(2026, 6, day, hour, tzinfo=BERLIN).timestamp())


def session(start: int, end: int, wanted: int) -> ChargingSession:
    """Return a session that charges at once."""
    return ChargingSession(start=start, end=end, charges_at=start, wanted=wanted)


SESSIONS = (
    session(at(19, 18), at(20, 7), 12_345),
    # Yesterday's session, which ends on the next day at nine.
    session(at(20, 18), at(21, 9), 20_000),
    session(at(23, 18), at(24, 7), 8_000),
)


def install(world: World, **properties: Any) -> None:
    """Install a charger with known sessions."""
    world.system.install_charger(
        Charger(serial=SERIAL, sessions=SESSIONS),
        IqCharger(serial=SERIAL, **properties),
    )


def entity_id(hass: HomeAssistant, platform: str, key: str, world: World) -> str | None:
    """Return the entity of the charger with a key."""
    unique_id = f"{world.system.system_id}_charger_{SERIAL}_{key}"
    return er.async_get(hass).async_get_entity_id(platform, DOMAIN, unique_id)


def shown(
    hass: HomeAssistant, world: World, key: str, platform: str = "sensor"
) -> str | None:
    """Return the state of the charger's entity."""
    found = entity_id(hass, platform, key, world)
    state = hass.states.get(found or f"{platform}.none")
    return None if state is None else state.state


def calls(world: World) -> Counter[str]:
    """Return how often each operation of chargers was counted."""
    return Counter(each for each in world.calls if each.startswith("ev_charger"))


async def days(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, number: float
) -> None:
    """Let days pass."""
    await pass_time(hass, freezer, timedelta(days=number), step=timedelta(hours=1))


@pytest.mark.usefixtures("entity_registry_enabled_by_default")
@pytest.mark.parametrize("unit", ["Wh", "kWh"])
async def test_entities_show_status_and_energy_of_charger(
    hass: HomeAssistant, world: World, set_up: SetUp, unit: Any
) -> None:
    """The energy of a session is right in either unit of the cloud."""
    install(world, energy_unit=unit)
    await set_up(options=CHARGERS)
    assert calls(world) == Counter(dict.fromkeys(OF_CHARGERS, 1))
    assert shown(hass, world, "charger_status") == "plugged_out"
    assert shown(hass, world, "plugged", "binary_sensor") == "off"
    assert shown(hass, world, "charging", "binary_sensor") == "off"
    truth = world.cloud.truth(world.system.system_id)
    start = datetime.fromtimestamp(at(20, 0), UTC)
    yesterday = truth.charged(SERIAL, start, start + timedelta(days=1))
    assert yesterday == 20_000
    assert float(shown(hass, world, "charger_energy_yesterday") or 0) == 20
    assert float(shown(hass, world, "last_session_energy") or 0) == 20
    assert float(shown(hass, world, "last_session_duration") or 0) == 15
    assert float(shown(hass, world, "last_session_cost") or 0) == 5.6
    ended = dt_util.parse_datetime(shown(hass, world, "last_session_end") or "")
    assert ended == datetime.fromtimestamp(at(21, 9), UTC)
    cost = hass.states.get(entity_id(hass, "sensor", "last_session_cost", world) or "")
    assert cost is not None
    assert cost.attributes["unit_of_measurement"] == hass.config.currency


@pytest.mark.long
async def test_each_night_costs_only_the_necessary_calls(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """Sessions are requested after days with energy and once more, days once."""
    install(world)
    await set_up(options=CHARGERS)
    world.cloud.requests.clear()
    await days(hass, freezer, 7)
    made = calls(world)
    assert made["ev_charger_telemetry"] == 7
    # After the 20th again, for the car left on the 21st; after the 23rd and the 24th.
    assert made["ev_charger_sessions"] == 3
    assert made["ev_charger_devices"] == made["ev_charger_schedules"] == 1
    assert made["ev_charger_lifetime"] == 0
    hours = {
        request.at.astimezone(BERLIN).hour
        for request in world.cloud.requests
        if request.operation.startswith("ev_charger")
    }
    assert hours <= {3, 4, 5}


def ended_sessions(hass: HomeAssistant) -> list[dict[str, Any]]:
    """Return a list that collects the attributes of events."""
    fired: list[dict[str, Any]] = []

    @callback
    def note(event: Event[Any]) -> None:
        new = event.data["new_state"]
        if new is not None and new.attributes.get("event_type") == "ended":
            fired.append(dict(new.attributes))

    hass.bus.async_listen("state_changed", note)
    return fired


async def test_session_event_fires_once(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """It fires in the night after the end, and not for sessions before set-up."""
    fired = ended_sessions(hass)
    install(world)
    entry = await set_up(options=CHARGERS)
    assert shown(hass, world, "session", "event") == "unknown"
    await days(hass, freezer, 2.9)
    assert not fired
    await days(hass, freezer, 2)
    assert len(fired) == 1
    assert fired[0]["energy"] == 8_000
    assert fired[0]["duration"] == 13 * 3_600
    assert fired[0]["start"] == datetime.fromtimestamp(at(23, 18), UTC).isoformat()
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    await days(hass, freezer, 1)
    assert len({each["start"] for each in fired}) == 1


async def test_session_that_ended_while_unloaded_fires_after_the_start(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """The first polls find it; no automation runs before Home Assistant has started."""
    fired = ended_sessions(hass)
    install(world)
    entry = await set_up(options=CHARGERS)
    await days(hass, freezer, 2.5)
    await hass.config_entries.async_unload(entry.entry_id)
    freezer.tick(timedelta(days=1.5))
    hass.set_state(CoreState.starting)
    await set_up(entry)
    assert not fired
    hass.set_state(CoreState.running)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    await pass_time(hass, freezer, timedelta(minutes=1))
    ends = [each["end"] for each in fired]
    assert set(ends) == {datetime.fromtimestamp(at(24, 7), UTC).isoformat()}


async def test_past_sessions_of_a_second_charger_do_not_fire(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    fired = ended_sessions(hass)
    world.system.install_charger(Charger(serial="1", sessions=()))
    await set_up(options=CHARGERS)
    install(world)
    await days(hass, freezer, 1.9)
    assert shown(hass, world, "session", "event") == "unknown"
    assert float(shown(hass, world, "last_session_energy") or 0) == 20
    assert not fired
    await days(hass, freezer, 3)
    starts = {each["start"] for each in fired}
    assert starts == {datetime.fromtimestamp(at(23, 18), UTC).isoformat()}


async def test_schedule_appears_as_calendar(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """It uses the time zone of the home, also after a restart."""
    install(world)
    entry = await set_up(options=CHARGERS)
    for _ in range(2):
        found = entity_id(hass, CALENDAR, "schedule", world)
        assert found is not None
        response = await hass.services.async_call(
            CALENDAR,
            "get_events",
            {
                "entity_id": found,
                "start_date_time": datetime(2026, 6, 21, 12, tzinfo=BERLIN),
                "end_date_time": datetime(2026, 6, 23, 12, tzinfo=BERLIN),
            },
            blocking=True,
            return_response=True,
        )
        assert response is not None
        events: Any = response[found]
        assert [
            (dt_util.parse_datetime(each["start"]), each["summary"])
            for each in events["events"]
        ] == [
            (datetime(2026, 6, 21, 23, tzinfo=BERLIN), "IQ EV Charger · 100 %"),
            (datetime(2026, 6, 22, 1, tzinfo=BERLIN), "IQ EV Charger · 80 %"),
            (datetime(2026, 6, 23, 1, tzinfo=BERLIN), "IQ EV Charger · 80 %"),
        ]
        state = hass.states.get(found)
        assert state is not None
        assert (state.state, state.attributes["start_time"]) == (
            "off",
            str(
                dt_util.as_local(datetime(2026, 6, 21, 23, tzinfo=BERLIN)).replace(
                    tzinfo=None
                )
            ),
        )
        await hass.config_entries.async_reload(entry.entry_id)
        await hass.async_block_till_done()


@pytest.mark.long
async def test_home_without_enphase_charger_costs_few_calls(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """No call without a charger; one list a week with one of another maker."""
    await set_up(options=CHARGERS)
    await days(hass, freezer, 1)
    assert not calls(world)
    world.system.ev_chargers = (EvCharger(serial="380017", status="IDLE"),)
    await days(hass, freezer, 8)
    assert set(calls(world)) == {"ev_charger_devices"}
    assert calls(world)["ev_charger_devices"] <= 2
    unique_id = f"{world.system.system_id}_charger_380017_plugged"
    found = er.async_get(hass).async_get_entity_id("binary_sensor", DOMAIN, unique_id)
    state = hass.states.get(found or "")
    assert state is not None
    assert state.state == "on"


async def test_charger_group_is_off_by_default(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """An entry without the option makes no call for chargers."""
    install(world)
    await set_up()
    assert not calls(world)
    assert shown(hass, world, "charger_status") == "plugged_out"
    assert shown(hass, world, "session", "event") is None


@pytest.mark.parametrize("status", [400, 401, 403, 404, 500, 501])
@pytest.mark.wide
async def test_refused_sessions_do_not_affect_other_documents(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    status: int,
) -> None:
    """Only sessions fail, and no reauthentication starts."""
    install(world)
    world.cloud.faults.add(Fault(operation="ev_charger_sessions", status=status))
    entry = await set_up(options=CHARGERS)
    await days(hass, freezer, 3)
    made = calls(world)
    assert made["ev_charger_telemetry"] == 4
    # 401: once more with a new token; no request after a refusal. 404 and 501 are
    # responses: only days with energy need another. Other failures are followed
    # by daily requests.
    expected = {401: 2, 403: 1, 404: 3, 501: 3}
    assert made["ev_charger_sessions"] == expected.get(status, 4)
    assert shown(hass, world, "charger_energy_yesterday") == "8.0"
    assert shown(hass, world, "last_session_energy") is None
    assert not list(entry.async_get_active_flows(hass, {"reauth"}))
    issues = {issue_id for _, issue_id in ir.async_get(hass).issues}
    refused = any("refused" in each or "forbidden" in each for each in issues)
    assert refused is (status in {401, 403})


async def test_failure_of_one_charger_does_not_affect_the_other(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """The request for one charger fails; the next one still leaves."""
    install(world)
    world.system.install_charger(Charger(serial="1", sessions=()))
    await set_up(options=CHARGERS)
    assert calls(world) == Counter(
        {name: 1 if name == "ev_charger_devices" else 2 for name in OF_CHARGERS}
    )
    # The next response is that of the first charger.
    world.cloud.faults.add(Fault(operation="ev_charger_telemetry", status=500, times=1))
    await days(hass, freezer, 3.5)
    assert float(shown(hass, world, "charger_energy_yesterday") or 0) == 8


@pytest.mark.parametrize("plan", ["watt"])
async def test_interrupted_round_continues_with_the_other_chargers(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """Ten calls a minute are too few; no document is requested twice."""
    world.system.install_charger(Charger(serial="1", sessions=()))
    install(world)
    await set_up(options=CHARGERS)
    assert sum(calls(world).values()) < 9
    await pass_time(hass, freezer, timedelta(minutes=12))
    assert calls(world) == Counter(
        {name: 1 if name == "ev_charger_devices" else 2 for name in OF_CHARGERS}
    )
    assert float(shown(hass, world, "charger_energy_yesterday") or 0) == 20


async def test_all_chargers_are_requested_in_the_night_after_a_quota(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """Also a charger that was requested before the quota was exceeded."""
    world.system.install_charger(Charger(serial="1", sessions=()))
    install(world)
    world.cloud.faults.add(
        Fault(operation="ev_charger_telemetry", skip=1, times=1, quota="minute")
    )
    await set_up(options=CHARGERS)
    assert shown(hass, world, "charger_energy_yesterday") is None
    await days(hass, freezer, 1)
    statuses = [
        request.status
        for request in world.cloud.requests
        if request.operation == "ev_charger_telemetry"
    ]
    assert statuses == [200, 429, 200, 200]
    assert shown(hass, world, "charger_energy_yesterday") == "0.0"


@pytest.mark.long
async def test_removed_charger_is_not_requested(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """Requests end when the list lacks it."""
    install(world)
    await set_up(options=CHARGERS)
    world.system.remove_charger(SERIAL)
    await days(hass, freezer, 8)
    world.cloud.requests.clear()
    await days(hass, freezer, 2)
    assert set(calls(world)) <= {"ev_charger_devices"}


async def test_form_shows_calls_of_chargers(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """Also before the group is switched on."""
    install(world)
    entry: MockConfigEntry = await set_up()
    # A list and a schedule a week, intervals and at most as many sessions a day.
    assert (await calls_of_groups(hass, entry))["ev_charger"] == 69
