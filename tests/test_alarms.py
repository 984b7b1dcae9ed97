"""Alarms: what they are called, when they are told, and what each costs."""

from datetime import timedelta
import json
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import EVENT_HOMEASSISTANT_STARTED
from homeassistant.core import (
    CoreState,
    Event,
    EventStateChangedData,
    HomeAssistant,
    callback,
)
from homeassistant.helpers import device_registry as dr, issue_registry as ir
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.util import dt as dt_util
import pytest

from custom_components.enphase_cloud.const import DOMAIN
from custom_components.enphase_cloud.diagnostics import (
    async_get_config_entry_diagnostics,
)
from simulator import Fault
from simulator.alarms import EVENT_TYPES, find_type

from .conftest import SetUp, World
from .helpers import pass_time, state

ALARMS: dict[str, Any] = {"groups": ["alarms"]}
ALL: dict[str, Any] = {"groups": ["devices", "panels", "alarms"]}
REPAIRS: dict[str, Any] = {"groups": ["alarms"], "alarm_repairs": True}
ALARM = "event.hilltop_alarm"
PROBLEM = "binary_sensor.hilltop_alarm"
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


pytestmark = pytest.mark.usefixtures("summer_noon")


@pytest.fixture
def told(hass: HomeAssistant) -> list[dict[str, Any]]:
    """Return what the event of alarms tells, as it comes."""
    heard: list[dict[str, Any]] = []

    @callback
    def hear(event: Event[EventStateChangedData]) -> None:
        before, after = event.data["old_state"], event.data["new_state"]
        if not (before and after) or "unavailable" in (before.state, after.state):
            return
        heard.append({**after.attributes})

    async_track_state_change_event(hass, [ALARM], hear)
    return heard


def _types(told: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(each["event_type"], each["name"]) for each in told]


async def test_an_alarm_is_told_with_name_severity_and_advice(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    told: list[dict[str, Any]],
) -> None:
    """Once when it opens and once when it is cleared; its type is asked for once."""
    await set_up(options=ALARMS)
    assert "event_types" not in world.calls
    opened_at = dt_util.utcnow()
    number = world.system.open_alarm("meter_silent", opened_at, severity=2)
    await pass_time(hass, freezer, DAY, step=HOUR)
    kind = find_type("meter_silent")
    assert _types(told) == [("opened", kind.name)]
    assert told[0]["severity"] == "error"
    assert told[0]["advice"] == kind.advice
    assert told[0]["started_at"] == opened_at.isoformat()
    assert world.calls.count("event_types") == 1

    world.system.clear_alarm(number, dt_util.utcnow())
    world.system.open_alarm("battery_hot", dt_util.utcnow())
    await pass_time(hass, freezer, DAY, step=HOUR)
    assert _types(told[1:]) == [
        ("cleared", kind.name),
        ("opened", find_type("battery_hot").name),
    ]
    await pass_time(hass, freezer, 2 * DAY, step=HOUR)
    assert len(told) == 3
    # The list had all types.
    assert world.calls.count("event_types") == 1


async def test_the_sensor_shows_what_to_do(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """Of the worst alarm; and each alarm with its name."""
    await set_up(options=ALARMS)
    now = dt_util.utcnow()
    world.system.open_alarm("battery_hot", now, severity=3)
    world.system.open_alarm("meter_silent", now + HOUR, severity=1)
    await pass_time(hass, freezer, DAY, step=HOUR)
    shown = hass.states.get(PROBLEM)
    assert shown is not None
    assert shown.state == "on"
    assert shown.attributes["open_alarms"] == 2
    assert shown.attributes["worst_alarm"] == "fatal"
    assert shown.attributes["advice"] == find_type("meter_silent").advice
    assert [each["name"] for each in shown.attributes["alarms"]] == [
        find_type("meter_silent").name,
        find_type("battery_hot").name,
    ]
    assert {"advice", "alarms"} <= shown.state_info["unrecorded_attributes"]  # type: ignore[index]


async def test_devices_are_named_without_their_numbers(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    told: list[dict[str, Any]],
) -> None:
    """The user's own name wins; a device that is not listed has none."""
    entry = await set_up(options=ALL)
    first, second = (each.serial for each in world.system.microinverters[:2])
    registry = dr.async_get(hass)
    identifier = (DOMAIN, f"{world.system.system_id}_inverter_{second}")
    device = registry.async_get_device_by_identifier(identifier, entry.entry_id)
    assert device is not None
    registry.async_update_device(device.id, name_by_user="Shed 2")
    world.system.open_alarm(
        "micro_silent", dt_util.utcnow(), serials=[first, second, "999999999999"]
    )
    await pass_time(hass, freezer, DAY, step=HOUR)
    assert told[0]["device"] == "Microinverter, Shed 2"
    shown = hass.states.get(PROBLEM)
    assert shown is not None
    for serial in (first, second, "999999999999"):
        assert serial not in str(told)
        assert serial not in str(shown.attributes)


async def test_what_was_open_at_first_is_no_news(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    told: list[dict[str, Any]],
) -> None:
    """The sensor shows it; its end is told."""
    number = world.system.open_alarm("meter_silent", dt_util.utcnow() - DAY)
    await set_up(options=ALARMS)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert state(hass, PROBLEM) == "on"
    await pass_time(hass, freezer, DAY, step=HOUR)
    assert told == []
    world.system.clear_alarm(number, dt_util.utcnow())
    await pass_time(hass, freezer, DAY, step=HOUR)
    assert _types(told) == [("cleared", find_type("meter_silent").name)]


async def test_a_restart_repeats_nothing_and_loses_nothing(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    told: list[dict[str, Any]],
) -> None:
    """What happened while the account was not loaded is told afterwards."""
    entry = await set_up(options=ALARMS)
    number = world.system.open_alarm("meter_silent", dt_util.utcnow())
    await pass_time(hass, freezer, DAY, step=HOUR)
    assert len(told) == 1
    await hass.config_entries.async_reload(entry.entry_id)
    await pass_time(hass, freezer, timedelta(hours=2), step=HOUR)
    assert len(told) == 1

    await hass.config_entries.async_unload(entry.entry_id)
    world.system.clear_alarm(number, dt_util.utcnow())
    world.system.open_alarm("battery_hot", dt_util.utcnow())
    freezer.tick(2 * DAY)
    await set_up(entry)
    await pass_time(hass, freezer, timedelta(minutes=2))
    assert _types(told[1:]) == [
        ("cleared", find_type("meter_silent").name),
        ("opened", find_type("battery_hot").name),
    ]
    assert world.calls.count("event_types") == 1


@pytest.mark.thorough
@pytest.mark.long
async def test_types_that_are_new_are_asked_for_one_by_one(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """And one that the cloud does not know is not asked for again and again."""
    await set_up(options=ALARMS)
    number = world.system.open_alarm("meter_silent", dt_util.utcnow())
    await pass_time(hass, freezer, DAY, step=HOUR)
    world.system.clear_alarm(number, dt_util.utcnow())
    alarm = {"event_type_id": 4781, "alarm_start_time": 1_782_000_000}
    document = {"system_id": world.system.system_id, "alarms": [alarm]}
    world.cloud.faults.add(Fault(operation="open_alarms", raw=json.dumps(document)))
    await pass_time(hass, freezer, 3 * DAY, step=HOUR)
    assert world.calls.count("event_types") == 2
    await pass_time(hass, freezer, 30 * DAY, step=6 * HOUR)
    assert world.calls.count("event_types") == 3


async def test_names_that_cannot_be_had_hold_nothing_up(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    told: list[dict[str, Any]],
) -> None:
    """The alarm is told by its number; the cloud is asked again another day."""
    fault = world.cloud.faults.add(Fault(operation="event_types", status=500, times=1))
    await set_up(options=ALARMS)
    world.system.open_alarm("meter_silent", dt_util.utcnow())
    await pass_time(hass, freezer, DAY, step=HOUR)
    assert fault.hits == 1
    number = find_type("meter_silent").number
    assert _types(told) == [("opened", f"Event {number}")]
    assert "advice" not in told[0]
    await pass_time(hass, freezer, 2 * DAY, step=HOUR)
    assert world.calls.count("event_types") == 2
    shown = hass.states.get(PROBLEM)
    assert shown is not None
    assert shown.attributes["advice"] == find_type("meter_silent").advice
    assert len(told) == 1


async def test_without_alarms_there_is_no_event(
    hass: HomeAssistant, set_up: SetUp
) -> None:
    """The gateway's is there."""
    await set_up()
    assert hass.states.get(ALARM) is None
    assert state(hass, "event.hilltop_gateway_connection") == "unknown"


async def test_repairs_of_alarms_are_for_those_who_want_them(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """One for each system, with what to do, and gone by itself."""
    issues = ir.async_get(hass)
    entry = await set_up(options=ALARMS)
    issue_id = f"open_alarms_{entry.entry_id}_0"
    number = world.system.open_alarm("meter_silent", dt_util.utcnow())
    await pass_time(hass, freezer, DAY, step=HOUR)
    assert issues.async_get_issue(DOMAIN, issue_id) is None

    hass.config_entries.async_update_entry(entry, options={**entry.options, **REPAIRS})
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    issue = issues.async_get_issue(DOMAIN, issue_id)
    assert issue is not None
    assert issue.translation_placeholders is not None
    kind = find_type("meter_silent")
    assert kind.name in issue.translation_placeholders["alarms"]
    assert "clamps" in issue.translation_placeholders["alarms"]
    assert issue.translation_placeholders["system"] == "Hilltop"
    assert issue.severity is ir.IssueSeverity.WARNING

    world.system.clear_alarm(number, dt_util.utcnow())
    await pass_time(hass, freezer, DAY, step=HOUR)
    assert issues.async_get_issue(DOMAIN, issue_id) is None


async def test_a_repair_goes_with_the_account(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """While it is not loaded nothing is known."""
    world.system.open_alarm("meter_silent", dt_util.utcnow() - DAY)
    entry = await set_up(options=REPAIRS)
    issue_id = f"open_alarms_{entry.entry_id}_0"
    assert ir.async_get(hass).async_get_issue(DOMAIN, issue_id) is not None
    await hass.config_entries.async_unload(entry.entry_id)
    assert ir.async_get(hass).async_get_issue(DOMAIN, issue_id) is None


async def test_a_repair_shows_no_markup_of_the_cloud(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """Whatever a name holds is shown as it is, in one line and cut."""
    hostile = {
        "event_type_id": 105,
        "event_name": "[Click](evil)\n# Title\u0000",
        "recommended_action": "**x**" * 1000,
    }
    world.cloud.faults.add(
        Fault(operation="event_types", raw=json.dumps({"event_types": [hostile]}))
    )
    world.system.open_alarm("meter_silent", dt_util.utcnow() - DAY)
    entry = await set_up(options=REPAIRS)
    await hass.async_block_till_done(wait_background_tasks=True)
    issue_id = f"open_alarms_{entry.entry_id}_0"
    issue = ir.async_get(hass).async_get_issue(DOMAIN, issue_id)
    assert issue is not None
    assert issue.translation_placeholders is not None
    [line] = issue.translation_placeholders["alarms"].splitlines()
    assert r"\[Click\]\(evil\) \# Title" in line
    assert len(line) < 1100
    shown = hass.states.get(PROBLEM)
    assert shown is not None
    assert shown.attributes["alarms"][0]["name"] == "[Click](evil) # Title"


async def test_what_came_before_the_start_is_told_after_it(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    told: list[dict[str, Any]],
) -> None:
    """Before, no automation would hear it."""
    entry = await set_up(options=ALARMS)
    await hass.config_entries.async_unload(entry.entry_id)
    world.system.open_alarm("meter_silent", dt_util.utcnow())
    freezer.tick(2 * DAY)
    hass.set_state(CoreState.starting)
    await set_up(entry)
    await hass.async_block_till_done(wait_background_tasks=True)
    await pass_time(hass, freezer, timedelta(minutes=10))
    assert state(hass, PROBLEM) == "on"
    assert told == []

    hass.set_state(CoreState.running)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    await pass_time(hass, freezer, timedelta(minutes=1))
    assert _types(told) == [("opened", find_type("meter_silent").name)]


async def test_diagnostics_tell_alarms_without_numbers(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """Of devices only how many there are."""
    world.system.open_alarm("meter_silent", dt_util.utcnow() - DAY)
    entry = await set_up(options=ALARMS)
    await hass.async_block_till_done(wait_background_tasks=True)
    diagnostics: dict[str, Any] = await async_get_config_entry_diagnostics(hass, entry)
    assert world.system.gateway_serial not in json.dumps(diagnostics)
    assert diagnostics["event_types"] == len(EVENT_TYPES)
    [system] = diagnostics["systems"]
    [alarm] = system["open_alarms"]
    assert alarm["event_type_id"] == find_type("meter_silent").number
    assert alarm["severity"] == "warning"
    assert alarm["devices"] == 1
    assert system["event_weeks"] == []


async def test_a_damaged_file_of_events_is_set_aside(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    hass_storage: dict[str, Any],
) -> None:
    """Alarms are told by number until their types are asked for again."""
    entry = world.entry(options=ALARMS)
    key = f"{DOMAIN}.{entry.entry_id}.events"
    hass_storage[key] = {
        "version": 1,
        "minor_version": 1,
        "key": key,
        "data": {"texts": {"texts": 3}, "weeks": {"1": 7, "x": {}}},
    }
    await set_up(entry)
    assert entry.state is ConfigEntryState.LOADED
    issues = ir.async_get(hass)
    assert issues.async_get_issue(DOMAIN, f"store_damaged_{key}") is not None
    await hass.config_entries.async_remove(entry.entry_id)
    assert key not in hass_storage


async def test_nothing_is_asked_while_calls_are_withheld(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    told: list[dict[str, Any]],
) -> None:
    """An alarm is not held up by that; its name comes later."""
    await set_up(options=ALARMS)
    world.cloud.faults.add(Fault(operation="event_types", quota="month"))
    world.system.open_alarm("meter_silent", dt_util.utcnow())
    await pass_time(hass, freezer, DAY, step=HOUR)
    number = find_type("meter_silent").number
    assert _types(told) == [("opened", f"Event {number}")]
    assert world.calls.count("event_types") <= 1


async def test_the_option_is_offered_and_kept(
    hass: HomeAssistant, set_up: SetUp
) -> None:
    """It is off at first, and leaves no trace then."""
    entry = await set_up(options=ALARMS)
    manager = hass.config_entries.options
    for wanted in (True, False):
        form = await manager.async_init(entry.entry_id)
        form = await manager.async_configure(
            form["flow_id"], {"next_step_id": "devices"}
        )
        await manager.async_configure(
            form["flow_id"], {"groups": ["alarms"], "alarm_repairs": wanted}
        )
        await hass.async_block_till_done()
        assert entry.options.get("alarm_repairs", False) is wanted
        assert ("alarm_repairs" in entry.options) is wanted


async def test_systems_share_what_types_mean(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """Each has its own alarms, and its own repair."""
    barn = world.add_system(name="Barn")
    entry = await set_up(options=REPAIRS)
    now = dt_util.utcnow()
    world.system.open_alarm("meter_silent", now)
    barn.open_alarm("meter_silent", now, severity=2)
    barn.open_alarm("battery_hot", now)
    # What was asked for just before the small hours waits for the next night.
    await pass_time(hass, freezer, 2 * DAY, step=HOUR)
    assert world.calls.count("event_types") == 1
    for entity_id in (ALARM, "event.barn_alarm"):
        shown = hass.states.get(entity_id)
        assert shown is not None
        assert shown.attributes["event_type"] == "opened"
    issues = ir.async_get(hass)
    told = [
        issues.async_get_issue(DOMAIN, f"open_alarms_{entry.entry_id}_{number}")
        for number in range(2)
    ]
    assert [issue and issue.severity for issue in told] == [
        ir.IssueSeverity.WARNING,
        ir.IssueSeverity.ERROR,
    ]
    assert [
        issue.translation_placeholders["count"]
        for issue in told
        if issue is not None and issue.translation_placeholders is not None
    ] == ["1", "2"]
