"""States of a system's entities, compared with the true values of the simulator."""

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


async def test_power_sensors_show_the_reported_values(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """Production + grid + battery equals the load within 1 W."""
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


async def test_energy_sensors_show_the_values_of_the_cloud(
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


async def test_lifetime_energy_never_decreases(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """Zeros, dips and nulls from the cloud do not reach the sensor."""
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


async def test_implausible_lifetime_energy_needs_confirmation(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """One summary with ten times the energy does not change the sensor."""
    await set_up()
    before = _number(hass, LIFETIME)
    world.cloud.faults.add(Fault(operation="summary", data="tenfold", times=1))
    await pass_time(hass, freezer, timedelta(minutes=5))
    await press(hass, "button.hilltop_refresh_now")
    assert _number(hass, LIFETIME) == before
    assert caplog.text.count("shown once later responses confirm it") == 1
    await pass_time(hass, freezer, timedelta(hours=2))
    assert before < _number(hass, LIFETIME) < before + 0.1
    assert caplog.text.count("The lifetime energy follows Enphase again") == 1


async def test_recommissioned_system_begins_at_zero(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """Its lifetime energy is reset."""
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
async def test_corrected_clock_does_not_block_new_values(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    *,
    restarts: bool,
) -> None:
    """The status has no time of its own, so it was dated by a clock that was ahead."""
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
async def test_usual_statuses_have_names(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    status: Any,
    shown: str | None,
) -> None:
    """The cloud has about twenty others, shown as one state, and may add new ones."""
    world.system.status = status
    await set_up()
    found = hass.states.get("sensor.hilltop_status")
    assert (found and found.state) == shown


async def test_absurd_values_are_not_shown(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """Entities without a valid value are unknown or not created."""
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
async def test_no_entities_for_missing_devices(
    hass: HomeAssistant, world: World, set_up: SetUp, absent: set[str]
) -> None:
    """The system has no battery, no generator, or no consumption meter."""
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
async def test_redundant_document_costs_no_call(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """Without consumption meter and battery, the summary has all values."""
    entry = await set_up()
    await pass_time(hass, freezer, timedelta(hours=2))
    await hass.config_entries.async_reload(entry.entry_id)
    await pass_time(hass, freezer, timedelta(hours=2))
    assert world.calls.count("latest_telemetry") == 1
    assert world.calls.count("summary") > 4


async def test_values_stay_available_until_they_are_outdated(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """The cloud fails; outdated values are unavailable until updates succeed again."""
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


async def test_failure_and_recovery_are_logged_once(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """One line when a document fails, and one when it is available again."""
    await set_up()
    fault = world.cloud.faults.add(Fault(operation="summary", status=503))
    await pass_time(hass, freezer, timedelta(hours=5))
    assert fault.hits > 2
    assert caplog.text.count("Error fetching Enphase Cloud summary data") == 1
    world.cloud.faults.remove(fault)
    await pass_time(hass, freezer, timedelta(hours=6))
    assert caplog.text.count("Fetching Enphase Cloud summary data recovered") == 1


async def test_unchanged_values_are_not_written_again(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """A coordinator that checks the schedule without new data writes no state."""
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
    # Calls are made, and the time of the next update changes.
    moved = {"sensor.hilltop_next_update"}
    assert not [each for each in written if "calls" not in each and each not in moved]
    assert written.count("sensor.hilltop_next_update") < 5


async def test_energy_of_today_resets_at_midnight_of_the_system(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """It needs no call."""
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


async def test_refresh_button_requests_each_document(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """Each document costs a call, which the counter shows."""
    await set_up()
    used = "sensor.enphase_account_api_calls_used"
    assert state(hass, used) == "3"
    freezer.tick(60)
    world.cloud.requests.clear()
    await press(hass, "button.hilltop_refresh_now")
    await hass.async_block_till_done()
    assert world.calls == ["summary", "telemetry_battery", "latest_telemetry"]
    assert state(hass, used) == "6"


async def test_failed_refresh_raises_an_error(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """The error has the reason of the failure."""
    await set_up()
    world.cloud.faults.add(Fault(operation="summary", status=500))
    with pytest.raises(HomeAssistantError) as raised:
        await press(hass, "button.hilltop_refresh_now")
    assert raised.value.translation_key == "update_failed"
    # The next press raises no old error, and requests all documents.
    world.cloud.faults.clear()
    world.cloud.requests.clear()
    await press(hass, "button.hilltop_refresh_now")
    assert world.calls == ["summary", "telemetry_battery", "latest_telemetry"]


async def test_parallel_refreshes_share_their_calls(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """A call in progress is not made a second time."""
    await set_up()
    world.cloud.requests.clear()
    await asyncio.gather(*(press(hass, "button.hilltop_refresh_now") for _ in range(4)))
    assert sorted(world.calls) == ["latest_telemetry", "summary", "telemetry_battery"]


async def test_smaller_plan_keeps_the_latest_live_values(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """The last live data stays the newest value on a plan without live data."""
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
async def test_entities_match_the_snapshot(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    entity_registry: er.EntityRegistry,
    snapshot: SnapshotAssertion,
    entity_registry_enabled_by_default: None,
    platform: str,
) -> None:
    """It has all entities of a platform, with states and attributes."""
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
    # Plain JSON is the same on every version of Home Assistant.
    assert json_loads(json_dumps(described)) == snapshot


async def test_sensors_show_last_report_and_next_update(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """Each value has its time as an attribute, which is not recorded."""
    await set_up()
    reported_at = datetime.fromisoformat(state(hass, "sensor.hilltop_last_reported"))
    telemetry = world.cloud.published(world.system)
    assert 0 < reported_at.timestamp() - telemetry.measured_at < 120
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
