"""Telemetry of panels, batteries and appliances: values and calls."""

from collections import Counter
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from homeassistant.util import dt as dt_util
import pytest

from custom_components.enphase_cloud.const import DOMAIN
from simulator import Charger, Fault
from simulator.documents.devices import device_id, encharge_serial

from .conftest import SetUp, World
from .helpers import pass_time

GROUPS = ["panel_telemetry", "battery_telemetry", "appliances"]
OPERATIONS = {
    "panel_telemetry": {"micros_telemetry"},
    "battery_telemetry": {"encharge_telemetry"},
    "appliances": {"hp_telemetry", "hp_lifetime", "evse_telemetry", "evse_lifetime"},
}
OTHER = "380017"
BERLIN = ZoneInfo("Europe/Berlin")
DAY = timedelta(days=1)
QUARTER = timedelta(minutes=15)
HOUR = timedelta(hours=1)

pytestmark = pytest.mark.usefixtures("summer_noon")


@pytest.fixture
def system_properties() -> dict[str, Any]:
    """Return a home with twenty panels and two batteries."""
    return {
        "name": "Hilltop",
        "battery": 2,
        "size_w": 8_500,
        "time_zone": "Europe/Berlin",
        # With corrections, the newest intervals may lack a device.
        "corrections": False,
    }


def calls(world: World) -> Counter[str]:
    """Return how often each operation of telemetry was counted."""
    known = set().union(*OPERATIONS.values())
    return Counter(each for each in world.calls if each in known)


def shown(
    hass: HomeAssistant, world: World, device: tuple[str, str], key: str
) -> tuple[str | None, dict[str, Any]]:
    """Return the state and the attributes of the sensor of a device."""
    unique_id = f"{world.system.system_id}_{device[0]}_{device[1]}_{key}"
    entity_id = er.async_get(hass).async_get_entity_id("sensor", DOMAIN, unique_id)
    state = hass.states.get(entity_id or "sensor.none")
    return (None, {}) if state is None else (state.state, dict(state.attributes))


def midnight(now: datetime) -> datetime:
    """Return the start of the day in the time zone of the system."""
    return datetime.combine(now.astimezone(BERLIN).date(), time(), BERLIN)


def batteries(world: World) -> dict[str, str]:
    """Return the serial number of each battery, by its id."""
    system = world.system
    return {
        str(device_id(system, 10 + unit)): encharge_serial(system, unit)
        for unit in (1, 2)
    }


async def test_battery_telemetry_shows_level_and_energy_of_each_battery(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """Level, charged and discharged energy of today equal those of the simulator."""
    await set_up(options={"groups": ["battery_telemetry"]})
    await pass_time(hass, freezer, 10 * HOUR, step=QUARTER / 3)
    truth = world.cloud.truth(world.system.system_id)
    for number, serial in batteries(world).items():
        for key, flow in (
            ("charged_today", "charge"),
            ("discharged_today", "discharge"),
        ):
            state, attributes = shown(hass, world, ("battery", number), key)
            at = attributes["measured_at"]
            assert dt_util.utcnow() - at < HOUR
            energy = truth.battery(serial, flow, midnight(at), at)
            assert float(state or 0) == pytest.approx(energy / 1_000)
            assert energy > 0
        state, attributes = shown(hass, world, ("battery", number), "soc")
        level = truth.level(serial, attributes["measured_at"])
        assert float(state or 0) == pytest.approx(level, abs=0.5)
    made = calls(world)
    assert made == {"encharge_telemetry": pytest.approx(2 * 41, abs=4)}


@pytest.mark.long
async def test_panel_telemetry_is_requested_by_day_only(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """Every 15 minutes in daylight, and once after dark."""
    await set_up(options={"groups": ["panel_telemetry"]})
    await pass_time(hass, freezer, 2 * DAY - 2 * HOUR, step=QUARTER)
    truth = world.cloud.truth(world.system.system_id)
    assert len(world.system.microinverters) == 20
    for panel in world.system.microinverters:
        device = ("inverter", panel.serial)
        state, attributes = shown(hass, world, device, "energy_today")
        at = attributes["measured_at"]
        assert dt_util.utcnow() - at < HOUR
        energy = truth.panel(panel.serial, midnight(at), at)
        assert float(state or 0) == pytest.approx(energy / 1_000, abs=0.002)
        # The sensor is enabled, because the data is recent. Intervals have whole Wh.
        state, attributes = shown(hass, world, device, "inverters")
        at = attributes["measured_at"]
        mean = truth.panel(panel.serial, at - QUARTER / 3, at) * 12
        assert float(state or 0) == pytest.approx(mean / 1_000, abs=0.013)
    requests = [
        each.at for each in world.cloud.requests if each.operation == "micros_telemetry"
    ]
    # Dusk and dawn are known from the second night on.
    second = midnight(dt_util.utcnow())
    assert not [at for at in requests if second - HOUR < at < second + 4 * HOUR]
    assert len([at for at in requests if at > second]) > 12
    assert set(calls(world)) == {"micros_telemetry"}


@pytest.mark.parametrize(
    "system_properties",
    [{"name": "Hilltop", "size_w": 8_925, "time_zone": "Europe/Berlin"}],
)
async def test_panels_beyond_twenty_need_a_second_call(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """A page has twenty panels; a replacement gets a device of its own."""
    system = world.system
    assert len(system.microinverters) == 21
    await set_up(options={"groups": ["panel_telemetry"]})
    assert calls(world) == {"micros_telemetry": 2}
    silent, broken = (each.serial for each in system.microinverters[:2])
    system.silence_panel(silent, dt_util.utcnow())
    new = system.replace_panel(broken, dt_util.utcnow())
    await pass_time(hass, freezer, 4 * HOUR, step=QUARTER)
    for panel in system.microinverters:
        state, _ = shown(hass, world, ("inverter", panel.serial), "inverters")
        assert (state == "unknown") is (panel.serial == silent), panel.serial
    assert new not in (silent, broken)


async def test_appliances_show_the_energy_of_yesterday(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """It is requested before dawn; the energy of all days is requested once."""
    world.system.install_heat_pump()
    world.system.install_ev_charger(Charger(serial=OTHER, habit=1))
    await set_up(options={"groups": ["appliances"]})
    await pass_time(hass, freezer, DAY, step=HOUR)
    truth = world.cloud.truth(world.system.system_id)
    today = midnight(dt_util.utcnow())
    (pump,) = (
        each.unique_id.split("_")[3]
        for each in er.async_get(hass).entities.values()
        if each.unique_id.endswith("_heat_pump_energy_yesterday")
    )
    state, _ = shown(hass, world, ("heat_pump", pump), "heat_pump_energy_yesterday")
    assert float(state or 0) == pytest.approx(truth.heated(today - DAY, today) / 1_000)
    state, _ = shown(hass, world, ("charger", OTHER), "charger_energy_yesterday")
    charged = truth.charged(OTHER, today - DAY, today)
    assert float(state or 0) == pytest.approx(charged / 1_000)
    assert charged > 0
    assert calls(world) == {
        "hp_telemetry": 2,
        "evse_telemetry": 2,
        "hp_lifetime": 1,
        "evse_lifetime": 1,
    }


@pytest.mark.parametrize("plan", ["watt"])
async def test_free_plan_requests_no_telemetry(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """With all groups selected, it has no such entities and requests no devices."""
    world.system.install_heat_pump()
    world.system.install_ev_charger(Charger(serial=OTHER, habit=1))
    await set_up(options={"groups": GROUPS})
    await pass_time(hass, freezer, DAY, step=HOUR)
    assert not calls(world)
    assert "devices" not in world.calls
    keys = ("_soc", "_energy_today", "charged_today", "_energy_yesterday")
    entities = er.async_get(hass).entities.values()
    assert not [each for each in entities if each.unique_id.endswith(keys)]


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.wide
async def test_refused_group_does_not_affect_others(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    group: str,
    status: int,
) -> None:
    """An issue names the access control to select; no new sign-in is needed."""
    world.system.install_heat_pump()
    world.system.install_ev_charger(Charger(serial=OTHER, habit=1))
    for operation in OPERATIONS[group]:
        world.cloud.faults.add(Fault(operation=operation, status=status))
    entry = await set_up(options={"groups": GROUPS})
    await pass_time(hass, freezer, 6 * HOUR, step=QUARTER)
    made = calls(world)
    for operation in OPERATIONS[group]:
        assert 1 <= made[operation] <= 2
    others = set().union(*OPERATIONS.values()) - OPERATIONS[group]
    assert others <= set(made)
    assert all(made[each] >= 6 for each in others if each.startswith(("mic", "enc")))
    assert world.calls.count("latest_telemetry") > 10
    assert not hass.config_entries.flow.async_progress()
    (issue,) = (
        issue
        for (domain, _), issue in ir.async_get(hass).issues.items()
        if domain == DOMAIN
    )
    if status == 403:
        assert issue.translation_key == "document_forbidden"
        return
    assert issue.translation_key == "document_refused"
    control = "Device Level Monitoring (Kilowatt+)"
    assert issue.translation_placeholders == {
        "account": entry.title,
        "access_controls": control,
    }
