"""Several systems of an account: a failure of one does not affect the others."""

import asyncio
from datetime import date, timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_API_KEY, CONF_ID, CONF_TOKEN, STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import (
    device_registry as dr,
    entity_registry as er,
    issue_registry as ir,
)
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
    """Return another account, to which systems can be sold."""
    return world.cloud.add_account(email="noor@example.com", password="x", user_id="77")


def issues(registry: ir.IssueRegistry) -> dict[str, dict[str, str]]:
    """Return the placeholders of the issues by their translation key."""
    return {
        issue.translation_key or "": dict(issue.translation_placeholders or {})
        for (domain, _), issue in registry.issues.items()
        if domain == DOMAIN
    }


def loaded_systems(world: World) -> set[int | None]:
    """Return the ids of the systems in requests."""
    return {request.system_id for request in world.cloud.requests} - {None}


async def pass_days(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, days: int
) -> None:
    """Pass days in steps of 15 min, the interval at which gateways report."""
    for _ in range(days * 96):
        freezer.tick(timedelta(minutes=15))
        async_fire_time_changed(hass)
        await hass.async_block_till_done(wait_background_tasks=True)


# Failures of one system


@pytest.mark.parametrize("status", [401, 403, 404, 500])
@pytest.mark.parametrize("bad", [0, 1])
@pytest.mark.thorough
async def test_system_that_fails_at_set_up_appears_later(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    issue_registry: ir.IssueRegistry,
    status: int,
    bad: int,
) -> None:
    """The other system is set up; an issue names the failed one until it is read."""
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
    texts = shown[kind]
    assert names[bad] in " ".join(texts.values())
    assert names[1 - bad] not in " ".join(texts.values())
    assert str(system_id) not in " ".join(texts.values())

    world.cloud.faults.remove(fault)
    await pass_time(hass, freezer, timedelta(minutes=40))
    assert float(state(hass, missing)) > 0
    assert not issues(issue_registry)


async def test_set_up_is_retried_if_no_system_can_be_read(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """The reason has the error of the cloud."""
    world.add_system(name="Cabin")
    world.cloud.faults.add(Fault(status=500))
    entry = await set_up()
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert world.calls == ["summary", "summary"]
    assert "500" in str(entry.reason)


async def test_unreachable_cloud_gets_one_request_per_set_up(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """There is no request for the other systems."""
    world.add_system(name="Cabin")
    world.cloud.faults.add(Fault(cut="before_headers"))
    entry = await set_up()
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert world.calls == ["summary"]


# Systems that are sold


@pytest.mark.parametrize("gone", ["sold", "deleted"])
@pytest.mark.long
async def test_sold_system_costs_one_call_a_day(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    issue_registry: ir.IssueRegistry,
    stranger: Account,
    gone: str,
) -> None:
    """An issue names it, and its entities are unavailable until it is visible again."""
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
    assert state(hass, "binary_sensor.cabin_gateway_reporting") == STATE_UNAVAILABLE
    assert issues(issue_registry)["systems_not_visible"]["systems"] == "Cabin"
    assert "document_refused" not in issues(issue_registry)

    world.cloud.requests.clear()
    await pass_days(hass, freezer, 2)
    requested = [request.system_id for request in world.cloud.requests]
    assert 1 <= requested.count(cabin.system_id) <= 2
    assert requested.count(world.system.system_id) > 100

    with pytest.raises(HomeAssistantError, match="does not show"):
        await press(hass, "button.cabin_start_live_session")
    if gone == "sold":
        cabin.account = world.owner
        await pass_days(hass, freezer, 1)
        assert float(state(hass, sensor)) > 0
        assert not issues(issue_registry)
        assert float(state(hass, "sensor.cabin_battery")) > 0


async def test_sold_system_stays_hidden_after_a_restart(
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
    # The last system can be removed only with its entry.
    world.system.account = stranger
    await pass_time(hass, freezer, timedelta(hours=1))
    assert not await async_remove_config_entry_device(hass, entry, devices["Hilltop"])


async def test_hidden_system_that_fails_costs_one_call_a_day(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    stranger: Account,
) -> None:
    """A server error does not change the interval."""
    await set_up()
    world.system.account = stranger
    await pass_time(hass, freezer, timedelta(hours=1))
    world.cloud.faults.add(Fault(operation="summary", status=500))
    world.cloud.requests.clear()
    await pass_days(hass, freezer, 2)
    assert world.calls in (["summary"], ["summary", "summary"])


async def test_hidden_system_has_no_live_sessions(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    stranger: Account,
) -> None:
    """Scheduled sessions do not start."""
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
async def test_invalid_time_zone_falls_back_to_that_of_home_assistant(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    issue_registry: ir.IssueRegistry,
    name: Any,
) -> None:
    """An issue names the systems and the time zone in use."""
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
async def test_withheld_calls_do_not_delay_set_up(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The system is read once the minute limit, used by another account, allows it."""
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
async def test_thirty_systems_are_read_on_the_free_plan(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
) -> None:
    """They are set up at once, and read as the limit per minute allows."""
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


async def test_hundred_systems_are_read_within_minutes(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Set-up stays within the limit per minute; the remaining systems appear later."""
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


async def test_system_that_hangs_does_not_delay_set_up(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Set-up completes without it."""
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


# Systems in two entries


async def test_system_in_two_entries_belongs_to_the_older_one(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    issue_registry: ir.IssueRegistry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """An issue of the other entry says so; it keeps its other systems."""
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


@pytest.mark.parametrize("cause", ["removed", "deselected"])
async def test_system_moves_to_the_other_entry(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    issue_registry: ir.IssueRegistry,
    caplog: pytest.LogCaptureFixture,
    cause: str,
) -> None:
    """The other entry has another API key, and needs no reload by the user."""
    world.add_system(name="Cabin")
    first = await set_up()
    application = world.cloud.add_application(
        client_id="second", client_secret="second", api_key="key-of-second"
    )
    token = world.cloud.tokens_for(application, world.owner)
    data = {
        **first.data,
        CONF_API_KEY: "key-of-second",
        CONF_TOKEN: {**first.data[CONF_TOKEN], **token},
    }
    second = MockConfigEntry(
        domain=DOMAIN, unique_id="other", data=data, options=first.options
    )
    await set_up(second)
    assert "systems_elsewhere" in issues(issue_registry)
    if cause == "removed":
        await hass.config_entries.async_remove(first.entry_id)
    else:
        kept = first.data[CONF_SYSTEMS][1:]
        hass.config_entries.async_update_entry(
            first, data={**first.data, CONF_SYSTEMS: kept}
        )
        hass.config_entries.async_schedule_reload(first.entry_id)
    await hass.async_block_till_done()
    assert bool(issues(issue_registry)) is (cause == "deselected")
    assert float(state(hass, "sensor.hilltop_lifetime_production")) > 0
    assert "unique" not in caplog.text.lower()
    entity = er.async_get(hass).async_get("sensor.hilltop_lifetime_production")
    assert entity is not None
    assert entity.config_entry_id == second.entry_id
    assert "Hilltop" in [each.name for each in system_devices(hass, second)]
    assert "Hilltop" not in [each.name for each in system_devices(hass, first)]
