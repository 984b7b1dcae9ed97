"""Loads on dry contacts: when they are switched off."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from simulator import Flow, Load, Storage, System
from simulator.moments import HOUR, STEP
from simulator.physics import Order, Regime, day

from .conftest import NOON, World

TODAY = date(2026, 6, 17)
SHARE = 40


def load(**properties: Any) -> Load:
    """Return a load that is a large part of the consumption."""
    return Load(name="NC1", load_name="Pump", share_percent=SHARE, **properties)


def wanted(world: World, **properties: Any) -> System:
    """Return a system that differs from another one only in its loads."""
    return world.add_system(seed=5, **properties)


def left(world: World, system: System, at: datetime, **properties: Any) -> int:
    """Return the remaining share of the demanded energy at a moment [%]."""
    bare = wanted(world, **properties)
    bare.plant = bare.plant.__replace__(outages=system.plant.outages)
    end = at + timedelta(minutes=5)
    used, all_of_it = (
        world.cloud.truth(each.system_id).energy(Flow.CONSUMPTION, at, end)
        for each in (system, bare)
    )
    return round(100 * used / all_of_it)


@pytest.mark.parametrize(
    ("properties", "on_grid", "off_grid"),
    [
        ({"mode": "Basic"}, True, False),
        ({"mode": "Basic", "status": "disabled"}, True, True),
        ({"mode": "Manual_always_powered"}, True, True),
        ({"mode": "Manual_always_not_powered"}, False, False),
        (
            {"mode": "Manual_always_not_powered", "status": "disabled"},
            True,
            True,
        ),
        ({"mode": "Advanced_GeneratorPowered"}, True, False),
        ({"mode": "Scheduled"}, True, True),
        ({"mode": "Scheduled", "essential_end_time": 12 * HOUR}, False, False),
        (
            {"mode": "Scheduled", "essential_start_time": 22 * HOUR},
            True,
            True,
        ),
    ],
)
def test_modes(
    world: World, properties: dict[str, Any], *, on_grid: bool, off_grid: bool
) -> None:
    """A load that is switched off is missing in the consumption."""
    for outage, powered in ((False, on_grid), (True, off_grid)):
        system = wanted(world)
        if outage:
            system.start_grid_outage(NOON - timedelta(hours=1))
        system.install_loads(load(**properties))
        share = left(world, system, NOON)
        assert share == pytest.approx(100 if powered else 100 - SHARE, abs=1)


def test_generator_helps(world: World) -> None:
    """It powers the loads of its mode."""
    system = wanted(world, generator_w=9_000)
    system.start_grid_outage(NOON - timedelta(hours=1))
    system.install_loads(load(mode="Advanced_GeneratorPowered"))
    assert left(world, system, NOON, generator_w=9_000) == 100


def test_loads_have_no_effect_on_the_grid(world: World) -> None:
    """Loads of mode Basic are powered there: flows are the same as without loads."""
    system, bare = wanted(world), wanted(world)
    system.install_loads(load())
    assert day(system.plant, TODAY) == day(bare.plant, TODAY)


def test_battery_switches_with_hysteresis(world: World) -> None:
    """It is switched off at the lower level, and on at the higher one."""
    system = wanted(world, battery=Storage(units=1))
    system.install_loads(load(mode="Advanced_BatteryPowered", soc_low=40, soc_high=80))
    bare = wanted(world, battery=Storage(units=1))
    this = day(system.plant, TODAY)
    home = day(bare.plant, TODAY).flows[Flow.CONSUMPTION]
    capacity = 50 * 100
    seen = set()
    powered = True
    for step, stored in enumerate(this.stored[:-1]):
        level = stored / capacity
        powered = level > 40 if level <= 40 or level >= 80 else powered
        seen.add(powered)
        used = this.flows[Flow.CONSUMPTION][step]
        assert used == home[step] - (0 if powered else home[step] * SHARE // 100)
    assert seen == {True, False}


def test_without_a_battery_loads_are_powered(world: World) -> None:
    system = wanted(world, battery=None)
    system.install_loads(load(mode="Advanced_BatteryPowered", soc_low=90))
    assert left(world, system, NOON, battery=None) == 100


def test_first_of_a_month(world: World) -> None:
    """The calibration night resets all contacts."""
    first = datetime(2026, 7, 1, 7, 30, tzinfo=UTC)
    orders = (
        Order(int(NOON.timestamp()), Regime("Full Backup", 100, charge_from_grid=True)),
        Order(int(first.timestamp()), Regime("Self-consumption", 60)),
    )
    system = wanted(world, battery=Storage(units=1, orders=orders), size_w=425)
    home = load(mode="Advanced_BatteryPowered", soc_low=30, soc_high=100)
    system.install_loads(replace(home, share_percent=100))
    this, other = (
        day(system.plant, each) for each in (date(2026, 7, 1), date(2026, 7, 2))
    )
    assert this.stored[0] > other.stored[0]
    assert this.stored[-1] == other.stored[0]


async def test_written_mode_takes_effect(world: World) -> None:
    """From the first multiple of 5 minutes after the delay."""
    application = world.cloud.add_application(
        client_id="mega", client_secret="secret", api_key="mega", plan="megawatt"
    )
    world.headers = world.sign_in(application)
    system = wanted(world)
    system.install_loads(load())
    response = await world.request(
        f"/config/{system.system_id}/load_control",
        method="PUT",
        body={"name": "NC1", "mode": "Manual_always_not_powered"},
    )
    assert response.status == 200
    assert left(world, system, NOON) == 100
    off = left(world, system, NOON + timedelta(seconds=STEP))
    assert off == pytest.approx(100 - SHARE, abs=1)
    yesterday = TODAY - timedelta(days=1)
    assert day(system.plant, yesterday) == day(wanted(world).plant, yesterday)
