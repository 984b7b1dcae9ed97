"""What the list of systems says is kept up to date, at a call a week for all."""

from datetime import datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import CONF_ID, CONF_NAME
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.enphase_cloud.const import (
    CONF_CONNECTION,
    CONF_LIVE_STREAM,
    CONF_SYSTEMS,
    CONF_TIME_ZONE,
)
from custom_components.enphase_cloud.coordinator import system_list
from custom_components.enphase_cloud.runtime.system_properties import async_time_zone
from simulator import Fault

from .conftest import SetUp, World
from .helpers import pass_time, state, system_devices
from .test_systems import issues


@pytest.fixture(autouse=True)
def _summer_noon(freezer: FrozenDateTimeFactory) -> None:
    freezer.move_to("2026-06-14 10:07:00+00:00")


@pytest.fixture
def system_properties() -> dict[str, Any]:
    """Return panels alone, which take few calls."""
    return {
        "name": "Hilltop",
        "time_zone": "Europe/Berlin",
        "meters": [],
        "corrections": False,
    }


def lists(world: World) -> list[str]:
    """Return the calls for lists of systems."""
    return [call for call in world.calls if call in ("systems", "search")]


async def pass_hours(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, hours: int
) -> None:
    """Let time pass in steps of an hour."""
    for _ in range(hours):
        freezer.tick(timedelta(hours=1))
        async_fire_time_changed(hass)
        await hass.async_block_till_done(wait_background_tasks=True)


async def pass_a_week(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> None:
    """Let a week pass."""
    freezer.tick(timedelta(days=6, hours=20))
    await pass_hours(hass, freezer, 12)


async def test_stores_changed_properties(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The name that a user has given stays; today is the day of the new zone."""
    cabin = world.add_system(name="Cabin", time_zone="Europe/Berlin", meters=[])
    entry = await set_up()
    registry = dr.async_get(hass)
    devices = {device.name: device.id for device in system_devices(hass, entry)}
    registry.async_update_device(devices["Cabin"], name_by_user="Our cabin")
    world.system.name = "Summit"
    world.system.time_zone = "Asia/Tokyo"
    world.system.connection = "cellular"
    cabin.name = "Lodge"
    cabin.live_stream = False
    assert lists(world) == []
    await pass_a_week(hass, freezer)
    assert lists(world) == ["systems", "search"]
    hilltop, lodge = entry.data[CONF_SYSTEMS]
    assert hilltop[CONF_NAME] == "Summit"
    assert hilltop[CONF_TIME_ZONE] == "Asia/Tokyo"
    assert hilltop[CONF_CONNECTION] == "cellular"
    assert lodge[CONF_LIVE_STREAM] is False
    named = {device.name: device.name_by_user for device in system_devices(hass, entry)}
    assert named == {"Summit": None, "Lodge": "Our cabin"}
    assert hass.states.get("binary_sensor.hilltop_live_session") is not None
    live = hass.states.get("binary_sensor.cabin_live_session")
    assert live is None or live.state == "unavailable"

    await pass_time(hass, freezer, timedelta(minutes=10))
    today = hass.states.get("sensor.hilltop_production_today")
    assert today is not None
    reset = datetime.fromisoformat(today.attributes["last_reset"])
    assert reset.utcoffset() == timedelta(hours=9)
    published = world.cloud.published(world.system)
    day = datetime.fromisoformat(published.today()).replace(
        tzinfo=ZoneInfo("Asia/Tokyo")
    )
    assert reset == day
    until = datetime.fromtimestamp(published.until, ZoneInfo("Asia/Tokyo"))
    produced = world.cloud.truth(world.system.system_id).energy
    assert float(today.state) == pytest.approx(
        produced("production", day, until) / 1_000, abs=0.01
    )
    assert float(today.state) > 0


async def test_keeps_systems_that_are_chosen_meanwhile(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A reconfiguration while a time zone loads is not overwritten."""
    cabin = world.add_system(name="Cabin", time_zone="Europe/Berlin", meters=[])
    entry = await set_up()
    hilltop, removed = entry.data[CONF_SYSTEMS]
    added = {**removed, CONF_ID: cabin.system_id + 1, CONF_NAME: "Barn"}

    async def reconfigure(name: object) -> tzinfo | None:
        chosen = {**entry.data, CONF_SYSTEMS: [hilltop, added]}
        hass.config_entries.async_update_entry(entry, data=chosen)
        return await async_time_zone(name)

    monkeypatch.setattr(system_list, "async_time_zone", reconfigure)
    world.system.name = "Summit"
    await pass_a_week(hass, freezer)
    summit, barn = entry.data[CONF_SYSTEMS]
    assert summit[CONF_NAME] == "Summit"
    assert barn == added


async def test_restart_requests_no_list(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """The due time is stored."""
    entry = await set_up()
    for _ in range(3):
        freezer.tick(timedelta(days=2))
        await hass.config_entries.async_reload(entry.entry_id)
        await pass_hours(hass, freezer, 2)
    assert lists(world) == []
    freezer.tick(timedelta(days=1))
    await hass.config_entries.async_reload(entry.entry_id)
    await pass_hours(hass, freezer, 2)
    assert lists(world) == ["systems", "search"]
    await hass.config_entries.async_reload(entry.entry_id)
    await pass_hours(hass, freezer, 2)
    assert lists(world) == ["systems", "search"]


@pytest.mark.parametrize("fault", [{"status": 500}, {"body": "list"}])
async def test_a_list_that_fails_is_tried_again_the_next_day(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    fault: dict[str, Any],
) -> None:
    """And nothing changes until then."""
    entry = await set_up()
    data = entry.data
    world.system.name = "Summit"
    world.cloud.faults.add(Fault(operation="systems", times=1, **fault))
    await pass_a_week(hass, freezer)
    assert lists(world) == ["systems"]
    assert entry.data[CONF_SYSTEMS] == data[CONF_SYSTEMS]
    await pass_hours(hass, freezer, 24)
    assert lists(world) == ["systems", "systems", "search"]
    assert entry.data[CONF_SYSTEMS][0][CONF_NAME] == "Summit"


@pytest.mark.parametrize("name", ["Europe/", "W. Europe Standard Time", None])
async def test_missing_properties_keep_their_values(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    issue_registry: ir.IssueRegistry,
    name: str | None,
) -> None:
    """An invalid time zone does not replace a valid one."""
    entry = await set_up()
    before = entry.data[CONF_SYSTEMS]
    world.cloud.faults.add(Fault(operation="search", status=500))
    world.system.listed = {
        "timezone": name,
        "name": None,
        "public_name": "",
        "connection_type": "smoke signals",
        "system_id": str(world.system.system_id),
    }
    await pass_a_week(hass, freezer)
    assert entry.data[CONF_SYSTEMS] == before
    assert not issues(issue_registry)


async def test_a_time_zone_that_is_corrected_ends_the_fallback(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    issue_registry: ir.IssueRegistry,
) -> None:
    """Nobody has to do anything."""
    entry = world.entry()
    entry.add_to_hass(hass)
    [system] = entry.data[CONF_SYSTEMS]
    broken = {**system, CONF_TIME_ZONE: "Europe/"}
    hass.config_entries.async_update_entry(
        entry, data={**entry.data, CONF_SYSTEMS: [broken]}
    )
    await set_up(entry)
    assert set(issues(issue_registry)) == {"time_zone_unknown"}
    await pass_a_week(hass, freezer)
    assert entry.data[CONF_SYSTEMS][0][CONF_TIME_ZONE] == "Europe/Berlin"
    assert not issues(issue_registry)


async def test_a_refused_system_that_is_not_listed_is_not_visible(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    issue_registry: ir.IssueRegistry,
) -> None:
    """Unless it is still answered. Once it is listed again, it is read again."""
    cabin = world.add_system(name="Cabin", meters=[])
    await set_up()
    other = world.cloud.add_account(email="noor@example.com", password="x")
    cabin.account = other
    fault = world.cloud.faults.add(
        Fault(operation="summary", system_id=cabin.system_id, status=401)
    )
    await pass_time(hass, freezer, timedelta(hours=1))
    assert "systems_not_visible" not in issues(issue_registry)
    await pass_a_week(hass, freezer)
    assert issues(issue_registry)["systems_not_visible"]["systems"] == "Cabin"

    world.cloud.faults.remove(fault)
    cabin.account = world.owner
    await pass_a_week(hass, freezer)
    assert "systems_not_visible" not in issues(issue_registry)
    assert float(state(hass, "sensor.cabin_lifetime_production")) > 0


@pytest.mark.parametrize("plan", ["watt"])
async def test_used_up_budget_postpones_the_list(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
) -> None:
    """It is withheld, and not attempted."""
    await set_up()
    world.cloud.faults.add(Fault(operation="summary", quota="month", times=1))
    await pass_a_week(hass, freezer)
    asked = {request.operation for request in world.cloud.requests}
    assert "systems" not in asked
    freezer.move_to("2026-07-01 00:30:00+00:00")
    await pass_hours(hass, freezer, 8)
    assert lists(world) == ["systems"]


async def test_a_hidden_system_that_is_listed_is_polled(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    issue_registry: ir.IssueRegistry,
) -> None:
    """Before the day is over."""
    await set_up()
    freezer.tick(timedelta(days=6, hours=20))
    await pass_hours(hass, freezer, 1)
    world.system.account = world.cloud.add_account(email="n@example.com", password="x")
    await pass_hours(hass, freezer, 1)
    assert "systems_not_visible" in issues(issue_registry)
    world.system.account = world.owner
    await pass_hours(hass, freezer, 9)
    assert lists(world) == ["systems", "search"]
    assert not issues(issue_registry)
