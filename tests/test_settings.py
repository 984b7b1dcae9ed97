"""Settings in entities: their states, and the calls that they cost."""

from collections import Counter
from datetime import timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
import pytest

from simulator import Fault, Load, Settings

from .conftest import SetUp, World
from .helpers import calls_of_groups, pass_time, state

OPTIONS = {"groups": ["settings"]}
OF_SETTINGS = ("grid_status", "battery_settings", "storm_guard", "load_control")
HOUR = timedelta(hours=1)

pytestmark = pytest.mark.usefixtures("summer_noon")


def calls(world: World) -> Counter[str]:
    """Return the number of calls of each operation of settings."""
    return Counter(each for each in world.calls if each in OF_SETTINGS)


@pytest.mark.parametrize("plan", ["megawatt"])
@pytest.mark.usefixtures("entity_registry_enabled_by_default")
@pytest.mark.long
async def test_settings_are_shown(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """They are read once an hour; loads once a week until there is one."""
    world.system.settings = Settings(charge_from_grid=True)
    await set_up(options=OPTIONS)
    assert calls(world) == Counter(OF_SETTINGS)
    assert state(hass, "binary_sensor.hilltop_charging_from_grid") == "on"
    assert state(hass, "binary_sensor.hilltop_storm_alert") == "off"
    assert state(hass, "sensor.hilltop_shutdown_level") == "5"
    assert state(hass, "sensor.hilltop_grid_status") == "on_grid"
    world.system.storm_alert = True
    world.system.settings = Settings(loads=(Load(name="NC1", load_name="Pool pump"),))
    await pass_time(hass, freezer, timedelta(days=8), step=HOUR / 4)
    assert state(hass, "binary_sensor.hilltop_charging_from_grid") == "off"
    assert state(hass, "binary_sensor.hilltop_storm_alert") == "on"
    assert state(hass, "sensor.pool_pump_restore_battery_level") == "50"
    made = calls(world)
    assert made["grid_status"] == made["storm_guard"] == pytest.approx(8 * 24, abs=2)
    # The request a week later, before dawn, found the load.
    assert made["load_control"] == pytest.approx(2 + 33, abs=2)


@pytest.mark.parametrize("plan", ["watt", "kilowatt"])
async def test_plan_without_settings_makes_no_call(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    await set_up(options=OPTIONS)
    assert not calls(world)


@pytest.mark.parametrize("not_entitled", [401, 403])
async def test_wrong_plan_costs_one_request(
    hass: HomeAssistant, world: World, set_up: SetUp, not_entitled: Any
) -> None:
    """A refusal of one document refuses all settings, without reauthentication."""
    world.cloud.not_entitled = not_entitled
    await set_up(options=OPTIONS | {"plan": "megawatt"})
    assert calls(world).keys() == {"grid_status"}
    assert hass.states.get("select.hilltop_storage_mode") is None
    assert not hass.config_entries.flow.async_progress()


@pytest.mark.parametrize("plan", ["megawatt"])
@pytest.mark.parametrize(
    "system_properties", [{"name": "Hilltop", "time_zone": "Europe/Berlin"}]
)
async def test_system_without_batteries_has_only_the_grid_status(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    await set_up(options=OPTIONS)
    assert calls(world) == Counter(["grid_status"])


@pytest.mark.parametrize("plan", ["megawatt"])
async def test_missing_grid_status_is_requested_again(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """The cloud responds with an error (422) until the site has reported."""
    world.cloud.faults.add(Fault(operation="grid_status", status=422, times=1))
    await set_up(options=OPTIONS)
    assert hass.states.get("sensor.hilltop_grid_status") is None
    await pass_time(hass, freezer, HOUR, step=HOUR / 4)
    assert state(hass, "sensor.hilltop_grid_status") == "on_grid"


@pytest.mark.parametrize("plan", ["partner"])
async def test_partner_reads_the_grid_only_once_an_hour(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """The grid status expires after two hours; settings change rarely."""
    await set_up(options=OPTIONS)
    for _ in range(24 * 4):
        await pass_time(hass, freezer, HOUR / 4, step=HOUR / 4)
        assert state(hass, "sensor.hilltop_grid_status") == "on_grid"
    made = calls(world)
    assert made["grid_status"] == pytest.approx(25, abs=1)
    assert made["battery_settings"] == made["storm_guard"]
    assert made["storm_guard"] == pytest.approx(5, abs=1)


@pytest.mark.parametrize("plan", ["megawatt"])
async def test_grid_status_that_is_rarely_read_expires(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """It is unknown rather than wrong."""
    few = {"plan": "custom", "calls_per_minute": 50, "calls_per_month": 5_000}
    await set_up(options=OPTIONS | few | {"live_stream": False})
    shown = []
    for _ in range(2 * 24):
        await pass_time(hass, freezer, HOUR / 4, step=HOUR / 4)
        shown.append(state(hass, "sensor.hilltop_grid_status"))
    assert calls(world)["grid_status"] == pytest.approx(3, abs=1)
    assert set(shown) == {"on_grid", "unknown"}
    assert shown.count("unknown") == pytest.approx(32, abs=4)
    # It is read again after six hours.
    assert (shown[0], shown[20], shown[25]) == ("on_grid", "unknown", "on_grid")


@pytest.mark.parametrize(("plan", "most"), [("megawatt", 3_000), ("partner", 1_100)])
@pytest.mark.long
async def test_form_shows_the_calls_of_settings(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    most: int,
) -> None:
    """They are within 5 % of the calls that the cloud counts."""
    world.system.settings = Settings(loads=(Load(name="NC1", load_name="Pool pump"),))
    entry = await set_up(options=OPTIONS)
    before = calls(world).total()
    await pass_time(hass, freezer, timedelta(days=2), step=HOUR / 2)
    in_a_month = (calls(world).total() - before) * 15
    shown = await calls_of_groups(hass, entry)
    assert shown["settings"] == pytest.approx(in_a_month, rel=0.05)
    assert shown["settings"] == pytest.approx(most, rel=0.05)
