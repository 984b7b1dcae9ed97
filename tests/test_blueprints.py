"""The blueprints, in a real Home Assistant beside a simulated cloud."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import timedelta
import logging
from pathlib import Path
import shutil
from typing import Any
from urllib.parse import quote

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.automation import DOMAIN as AUTOMATION
from homeassistant.const import (
    ATTR_ENTITY_ID,
    SERVICE_TURN_OFF,
    STATE_OFF,
    STATE_ON,
    UnitOfPower,
)
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util, yaml as yaml_util
import pytest
from pytest_homeassistant_custom_component.common import (
    async_fire_time_changed,
    async_mock_service,
)

from simulator import Fault

from .conftest import SetUp, World
from .helpers import pass_time, press, state, system_devices
from .live import until

CHECKOUT = Path(__file__).parents[1]
BLUEPRINTS = CHECKOUT / "blueprints" / "automation" / "enphase_cloud"
REPOSITORY = "https://github.com/enphase-cloud/enphase-cloud/blob/main"

LOAD = "sensor.charger"
PRICE = "sensor.price"
BOILER = "input_boolean.boiler"
NET = "sensor.hilltop_grid_power"
GRID = "sensor.hilltop_grid_status"

PANELS_ONLY = {"name": "Hilltop", "time_zone": "Europe/Berlin"}
SURPLUS = {"surplus": 500, "shortage": 100}

type Automate = Callable[..., Awaitable[None]]


pytestmark = pytest.mark.usefixtures("summer_noon")


@pytest.fixture(autouse=True)
async def _blueprints(hass: HomeAssistant, tmp_path: Path) -> None:
    """Put the blueprints where an import puts them."""
    hass.config.config_dir = str(tmp_path)
    shutil.copytree(BLUEPRINTS, tmp_path / "blueprints" / "automation" / "ours")
    await hass.config.async_set_time_zone("Europe/Berlin")


@pytest.fixture
async def _at_once(world: World) -> None:
    """Let live streams send few frames, all of them at once."""

    async def sleep(_seconds: float) -> None:
        await asyncio.sleep(0)

    world.cloud.sleep = sleep
    world.cloud.live_interval = 30


@pytest.fixture
async def automate(hass: HomeAssistant) -> AsyncGenerator[Automate]:
    """Return a function that makes an automation from a blueprint."""

    async def automate(blueprint: str, **inputs: Any) -> None:
        use = {"path": f"ours/{blueprint}.yaml", "input": inputs}
        assert await async_setup_component(
            hass, AUTOMATION, {AUTOMATION: {"alias": "It", "use_blueprint": use}}
        )
        assert state(hass, "automation.it") == STATE_ON

    yield automate
    # Otherwise the automation still waits after the test.
    await hass.services.async_call(
        AUTOMATION, SERVICE_TURN_OFF, {ATTR_ENTITY_ID: "automation.it"}, blocking=True
    )


@pytest.fixture
async def system(
    hass: HomeAssistant, world: World, set_up: SetUp, _at_once: None
) -> str:
    """Set up the system, and return its device."""
    entry = await set_up()
    [device] = system_devices(hass, entry)
    return device.id


async def settle() -> None:
    """Let pending tasks run; an automation may still wait."""
    for _ in range(500):
        await asyncio.sleep(0)


async def wait(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, **delta: float
) -> None:
    """Advance the time in one step."""
    freezer.tick(timedelta(**delta))
    async_fire_time_changed(hass)
    await settle()


def streams(world: World) -> int:
    """Return how many live streams were opened and have ended."""
    return sum(stream.closed_at is not None for stream in world.cloud.streams)


async def stream(hass: HomeAssistant, world: World) -> None:
    """Run a live session from its start to its end."""
    opened = len(world.cloud.streams)
    await press(hass, "button.hilltop_start_live_session")
    assert len(world.cloud.streams) == opened + 1
    await until(lambda: state(hass, "binary_sensor.hilltop_live_session") == STATE_OFF)


@pytest.mark.parametrize(
    ("blueprint", "inputs"),
    [
        ("battery_before_sunset", {"battery": "sensor.hilltop_battery"}),
        ("days_yield", {"production": "sensor.hilltop_production_today"}),
        ("grid_outage", {"grid": GRID}),
        ("import_peak", {"net": NET}),
        ("live_at_times", {}),
        ("live_during_load", {"load": LOAD}),
        ("panel_problem", {"problem": "binary_sensor.hilltop_panel_problem"}),
        ("power_or_gateway", {"gateway": "event.hilltop_gateway_connection"}),
    ],
)
async def test_users_may_run_an_automation_by_hand(
    hass: HomeAssistant,
    system: str,
    automate: Automate,
    caplog: pytest.LogCaptureFixture,
    blueprint: str,
    inputs: dict[str, Any],
) -> None:
    """Then no trigger has states, and the events may never have happened."""
    async_mock_service(hass, "notify", "persistent_notification")
    if blueprint.startswith("live"):
        inputs = {"system": system, **inputs}
    await automate(blueprint, **inputs)
    await hass.services.async_call(
        AUTOMATION, "trigger", {ATTR_ENTITY_ID: "automation.it"}
    )
    await settle()
    names = {record.name.split(".")[-1] for record in _warnings(caplog)}
    assert not names & {"template", "it"}


def _warnings(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [it for it in caplog.records if it.levelno >= logging.WARNING]


@pytest.mark.parametrize("path", BLUEPRINTS.glob("*.yaml"), ids=lambda path: path.stem)
def test_blueprint_has_source_url_and_import_link(path: Path) -> None:
    """The URL is that of its own file; the documentation links to its import."""
    blueprint = yaml_util.load_yaml(path)
    assert isinstance(blueprint, dict)
    url = f"{REPOSITORY}/{path.relative_to(CHECKOUT)}"
    assert blueprint["blueprint"]["source_url"] == url
    page = (CHECKOUT / "docs" / "automations.md").read_text(encoding="utf-8")
    [row] = [
        line
        for line in page.splitlines()
        if f"blueprint_url={quote(url, safe='')})" in line
    ]
    # The list to choose from shows its name in one line, also on a phone.
    name = blueprint["blueprint"]["name"]
    assert len(name) <= 40
    subject, paid, _ = name.removeprefix("Enphase: ").partition(" (paid plan)")
    assert f"| **{subject[0].upper()}{subject[1:]}** |" in row
    assert ("Kilowatt or above" in row) is bool(paid)
    assert (
        "Works with every plan" in blueprint["blueprint"]["description"]
    ) is not bool(paid)


@pytest.mark.parametrize(
    ("value", "unit"),
    [
        ("1500", UnitOfPower.WATT),
        ("7.4", UnitOfPower.KILO_WATT),
        ("on", None),
    ],
)
async def test_live_streams_repeat_while_load_runs(
    hass: HomeAssistant,
    world: World,
    system: str,
    automate: Automate,
    freezer: FrozenDateTimeFactory,
    value: str,
    unit: str | None,
) -> None:
    """No stream is opened after the load has stopped."""
    attributes = {} if unit is None else {"unit_of_measurement": unit}
    hass.states.async_set(LOAD, "0" if unit else "off", attributes)
    await automate("live_during_load", system=system, load=LOAD)
    hass.states.async_set(LOAD, value, attributes)
    await wait(hass, freezer, seconds=50)
    assert streams(world) == 0
    await wait(hass, freezer, seconds=20)
    await until(lambda: streams(world) == 1)
    assert world.cloud.streams[0].duration == 300
    await wait(hass, freezer, minutes=15)
    await until(lambda: streams(world) == 2)

    hass.states.async_set(LOAD, "0" if unit else "off", attributes)
    await wait(hass, freezer, minutes=15)
    await wait(hass, freezer, minutes=15)
    assert streams(world) == 2


@pytest.mark.parametrize("value", ["1499", "unknown", "unavailable", "off"])
async def test_no_live_stream_for_small_or_unknown_load(
    hass: HomeAssistant,
    world: World,
    system: str,
    automate: Automate,
    freezer: FrozenDateTimeFactory,
    value: str,
) -> None:
    await automate("live_during_load", system=system, load=LOAD)
    hass.states.async_set(LOAD, value, {"unit_of_measurement": UnitOfPower.WATT})
    await wait(hass, freezer, minutes=5)
    assert world.cloud.streams == []


async def test_live_streams_of_a_load_are_limited(
    hass: HomeAssistant,
    world: World,
    system: str,
    automate: Automate,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A run opens at most the chosen number of streams, however long it lasts."""
    hass.states.async_set(LOAD, "off")
    await automate("live_during_load", system=system, load=LOAD, most=2)
    hass.states.async_set(LOAD, "on")
    await wait(hass, freezer, minutes=2)
    for _ in range(5):
        await wait(hass, freezer, minutes=16)
    await until(lambda: streams(world) == 2)


async def test_failed_stream_does_not_end_the_automation(
    hass: HomeAssistant,
    world: World,
    system: str,
    automate: Automate,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The next attempt follows a quarter of an hour later."""
    fault = world.cloud.faults.add(Fault(operation="live_data", status=500, times=1))
    hass.states.async_set(LOAD, "off")
    await automate("live_during_load", system=system, load=LOAD)
    hass.states.async_set(LOAD, "on")
    await wait(hass, freezer, minutes=2)
    await until(lambda: fault.hits == 1)
    await settle()
    assert streams(world) == 0
    await wait(hass, freezer, minutes=15)
    await until(lambda: streams(world) == 1)


@pytest.mark.parametrize(
    ("at", "price", "inputs", "expected"),
    [
        # A Sunday; five o'clock in Berlin is three in UTC.
        ("15:00", None, {}, 1),
        ("17:30", None, {}, 1),
        ("14:30", None, {}, 0),
        ("18:00", None, {}, 0),
        ("15:00", None, {"weekdays": ["mon", "sat"]}, 0),
        ("02:30", None, {"start": "00:00:00", "end": "00:00:00"}, 1),
        ("23:30", None, {"start": "22:00:00", "end": "06:00:00"}, 1),
        ("15:00", "0.42", {"price": PRICE, "limit": 0.42}, 1),
        ("15:00", "0.41", {"price": PRICE, "limit": 0.42}, 0),
        ("15:00", "unknown", {"price": PRICE, "limit": -1}, 0),
        ("14:00", "0.42", {"price": PRICE, "limit": 0.42}, 0),
    ],
)
async def test_live_stream_at_chosen_times_days_and_prices(
    hass: HomeAssistant,
    world: World,
    system: str,
    automate: Automate,
    freezer: FrozenDateTimeFactory,
    at: str,
    price: str | None,
    inputs: dict[str, Any],
    expected: int,
) -> None:
    """A price that equals the limit counts."""
    if price is not None:
        hass.states.async_set(PRICE, price)
    await automate("live_at_times", system=system, **inputs)
    day = "2026-06-21" if at > "10:07" else "2026-06-22"
    freezer.move_to(f"{day} {at}:00+00:00")
    async_fire_time_changed(hass)
    await settle()
    await until(lambda: streams(world) == len(world.cloud.streams))
    assert streams(world) == expected


async def test_live_stream_starts_each_half_hour(
    hass: HomeAssistant,
    world: World,
    system: str,
    automate: Automate,
    freezer: FrozenDateTimeFactory,
) -> None:
    """No stream is opened in between."""
    await automate("live_at_times", system=system)
    freezer.move_to("2026-06-21 14:44:30+00:00")
    for _ in range(61):
        await wait(hass, freezer, minutes=1)
    await until(lambda: streams(world) == len(world.cloud.streams))
    assert [stream.opened_at.strftime("%H:%M") for stream in world.cloud.streams] == [
        "15:00",
        "15:30",
    ]


async def test_grid_outage_notifies_at_its_begin_and_end(
    hass: HomeAssistant,
    world: World,
    system: str,
    automate: Automate,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Live streams check whether the outage has ended."""
    notifications = async_mock_service(hass, "notify", "persistent_notification")
    await stream(hass, world)
    assert state(hass, GRID) == "on_grid"
    await automate("grid_outage", grid=GRID, battery="sensor.hilltop_battery")

    world.system.start_grid_outage(dt_util.utcnow())
    await stream(hass, world)
    await until(lambda: len(notifications) == 1)
    assert notifications[0].data["title"] == "Grid outage"
    level = round(float(state(hass, "sensor.hilltop_battery")))
    assert notifications[0].data["message"] == (
        f"Hilltop is off grid. The battery is at {level} %."
    )

    # The gateway goes offline, and is still off grid when it is online again.
    world.system.go_offline(dt_util.utcnow())
    for _ in range(130):
        await wait(hass, freezer, minutes=1)
    assert state(hass, GRID) == "unknown"
    world.system.come_online(dt_util.utcnow())
    await wait(hass, freezer, minutes=16)
    await until(lambda: state(hass, GRID) == "off_grid")
    assert len(notifications) == 1

    world.system.end_grid_outage(dt_util.utcnow())
    await wait(hass, freezer, minutes=16)
    await until(lambda: len(notifications) == 2)
    assert notifications[1].data["title"] == "Grid restored"
    message = notifications[1].data["message"]
    assert message.startswith("Hilltop is on grid again after 2 hours")
    count = len(world.cloud.streams)
    for _ in range(3):
        await wait(hass, freezer, minutes=16)
    assert len(world.cloud.streams) == count


async def test_live_streams_during_an_outage_are_limited(
    hass: HomeAssistant,
    world: World,
    system: str,
    automate: Automate,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A long outage opens at most the chosen number of streams."""
    notifications = async_mock_service(hass, "notify", "persistent_notification")
    await stream(hass, world)
    await automate("grid_outage", grid=GRID, most=2)
    world.system.start_grid_outage(dt_util.utcnow())
    await stream(hass, world)
    await until(lambda: len(notifications) == 1)
    assert notifications[0].data["message"] == "Hilltop is off grid."
    for _ in range(6):
        await wait(hass, freezer, minutes=16)
    assert streams(world) == 4


GATEWAY = "event.hilltop_gateway_connection"
UPS = "sensor.ups"
PING = "binary_sensor.gateway"


@pytest.mark.parametrize("system_properties", [PANELS_ONLY])
@pytest.mark.parametrize(
    ("inputs", "states", "title", "reason"),
    [
        ({}, {}, "Gateway is silent", "Home Assistant ran all the time"),
        ({"mains": UPS}, {UPS: "On Battery"}, "Power failure", "There is no power."),
        ({"mains": UPS}, {UPS: "unavailable"}, "Power failure", "There is no power."),
        ({"mains": UPS}, {UPS: "Online"}, "Gateway is silent", "There is power:"),
        (
            {"mains": UPS, "at_home": PING},
            {UPS: "Online", PING: "on"},
            "Gateway without internet",
            "does not reach Enphase",
        ),
        ({"at_home": PING}, {PING: "off"}, "Gateway is silent", "ran all the time"),
    ],
)
async def test_power_failure_is_distinguished_from_silent_gateway(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    automate: Automate,
    freezer: FrozenDateTimeFactory,
    inputs: dict[str, str],
    states: dict[str, str],
    title: str,
    reason: str,
) -> None:
    """Other entities show whether power or only the connection has failed."""
    notifications = async_mock_service(hass, "notify", "persistent_notification")
    await set_up()
    await automate("power_or_gateway", gateway=GATEWAY, **inputs)
    await wait(hass, freezer, hours=1)
    world.system.go_offline(dt_util.utcnow())
    for entity_id, value in states.items():
        hass.states.async_set(entity_id, value)
    for _ in range(12):
        await wait(hass, freezer, minutes=20)
        await hass.async_block_till_done(wait_background_tasks=True)
    assert [each.data["title"] for each in notifications] == [title]
    message = notifications[0].data["message"]
    assert message.startswith("Hilltop has not reported for ")
    assert reason in message

    world.system.come_online(dt_util.utcnow())
    for _ in range(24):
        await wait(hass, freezer, minutes=20)
        await hass.async_block_till_done(wait_background_tasks=True)
    assert notifications[1:]
    assert notifications[1].data["title"] == "Gateway reports again"
    assert notifications[1].data["message"].startswith("Hilltop reports again after ")


@pytest.mark.parametrize("system_properties", [PANELS_ONLY])
@pytest.mark.parametrize("inputs", [{}, {"mains": UPS}])
async def test_start_after_last_report_means_power_failure(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    automate: Automate,
    freezer: FrozenDateTimeFactory,
    inputs: dict[str, str],
) -> None:
    """Home Assistant lost power, too; the power may be back already."""
    notifications = async_mock_service(hass, "notify", "persistent_notification")
    entry = await set_up()
    await wait(hass, freezer, minutes=20)
    world.system.go_offline(dt_util.utcnow())
    await hass.config_entries.async_unload(entry.entry_id)
    await wait(hass, freezer, hours=3)
    hass.states.async_set(UPS, "Online")
    await automate("power_or_gateway", gateway=GATEWAY, **inputs)
    await set_up(entry)
    for _ in range(3):
        await wait(hass, freezer, minutes=20)
        await hass.async_block_till_done(wait_background_tasks=True)
    assert [each.data["title"] for each in notifications] == ["Power failure"]
    assert "Home Assistant was started since then" in notifications[0].data["message"]


@pytest.fixture
async def boiler(hass: HomeAssistant) -> None:
    """Provide a switch that represents a load."""
    await async_setup_component(hass, "homeassistant", {})
    config = {"input_boolean": {"boiler": {}}}
    assert await async_setup_component(hass, "input_boolean", config)


@pytest.mark.parametrize("system_properties", [PANELS_ONLY])
@pytest.mark.parametrize("end", ["import", "silence"])
async def test_load_runs_only_on_known_surplus(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    boiler: None,
    automate: Automate,
    freezer: FrozenDateTimeFactory,
    end: str,
) -> None:
    """The load stops on import, and when the grid power is unknown."""
    freezer.move_to("2026-06-21 00:07:00+00:00")
    await set_up()
    await automate("use_surplus", net=NET, load={"entity_id": BOILER}, **SURPLUS)
    await wait(hass, freezer, hours=10)
    await until(lambda: float(state(hass, NET)) < -0.5)
    await wait(hass, freezer, minutes=4)
    assert state(hass, BOILER) == STATE_OFF
    await wait(hass, freezer, minutes=2)
    assert state(hass, BOILER) == STATE_ON

    if end == "import":
        await wait(hass, freezer, hours=11)
        await until(lambda: float(state(hass, NET)) > 0.1)
    else:
        world.system.go_offline(dt_util.utcnow())
        await wait(hass, freezer, hours=4)
        await until(lambda: state(hass, NET) == "unknown")
    await wait(hass, freezer, minutes=4)
    assert state(hass, BOILER) == STATE_ON
    await wait(hass, freezer, minutes=2)
    assert state(hass, BOILER) == STATE_OFF


@pytest.mark.parametrize("system_properties", [PANELS_ONLY])
async def test_load_starts_if_surplus_exists_at_reload(
    hass: HomeAssistant,
    set_up: SetUp,
    boiler: None,
    automate: Automate,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A reload of automations switches the load at once."""
    await set_up()
    assert float(state(hass, NET)) < -0.5
    await automate("use_surplus", net=NET, load={"entity_id": BOILER}, **SURPLUS)
    hass.bus.async_fire("automation_reloaded")
    await until(lambda: state(hass, BOILER) == STATE_ON)


PROBLEM = "binary_sensor.hilltop_panel_problem"
BATTERY = "sensor.hilltop_battery"
TODAY = "sensor.hilltop_production_today"
PEAK = "sensor.hilltop_import_peak_this_month"


@pytest.mark.parametrize("plan", ["watt"])
@pytest.mark.parametrize("system_properties", [PANELS_ONLY])
async def test_panel_problem_notifies_of_dead_and_repaired_panel(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    automate: Automate,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The first notification names the panel."""
    notifications = async_mock_service(hass, "notify", "persistent_notification")
    await set_up(options={"groups": ["devices", "panels"]})
    hours = timedelta(hours=1)
    await pass_time(hass, freezer, timedelta(days=2), step=hours)
    await automate("panel_problem", problem=PROBLEM)
    dead = world.system.microinverters[3].serial
    world.system.break_panel(dead, dt_util.utcnow())
    await pass_time(hass, freezer, timedelta(days=2), step=hours)
    assert state(hass, PROBLEM) == STATE_ON
    assert [each.data["message"] for each in notifications] == [
        f"Hilltop: 1 panel has a problem: Microinverter {dead}."
    ]

    world.system.repair_panel(dead, dt_util.utcnow())
    await pass_time(hass, freezer, timedelta(days=3), step=hours)
    assert state(hass, PROBLEM) == STATE_OFF
    assert [each.data["message"] for each in notifications[1:]] == [
        "Hilltop: all panels are sound again."
    ]


@pytest.mark.parametrize("plan", ["watt"])
@pytest.mark.parametrize(("level", "times"), [(100, 1), (1, 0)])
async def test_low_battery_notifies_once_before_sunset(
    hass: HomeAssistant,
    set_up: SetUp,
    automate: Automate,
    freezer: FrozenDateTimeFactory,
    level: int,
    times: int,
) -> None:
    """The user chooses how long before sunset, and the level."""
    notifications = async_mock_service(hass, "notify", "persistent_notification")
    await hass.config.async_update(latitude=52.5, longitude=13.4)
    freezer.move_to("2026-12-21 12:00:00+00:00")
    await set_up()
    await automate(
        "battery_before_sunset", battery=BATTERY, level=level, before="-02:00:00"
    )
    # The sun sets at 14:55 in UTC.
    await pass_time(hass, freezer, timedelta(minutes=53))
    assert notifications == []
    await pass_time(hass, freezer, timedelta(minutes=4))
    shown = round(float(state(hass, BATTERY)))
    message = f"The battery of Hilltop is at {shown} % before sunset."
    assert [each.data["message"] for each in notifications] == [message] * times


@pytest.mark.parametrize("plan", ["watt"])
@pytest.mark.parametrize("least", [0, 1000])
async def test_days_yield_notifies_in_the_evening(
    hass: HomeAssistant,
    set_up: SetUp,
    automate: Automate,
    freezer: FrozenDateTimeFactory,
    least: float,
) -> None:
    """The message skips unknown values."""
    notifications = async_mock_service(hass, "notify", "persistent_notification")
    freezer.move_to("2026-06-21 19:00:00+00:00")
    await set_up()
    hass.states.async_set("sensor.export", "unknown")
    others = ["sensor.export", "sensor.import"]
    hass.states.async_set(
        "sensor.import", "1.5", {"unit_of_measurement": "kWh", "friendly_name": "In"}
    )
    await automate("days_yield", production=TODAY, others=others, least=least)
    await pass_time(hass, freezer, timedelta(minutes=29))
    assert notifications == []
    await pass_time(hass, freezer, timedelta(minutes=2))
    energy = float(state(hass, TODAY))
    assert energy > 1
    assert [each.data["message"] for each in notifications] == [
        f"Hilltop produced {energy:.2f} kWh today. In: 1.5 kWh."
    ] * (least == 0)


@pytest.mark.parametrize("plan", ["watt"])
@pytest.mark.parametrize(
    ("unit", "value", "inputs", "times"),
    [
        (UnitOfPower.KILO_WATT, "2.6", {}, 1),
        (UnitOfPower.WATT, "2600", {}, 1),
        (UnitOfPower.WATT, "2400", {}, 0),
        # This month's peak is 3 kW already.
        (UnitOfPower.WATT, "2600", {"peak": PEAK}, 0),
        (UnitOfPower.WATT, "3100", {"peak": PEAK}, 1),
        (None, "unknown", {"limit": 0}, 0),
    ],
)
async def test_import_peak_notifies_above_limit_and_present_peak(
    hass: HomeAssistant,
    set_up: SetUp,
    automate: Automate,
    freezer: FrozenDateTimeFactory,
    unit: str | None,
    value: str,
    inputs: dict[str, Any],
    times: int,
) -> None:
    """The import must last; the peak of this month counts as a limit, too."""
    notifications = async_mock_service(hass, "notify", "persistent_notification")
    await set_up()
    hass.states.async_set(PEAK, "3", {"unit_of_measurement": "kW"})
    await automate("import_peak", net=NET, **inputs)
    assert float(state(hass, NET)) < 2
    hass.states.async_set(NET, value, {"unit_of_measurement": unit})
    await wait(hass, freezer, minutes=2)
    assert notifications == []
    await wait(hass, freezer, minutes=2)
    message = f"Hilltop imports {value} W. If this continues, it is a new peak."
    if unit == UnitOfPower.KILO_WATT:
        message = message.replace(value, "2600")
    assert [each.data["message"] for each in notifications] == [message] * times
