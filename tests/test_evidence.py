"""Parts of a system appear and disappear: which documents are polled, and how often."""

from collections.abc import Iterator
from datetime import datetime, timedelta
import json
import logging
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import CONF_TOKEN, STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest

from custom_components.enphase_cloud.const import CONF_SIGNED_IN_AT, DOMAIN
from simulator import Fault, Flow, SecondGateway, Storage

from .conftest import SetUp, World
from .helpers import pass_time, press, sensor_states, state

DAY = timedelta(days=1)
PANELS = {"name": "Roof", "time_zone": "Europe/Berlin", "battery": None}


HOUSE = {**PANELS, "battery": 2}
LATEST = "latest_telemetry"
BATTERY = "telemetry_battery"


@pytest.fixture(autouse=True)
def _noon(freezer: FrozenDateTimeFactory) -> None:
    freezer.move_to("2026-02-03 10:07:00+00:00")


@pytest.fixture(autouse=True)
def _without_slow_loop_warnings(caplog: pytest.LogCaptureFixture) -> None:
    # asyncio takes a moved clock for a blocked event loop.
    caplog.set_level(logging.ERROR, "asyncio")


async def pass_days(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, days: float
) -> None:
    """Let days pass; coordinators wake up every five minutes."""
    await pass_time(hass, freezer, days * DAY, step=timedelta(minutes=5))


async def jump(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, delta: timedelta
) -> None:
    """Move the clock, and then let fifteen minutes pass for everything that is due."""
    freezer.tick(delta)
    await pass_time(hass, freezer, timedelta(minutes=15))


def has(hass: HomeAssistant, entity_id: str) -> bool:
    """Return whether a sensor shows a number."""
    found = hass.states.get(f"sensor.{entity_id}")
    return found is not None and found.state not in {STATE_UNKNOWN, STATE_UNAVAILABLE}


def requested_at(world: World, operation: str) -> Iterator[datetime]:
    """Yield when an operation was requested."""
    for request in world.cloud.requests:
        if request.operation == operation:
            yield request.at


@pytest.mark.parametrize("plan", ["watt"])
@pytest.mark.parametrize("system_properties", [{**PANELS, "meters": ["production"]}])
@pytest.mark.parametrize("noise", [0, 3])
@pytest.mark.thorough
@pytest.mark.long
async def test_noise_of_a_meter_at_night_costs_no_calls(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    noise: int,
) -> None:
    """A few watts in the dark are not taken for daylight."""
    world.system.dark_noise_w = noise
    await set_up()
    await pass_days(hass, freezer, 3)
    world.cloud.requests.clear()
    await pass_days(hass, freezer, 2)
    produced = world.cloud.truth(world.system.system_id).energy
    hour = timedelta(hours=1)
    in_the_dark = [
        at
        for at in requested_at(world, "summary")
        if not produced(Flow.PRODUCTION, _mark(at - hour), _mark(at + hour / 2))
    ]
    by_day = len(list(requested_at(world, "summary"))) - len(in_the_dark)
    assert len(in_the_dark) <= 2 * 1.5
    assert by_day / 2 >= 28


def _mark(at: datetime) -> datetime:
    return at.replace(minute=at.minute // 5 * 5, second=0, microsecond=0)


@pytest.mark.parametrize("plan", ["watt"])
@pytest.mark.parametrize("system_properties", [{**PANELS, "meters": []}])
@pytest.mark.parametrize(
    "fault",
    [
        None,
        Fault(operation=LATEST, raw='{"system_id": 7, "devices": {}}'),
        Fault(operation=LATEST, status=404),
    ],
    ids=["empty list", "no list", "not found"],
)
@pytest.mark.thorough
@pytest.mark.long
async def test_without_meters_the_summary_gets_all_calls(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    fault: Fault | None,
) -> None:
    """A document without data leaves the schedule, and is checked once a week."""
    if fault is not None:
        world.cloud.faults.add(fault)
    await set_up()
    assert world.calls == ["summary", LATEST]
    await pass_days(hass, freezer, 1)
    world.cloud.requests.clear()
    await pass_days(hass, freezer, 3)
    assert world.calls.count("summary") / 3 >= 33
    assert world.calls.count(LATEST) == 0
    await jump(hass, freezer, 3 * DAY)
    assert world.calls.count(LATEST) == 1
    await jump(hass, freezer, 6 * DAY)
    assert world.calls.count(LATEST) == 1


WITHOUT_METERS = pytest.mark.parametrize(
    "system_properties", [{**PANELS, "meters": []}]
)


@WITHOUT_METERS
async def test_refresh_now_requests_a_document_without_data(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """The document of batteries is requested only with signs of a battery."""
    await set_up()
    await press(hass, "button.roof_refresh_now")
    assert world.calls == ["summary", LATEST] * 2


@WITHOUT_METERS
async def test_new_sign_in_requests_a_document_without_data(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """A restart makes no call."""
    entry = await set_up()
    await hass.config_entries.async_reload(entry.entry_id)
    assert world.calls == ["summary", LATEST]
    token = {**entry.data[CONF_TOKEN], CONF_SIGNED_IN_AT: 1_770_000_000}
    data = {**entry.data, CONF_TOKEN: token}
    hass.config_entries.async_update_entry(entry, data=data)
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert world.calls == ["summary", LATEST, LATEST]


@WITHOUT_METERS
async def test_change_of_modules_requests_a_document_without_data(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """A meter may have been installed with new panels."""
    await set_up()
    await jump(hass, freezer, 1.5 * DAY)
    assert world.calls.count(LATEST) == 1
    world.system.modules += 4
    world.system.install_meter("consumption")
    await pass_time(hass, freezer, timedelta(hours=1))
    assert world.calls.count(LATEST) > 1
    assert has(hass, "roof_consumption_power")


@WITHOUT_METERS
@pytest.mark.parametrize("status", [404, 500])
async def test_failed_check_is_repeated_after_a_day_or_a_week(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    status: int,
) -> None:
    """Other values stay available."""
    await set_up()
    world.cloud.faults.add(Fault(operation=LATEST, status=status))
    await jump(hass, freezer, 7 * DAY)
    assert world.calls.count(LATEST) == 2
    assert has(hass, "roof_production_power")
    await jump(hass, freezer, timedelta(hours=22))
    assert world.calls.count(LATEST) == 2
    world.cloud.faults.clear()
    world.system.install_meter("consumption")
    await jump(hass, freezer, (7 if status == 404 else 1) * DAY)
    assert has(hass, "roof_consumption_power")


CONSUMPTION = {**PANELS, "meters": ["consumption"]}


@pytest.mark.parametrize("system_properties", [CONSUMPTION])
async def test_document_of_a_lone_consumption_meter_is_polled(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """No other document has its value."""
    await set_up()
    await pass_time(hass, freezer, timedelta(hours=4))
    assert world.calls.count(LATEST) >= 10
    assert has(hass, "roof_consumption_power")


@pytest.mark.parametrize("system_properties", [CONSUMPTION])
async def test_meter_that_starts_to_report_appears(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """Its values are null at first; they appear within a week of the first report."""
    world.system.silence("consumption", dt_util.utcnow() - 8 * DAY)
    await set_up()
    assert not has(hass, "roof_consumption_power")
    world.system.resume_part("consumption", dt_util.utcnow())
    await jump(hass, freezer, 7 * DAY)
    assert has(hass, "roof_consumption_power")
    await pass_time(hass, freezer, timedelta(hours=1))
    assert world.calls.count(LATEST) >= 4


@WITHOUT_METERS
async def test_meter_installed_a_year_later_appears(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """The account needs no reconfiguration."""
    await set_up()
    for month in range(1, 13):
        await jump(hass, freezer, 29 * DAY)
        assert world.calls.count(LATEST) == 1 + month
    world.system.install_meter("production")
    world.system.install_meter("consumption")
    await jump(hass, freezer, 7 * DAY)
    assert has(hass, "roof_consumption_power")
    assert has(hass, "roof_grid_power")


async def test_document_of_a_removed_meter_leaves_the_schedule(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """Its sensors become unavailable, and its document is checked once a week."""
    world.add_system(**{**PANELS, "name": "Cabin"})
    cabin = world.systems[1]
    del world.systems[0]
    await set_up()
    assert has(hass, "cabin_grid_power")
    cabin.remove_meter("consumption")
    for _ in range(10):
        await jump(hass, freezer, timedelta(hours=6))
    world.cloud.requests.clear()
    await pass_time(hass, freezer, timedelta(hours=6))
    assert LATEST not in world.calls
    for _ in range(7):
        await jump(hass, freezer, DAY)
    assert world.calls.count(LATEST) == 1
    assert state(hass, "sensor.cabin_consumption_power") == STATE_UNAVAILABLE


# Batteries

BATTERY_SENSORS = ("battery", "battery_capacity", "battery_power")


@pytest.mark.parametrize("system_properties", [HOUSE])
async def test_removed_batteries_become_unavailable(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """Consumption becomes known again; the batteries' document is polled no more."""
    await set_up()
    for name in BATTERY_SENSORS:
        assert has(hass, f"roof_{name}"), name
    world.system.remove_batteries(dt_util.utcnow())
    await pass_time(hass, freezer, timedelta(hours=4))
    assert has(hass, "roof_consumption_power")
    for name in BATTERY_SENSORS:
        assert state(hass, f"sensor.roof_{name}") == STATE_UNAVAILABLE, name
    world.cloud.requests.clear()
    for _ in range(13):
        await jump(hass, freezer, DAY)
    # Once because the other documents changed, then weekly.
    assert 1 <= world.calls.count(BATTERY) <= 2

    world.system.install_batteries(Storage(), dt_util.utcnow())
    await pass_time(hass, freezer, timedelta(hours=1))
    await jump(hass, freezer, DAY)
    for name in BATTERY_SENSORS:
        assert has(hass, f"roof_{name}"), name


@pytest.mark.parametrize("system_properties", [HOUSE])
async def test_single_zero_capacity_removes_no_battery(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """Two other documents show the battery."""
    await set_up()
    raw = {"system_id": world.system.system_id, "battery_capacity_wh": 0}
    fault = Fault(operation="summary", raw=json.dumps(raw), times=1)
    world.cloud.faults.add(fault)
    for _ in range(60):
        await pass_time(hass, freezer, timedelta(minutes=1))
        for name in BATTERY_SENSORS:
            assert has(hass, f"roof_{name}"), name
    assert fault.hits == 1


@pytest.mark.parametrize("system_properties", [HOUSE])
async def test_zero_capacity_removes_a_battery_only_after_a_day(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """The summary is the only document that the plan includes."""
    for operation in (LATEST, BATTERY):
        world.cloud.faults.add(Fault(operation=operation, status=401))
    await set_up()
    assert has(hass, "roof_battery_capacity")
    world.system.remove_batteries(dt_util.utcnow())
    await pass_time(hass, freezer, timedelta(hours=1))
    assert has(hass, "roof_battery_capacity")
    for _ in range(2):
        await jump(hass, freezer, DAY)
    assert state(hass, "sensor.roof_battery_capacity") == STATE_UNAVAILABLE


@pytest.mark.parametrize("system_properties", [HOUSE])
async def test_silent_battery_does_not_make_other_values_old(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """The cloud lists it for a week; grid and consumption stay known and recent."""
    world.system.silence("battery 1", dt_util.utcnow())
    await set_up()
    await jump(hass, freezer, 2 * DAY)
    names = ("consumption_power", "grid_power")
    for name in (*names, "battery_power"):
        assert has(hass, f"roof_{name}"), name
        found = hass.states.get(f"sensor.roof_{name}")
        assert found is not None
        age = dt_util.utcnow() - found.attributes["measured_at"]
        assert age < timedelta(minutes=40), name


@pytest.mark.parametrize("system_properties", [HOUSE])
@pytest.mark.parametrize("behind", [400, 840])
async def test_grid_power_of_two_gateways_is_as_old_as_the_older_report(
    hass: HomeAssistant, world: World, set_up: SetUp, behind: int
) -> None:
    """Each gateway reports one of the meters."""
    world.system.second_gateway = SecondGateway(frozenset({"consumption"}), behind)
    await set_up()
    grid = hass.states.get("sensor.roof_grid_power")
    production = hass.states.get("sensor.roof_production_power")
    assert grid is not None
    assert production is not None
    difference = production.attributes["measured_at"] - grid.attributes["measured_at"]
    assert difference == timedelta(seconds=behind)
    assert has(hass, "roof_consumption_power")


# The store of version 0.1.0


def values(hass: HomeAssistant) -> dict[str, str]:
    """Return the states of all sensors except those of the budget."""
    return {
        name: value
        for name, value in sensor_states(hass).items()
        if "calls" not in name
    }


@pytest.mark.parametrize(
    ("system_properties", "calls"),
    [
        (HOUSE, {"summary": 0, BATTERY: 0, LATEST: 0}),
        (CONSUMPTION, {"summary": 0, LATEST: 0}),
        ({**PANELS, "meters": []}, {"summary": 0, LATEST: 1}),
    ],
    ids=["house", "consumption", "without meters"],
)
async def test_store_without_evidence_is_read(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    hass_storage: dict[str, Any],
    calls: dict[str, int],
) -> None:
    """Stored samples are evidence; a document without samples is requested once."""
    entry = await set_up()
    before = values(hass)
    assert await hass.config_entries.async_unload(entry.entry_id)
    stored = hass_storage[f"{DOMAIN}.{entry.entry_id}"]["data"]["systems"]
    del stored[str(world.system.system_id)]["evidence"]
    world.cloud.requests.clear()
    await set_up(entry)
    assert {name: world.calls.count(name) for name in calls} == calls
    assert values(hass) == before
    await pass_time(hass, freezer, timedelta(hours=2))
    if calls[LATEST] == 0:
        assert world.calls.count(LATEST) >= 5
    else:
        assert world.calls.count(LATEST) == 1
