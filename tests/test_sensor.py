"""What the entities of a system show, against the simulator's truth."""

import asyncio
from copy import replace
from datetime import date, datetime, timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import (
    EVENT_STATE_CHANGED,
    EVENT_STATE_REPORTED,
    STATE_UNAVAILABLE,
    STATE_UNKNOWN,
)
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.json import json_dumps
from homeassistant.util import dt as dt_util
from homeassistant.util.json import json_loads
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)
from syrupy.assertion import SnapshotAssertion

from custom_components.enphase_cloud.const import CONF_PLAN
from simulator import Fault

from .conftest import SetUp, World
from .helpers import pass_time, press, sensor_states, state

NOON = "2026-06-21 10:07:00+00:00"


@pytest.fixture(autouse=True)
def _summer_noon(freezer: FrozenDateTimeFactory) -> None:
    freezer.move_to(NOON)


def _number(hass: HomeAssistant, entity_id: str) -> float:
    return float(state(hass, entity_id))


async def test_powers_are_what_the_gateway_reported(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """Production + grid + battery is the load, to the watt, as it truly was."""
    await set_up()
    telemetry = world.cloud.published(world.system)
    shown = {
        name: _number(hass, f"sensor.hilltop_{name}") * 1000
        for name in (
            "production_power",
            "consumption_power",
            "grid_power",
            "battery_power",
        )
    }
    assert shown["consumption_power"] == pytest.approx(
        shown["production_power"] + shown["grid_power"] + shown["battery_power"],
        abs=1,
    )
    measured_at = dt_util.utc_from_timestamp(telemetry.measured_at)
    truth = world.cloud.truth(world.system.system_id).power(measured_at)
    assert shown["production_power"] == pytest.approx(truth.production, abs=2)
    assert shown["grid_power"] == pytest.approx(truth.grid, abs=2)
    assert shown["consumption_power"] == pytest.approx(truth.consumption, abs=2)
    assert shown["battery_power"] == pytest.approx(truth.battery, abs=20)


async def test_energies_are_the_clouds(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """Today begins at the system's midnight; the lifetime includes today."""
    await set_up()
    today = hass.states.get("sensor.hilltop_production_today")
    assert today is not None
    midnight = datetime.fromisoformat("2026-06-21T00:00:00+02:00")
    assert datetime.fromisoformat(today.attributes["last_reset"]) == midnight
    truth = world.cloud.truth(world.system.system_id)
    until = datetime.fromisoformat("2026-06-21T12:05:00+02:00")
    produced = truth.energy("production", midnight, until) / 1000
    assert 0.8 * produced < float(today.state) <= produced
    lifetime = truth.lifetime("production", until) / 1_000_000
    shown = _number(hass, "sensor.hilltop_lifetime_production")
    assert shown == pytest.approx(lifetime, rel=0.001)


async def test_the_lifetime_never_falls(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """Zeros, dips and nulls of the cloud do not reach the counter."""
    await set_up()
    events = async_capture_events(hass, "state_changed")
    for data in ("zero", "null", "dip", None):
        fault = data and world.cloud.faults.add(Fault(operation="summary", data=data))
        await pass_time(hass, freezer, timedelta(hours=1))
        if fault:
            world.cloud.faults.remove(fault)
    shown = [
        float(event.data["new_state"].state)
        for event in events
        if event.data["entity_id"] == "sensor.hilltop_lifetime_production"
    ]
    assert len(shown) > 1
    assert shown == sorted(shown)


LIFETIME = "sensor.hilltop_lifetime_production"


async def test_a_lifetime_that_is_too_great_waits_to_be_confirmed(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """One summary ten times too great does not pin the sensor for years."""
    await set_up()
    before = _number(hass, LIFETIME)
    world.cloud.faults.add(Fault(operation="summary", data="tenfold", times=1))
    await pass_time(hass, freezer, timedelta(minutes=5))
    await press(hass, "button.hilltop_refresh_now")
    assert _number(hass, LIFETIME) == before
    assert caplog.text.count("shown once later answers confirm it") == 1
    await pass_time(hass, freezer, timedelta(hours=2))
    assert before < _number(hass, LIFETIME) < before + 0.1
    assert caplog.text.count("The lifetime energy follows Enphase again") == 1


async def test_a_system_that_is_commissioned_anew_begins_at_zero(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """Its lifetime is reset instead of standing still."""
    await set_up()
    assert _number(hass, LIFETIME) > 1
    commissioned = date(2026, 6, 21)
    world.system.plant = replace(world.system.plant, commissioned=commissioned)
    await pass_time(hass, freezer, timedelta(hours=1))
    truth = world.cloud.truth(world.system.system_id)
    assert (
        0
        < _number(hass, LIFETIME) * 1_000_000
        <= truth.lifetime(
            "production", datetime.fromisoformat("2026-06-21T11:10:00+00:00")
        )
    )


@pytest.mark.parametrize("restarts", [False, True])
async def test_a_clock_put_right_keeps_no_value_out(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    *,
    restarts: bool,
) -> None:
    """What has no moment of its own, as the status, was dated by the clock ahead."""
    entity_id = "sensor.hilltop_status"
    freezer.move_to(dt_util.parse_datetime(NOON) + timedelta(hours=20))
    entry = await set_up()
    assert state(hass, entity_id) == "normal"
    freezer.move_to(NOON)
    world.system.status = "micro"
    if restarts:
        await hass.config_entries.async_reload(entry.entry_id)
        await hass.async_block_till_done()
    await press(hass, "button.hilltop_refresh_now")
    assert state(hass, entity_id) == "micro"


@pytest.mark.parametrize(
    ("status", "shown"),
    [
        ("encharge_issue", "encharge_issue"),
        ("rma", "other"),
        ("a word of next year", None),
        (None, None),
    ],
)
async def test_the_statuses_that_a_home_meets_have_names(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    status: Any,
    shown: str | None,
) -> None:
    """The cloud has a score more, and may get new ones."""
    world.system.status = status
    await set_up()
    found = hass.states.get("sensor.hilltop_status")
    assert (found and found.state) == shown


async def test_absurd_values_are_not_shown(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """A document of nonsense leaves entities unknown, or not made at all."""
    world.cloud.faults.add(Fault(data="absurd"))
    await set_up()
    for entity_id, value in sensor_states(hass).items():
        if "power" in entity_id and value not in (STATE_UNKNOWN, STATE_UNAVAILABLE):
            assert abs(float(value)) < 10_000, entity_id


@pytest.mark.parametrize(
    ("system_properties", "absent"),
    [
        (
            {"name": "Hilltop", "time_zone": "Europe/Berlin"},
            {"battery", "battery_capacity", "battery_mode", "generator_power"},
        ),
        (
            {"name": "Hilltop", "time_zone": "Europe/Berlin", "meters": ["production"]},
            {"battery", "consumption_power", "grid_power"},
        ),
    ],
)
async def test_what_a_system_cannot_have_is_not_made(
    hass: HomeAssistant, world: World, set_up: SetUp, absent: set[str]
) -> None:
    """No entity for a battery, a generator or a meter that is not there."""
    await set_up()
    made = {
        entity_id.removeprefix("sensor.hilltop_") for entity_id in sensor_states(hass)
    }
    assert not made & absent
    assert "production_power" in made


@pytest.mark.parametrize(
    "system_properties",
    [{"name": "Hilltop", "time_zone": "Europe/Berlin", "meters": ["production"]}],
)
async def test_a_redundant_document_is_not_paid_for(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """Without consumption meter and battery the summary says it all."""
    entry = await set_up()
    await pass_time(hass, freezer, timedelta(hours=2))
    await hass.config_entries.async_reload(entry.entry_id)
    await pass_time(hass, freezer, timedelta(hours=2))
    assert world.calls.count("latest_telemetry") == 1
    assert world.calls.count("summary") > 4


async def test_a_cloud_that_fails_leaves_what_is_still_true(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """Values stay while they are fresh, then they are gone, then they come back."""
    await set_up()
    grid = "sensor.hilltop_grid_power"
    before = state(hass, grid)
    fault = world.cloud.faults.add(Fault(status=500))
    await pass_time(hass, freezer, timedelta(hours=1))
    assert state(hass, grid) == before
    await pass_time(hass, freezer, timedelta(hours=3))
    assert state(hass, grid) == STATE_UNAVAILABLE
    assert _number(hass, "sensor.hilltop_lifetime_production") > 0
    world.cloud.faults.remove(fault)
    await pass_time(hass, freezer, timedelta(hours=6))
    assert state(hass, grid) not in (STATE_UNAVAILABLE, STATE_UNKNOWN)


async def test_trouble_is_logged_once(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """One line when a document fails, one when it is back."""
    await set_up()
    fault = world.cloud.faults.add(Fault(operation="summary", status=503))
    await pass_time(hass, freezer, timedelta(hours=5))
    assert fault.hits > 2
    assert caplog.text.count("Error fetching Enphase Cloud summary data") == 1
    world.cloud.faults.remove(fault)
    await pass_time(hass, freezer, timedelta(hours=6))
    assert caplog.text.count("Fetching Enphase Cloud summary data recovered") == 1


async def test_equal_values_are_not_written_again(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """A coordinator that wakes up to look at the plan writes no state."""
    await set_up()
    world.cloud.faults.add(Fault(status=500))
    await pass_time(hass, freezer, timedelta(minutes=10))
    written: list[str] = []

    @callback
    def remember(event: Event[Any]) -> None:
        written.append(event.data["entity_id"])

    for event_type in (EVENT_STATE_CHANGED, EVENT_STATE_REPORTED):
        hass.bus.async_listen(
            event_type, remember, event_filter=callback(lambda _data: True)
        )
    await pass_time(hass, freezer, timedelta(minutes=20))
    # Calls are made, and the next one moves.
    moved = {"sensor.hilltop_next_update"}
    assert not [each for each in written if "calls" not in each and each not in moved]
    assert written.count("sensor.hilltop_next_update") < 5


async def test_midnight_is_the_systems(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """At the system's midnight today's energy starts again, without a call."""
    freezer.move_to("2026-06-21 21:30:00+00:00")
    await set_up()
    today = "sensor.hilltop_production_today"
    assert _number(hass, today) > 10
    world.cloud.faults.add(Fault(status=500))
    await pass_time(hass, freezer, timedelta(minutes=40))
    found = hass.states.get(today)
    assert found is not None
    assert float(found.state) == 0
    assert found.attributes["last_reset"] == "2026-06-22T00:00:00+02:00"


async def test_refresh_asks_for_everything_now(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """The button costs a call per document, and the counters tell."""
    await set_up()
    used = "sensor.enphase_account_api_calls_used"
    assert state(hass, used) == "3"
    freezer.tick(60)
    world.cloud.requests.clear()
    await press(hass, "button.hilltop_refresh_now")
    await hass.async_block_till_done()
    assert world.calls == ["summary", "telemetry_battery", "latest_telemetry"]
    assert state(hass, used) == "6"


async def test_refresh_says_why_it_is_not_possible(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """Who presses the button is told what went wrong."""
    await set_up()
    world.cloud.faults.add(Fault(operation="summary", status=500))
    with pytest.raises(HomeAssistantError) as raised:
        await press(hass, "button.hilltop_refresh_now")
    assert raised.value.translation_key == "update_failed"
    # What is over is not told again, and the other documents are asked for, too.
    world.cloud.faults.clear()
    world.cloud.requests.clear()
    await press(hass, "button.hilltop_refresh_now")
    assert world.calls == ["summary", "telemetry_battery", "latest_telemetry"]


async def test_who_presses_twice_gets_one_answer(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """A call that is under way need not be paid for again."""
    await set_up()
    world.cloud.requests.clear()
    await asyncio.gather(*(press(hass, "button.hilltop_refresh_now") for _ in range(4)))
    assert sorted(world.calls) == ["latest_telemetry", "summary", "telemetry_battery"]


async def test_a_smaller_plan_brings_no_older_values_back(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """What live data said last holds, also where there is no live data any more."""
    entry = await set_up()
    await press(hass, "button.hilltop_start_live_session")
    await hass.async_block_till_done()
    shown = sensor_states(hass)
    powers = {key: value for key, value in shown.items() if key.endswith("_power")}
    assert len(powers) >= 4
    hass.config_entries.async_update_entry(entry, options={CONF_PLAN: "watt"})
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert powers.items() <= sensor_states(hass).items()


@pytest.mark.parametrize("platform", ["sensor", "binary_sensor", "button"])
async def test_entities(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    entity_registry: er.EntityRegistry,
    snapshot: SnapshotAssertion,
    entity_registry_enabled_by_default: None,
    platform: str,
) -> None:
    """All entities of a platform, as a user sees them."""
    entry: MockConfigEntry = await set_up()
    entries = er.async_entries_for_config_entry(entity_registry, entry.entry_id)
    described: dict[str, Any] = {}
    for registered in sorted(entries, key=lambda item: item.entity_id):
        if registered.domain != platform:
            continue
        found = hass.states.get(registered.entity_id)
        assert found is not None
        described[registered.entity_id] = {
            "unique_id": registered.unique_id,
            "category": registered.entity_category,
            "translation_key": registered.translation_key,
            "state": found.state,
            "attributes": dict(found.attributes),
        }
    # Plain JSON reads the same on every version of Home Assistant.
    assert json_loads(json_dumps(described)) == snapshot


async def test_the_device_page_tells_when_values_are_of_and_come(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """The last report, the next update, and the moment of each value; none is kept."""
    await set_up()
    told = datetime.fromisoformat(state(hass, "sensor.hilltop_last_reported"))
    telemetry = world.cloud.published(world.system)
    assert 0 < told.timestamp() - telemetry.measured_at < 120
    power = hass.states.get("sensor.hilltop_production_power")
    assert power is not None
    assert dt_util.as_timestamp(power.attributes["measured_at"]) == (
        telemetry.measured_at
    )
    assert power.state_info is not None
    assert "measured_at" in power.state_info["unrecorded_attributes"]
    before = len(world.calls)
    due = datetime.fromisoformat(state(hass, "sensor.hilltop_next_update"))
    now = dt_util.utcnow()
    assert now < due < now + timedelta(hours=2)
    await pass_time(hass, freezer, due - now - timedelta(minutes=1))
    assert len(world.calls) == before
    await pass_time(hass, freezer, timedelta(minutes=2), step=timedelta(seconds=20))
    assert len(world.calls) > before
