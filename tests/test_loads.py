"""Loads that relays switch: their states, writes, and locks of the installer."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest

from simulator import Fault, Load, Settings

from .conftest import SetUp, World
from .controls import (
    OPTIONS,
    begin,
    calls,
    finished,
    put,
    results,
    setting_events,
    written,
)
from .helpers import pass_time, state

PUMP = Load(name="NC1", load_name="Pool pump")
OVEN = Load(name="NC2", load_name="Oven", owner_can_override=False)
MODE = "select.pool_pump_mode"
LEVEL = "number.pool_pump_cutoff_battery_level"
START, END = "time.pool_pump_on", "time.pool_pump_off"
MINUTE = timedelta(minutes=1)
BODY = {
    "name": "NC1",
    "load_name": "Pool pump",
    "mode": "Basic",
    "soc_low": 30,
    "essential_start_time": 32_400,
    "essential_end_time": 57_600,
}
WRITE = "set_load_control"
READ = "load_control"

pytestmark = [
    pytest.mark.usefixtures("summer_noon"),
    pytest.mark.parametrize("plan", ["megawatt"]),
]


@pytest.fixture(autouse=True)
def loads(world: World) -> None:
    """Install two loads."""
    world.system.settings = Settings(loads=(PUMP, OVEN))


def cloud_has(world: World) -> Load:
    """Return the settings of the pump in the cloud."""
    return world.system.settings.loads[0]


async def test_entities_show_the_settings_of_loads(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    await set_up(options=OPTIONS)
    assert state(hass, MODE) == "basic"
    assert state(hass, LEVEL) == "30.0"
    assert (state(hass, START), state(hass, END)) == ("09:00:00", "16:00:00")
    assert state(hass, "sensor.pool_pump_restore_battery_level") == "50"
    # A name of one word is not enough for a device.
    assert state(hass, "select.load_oven_mode") == "basic"
    found = er.async_get(hass).async_get(MODE)
    assert found is not None
    device = dr.async_get(hass).async_get(found.device_id or "")
    assert device is not None
    assert (device.name, device.model) == ("Pool pump", "Dry contact")


@pytest.mark.parametrize(
    ("mode", "word"),
    [
        ("scheduled", "Scheduled"),
        ("battery", "Advanced_BatteryPowered"),
        ("generator", "Advanced_GeneratorPowered"),
        ("always_powered", "Manual_always_powered"),
        ("never_powered", "Manual_always_not_powered"),
    ],
)
async def test_mode_is_written_with_all_settings_of_the_load(
    hass: HomeAssistant, world: World, set_up: SetUp, mode: str, word: str
) -> None:
    await set_up(options=OPTIONS)
    await put(hass, MODE, mode)
    assert written(world) == [(BODY | {"mode": word}, True)]
    assert state(hass, MODE) == mode
    assert cloud_has(world).mode == word


async def test_numbers_and_times_are_written_together(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    await set_up(options=OPTIONS)
    events = setting_events(hass)
    tasks = [
        begin(hass, LEVEL, 45),
        begin(hass, START, "07:30:00"),
        begin(hass, END, "00:00:00"),
        begin(hass, START, "08:15:00"),
    ]
    assert await finished(hass, freezer, *tasks) == [None] * 4
    changed = {"soc_low": 45, "essential_start_time": 29_700, "essential_end_time": 0}
    assert written(world) == [(BODY | changed, True)]
    assert (state(hass, START), state(hass, END)) == ("08:15:00", "00:00:00")
    assert state(hass, LEVEL) == "45.0"
    before = len(calls(world))
    await pass_time(hass, freezer, 3 * MINUTE)
    assert calls(world)[before:] == [READ]
    assert results(events) == ["accepted"] * 3 + ["confirmed"] * 3


async def test_two_loads_are_written_one_after_the_other(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    fan = replace(PUMP, name="NC3", load_name="Big fan")
    world.system.settings = Settings(loads=(PUMP, fan))
    await set_up(options=OPTIONS)
    tasks = [
        begin(hass, MODE, "scheduled"),
        begin(hass, "select.big_fan_mode", "never_powered"),
    ]
    assert await finished(hass, freezer, *tasks) == [None] * 2
    modes = [load.mode for load in world.system.settings.loads]
    assert modes == ["Scheduled", "Manual_always_not_powered"]
    assert len(written(world)) == 2


async def test_write_to_a_locked_load_is_refused(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """The action raises an error, and nothing is sent."""
    await set_up(options=OPTIONS)
    made = len(world.calls)
    with pytest.raises(ServiceValidationError) as raised:
        await put(hass, "select.load_oven_mode", "scheduled")
    assert raised.value.translation_key == "load_is_locked"
    assert len(world.calls) == made


async def test_write_to_a_recently_locked_load_is_refused(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """The cloud refuses the first write; after the next reading, nothing is sent."""
    await set_up(options=OPTIONS)
    world.system.settings = Settings(loads=(replace(PUMP, owner_can_override=False),))
    with pytest.raises(HomeAssistantError) as raised:
        await put(hass, MODE, "scheduled")
    assert "override" in (raised.value.translation_placeholders or {})["details"]
    await pass_time(hass, freezer, 11 * MINUTE)
    with pytest.raises(ServiceValidationError):
        await put(hass, MODE, "scheduled")
    assert [effect for _, effect in written(world)] == [False]


@pytest.mark.parametrize("level", [9, 91])
async def test_level_out_of_range_is_refused(
    hass: HomeAssistant, world: World, set_up: SetUp, level: int
) -> None:
    await set_up(options=OPTIONS)
    with pytest.raises(ServiceValidationError):
        await put(hass, LEVEL, level)
    assert not written(world)


async def test_level_that_cannot_be_written_does_not_block_other_changes(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """Only 10 to 90 % can be written; a load that never used its level may have 0."""
    world.system.settings = Settings(loads=(replace(PUMP, soc_low=0),))
    await set_up(options=OPTIONS)
    await put(hass, MODE, "scheduled")
    assert cloud_has(world).mode == "Scheduled"
    with pytest.raises(ServiceValidationError):
        await put(hass, MODE, "battery")
    await finished(hass, freezer, begin(hass, LEVEL, 20))
    await put(hass, MODE, "battery")
    assert cloud_has(world).soc_low == 20


async def test_value_that_the_cloud_refuses_raises_and_stays_unset(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    await set_up(options=OPTIONS)
    details = "soc_low is mandatory for Advanced_BatteryPowered mode"
    world.cloud.faults.add(Fault(operation=WRITE, status=422, details=details))
    with pytest.raises(HomeAssistantError) as raised:
        await put(hass, MODE, "battery")
    assert raised.value.translation_placeholders == {"details": details}
    assert state(hass, MODE) == "basic"


@pytest.mark.parametrize("took_effect", [True, False])
async def test_write_without_response_takes_effect_once(
    hass: HomeAssistant, world: World, set_up: SetUp, *, took_effect: bool
) -> None:
    await set_up(options=OPTIONS)
    world.cloud.faults.add(
        Fault(operation=WRITE, cut="after_headers", after=took_effect, times=1)
    )
    await put(hass, MODE, "never_powered")
    assert [effect for _, effect in written(world)].count(True) == 1
    assert cloud_has(world).mode == "Manual_always_not_powered"
    assert state(hass, MODE) == "never_powered"


async def test_write_refused_by_plan_makes_entities_unavailable(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    await set_up(options=OPTIONS)
    world.cloud.faults.add(Fault(operation=WRITE, status=403))
    with pytest.raises(HomeAssistantError) as raised:
        await put(hass, MODE, "scheduled")
    assert raised.value.translation_key == "not_entitled"
    assert state(hass, MODE) == state(hass, LEVEL) == "unavailable"


async def test_write_lost_before_a_kill_is_read_after_the_restart(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    hass_storage: dict[str, Any],
    freezer: FrozenDateTimeFactory,
) -> None:
    entry = await set_up(options=OPTIONS)
    world.cloud.faults.add(Fault(operation=WRITE, lost=True, times=1))
    await put(hass, MODE, "scheduled")
    [key] = [key for key in hass_storage if key.endswith(entry.entry_id)]
    on_disk = hass_storage[key]
    await hass.config_entries.async_unload(entry.entry_id)
    hass_storage[key] = on_disk
    await set_up(entry)
    await pass_time(hass, freezer, 12 * MINUTE)
    assert state(hass, MODE) == "basic"
    assert calls(world)[-3:] == [WRITE, READ, READ]


async def test_device_of_a_removed_load_is_removed(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """Three responses must lack the load; until then, a write raises an error."""
    await set_up(options=OPTIONS)
    world.system.settings = Settings(loads=(OVEN,))
    await pass_time(hass, freezer, 70 * MINUTE, step=10 * MINUTE)
    with pytest.raises(HomeAssistantError) as raised:
        await put(hass, MODE, "scheduled")
    assert raised.value.translation_key == "setting_is_gone"
    await pass_time(hass, freezer, 130 * MINUTE, step=10 * MINUTE)
    assert hass.states.get(MODE) is None
    assert hass.states.get("select.load_oven_mode") is not None
