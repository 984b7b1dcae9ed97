"""Energy of panels, batteries and appliances in the recorder: exact, never twice."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.recorder.statistics import statistics_during_period
from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import get_instance
from homeassistant.util import dt as dt_util
import pytest

from custom_components.enphase_cloud.const import DOMAIN
from custom_components.enphase_cloud.coordinator.statistics import statistic_id
from custom_components.enphase_cloud.dashboard_offers import async_offers
from simulator import Charger, Fault
from simulator.documents.devices import device_id, encharge_serial
from simulator.documents.meters import meters_of

from .conftest import SetUp, World
from .energy_helpers import advance

# The recorder has to be there before Home Assistant.
pytestmark = pytest.mark.usefixtures("summer_noon", "recorder_mock")

OTHER = "380017"
HOUR = timedelta(hours=1)
GROUPS = ["panel_telemetry", "battery_telemetry", "appliances"]
OPTIONS = {
    "groups": GROUPS,
    "panel_statistics": True,
    "energy_updates": 1,
    "history": "none",
}


@pytest.fixture
def system_properties() -> dict[str, Any]:
    """Return a home that is three weeks old, with two panels and a battery."""
    return {
        "name": "Hilltop",
        "battery": 1,
        "size_w": 850,
        "time_zone": "Europe/Berlin",
        "commissioned": datetime(2026, 6, 1, tzinfo=UTC).date(),
    }


def install(world: World) -> None:
    """Install a heat pump, and a charger of another maker."""
    world.system.install_heat_pump()
    world.system.install_ev_charger(Charger(serial=OTHER, habit=1, returns_w=2_000))


def exchanged(world: World, hour: datetime) -> tuple[int, int]:
    """Return the Wh that a car took and returned in the quarters of an hour."""
    truth = world.cloud.truth(world.system.system_id)
    quarters = [hour + number * HOUR / 4 for number in range(5)]
    net = [truth.charged(OTHER, *span) for span in pairwise(quarters)]
    return sum(wh for wh in net if wh > 0), -sum(wh for wh in net if wh < 0)


async def recorded(
    hass: HomeAssistant, world: World
) -> dict[str, dict[datetime, float]]:
    """Return the Wh of each hour of each statistic of a device; sums are continuous."""
    statistic = statistic_id(world.system.system_id, "")
    found = await get_instance(hass).async_add_executor_job(
        statistics_during_period,
        hass,
        datetime(2026, 1, 1, tzinfo=UTC),
        None,
        None,
        "hour",
        {"energy": "Wh"},
        {"state", "sum"},
    )
    kinds = ("inverter", "battery_4", "charger", "heat_pump", "meter")
    statistics = {}
    for key, rows in found.items():
        if not (key := key.removeprefix(statistic)).startswith(kinds):
            continue
        total = 0.0
        for row in rows:
            total += round(row.get("state") or 0.0)
            assert round(row.get("sum") or 0.0) == total
        statistics[key] = {
            dt_util.utc_from_timestamp(row["start"]): round(row.get("state") or 0.0)
            for row in rows
        }
    return statistics


@pytest.mark.long
async def test_hours_of_each_device_are_exact(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """From the day or the week before on; a repeated response changes nothing."""
    install(world)
    await set_up(options=OPTIONS)
    await advance(hass, freezer, timedelta(minutes=10))
    first = await recorded(hass, world)
    system, truth = world.system, world.cloud.truth(world.system.system_id)
    number, serial = device_id(system, 11), encharge_serial(system, 1)
    panels = {f"inverter_{each.serial}": each.serial for each in system.microinverters}
    (pump,) = (each for each in first if each.startswith("heat_pump"))
    flows = {f"battery_{number}_{flow}" for flow in ("charge", "discharge")}
    assert set(first) == {
        *panels,
        *flows,
        f"charger_{OTHER}",
        f"charger_{OTHER}_returned",
        pump,
    }
    await advance(hass, freezer, timedelta(hours=20), step=HOUR / 4)
    later = await recorded(hass, world)
    week = datetime(2026, 6, 16, tzinfo=UTC)
    settled = dt_util.utcnow() - timedelta(hours=8)
    for key, hours in later.items():
        for hour, energy in hours.items():
            if not week <= hour < settled:
                continue
            span = hour, hour + HOUR
            if key in panels:
                exact = truth.panel(panels[key], *span)
                assert energy == pytest.approx(exact, abs=1), (key, hour)
            elif key.startswith("battery"):
                flow = key.rpartition("_")[2]
                assert energy == truth.battery(serial, flow, *span), (key, hour)
            elif key.startswith("charger"):
                expected = exchanged(world, hour)[key.endswith("_returned")]
                assert energy == expected, (key, hour)
            else:
                assert energy == truth.heated(*span), (key, hour)
        known = sum(hour < settled for hour in hours)
        # Two days of panels, and a week of the others.
        assert known >= (24 if key in panels else 5 * 24)
        assert sum(hours.values()) > 0


@pytest.mark.parametrize("plan", ["watt"])
@pytest.mark.parametrize("count", [1, 2])
async def test_each_of_several_production_meters_has_exact_hours(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    count: int,
) -> None:
    """One request a day is made; with a single meter there is none."""
    system = world.system
    system.production_meters = count
    options = {"groups": ["production_meters"], "energy_updates": 1, "history": "none"}
    await set_up(options=options)
    await advance(hass, freezer, timedelta(minutes=10))
    assert world.calls.count("rgm_stats") == (count > 1)
    statistics = await recorded(hass, world)
    meters = {
        f"meter_{device_id(system, meter.number)}": meter
        for meter in meters_of(system, "production")
    }
    assert set(statistics) == (set(meters) if count > 1 else set())
    for key, hours in statistics.items():
        for hour, energy in hours.items():
            start = int(hour.timestamp())
            assert energy == meters[key].energy(start, start + 3_600), (key, hour)
        assert sum(hours.values()) > 0
        assert len(hours) > 24


async def test_energy_dashboard_is_offered_appliances_only(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """Batteries and panels are parts of other sources."""
    install(world)
    await set_up(options=OPTIONS)
    await advance(hass, freezer, timedelta(minutes=10))
    offers = await async_offers(hass)
    devices = [
        offer.source["stat_consumption"]
        for offer in offers.all
        if "stat_consumption" in offer.source
    ]
    system_id = world.system.system_id
    assert devices == [
        statistic_id(system_id, f"charger_{OTHER}"),
        next(each for each in offers.names if "heat_pump" in each),
    ]
    assert all(each.startswith(f"{DOMAIN}:") for each in devices)


async def test_panels_have_statistics_only_with_the_option(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """A response of zeros adds nothing either."""
    world.cloud.faults.add(Fault(operation="encharge_telemetry", data="zero"))
    await set_up(options={**OPTIONS, "panel_statistics": False})
    await advance(hass, freezer, timedelta(minutes=10))
    statistics = await recorded(hass, world)
    assert not [key for key in statistics if key.startswith("inverter")]
    assert not any(wh for hours in statistics.values() for wh in hours.values())
