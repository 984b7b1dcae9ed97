"""Set up, reload, unload and remove an account, and the calls of each."""

from collections import Counter
from datetime import UTC, datetime, timedelta
import logging
from typing import Any
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.recorder import Recorder
from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryState
from homeassistant.const import CONF_ID, STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.device_registry import DeviceEntry
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.enphase_cloud import async_remove_config_entry_device
from custom_components.enphase_cloud.const import (
    CONF_ENERGY_UPDATES,
    CONF_HISTORY,
    CONF_LIVE_BURSTS,
    CONF_SYSTEMS,
    DOMAIN,
)
from custom_components.enphase_cloud.coordinator import document
from simulator import Fault

from .conftest import SetUp, World
from .helpers import pass_time, sensor_states, state, system_devices

COLD = ["summary", "telemetry_battery", "latest_telemetry"]


pytestmark = pytest.mark.usefixtures("summer_noon")


async def test_first_set_up_requests_each_document_once(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """The summary, which is required, is requested first."""
    entry = await set_up()
    assert entry.state is ConfigEntryState.LOADED
    assert world.calls == COLD


async def test_first_set_up_with_a_moving_clock_requests_each_document_once(
    world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """Each reading of the clock returns a later time."""

    def later() -> datetime:
        freezer.tick(timedelta(milliseconds=1))
        return datetime.now(UTC)

    with patch.object(dt_util, "utcnow", later):
        entry = await set_up()
    assert entry.state is ConfigEntryState.LOADED
    assert world.calls == COLD


@pytest.mark.parametrize(
    "system_properties", [{"name": "Roof", "time_zone": "Asia/Kathmandu"}]
)
async def test_first_set_up_without_battery_requests_no_battery_document(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """The summary shows that there is no battery."""
    await set_up()
    assert world.calls == ["summary", "latest_telemetry"]


@pytest.mark.parametrize("restart", ["reload", "set up anew"])
async def test_warm_restart_costs_no_call(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    restart: str,
) -> None:
    """All states and their times are restored without a call."""
    entry = await set_up()
    before = sensor_states(hass)
    world.cloud.requests.clear()
    for _ in range(3):
        freezer.tick(30)
        if restart == "reload":
            await hass.config_entries.async_reload(entry.entry_id)
        else:
            await hass.config_entries.async_unload(entry.entry_id)
            await set_up(entry)
        await hass.async_block_till_done()
    assert world.cloud.requests == []
    assert sensor_states(hass) == before


async def test_restart_does_not_renew_old_values(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """Values that are too old after a long pause are not shown."""
    entry = await set_up()
    assert await hass.config_entries.async_unload(entry.entry_id)
    world.cloud.faults.add(Fault(status=500))
    freezer.tick(timedelta(hours=12))
    await set_up(entry)
    await pass_time(hass, freezer, timedelta(minutes=1))
    assert state(hass, "sensor.hilltop_grid_power") in (
        "unknown",
        STATE_UNAVAILABLE,
    )
    assert float(state(hass, "sensor.hilltop_lifetime_production")) > 0


async def test_polls_follow_the_plan(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """On a paid plan, each document is polled about every 15 minutes by day."""
    await set_up()
    world.cloud.requests.clear()
    await pass_time(hass, freezer, timedelta(hours=4))
    calls = world.calls
    for operation in ("telemetry_battery", "latest_telemetry"):
        assert 10 <= calls.count(operation) <= 24
    assert {request.status for request in world.cloud.requests} == {200}


@pytest.mark.parametrize("system_properties", [{"time_zone": "Europe/Berlin"}])
async def test_dusk_is_learnt_from_production(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """The schedule takes the end of production as the end of the day."""
    freezer.move_to("2026-06-21 17:07:00+00:00")
    entry = await set_up()
    await pass_time(hass, freezer, timedelta(hours=7))
    system_id = str(world.system.system_id)
    dusk = entry.runtime_data.budget.schedule.daylight(system_id).dusk
    assert dusk is not None
    production = world.cloud.truth(world.system.system_id).energy
    quarter = timedelta(minutes=15)
    assert production("production", dusk - quarter, dusk) > 0
    assert production("production", dusk, dusk + quarter) == 0


@pytest.mark.parametrize("plan", ["watt"])
async def test_polls_of_the_free_plan_stay_within_the_share_of_a_day(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """1,000 calls a month are 32 a day."""
    await set_up()
    world.cloud.requests.clear()
    await pass_time(hass, freezer, timedelta(hours=24))
    assert 16 <= len(world.calls) <= 45


@pytest.mark.parametrize(
    ("fault", "entry_state"),
    [
        (Fault(operation="summary", status=500), ConfigEntryState.SETUP_RETRY),
        (Fault(operation="summary", body="html"), ConfigEntryState.SETUP_RETRY),
        (
            Fault(operation="summary", cut="before_headers"),
            ConfigEntryState.SETUP_RETRY,
        ),
        (Fault(operation="summary", status=403), ConfigEntryState.SETUP_RETRY),
        (Fault(operation="summary", status=404), ConfigEntryState.SETUP_RETRY),
        (Fault(operation="summary", quota="minute"), ConfigEntryState.SETUP_RETRY),
    ],
)
async def test_failed_set_up_makes_one_call_and_recovers(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    fault: Fault,
    entry_state: ConfigEntryState,
) -> None:
    """Retries make no call until the next one is due."""
    world.cloud.faults.add(fault)
    entry = await set_up()
    assert entry.state is entry_state
    assert world.calls.count("summary") == len(world.calls) <= 1
    assert entry.reason
    for _ in range(3):
        await hass.config_entries.async_reload(entry.entry_id)
        await hass.async_block_till_done()
    assert len(world.cloud.requests) == 1

    world.cloud.faults.clear()
    await pass_time(hass, freezer, timedelta(minutes=40))
    assert entry.state is ConfigEntryState.LOADED


@pytest.mark.parametrize("operation", ["telemetry_battery", "latest_telemetry"])
@pytest.mark.parametrize(
    ("status", "reason"),
    [(401, "Site Level Consumption Monitoring"), (403, "account may not see")],
)
async def test_refused_document_is_disabled_with_one_warning(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    caplog: pytest.LogCaptureFixture,
    operation: str,
    status: int,
    reason: str,
) -> None:
    """It is not requested again; the other documents are."""
    world.cloud.faults.add(Fault(operation=operation, status=status))
    entry = await set_up()
    assert entry.state is ConfigEntryState.LOADED
    assert not hass.config_entries.flow.async_progress()
    requests = world.calls.count(operation)
    await pass_time(hass, freezer, timedelta(hours=3))
    await hass.config_entries.async_reload(entry.entry_id)
    await pass_time(hass, freezer, timedelta(hours=3))
    assert world.calls.count(operation) == requests
    assert world.calls.count("summary") > 1
    warnings = [
        record
        for record in caplog.records
        if record.levelno >= logging.WARNING and "custom_components" in record.name
    ]
    assert len(warnings) == 1
    assert reason in warnings[0].getMessage()
    assert not hass.config_entries.flow.async_progress()


async def test_failing_document_does_not_affect_others(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """It is requested with growing pauses, the others as before."""
    world.cloud.faults.add(Fault(operation="latest_telemetry", status=500))
    entry = await set_up()
    assert entry.state is ConfigEntryState.LOADED
    await pass_time(hass, freezer, timedelta(hours=6))
    assert world.calls.count("latest_telemetry") <= 8
    assert world.calls.count("telemetry_battery") >= 12
    assert float(state(hass, "sensor.hilltop_battery")) > 0


async def test_error_of_our_own_is_no_hot_loop(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """Where even the handling of an error fails, a request waits for five minutes."""
    await set_up()
    fault = world.cloud.faults.add(Fault(operation="summary", status=500))
    with patch.object(document, "error_policy", side_effect=RuntimeError):
        step = timedelta(seconds=10)
        await pass_time(hass, freezer, timedelta(minutes=30), step=step)
    assert 0 < fault.hits <= 4


async def test_api_key_of_another_application_starts_reauthentication(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """The summary, which is required, is refused because of the key."""
    world.cloud.faults.add(
        Fault(operation="summary", status=401, details="API Key -Client mismatch")
    )
    entry = await set_up()
    assert entry.state is ConfigEntryState.SETUP_ERROR
    flows = hass.config_entries.flow.async_progress()
    assert [flow["context"]["source"] for flow in flows] == [SOURCE_REAUTH]


async def test_deleted_credentials_start_reauthentication(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """An account needs its developer application; no call is made."""
    entry = world.entry()
    entry.add_to_hass(hass)
    hass.config_entries.async_update_entry(
        entry, data={**entry.data, "auth_implementation": "gone"}
    )
    await set_up(entry)
    assert entry.state is ConfigEntryState.SETUP_ERROR
    flows = hass.config_entries.flow.async_progress()
    assert [flow["context"]["source"] for flow in flows] == [SOURCE_REAUTH]
    assert world.cloud.requests == []


async def test_unloaded_entry_makes_no_call(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
) -> None:
    """No timer requests anything after an unload."""
    entry = await set_up()
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert entry.state is ConfigEntryState.NOT_LOADED
    world.cloud.requests.clear()
    await pass_time(hass, freezer, timedelta(hours=2))
    assert world.cloud.requests == []


async def test_reloads_leave_no_timer_and_no_listener(
    recorder_mock: Recorder,
    hass: HomeAssistant,
    set_up: SetUp,
) -> None:
    """Many reloads leave as many timers and listeners as one.

    The event loop keeps up to a hundred cancelled timers, which are not counted.
    """
    options = {CONF_ENERGY_UPDATES: 4, CONF_HISTORY: "hour", CONF_LIVE_BURSTS: True}
    entry = await set_up(options=options)
    await hass.config_entries.async_unload(entry.entry_id)

    async def in_use() -> Counter[str]:
        await hass.async_block_till_done()
        timers = hass.loop._scheduled  # type: ignore[attr-defined]
        return Counter(
            {
                **Counter(repr(timer._callback) for timer in timers if timer._callback),
                **hass.bus.async_listeners(),
            }
        )

    before = await in_use()
    for _ in range(20):
        await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done()
        assert await hass.config_entries.async_unload(entry.entry_id)
    assert (await in_use()).total() <= before.total()


async def test_resume_after_hours_requests_each_document_once(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """A machine that was suspended does not make up for missed updates."""
    await set_up()
    world.cloud.requests.clear()
    for hours in (5, 60):
        freezer.tick(timedelta(hours=hours))
        async_fire_time_changed(hass)
        await hass.async_block_till_done(wait_background_tasks=True)
        await pass_time(hass, freezer, timedelta(minutes=5))
        assert sorted(call for call in world.calls if call != "token") == sorted(COLD)
        world.cloud.requests.clear()


@pytest.mark.thorough
@pytest.mark.long
async def test_ten_entries_share_one_api_key(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """They share the limit per minute; unloaded, none makes a call."""
    entries = []
    for number in range(10):
        system = world.cloud.add_system(
            world.owner, name=f"Home {number}", battery=1, time_zone="Europe/Berlin"
        )
        world.systems[:] = [system]
        entry = world.entry()
        entries.append(entry)
        entry.add_to_hass(hass)
        hass.config_entries.async_update_entry(entry, unique_id=f"user {number}")
        await set_up(entry)
    await pass_time(hass, freezer, timedelta(minutes=5))
    assert {entry.state for entry in entries} == {ConfigEntryState.LOADED}
    for number in range(10):
        entity_id = f"sensor.home_{number}_production_power"
        assert float(state(hass, entity_id)) > 0
    for entry in entries:
        assert await hass.config_entries.async_unload(entry.entry_id)
    world.cloud.requests.clear()
    await pass_time(hass, freezer, timedelta(hours=1))
    assert world.cloud.requests == []


async def test_removal_deletes_the_stores(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    hass_storage: dict[str, Any],
) -> None:
    """No file of the integration remains."""
    entry = await set_up()
    await hass.config_entries.async_unload(entry.entry_id)
    assert [key for key in hass_storage if key.startswith(DOMAIN)]
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    assert not [key for key in hass_storage if key.startswith(DOMAIN)]


@pytest.mark.parametrize("status", [403, 500])
async def test_removal_after_a_failed_set_up_leaves_no_file(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    hass_storage: dict[str, Any],
    status: int,
) -> None:
    """What the failed set-up was about to save is not written later."""
    world.cloud.faults.add(Fault(status=status))
    entry = await set_up()
    assert entry.state is ConfigEntryState.SETUP_RETRY
    await hass.config_entries.async_remove(entry.entry_id)
    await pass_time(hass, freezer, timedelta(minutes=1), step=timedelta(seconds=10))
    assert not [key for key in hass_storage if key.startswith(DOMAIN)]


async def test_device_of_a_deselected_system_can_be_removed(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
) -> None:
    """The device of a selected system stays."""
    other = world.add_system(name="Cabin")
    entry = await set_up()

    def devices() -> dict[str | None, DeviceEntry]:
        found = system_devices(hass, entry)
        return {device.name: device for device in found}

    assert set(devices()) == {"Hilltop", "Cabin"}
    assert len(world.calls) == 5

    await hass.config_entries.async_unload(entry.entry_id)
    kept = [
        system
        for system in entry.data[CONF_SYSTEMS]
        if system[CONF_ID] != other.system_id
    ]
    hass.config_entries.async_update_entry(
        entry, data={**entry.data, CONF_SYSTEMS: kept}
    )
    cabin = devices()["Cabin"]
    assert await async_remove_config_entry_device(hass, entry, cabin)
    await set_up(entry)
    assert set(devices()) == {"Hilltop"}
    assert not er.async_entries_for_device(er.async_get(hass), cabin.id)
    hilltop = devices()["Hilltop"]
    assert not await async_remove_config_entry_device(hass, entry, hilltop)
