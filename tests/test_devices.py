"""Single devices: batteries, panels and gateways, each a device of its own."""

from datetime import timedelta
import json

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.enphase_cloud.const import DOMAIN
from simulator import Fault

from .conftest import SetUp, World
from .helpers import pass_time, system_devices

pytestmark = pytest.mark.usefixtures("summer_noon")


def _devices(
    hass: HomeAssistant, entry: MockConfigEntry, kind: str = ""
) -> list[dr.DeviceEntry]:
    """Return the devices of an entry, all or those of a kind."""
    registry = dr.async_get(hass)
    return [
        device
        for device in dr.async_entries_for_config_entry(registry, entry.entry_id)
        if device.entry_type is None
        and any(f"_{kind}" in identifier for _, identifier in device.identifiers)
    ]


async def test_each_battery_is_a_device_without_more_calls(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """Documents that are polled anyway have the power and mode of each."""
    entry = await set_up()
    assert world.calls == ["summary", "telemetry_battery", "latest_telemetry"]
    batteries = _devices(hass, entry, "battery")
    assert len(batteries) == 2
    [system] = system_devices(hass, entry)
    assert {device.via_device_id for device in batteries} == {system.id}
    entities = er.async_get(hass)
    for device in batteries:
        states = {
            entity.original_name: hass.states.get(entity.entity_id)
            for entity in er.async_entries_for_device(entities, device.id)
        }
        assert states["Power"] is not None
        assert states["Mode"] is not None
        assert states["Mode"].state in {"idle", "charging", "discharging"}


ALL = {"groups": ["devices", "panels", "alarms"]}


def _state(hass: HomeAssistant, unique_id: str, platform: str = "sensor") -> str | None:
    entity_id = er.async_get(hass).async_get_entity_id(platform, DOMAIN, unique_id)
    if entity_id is None or (state := hass.states.get(entity_id)) is None:
        return None
    return state.state


@pytest.mark.thorough
@pytest.mark.long
async def test_lists_panels_and_alarms_are_requested_before_dawn(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """Once at set-up; then the list every week, panels and alarms every day."""
    entry = await set_up(options=ALL)
    periodic = {"devices", "inverters_summary", "open_alarms"}
    assert sorted(each for each in world.calls if each in periodic) == sorted(periodic)
    world.cloud.requests.clear()
    await pass_time(hass, freezer, timedelta(days=7), step=timedelta(minutes=30))
    made = [each for each in world.calls if each in periodic]
    assert made.count("inverters_summary") == 7
    assert made.count("open_alarms") == 7
    assert made.count("devices") == 1
    times = {
        request.at.astimezone(dt_util.UTC).hour
        for request in world.cloud.requests
        if request.operation in periodic
    }
    assert times <= {1, 2}  # From 3 to 4 in Berlin.
    panels = _devices(hass, entry, "inverter")
    assert len(panels) == len(world.system.microinverters)
    [gateway] = _devices(hass, entry, "gateway")
    assert {device.via_device_id for device in panels} == {gateway.id}


async def test_dead_panel_is_reported_the_next_morning(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """Its energy of yesterday is zero while its peers produce."""
    await set_up(options=ALL)
    system_id = world.system.system_id
    dead = world.system.microinverters[3].serial
    problem = f"{system_id}_panel_problem"
    energy = f"{system_id}_inverter_{dead}_energy_yesterday"
    await pass_time(hass, freezer, timedelta(days=2), step=timedelta(hours=1))
    assert _state(hass, problem, "binary_sensor") == "off"
    assert float(_state(hass, energy) or 0) > 0.1
    world.system.break_panel(dead, dt_util.utcnow())
    await pass_time(hass, freezer, timedelta(days=2), step=timedelta(hours=1))
    assert _state(hass, problem, "binary_sensor") == "on"
    assert float(_state(hass, energy) or 1) == 0
    assert float(_state(hass, f"{system_id}_weakest_panel") or 1) == 0
    entities = er.async_get(hass)
    entity_id = entities.async_get_entity_id("binary_sensor", DOMAIN, problem)
    state = hass.states.get(entity_id or "")
    assert state is not None
    assert state.attributes["dead_panels"] == state.attributes["panel_problems"] == 1
    assert state.attributes["weak_panels"] == 0
    single = f"{system_id}_inverter_{{}}_problem"
    assert _state(hass, single.format(dead), "binary_sensor") == "on"
    sound = world.system.microinverters[4].serial
    assert _state(hass, single.format(sound), "binary_sensor") == "off"


async def test_alarm_turns_the_sensor_on_and_off(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """The sensor follows the next list of alarms."""
    await set_up(options=ALL)
    alarm = f"{world.system.system_id}_alarm"
    assert _state(hass, alarm, "binary_sensor") == "off"
    number = world.system.open_alarm("meter_silent", dt_util.utcnow())
    await pass_time(hass, freezer, timedelta(days=1), step=timedelta(hours=1))
    assert _state(hass, alarm, "binary_sensor") == "on"
    entity_id = er.async_get(hass).async_get_entity_id("binary_sensor", DOMAIN, alarm)
    assert entity_id is not None
    shown = hass.states.get(entity_id)
    assert shown is not None
    assert shown.attributes["worst_alarm"] == "warning"
    world.system.clear_alarm(number, dt_util.utcnow())
    await pass_time(hass, freezer, timedelta(days=1), step=timedelta(hours=1))
    assert _state(hass, alarm, "binary_sensor") == "off"
    shown = hass.states.get(entity_id)
    assert shown is not None
    assert "worst_alarm" not in shown.attributes


async def test_battery_is_removed_after_three_lists_without_it(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """One list without it may be wrong."""
    entry = await set_up(options=ALL)

    def batteries() -> int:
        return len(_devices(hass, entry, "battery"))

    assert batteries() == 2
    world.system.remove_battery(1, dt_util.utcnow())
    await pass_time(hass, freezer, timedelta(days=15), step=timedelta(hours=6))
    assert batteries() == 2
    await pass_time(hass, freezer, timedelta(days=10), step=timedelta(hours=6))
    assert batteries() == 1


async def test_devices_of_disabled_groups_are_removed(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """Batteries stay, because other documents report them, too."""
    entry = await set_up(options=ALL)
    panels = len(world.system.microinverters)
    assert len(_devices(hass, entry)) > panels
    hass.config_entries.async_update_entry(
        entry, options={**entry.options, "groups": []}
    )
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert len(_devices(hass, entry)) == len(_devices(hass, entry, "battery")) == 2


async def test_meters_are_named_by_what_they_measure(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """Serial numbers distinguish two of a kind; the user's own name stays."""
    world.system.production_meters = 2
    hass.config.language = "nl"
    entry = await set_up(options=ALL)
    meters = _devices(hass, entry, "meter")
    serial = world.system.gateway_serial
    assert {device.name for device in meters} == {
        f"Productiemeter {serial[-4:]}EIM1",
        f"Productiemeter {serial[-3:]}EIM92",
        f"Verbruiksmeter {serial[-4:]}EIM2",
    }
    registry = dr.async_get(hass)
    registry.async_update_device(meters[0].id, name_by_user="Shed")
    hass.config.language = "en"
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    renamed = registry.async_get(meters[0].id)
    assert renamed is not None
    assert renamed.name_by_user == "Shed"
    assert {device.name for device in _devices(hass, entry, "meter")} == {
        f"Production meter {serial[-4:]}EIM1",
        f"Production meter {serial[-3:]}EIM92",
        f"Consumption meter {serial[-4:]}EIM2",
    }


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("Storage", "Storage meter EIM7"),
        ("Barn meter", "Barn meter"),
        ("barn", "Meter barn"),
        (None, "Meter EIM7"),
    ],
)
async def test_meter_with_an_unknown_name_keeps_it(
    hass: HomeAssistant, world: World, set_up: SetUp, given: str | None, shown: str
) -> None:
    """Enphase's name stays if it is none of the known words."""
    meter = {"id": 7, "name": given, "serial_number": "EIM7"}
    document = {"system_id": world.system.system_id, "devices": {"meters": [meter]}}
    world.cloud.faults.add(Fault(operation="devices", raw=json.dumps(document)))
    entry = await set_up(options=ALL)
    [device] = _devices(hass, entry, "meter")
    assert device.name == shown
