"""Controls of the battery: requests, shown states, and failures."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from itertools import cycle, islice
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import entity_registry as er, issue_registry as ir
import pytest

from custom_components.enphase_cloud.const import CONF_LIVE_BURSTS, DOMAIN
from simulator import Fault, Settings

from .conftest import SetUp, World
from .controls import (
    INDEPENDENCE,
    MODE,
    OPTIONS,
    RESERVE,
    STORM_GUARD,
    begin,
    calls,
    finished,
    put,
    results,
    setting_events,
    written,
)
from .helpers import pass_time, press, state
from .live import BUTTON_START, MODE as LIVE_MODE, Burst, Stepper, until

MINUTE = timedelta(minutes=1)
SELF = {
    "battery_mode": "Self-consumption",
    "reserve_soc": 20,
    "energy_independence": "disabled",
}
WRITE = "set_battery_settings"
READ = "battery_settings"

pytestmark = [
    pytest.mark.usefixtures("summer_noon"),
    pytest.mark.parametrize("plan", ["megawatt"]),
]


def cloud_has(world: World) -> tuple[str, int]:
    """Return the mode and the reserve in the cloud."""
    system = world.system
    mode = system.battery_mode(system.settings)
    return mode, system.reserve(system.settings, mode)


def attribute(hass: HomeAssistant, entity_id: str, name: str) -> Any:
    """Return an attribute of an entity."""
    found = hass.states.get(entity_id)
    assert found is not None
    return found.attributes.get(name)


async def test_controls_show_the_settings_of_the_cloud(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    await set_up(options=OPTIONS)
    assert state(hass, MODE) == "self_consumption"
    assert state(hass, RESERVE) == "20.0"
    assert attribute(hass, RESERVE, "min") == 5
    assert attribute(hass, RESERVE, "max") == 100
    assert state(hass, STORM_GUARD) == "off"
    # It applies to another mode only.
    assert state(hass, INDEPENDENCE) == "unavailable"
    assert attribute(hass, MODE, "assumed_state") is None


async def test_mode_is_written_with_its_reserve_and_independence(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """The response changes the state; the setting is read back once."""
    await set_up(options=OPTIONS)
    events, before = setting_events(hass), len(calls(world))
    await put(hass, MODE, "savings")
    assert state(hass, MODE) == "savings"
    assert attribute(hass, MODE, "assumed_state") is True
    assert state(hass, INDEPENDENCE) == "off"
    assert written(world) == [(SELF | {"battery_mode": "Savings Mode"}, True)]
    await pass_time(hass, freezer, 3 * MINUTE)
    assert calls(world)[before:] == [WRITE, READ]
    assert attribute(hass, MODE, "assumed_state") is None
    assert state(hass, MODE) == "savings"
    await put(hass, INDEPENDENCE, value=True)
    assert state(hass, INDEPENDENCE) == "on"
    assert world.system.settings.energy_independence
    assert cloud_has(world) == ("Savings Mode", 20)
    assert results(events) == ["accepted", "confirmed", "accepted"]


async def test_old_document_is_read_before_a_part_changes(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """Otherwise a change in the app a minute ago would be undone."""
    await set_up(options=OPTIONS)
    await pass_time(hass, freezer, 11 * MINUTE)
    world.system.settings = Settings(reserves={"Self-consumption": 44})
    before = len(calls(world))
    await put(hass, MODE, "savings")
    assert calls(world)[before:] == [READ, WRITE]
    assert cloud_has(world) == ("Savings Mode", 44)


async def test_only_the_last_of_several_numbers_is_written(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    await set_up(options=OPTIONS)
    tasks = [begin(hass, RESERVE, value) for value in (30, 50, 40)]
    assert await finished(hass, freezer, *tasks) == [None] * 3
    assert written(world) == [(SELF | {"reserve_soc": 40}, True)]
    assert state(hass, RESERVE) == "40.0"


async def test_concurrent_writes_do_not_undo_each_other(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    await set_up(options=OPTIONS)
    tasks = [begin(hass, RESERVE, 30), begin(hass, MODE, "savings")]
    assert await finished(hass, freezer, *tasks) == [None] * 2
    assert cloud_has(world) == ("Savings Mode", 30)
    assert len(written(world)) == 1


async def test_mode_may_undo_a_reserve_that_was_just_set(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """Only the newest change is read back."""
    await set_up(options=OPTIONS)
    events = setting_events(hass)
    assert await finished(hass, freezer, begin(hass, RESERVE, 95)) == [None]
    await put(hass, MODE, "full_backup")
    await pass_time(hass, freezer, 3 * MINUTE)
    assert attribute(hass, MODE, "assumed_state") is None
    assert state(hass, RESERVE) == "100.0"
    assert sorted(results(events)) == ["accepted"] * 2 + ["confirmed", "different"]


async def test_full_backup_fixes_the_reserve_and_restores_it_later(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    await set_up(options=OPTIONS)
    await put(hass, MODE, "full_backup")
    assert state(hass, RESERVE) == "100.0"
    with pytest.raises(ServiceValidationError) as raised:
        await put(hass, RESERVE, 50)
    assert raised.value.translation_key == "reserve_is_full"
    await put(hass, MODE, "self_consumption")
    assert cloud_has(world) == ("Self-consumption", 20)
    assert state(hass, RESERVE) == "20.0"
    assert [body["reserve_soc"] for body, _ in written(world)] == [100, 20]


@pytest.mark.parametrize("value", [4, 101])
async def test_reserve_out_of_range_is_not_sent(
    hass: HomeAssistant, world: World, set_up: SetUp, value: int
) -> None:
    await set_up(options=OPTIONS)
    with pytest.raises(ServiceValidationError):
        await put(hass, RESERVE, value)
    assert not written(world)


async def test_refused_value_raises_the_reason_without_identifiers(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """The settings do not change."""
    await set_up(options=OPTIONS)
    events = setting_events(hass)
    details = "reserve_soc is too low for site 8675309, ask Enphase"
    world.cloud.faults.add(Fault(operation=WRITE, status=422, details=details, times=1))
    with pytest.raises(HomeAssistantError) as raised:
        await put(hass, MODE, "savings")
    assert raised.value.translation_placeholders == {
        "details": "reserve_soc is too low for site … ask Enphase"
    }
    assert state(hass, MODE) == "self_consumption"
    assert results(events) == ["failed"]
    assert "too low" in events[0]["reason"]
    before = len(calls(world))
    await pass_time(hass, freezer, 12 * MINUTE)
    assert len(calls(world)) == before


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.long
async def test_refusal_by_plan_makes_controls_unavailable(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    status: int,
) -> None:
    """It names the access control; a request checks again a day later, then weekly."""
    await set_up(options=OPTIONS)
    faults = [
        world.cloud.faults.add(Fault(operation=name, status=status))
        for name in (WRITE, "grid_status")
    ]
    with pytest.raises(HomeAssistantError) as raised:
        await put(hass, MODE, "savings")
    assert raised.value.translation_key == "not_entitled"
    placeholders = raised.value.translation_placeholders or {}
    assert placeholders["access_control"] == "System Configurations"
    for entity_id in (MODE, RESERVE, STORM_GUARD):
        assert state(hass, entity_id) == "unavailable"
    issues = ir.async_get(hass).issues
    assert any(key.startswith("document_refused") for _, key in issues)
    assert not hass.config_entries.flow.async_progress()
    before = len(calls(world))
    await pass_time(hass, freezer, timedelta(days=9), step=timedelta(hours=1))
    checks = calls(world)[before:]
    # A 401 is tried once more with another token.
    assert set(checks) == {"grid_status"}
    assert len(checks) <= 4
    for fault in faults:
        world.cloud.faults.remove(fault)
    await pass_time(hass, freezer, timedelta(days=7), step=timedelta(hours=1))
    assert state(hass, MODE) == "self_consumption"
    await put(hass, MODE, "savings")
    assert cloud_has(world)[0] == "Savings Mode"


async def test_plan_that_allows_settings_again_resumes_live_sessions(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """The refusal of the live stream had the same cause."""
    for name in ("live_data", "grid_status"):
        world.cloud.faults.add(Fault(operation=name, status=401))
    await set_up(options={**OPTIONS, CONF_LIVE_BURSTS: True})
    await pass_time(hass, freezer, timedelta(hours=1), step=timedelta(minutes=30))
    world.cloud.faults.clear()
    fault = world.cloud.faults.add(Fault(operation="live_data", status=500))
    await pass_time(hass, freezer, timedelta(hours=20), step=timedelta(hours=2))
    assert fault.hits == 0
    await pass_time(hass, freezer, timedelta(hours=8), step=timedelta(hours=2))
    assert fault.hits > 0


@pytest.mark.parametrize("took_effect", [True, False])
async def test_write_without_response_is_read_back(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    *,
    took_effect: bool,
) -> None:
    """The write is repeated only if it has not taken effect."""
    await set_up(options=OPTIONS)
    before = len(calls(world))
    world.cloud.faults.add(
        Fault(operation=WRITE, cut="before_headers", after=took_effect, times=1)
    )
    await put(hass, MODE, "savings")
    assert calls(world)[before:][-2:] == [WRITE, READ] if took_effect else [READ, WRITE]
    assert [effect for _, effect in written(world)].count(True) == 1
    assert state(hass, MODE) == "savings"
    assert cloud_has(world)[0] == "Savings Mode"


@pytest.mark.parametrize("body", ["html", "not_json", "list", "empty"])
async def test_write_with_unreadable_response_is_not_repeated(
    hass: HomeAssistant, world: World, set_up: SetUp, body: Any
) -> None:
    await set_up(options=OPTIONS)
    world.cloud.faults.add(Fault(operation=WRITE, body=body, after=True, times=1))
    await put(hass, MODE, "savings")
    assert len(written(world)) == 1
    assert state(hass, MODE) == "savings"


async def test_state_changes_once_the_cloud_responds_again(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """Neither the write nor the read has a response at first."""
    await set_up(options=OPTIONS)
    events = setting_events(hass)
    write = Fault(operation=WRITE, cut="before_headers", after=True)
    read = Fault(operation=READ, cut="before_headers")
    for fault in (write, read):
        world.cloud.faults.add(fault)
    with pytest.raises(HomeAssistantError):
        await put(hass, MODE, "savings")
    assert state(hass, MODE) == "self_consumption"
    world.cloud.faults.clear()
    await pass_time(hass, freezer, 3 * MINUTE)
    assert state(hass, MODE) == "savings"
    assert len(written(world)) == 1
    assert results(events) == ["failed"]


async def test_lost_write_is_read_back_twice(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """The cloud accepts it without effect."""
    await set_up(options=OPTIONS)
    events, before = setting_events(hass), len(calls(world))
    world.cloud.faults.add(Fault(operation=WRITE, lost=True))
    await put(hass, MODE, "savings")
    assert state(hass, MODE) == "savings"
    await pass_time(hass, freezer, 3 * MINUTE)
    assert state(hass, MODE) == "self_consumption"
    assert attribute(hass, MODE, "assumed_state") is True
    await pass_time(hass, freezer, 9 * MINUTE)
    assert attribute(hass, MODE, "assumed_state") is None
    assert calls(world)[before:] == [WRITE, READ, READ]
    assert results(events) == ["accepted", "different"]
    assert not ir.async_get(hass).issues


async def test_write_with_delayed_effect_is_confirmed(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    world.system.settings_shown_after = 300
    await set_up(options=OPTIONS)
    events = setting_events(hass)
    await put(hass, MODE, "savings")
    await pass_time(hass, freezer, 12 * MINUTE)
    assert state(hass, MODE) == "savings"
    assert results(events) == ["accepted", "confirmed"]


async def test_crash_before_reading_back_loses_nothing(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    hass_storage: dict[str, Any],
    freezer: FrozenDateTimeFactory,
) -> None:
    """Neither one while the cloud responds, nor one right after."""
    entry = await set_up(options=OPTIONS)
    key = f"{DOMAIN}.{entry.entry_id}"
    world.cloud.faults.add(Fault(operation=WRITE, status=503, after=True, times=1))
    with pytest.raises(HomeAssistantError):
        await put(hass, MODE, "savings")
    on_disk = hass_storage[key]
    await hass.config_entries.async_unload(entry.entry_id)
    hass_storage[key] = on_disk
    await set_up(entry)
    assert state(hass, MODE) == "self_consumption"
    before = len(calls(world))
    await pass_time(hass, freezer, 3 * MINUTE)
    assert state(hass, MODE) == "savings"
    assert calls(world)[before:] == [READ]
    await pass_time(hass, freezer, 12 * MINUTE)
    assert len(written(world)) == 1


async def test_unload_fails_waiting_writes(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    entry = await set_up(options=OPTIONS)
    task = begin(hass, RESERVE, 50)
    await asyncio.sleep(0)
    await hass.config_entries.async_unload(entry.entry_id)
    with pytest.raises(HomeAssistantError) as raised:
        await task
    assert raised.value.translation_key == "setting_not_written"
    assert not written(world)


@pytest.mark.parametrize("after", [True, False])
async def test_unload_during_a_write_is_uncertain(
    hass: HomeAssistant, world: World, set_up: SetUp, stepper: Stepper, *, after: bool
) -> None:
    """The cloud may have received it."""
    entry = await set_up(options=OPTIONS)
    fault = Fault(operation=WRITE, after=after, delay=30, times=1)
    world.cloud.faults.add(fault)
    task = begin(hass, MODE, "savings")
    await until(lambda: stepper.is_waiting)
    await hass.config_entries.async_unload(entry.entry_id)
    stepper.step()
    with pytest.raises(HomeAssistantError) as raised:
        await task
    assert raised.value.translation_key == "setting_uncertain"


async def test_write_is_repeated_with_a_renewed_token(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """A refused token costs one more attempt, and no sign-in."""
    await set_up(options=OPTIONS)
    world.cloud.faults.add(Fault(operation=WRITE, status=401, times=1))
    await put(hass, MODE, "savings")
    assert [effect for _, effect in written(world)] == [False, True]
    assert state(hass, MODE) == "savings"


async def test_write_without_calls_left_raises_an_error(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """Nothing is sent until calls are available again."""
    custom = {
        "plan": "custom",
        "calls_per_minute": 7,
        "calls_per_month": 1000,
        "live_stream": False,
    }
    await set_up(options=OPTIONS | custom)
    for mode in islice(cycle(["savings", "self_consumption"]), 10):
        with suppress(HomeAssistantError):
            await put(hass, MODE, mode)
    made = len(world.calls)
    assert made <= 7
    with pytest.raises(HomeAssistantError) as raised:
        await put(hass, MODE, "full_backup")
    assert raised.value.translation_key == "budget_exhausted"
    assert len(world.calls) == made
    await pass_time(hass, freezer, 2 * MINUTE)
    await put(hass, MODE, "full_backup")
    assert cloud_has(world) == ("Full Backup", 100)


@pytest.mark.parametrize("quota", ["minute", "month"])
async def test_write_fails_if_a_quota_is_exceeded(
    hass: HomeAssistant, world: World, set_up: SetUp, quota: Any
) -> None:
    """The message says until when."""
    await set_up(options=OPTIONS)
    world.cloud.faults.add(Fault(operation=WRITE, quota=quota, times=1))
    with pytest.raises(HomeAssistantError) as raised:
        await put(hass, MODE, "savings")
    assert raised.value.translation_key == "budget_exhausted"
    assert (raised.value.translation_placeholders or {})["until"] != "—"
    assert state(hass, MODE) == "self_consumption"
    assert cloud_has(world)[0] == "Self-consumption"


async def test_grid_services_event_is_shown(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """Settings apply after it; the mode is not written by accident."""
    world.system.dr_event = True
    await set_up(options=OPTIONS)
    events = setting_events(hass)
    assert state(hass, MODE) == "unknown"
    assert attribute(hass, MODE, "grid_services_event") is True
    assert await finished(hass, freezer, begin(hass, RESERVE, 40)) == [None]
    ((body, took_effect),) = written(world)
    assert (body, took_effect) == (
        {"reserve_soc": 40, "energy_independence": "disabled"},
        True,
    )
    assert events[0]["grid_services_event"] is True


async def test_live_data_shows_mode_and_grid_services(
    hass: HomeAssistant, world: World, set_up: SetUp, burst: Burst
) -> None:
    """The mode comes from the gateway; grid services may control the battery."""
    world.system.settings_delay = 0
    await set_up(options=OPTIONS)
    await put(hass, MODE, "savings")
    await press(hass, BUTTON_START)
    await burst.second()
    assert state(hass, LIVE_MODE) == "savings"
    assert attribute(hass, MODE, "grid_services_event") is False
    world.system.set_dr_event(world.cloud.now(), active=True)
    await burst.run()
    assert state(hass, LIVE_MODE) == "grid_services"
    assert attribute(hass, MODE, "grid_services_event") is True
    assert attribute(hass, RESERVE, "grid_services_event") is True
    assert state(hass, MODE) == "savings"


async def test_controls_are_removed_with_the_batteries(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """They are removed after two responses without batteries."""
    await set_up(options=OPTIONS)
    world.cloud.faults.add(
        Fault(
            operation="*battery_settings",
            status=422,
            details="System doesn't have encharges",
        )
    )
    with pytest.raises(HomeAssistantError):
        await put(hass, MODE, "savings")
    await pass_time(hass, freezer, 3 * timedelta(hours=1), step=10 * MINUTE)
    registry = er.async_get(hass)
    assert registry.async_get(MODE) is None
    assert registry.async_get(RESERVE) is None
    assert registry.async_get(STORM_GUARD) is not None


async def test_setting_that_is_there_again_has_its_entity_again(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """It needs neither a reload nor a restart."""
    await set_up(options=OPTIONS)
    fault = world.cloud.faults.add(Fault(operation="storm_guard", status=404))
    await pass_time(hass, freezer, timedelta(hours=12), step=timedelta(hours=1))
    assert hass.states.get(STORM_GUARD) is None
    world.cloud.faults.remove(fault)
    await pass_time(hass, freezer, timedelta(days=8), step=timedelta(hours=6))
    assert state(hass, STORM_GUARD) == "off"


async def test_minimum_of_the_reserve_follows_the_shutdown_level(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """It is shown even if the reserve is as before."""
    await set_up(options=OPTIONS)
    plant = world.system.plant
    assert plant.storage is not None
    storage = replace(plant.storage, shutdown_percent=10)
    world.system.plant = replace(plant, storage=storage)
    await pass_time(hass, freezer, timedelta(hours=3), step=timedelta(hours=1))
    assert attribute(hass, RESERVE, "min") == 10


@pytest.mark.parametrize("value", [True, False])
async def test_storm_guard_is_written_and_confirmed(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    *,
    value: bool,
) -> None:
    """The response has more fields than the request."""
    world.system.settings = Settings(storm_guard=not value)
    await set_up(options=OPTIONS)
    events = setting_events(hass)
    await put(hass, STORM_GUARD, value)
    assert state(hass, STORM_GUARD) == ("on" if value else "off")
    assert world.system.settings.storm_guard is value
    await pass_time(hass, freezer, 3 * MINUTE)
    assert results(events) == ["accepted", "confirmed"]
    body = {"storm_guard_status": "enabled" if value else "disabled"}
    assert written(world) == [(body, True)]
