"""Several systems of an account: each has its own trouble, and hides no other."""

import asyncio
from datetime import date, timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_ID, STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr, issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

from custom_components.enphase_cloud import async_remove_config_entry_device
from custom_components.enphase_cloud.const import (
    CONF_LIVE_BURSTS,
    CONF_SYSTEMS,
    CONF_TIME_ZONE,
    DOMAIN,
)
from simulator import Account, Fault

from .conftest import SetUp, World
from .flows import until
from .helpers import pass_time, press, state, system_devices

pytestmark = pytest.mark.usefixtures("summer_noon")


@pytest.fixture
def stranger(world: World) -> Account:
    """Return a login that systems may be sold to."""
    return world.cloud.add_account(email="noor@example.com", password="x", user_id="77")


def issues(registry: ir.IssueRegistry) -> dict[str, dict[str, str]]:
    """Return the placeholders of the issues by kind."""
    return {
        issue.translation_key or "": dict(issue.translation_placeholders or {})
        for (domain, _), issue in registry.issues.items()
        if domain == DOMAIN
    }


def loaded_systems(world: World) -> set[int | None]:
    """Return the systems that the cloud was asked about."""
    return {request.system_id for request in world.cloud.requests} - {None}


async def pass_days(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, days: int
) -> None:
    """Let days pass, in steps of how often gateways report."""
    for _ in range(days * 96):
        freezer.tick(timedelta(minutes=15))
        async_fire_time_changed(hass)
        await hass.async_block_till_done(wait_background_tasks=True)


# One system's trouble


@pytest.mark.parametrize("status", [401, 403, 404, 500])
@pytest.mark.parametrize("bad", [0, 1])
@pytest.mark.thorough
async def test_one_system_fails_from_the_first_set_up(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    issue_registry: ir.IssueRegistry,
    status: int,
    bad: int,
) -> None:
    """The good one is shown, the bad one named; it appears once it can be read."""
    world.add_system(name="Cabin", time_zone="Europe/Berlin")
    names = ["Hilltop", "Cabin"]
    system_id = world.systems[bad].system_id
    fault = world.cloud.faults.add(
        Fault(operation="summary", system_id=system_id, status=status)
    )
    entry = await set_up()
    assert entry.state is ConfigEntryState.LOADED
    assert not hass.config_entries.flow.async_progress()
    good = f"sensor.{names[1 - bad].lower()}_lifetime_production"
    missing = f"sensor.{names[bad].lower()}_lifetime_production"
    assert float(state(hass, good)) > 0
    assert hass.states.get(missing) is None
    kind = "systems_not_visible" if status in (403, 404) else "systems_not_read"
    shown = issues(issue_registry)
    assert set(shown) == {kind}
    told = shown[kind]
    assert names[bad] in " ".join(told.values())
    assert names[1 - bad] not in " ".join(told.values())
    assert str(system_id) not in " ".join(told.values())

    world.cloud.faults.remove(fault)
    await pass_time(hass, freezer, timedelta(minutes=40))
    assert float(state(hass, missing)) > 0
    assert not issues(issue_registry)


async def test_nothing_but_refusals(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """Where no system can be read, set-up is not ready, and says why."""
    world.add_system(name="Cabin")
    world.cloud.faults.add(Fault(status=500))
    entry = await set_up()
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert world.calls == ["summary", "summary"]
    assert "500" in str(entry.reason)


async def test_an_unreachable_cloud_is_tried_once(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """For the other systems it is as unreachable."""
    world.add_system(name="Cabin")
    world.cloud.faults.add(Fault(cut="before_headers"))
    entry = await set_up()
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert world.calls == ["summary"]


# Systems that are sold


@pytest.mark.parametrize("gone", ["sold", "deleted"])
@pytest.mark.long
async def test_a_sold_system_costs_a_call_a_day(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    issue_registry: ir.IssueRegistry,
    stranger: Account,
    gone: str,
) -> None:
    """It is said, its entities are unavailable, and it may come back."""
    cabin = world.add_system(name="Cabin", battery=1, time_zone="Europe/Berlin")
    await set_up()
    sensor = "sensor.cabin_lifetime_production"
    assert float(state(hass, sensor)) > 0
    if gone == "sold":
        cabin.account = stranger
    else:
        world.cloud.remove_system(cabin.system_id)
    await pass_time(hass, freezer, timedelta(hours=2))
    assert state(hass, sensor) == STATE_UNAVAILABLE
    assert issues(issue_registry)["systems_not_visible"]["systems"] == "Cabin"
    assert "document_refused" not in issues(issue_registry)

    world.cloud.requests.clear()
    await pass_days(hass, freezer, 2)
    asked = [request.system_id for request in world.cloud.requests]
    assert 1 <= asked.count(cabin.system_id) <= 2
    assert asked.count(world.system.system_id) > 100

    with pytest.raises(HomeAssistantError, match="does not show"):
        await press(hass, "button.cabin_start_live_session")
    if gone == "sold":
        cabin.account = world.owner
        await pass_days(hass, freezer, 1)
        assert float(state(hass, sensor)) > 0
        assert not issues(issue_registry)
        assert float(state(hass, "sensor.cabin_battery")) > 0


async def test_a_sold_system_stays_hidden_over_a_restart(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    issue_registry: ir.IssueRegistry,
    stranger: Account,
) -> None:
    """A restart costs no call; deleting the device deselects the system."""
    cabin = world.add_system(name="Cabin")
    entry = await set_up()
    cabin.account = stranger
    await pass_time(hass, freezer, timedelta(hours=1))
    world.cloud.requests.clear()
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert cabin.system_id not in loaded_systems(world)
    assert issues(issue_registry)["systems_not_visible"]["systems"] == "Cabin"
    assert state(hass, "sensor.cabin_lifetime_production") == STATE_UNAVAILABLE

    registry = dr.async_get(hass)
    devices = {device.name: device for device in system_devices(hass, entry)}
    assert await async_remove_config_entry_device(hass, entry, devices["Cabin"])
    await hass.async_block_till_done()
    assert [system[CONF_ID] for system in entry.data[CONF_SYSTEMS]] == [
        world.system.system_id
    ]
    assert not issues(issue_registry)
    assert registry.async_get(devices["Cabin"].id) is None
    # The last one goes with the entry.
    world.system.account = stranger
    await pass_time(hass, freezer, timedelta(hours=1))
    assert not await async_remove_config_entry_device(hass, entry, devices["Hilltop"])


async def test_a_hidden_system_in_trouble_is_not_asked_more_often(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    stranger: Account,
) -> None:
    """Whatever the daily call brings."""
    await set_up()
    world.system.account = stranger
    await pass_time(hass, freezer, timedelta(hours=1))
    world.cloud.faults.add(Fault(operation="summary", status=500))
    world.cloud.requests.clear()
    await pass_days(hass, freezer, 2)
    assert world.calls in (["summary"], ["summary", "summary"])


async def test_a_hidden_system_streams_no_live_data(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    stranger: Account,
) -> None:
    """Whatever is scheduled."""
    entry = await set_up()
    world.system.account = stranger
    await pass_time(hass, freezer, timedelta(hours=1))
    world.cloud.requests.clear()
    options = {**entry.options, CONF_LIVE_BURSTS: True}
    hass.config_entries.async_update_entry(entry, options=options)
    await hass.config_entries.async_reload(entry.entry_id)
    await pass_time(hass, freezer, timedelta(hours=12))
    assert world.calls == []


# Time zones


@pytest.mark.parametrize(
    "name",
    ["Europe/", "x" * 300, "W. Europe Standard Time", None, 7, "../../etc/passwd", ""],
)
async def test_a_time_zone_that_is_none(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    issue_registry: ir.IssueRegistry,
    name: Any,
) -> None:
    """Days are those of Home Assistant then, and that is said."""
    entry = world.entry()
    [system] = entry.data[CONF_SYSTEMS]
    entry.add_to_hass(hass)
    hass.config_entries.async_update_entry(
        entry, data={**entry.data, CONF_SYSTEMS: [{**system, CONF_TIME_ZONE: name}]}
    )
    await set_up(entry)
    assert entry.state is ConfigEntryState.LOADED
    assert issues(issue_registry) == {
        "time_zone_unknown": {
            "account": "Home",
            "systems": "Hilltop",
            "time_zone": hass.config.time_zone,
        }
    }


# Many systems


@pytest.mark.parametrize("plan", ["watt"])
async def test_calls_that_are_withheld_hold_up_no_set_up(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Another account on the key has taken the minute; then it is read."""
    for number in range(9):
        world.add_system(name=f"Barn {number}", meters=[])
    first = world.entry()
    systems = first.data[CONF_SYSTEMS]
    first.add_to_hass(hass)
    hass.config_entries.async_update_entry(
        first, data={**first.data, CONF_SYSTEMS: systems[1:]}
    )
    await set_up(first)
    second = MockConfigEntry(
        domain=DOMAIN,
        title="Second",
        unique_id="other",
        data={**first.data, CONF_SYSTEMS: systems[:1]},
        options=first.options,
    )
    await set_up(second)
    assert second.state is ConfigEntryState.LOADED
    assert hass.states.get("sensor.hilltop_lifetime_production") is None
    await pass_time(hass, freezer, timedelta(minutes=10))
    assert float(state(hass, "sensor.hilltop_lifetime_production")) > 0


@pytest.mark.parametrize("plan", ["watt"])
async def test_thirty_systems_on_the_free_plan(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
) -> None:
    """They are set up at once, and read as the calls of the minute allow."""
    for number in range(29):
        world.add_system(
            name=f"Barn {number}", meters=[], commissioned=date(2026, 6, 20)
        )
    entry = await set_up()
    assert entry.state is ConfigEntryState.LOADED
    assert len(loaded_systems(world)) >= 5
    await pass_time(hass, freezer, timedelta(minutes=15))
    assert len(loaded_systems(world)) == 30
    assert {request.status for request in world.cloud.requests} == {200}
    for number in range(29):
        assert float(state(hass, f"sensor.barn_{number}_lifetime_production"))


async def test_a_hundred_systems(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Set-up ends within the limits of the minute; the rest appears as it comes."""
    for number in range(99):
        world.add_system(
            name=f"Barn {number}", meters=[], commissioned=date(2026, 6, 20)
        )
    entry = await set_up()
    assert entry.state is ConfigEntryState.LOADED
    assert 40 <= len(world.cloud.requests) <= 50
    devices = system_devices(hass, entry)
    assert len(devices) == 100
    await pass_time(hass, freezer, timedelta(minutes=8))
    assert len(loaded_systems(world)) == 100
    assert {request.status for request in world.cloud.requests} == {200}
    for number in range(99):
        assert float(state(hass, f"sensor.barn_{number}_lifetime_production"))


async def test_a_system_that_hangs_holds_up_nothing(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Set-up ends without it."""
    cabin = world.add_system(name="Cabin")
    fault = Fault(system_id=cabin.system_id, hang=True)
    world.cloud.faults.add(fault)
    entry = world.entry()
    setting_up = asyncio.create_task(set_up(entry))
    await until(lambda: fault.hits)
    assert entry.state is ConfigEntryState.SETUP_IN_PROGRESS
    freezer.tick(6)
    await until(setting_up.done)
    assert entry.state is ConfigEntryState.LOADED
    assert float(state(hass, "sensor.hilltop_lifetime_production")) > 0
    assert await hass.config_entries.async_unload(entry.entry_id)
    world.cloud.connections.drop()


# Systems of two entries


async def test_a_system_of_two_entries(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    issue_registry: ir.IssueRegistry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The older entry has it; the other one says so, and has the rest."""
    first = await set_up()
    world.add_system(name="Cabin")
    data = world.entry().data
    second = MockConfigEntry(
        domain=DOMAIN,
        title="Second",
        unique_id="other",
        data=data,
        options=first.options,
    )
    await set_up(second)
    assert second.state is ConfigEntryState.LOADED
    assert "unique" not in caplog.text.lower()
    assert issues(issue_registry) == {
        "systems_elsewhere": {
            "account": "Second",
            "systems": "Hilltop",
            "holders": "Home",
        }
    }
    assert float(state(hass, "sensor.cabin_lifetime_production")) > 0
    for entry, name in ((first, "Hilltop"), (second, "Cabin")):
        [device] = system_devices(hass, entry)
        assert device.name == name
