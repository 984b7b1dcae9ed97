"""The client reads the actual values of single devices from the simulator."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from custom_components.enphase_cloud.api import Endpoint
from custom_components.enphase_cloud.api.endpoints import (
    ENCHARGE_TELEMETRY,
    EVSE_LIFETIME,
    EVSE_TELEMETRY,
    HEAT_PUMP_LIFETIME,
    HEAT_PUMP_TELEMETRY,
    MICRO_TELEMETRY,
    MICROS_TELEMETRY,
    RETRIEVE_SYSTEM_ID,
    RGM_STATS,
)
from simulator import Charger, System
from simulator.documents.devices import encharge_serial

from .conftest import World

CHARGER = "380017"
QUARTER = timedelta(minutes=15)
YESTERDAY = date(2026, 6, 16)
START = datetime(2026, 6, 16, 7, tzinfo=UTC)
END = START + timedelta(days=1)
"""Midnights in California."""


@pytest.fixture
def home(world: World) -> System:
    """Return a system with all devices that have telemetry."""
    system = world.add_system(corrections=False, size_w=25 * 425)
    system.production_meters = 2
    system.install_heat_pump()
    system.install_ev_charger(Charger(serial=CHARGER, habit=1, returns_w=2_000))
    return system


async def read[DocumentT](
    world: World,
    home: System,
    endpoint: Endpoint[DocumentT],
    serial: str = "1",
    **query: object,
) -> DocumentT:
    """Return the model of the document of a day."""
    path = endpoint.path_of(system_id=home.system_id, serial_no=serial)
    query = query or {"start_date": YESTERDAY.isoformat()}
    return endpoint.read(await world.get(f"/{path}", **query))


async def test_panels(world: World, home: System) -> None:
    """All pages together have each panel once, with its energy of the day."""
    found: dict[str, float] = {}
    for page in (1, 2):
        query = {"start_date": YESTERDAY, "page": page, "size": 20}
        response = await read(world, home, MICROS_TELEMETRY, **query)
        assert response.total == 25
        for inverter in response.inverters:
            energy = [each.energy or 0 for each in inverter.energy.intervals]
            found[inverter.serial_number] = sum(energy)
    assert found == world.cloud.truth(home.system_id).panels(YESTERDAY)
    serial = home.microinverters[3].serial
    alone = await read(world, home, MICRO_TELEMETRY, serial)
    assert alone.serial_number == serial
    assert alone.energy.length == timedelta(minutes=5)
    assert sum(each.energy or 0 for each in alone.energy.intervals) == found[serial]


async def test_batteries(world: World, home: System) -> None:
    """Each has its charge, discharge and state of charge."""
    truth = world.cloud.truth(home.system_id)
    for unit in (1, 2):
        serial = encharge_serial(home, unit)
        response = await read(world, home, ENCHARGE_TELEMETRY, serial)
        charged = sum(each.charged or 0 for each in response.intervals)
        discharged = sum(each.discharged or 0 for each in response.intervals)
        assert charged == truth.battery(serial, "charge", START, END) > 0
        assert discharged == truth.battery(serial, "discharge", START, END) > 0
        assert response.last_reported_at is not None
        level = truth.level(serial, response.last_reported_at)
        assert response.last_reported_state_of_charge == round(level)


@pytest.mark.parametrize("is_nested", [False, True])
async def test_heat_pump(world: World, home: System, *, is_nested: bool) -> None:
    """In intervals and days, with flat and nested lists."""
    home.nested_intervals = is_nested
    response = await read(world, home, HEAT_PUMP_TELEMETRY)
    assert len(response.intervals) == 96
    taken = world.cloud.truth(home.system_id).heated(START, END)
    assert sum(each.energy or 0 for each in response.intervals) == taken > 0
    days = await read(world, home, HEAT_PUMP_LIFETIME)
    assert days.values[0] == taken


@pytest.mark.parametrize("is_nested", [False, True])
async def test_charger(world: World, home: System, *, is_nested: bool) -> None:
    """Charge and discharge of a car are separate flows."""
    home.nested_intervals = is_nested
    query = {"start_date": "2026-06-10", "granularity": "week"}
    response = await read(world, home, EVSE_TELEMETRY, CHARGER, **query)
    taken = sum(each.energy or 0 for each in response.charged.intervals)
    given = sum(each.energy or 0 for each in response.discharged.intervals)
    truth = world.cloud.truth(home.system_id)
    start = END - timedelta(days=7)
    assert taken > given > 0
    assert taken - given == truth.charged(CHARGER, start, END)
    days = await read(world, home, EVSE_LIFETIME, CHARGER, start_date="2026-06-10")
    charged, discharged = days
    assert len(charged.values) == 8
    balance = [
        (took or 0) - (gave or 0)
        for took, gave in zip(charged.values, discharged.values, strict=True)
    ]
    assert sum(balance[:7]) == taken - given


async def test_meters(world: World, home: System) -> None:
    """Each has its part of the production, with the power of intervals."""
    query = {"start_at": int(START.timestamp()), "end_at": int(END.timestamp())}
    response = await read(world, home, RGM_STATS, **query)
    truth = world.cloud.truth(home.system_id)
    total = sum(each.energy or 0 for each in response.energy.intervals)
    assert total == truth.energy("production", START, END)
    measured: dict[Any, float] = {}
    for meter in response.meters:
        energy = sum(each.energy or 0 for each in meter.energy.intervals)
        serial = meter.serial_number
        measured[serial] = measured.get(serial, 0) + energy
    assert len(measured) == 2
    for serial, energy in measured.items():
        assert energy == truth.metered(serial, START, END)


async def test_gateway(world: World, home: System) -> None:
    """Its serial number finds the system."""
    query = {"serial_num": home.gateway_serial}
    response = await read(world, home, RETRIEVE_SYSTEM_ID, **query)
    assert response == home.system_id
