"""Alarms: their names, when events fire, and how many API calls they cost."""

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
def fired(hass: HomeAssistant) -> list[dict[str, Any]]:
    """Collect the attributes of each event that the alarm entity fires."""
    events: list[dict[str, Any]] = []

    @callback
    def note(event: Event[EventStateChangedData]) -> None:
        before, after = event.data["old_state"], event.data["new_state"]
        if not (before and after) or "unavailable" in (before.state, after.state):
            return
        events.append({**after.attributes})

    async_track_state_change_event(hass, [ALARM], note)
    return events


def _types(fired: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(each["event_type"], each["name"]) for each in fired]


async def test_alarm_event_has_name_severity_and_advice(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    fired: list[dict[str, Any]],
) -> None:
    """It fires at opening and at clearing; the types are requested once."""
    await set_up(options=ALARMS)
    assert "event_types" not in world.calls
    opened_at = dt_util.utcnow()
    number = world.system.open_alarm("meter_silent", opened_at, severity=2)
    await pass_time(hass, freezer, DAY, step=HOUR)
    kind = find_type("meter_silent")
    assert _types(fired) == [("opened", kind.name)]
    assert fired[0]["severity"] == "error"
    assert fired[0]["advice"] == kind.advice
    assert fired[0]["started_at"] == opened_at.isoformat()
    assert world.calls.count("event_types") == 1

    world.system.clear_alarm(number, dt_util.utcnow())
    world.system.open_alarm("battery_hot", dt_util.utcnow())
    await pass_time(hass, freezer, DAY, step=HOUR)
    assert _types(fired[1:]) == [
        ("cleared", kind.name),
        ("opened", find_type("battery_hot").name),
    ]
    await pass_time(hass, freezer, 2 * DAY, step=HOUR)
    assert len(fired) == 3
    # The first response has all types.
    assert world.calls.count("event_types") == 1


async def test_sensor_shows_advice_of_worst_alarm(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """It lists each alarm with its name."""
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


async def test_alarm_names_devices_without_serial_numbers(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    fired: list[dict[str, Any]],
) -> None:
    """The user's own name is preferred; an unlisted device has no name."""
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
    assert fired[0]["device"] == "Microinverter, Shed 2"
    shown = hass.states.get(PROBLEM)
    assert shown is not None
    for serial in (first, second, "999999999999"):
        assert serial not in str(fired)
        assert serial not in str(shown.attributes)


async def test_alarm_open_at_first_setup_fires_no_event(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    fired: list[dict[str, Any]],
) -> None:
    """The sensor shows it, and an event fires when it is cleared."""
    number = world.system.open_alarm("meter_silent", dt_util.utcnow() - DAY)
    await set_up(options=ALARMS)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert state(hass, PROBLEM) == "on"
    await pass_time(hass, freezer, DAY, step=HOUR)
    assert fired == []
    world.system.clear_alarm(number, dt_util.utcnow())
    await pass_time(hass, freezer, DAY, step=HOUR)
    assert _types(fired) == [("cleared", find_type("meter_silent").name)]


async def test_restart_neither_repeats_nor_loses_events(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    fired: list[dict[str, Any]],
) -> None:
    """Changes while the entry is not loaded fire events after it is loaded."""
    entry = await set_up(options=ALARMS)
    number = world.system.open_alarm("meter_silent", dt_util.utcnow())
    await pass_time(hass, freezer, DAY, step=HOUR)
    assert len(fired) == 1
    await hass.config_entries.async_reload(entry.entry_id)
    await pass_time(hass, freezer, timedelta(hours=2), step=HOUR)
    assert len(fired) == 1

    await hass.config_entries.async_unload(entry.entry_id)
    world.system.clear_alarm(number, dt_util.utcnow())
    world.system.open_alarm("battery_hot", dt_util.utcnow())
    freezer.tick(2 * DAY)
    await set_up(entry)
    await pass_time(hass, freezer, timedelta(minutes=2))
    assert _types(fired[1:]) == [
        ("cleared", find_type("meter_silent").name),
        ("opened", find_type("battery_hot").name),
    ]
    assert world.calls.count("event_types") == 1


@pytest.mark.thorough
@pytest.mark.long
async def test_unknown_alarm_type_is_requested_singly_and_rarely(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """A type that the cloud does not know is requested again after weeks."""
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


async def test_alarm_event_fires_although_its_name_is_unavailable(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    fired: list[dict[str, Any]],
) -> None:
    """It shows the number; the names are requested again on another day."""
    fault = world.cloud.faults.add(Fault(operation="event_types", status=500, times=1))
    await set_up(options=ALARMS)
    world.system.open_alarm("meter_silent", dt_util.utcnow())
    await pass_time(hass, freezer, DAY, step=HOUR)
    assert fault.hits == 1
    number = find_type("meter_silent").number
    assert _types(fired) == [("opened", f"Event {number}")]
    assert "advice" not in fired[0]
    await pass_time(hass, freezer, 2 * DAY, step=HOUR)
    assert world.calls.count("event_types") == 2
    shown = hass.states.get(PROBLEM)
    assert shown is not None
    assert shown.attributes["advice"] == find_type("meter_silent").advice
    assert len(fired) == 1


async def test_alarm_event_entity_is_absent_without_alarms_group(
    hass: HomeAssistant, set_up: SetUp
) -> None:
    """The gateway's event entity exists."""
    await set_up()
    assert hass.states.get(ALARM) is None
    assert state(hass, "event.hilltop_gateway_connection") == "unknown"


async def test_alarm_repair_appears_only_with_the_option(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """It contains the advice, and disappears when the alarm is cleared."""
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
    line = issue.translation_placeholders["alarms"]
    assert line.startswith(f"- **{kind.name}**: ")
    assert "clamps" in issue.translation_placeholders["alarms"]
    assert issue.translation_placeholders["system"] == "Hilltop"
    assert issue.severity is ir.IssueSeverity.WARNING

    world.system.clear_alarm(number, dt_util.utcnow())
    await pass_time(hass, freezer, DAY, step=HOUR)
    assert issues.async_get_issue(DOMAIN, issue_id) is None


async def test_alarm_repair_is_removed_on_unload(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """The state of alarms is unknown while the entry is not loaded."""
    world.system.open_alarm("meter_silent", dt_util.utcnow() - DAY)
    entry = await set_up(options=REPAIRS)
    issue_id = f"open_alarms_{entry.entry_id}_0"
    assert ir.async_get(hass).async_get_issue(DOMAIN, issue_id) is not None
    await hass.config_entries.async_unload(entry.entry_id)
    assert ir.async_get(hass).async_get_issue(DOMAIN, issue_id) is None


async def test_alarm_repair_escapes_markup_of_the_cloud(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """Texts of the cloud appear literally, in one line and shortened."""
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


async def test_alarm_event_waits_until_home_assistant_has_started(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    fired: list[dict[str, Any]],
) -> None:
    """No automation would receive it earlier."""
    entry = await set_up(options=ALARMS)
    await hass.config_entries.async_unload(entry.entry_id)
    world.system.open_alarm("meter_silent", dt_util.utcnow())
    freezer.tick(2 * DAY)
    hass.set_state(CoreState.starting)
    await set_up(entry)
    await hass.async_block_till_done(wait_background_tasks=True)
    await pass_time(hass, freezer, timedelta(minutes=10))
    assert state(hass, PROBLEM) == "on"
    assert fired == []

    hass.set_state(CoreState.running)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    await pass_time(hass, freezer, timedelta(minutes=1))
    assert _types(fired) == [("opened", find_type("meter_silent").name)]


async def test_diagnostics_list_alarms_without_serial_numbers(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """They contain only the number of devices."""
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


async def test_damaged_events_store_is_set_aside(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    hass_storage: dict[str, Any],
) -> None:
    """Alarms show their number until the types are requested again."""
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


async def test_no_types_are_requested_while_calls_are_withheld(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    fired: list[dict[str, Any]],
) -> None:
    """The event fires at once, with the number instead of the name."""
    await set_up(options=ALARMS)
    world.cloud.faults.add(Fault(operation="event_types", quota="month"))
    world.system.open_alarm("meter_silent", dt_util.utcnow())
    await pass_time(hass, freezer, DAY, step=HOUR)
    number = find_type("meter_silent").number
    assert _types(fired) == [("opened", f"Event {number}")]
    assert world.calls.count("event_types") <= 1


async def test_alarm_repairs_option_is_stored_only_while_on(
    hass: HomeAssistant, set_up: SetUp
) -> None:
    """It is off by default, and then absent from the options."""
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


async def test_systems_share_alarm_types(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """Each system has its own alarms and its own repair."""
    barn = world.add_system(name="Barn")
    entry = await set_up(options=REPAIRS)
    now = dt_util.utcnow()
    world.system.open_alarm("meter_silent", now)
    barn.open_alarm("meter_silent", now, severity=2)
    barn.open_alarm("battery_hot", now)
    # A document requested just before the nightly hours waits for the next night.
    await pass_time(hass, freezer, 2 * DAY, step=HOUR)
    assert world.calls.count("event_types") == 1
    for entity_id in (ALARM, "event.barn_alarm"):
        shown = hass.states.get(entity_id)
        assert shown is not None
        assert shown.attributes["event_type"] == "opened"
    issues = ir.async_get(hass)
    repairs = [
        issues.async_get_issue(DOMAIN, f"open_alarms_{entry.entry_id}_{number}")
        for number in range(2)
    ]
    assert [issue and issue.severity for issue in repairs] == [
        ir.IssueSeverity.WARNING,
        ir.IssueSeverity.ERROR,
    ]
    assert [
        issue.translation_placeholders["count"]
        for issue in repairs
        if issue is not None and issue.translation_placeholders is not None
    ] == ["1", "2"]
