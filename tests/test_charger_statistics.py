"""Energy of a charger in the recorder: exact, corrected, and never twice."""

from copy import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.recorder.statistics import (
    list_statistic_ids,
    statistics_during_period,
    valid_statistic_id,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import get_instance
from homeassistant.util import dt as dt_util
import pytest

from custom_components.enphase_cloud.coordinator.device_statistics import device_series
from custom_components.enphase_cloud.coordinator.statistics import statistic_id
from custom_components.enphase_cloud.energy.readings import HOUR
from custom_components.enphase_cloud.measurements.system import Device, DeviceKind
from simulator import Charger, Fault

from .conftest import SetUp, World
from .energy_helpers import advance
from .test_chargers import SERIAL, shown

# The recorder has to be there before Home Assistant.
pytestmark = pytest.mark.usefixtures("summer_noon", "recorder_mock")

OPTIONS = {"groups": ["ev_charger"], "energy_updates": 1, "history": "none"}
COMMISSIONED = date(2026, 6, 1)
SERIES = device_series(Device(DeviceKind.CHARGER, SERIAL), "IQ EV Charger")


@pytest.fixture
def system_properties() -> dict[str, Any]:
    """Return a system that is three weeks old; a car charges each night."""
    return {
        "name": "Hilltop",
        "time_zone": "Europe/Berlin",
        "commissioned": COMMISSIONED,
    }


async def recorded(hass: HomeAssistant, world: World) -> dict[datetime, float]:
    """Return the recorded Wh of each hour; check that sums are continuous."""
    statistic = statistic_id(world.system.system_id, SERIES.key)
    found = await get_instance(hass).async_add_executor_job(
        statistics_during_period,
        hass,
        datetime(2026, 1, 1, tzinfo=UTC),
        None,
        {statistic},
        "hour",
        {"energy": "Wh"},
        {"state", "sum"},
    )
    rows = found.get(statistic, [])
    total = 0.0
    for row in rows:
        energy = round(row.get("state") or 0.0)
        assert energy >= 0
        total += energy
        assert round(row.get("sum") or 0.0) == total
    return {
        dt_util.utc_from_timestamp(row["start"]): round(row.get("state") or 0)
        for row in rows
    }


def truth(world: World, start: datetime, end: datetime) -> int:
    """Return the Wh that the charger delivered."""
    return world.cloud.truth(world.system.system_id).charged(SERIAL, start, end)


def midnight(day: int) -> datetime:
    """Return when a day of June begins at the home."""
    return datetime(2026, 6, day, tzinfo=UTC) - 2 * HOUR


@pytest.mark.usefixtures("entity_registry_enabled_by_default")
@pytest.mark.long
async def test_hours_of_last_week_and_days_before_are_exact(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """They match the truth to the watt-hour, and so does their sum."""
    world.system.install_charger(Charger(serial=SERIAL, habit=1))
    await set_up(options=OPTIONS)
    await advance(hass, freezer, timedelta(minutes=10))
    hours = await recorded(hass, world)
    week = midnight(15)
    for hour, energy in hours.items():
        if hour >= week:
            assert energy == truth(world, hour, hour + HOUR), hour
    last = max(hours)
    assert last >= datetime(2026, 6, 21, 7, tzinfo=UTC)
    assert sum(hours.values()) == truth(world, midnight(1), last + HOUR)
    for day in range(1, 15):
        start, end = midnight(day), midnight(day + 1)
        delivered = sum(wh for hour, wh in hours.items() if start <= hour < end)
        assert delivered == truth(world, start, end)
    lifetime = float(shown(hass, world, "charger_lifetime_energy") or 0)
    assert lifetime == pytest.approx(sum(hours.values()) / 1e6)
    await advance(hass, freezer, timedelta(days=2), step=HOUR)
    later = await recorded(hass, world)
    assert {hour: later[hour] for hour in hours} == hours
    last = max(later)
    assert sum(later.values()) == truth(world, midnight(1), last + HOUR)
    lifetime = float(shown(hass, world, "charger_lifetime_energy") or 0)
    assert lifetime == pytest.approx(sum(later.values()) / 1e6)


async def test_statistic_is_valid_for_an_individual_device(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """It has a valid id, the unit class of energy and a name."""
    world.system.install_charger(Charger(serial=SERIAL, habit=1))
    await set_up(options=OPTIONS)
    await advance(hass, freezer, timedelta(minutes=2))
    listed = await get_instance(hass).async_add_executor_job(list_statistic_ids, hass)
    (found,) = (each for each in listed if SERIAL in each["statistic_id"])
    assert valid_statistic_id(found["statistic_id"])
    assert found["name"] == "Hilltop IQ EV Charger"
    assert found["has_sum"]
    assert found["unit_class"] == "energy"


async def test_correction_changes_only_its_hours(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """One session turns out to be shorter than the cloud reported at first."""
    world.system.install_charger(Charger(serial=SERIAL, habit=1))
    await set_up(options=OPTIONS)
    await advance(hass, freezer, timedelta(minutes=2))
    hours = await recorded(hass, world)
    reported = world.cloud.truth(world.system.system_id).sessions(
        SERIAL, COMMISSIONED, date(2026, 6, 24)
    )
    (evening,) = (
        each
        for each in reported
        if midnight(19).timestamp() <= each.session.start < midnight(20).timestamp()
    )
    sessions = tuple(
        replace(each.session, wanted=600) if each is evening else each.session
        for each in reported
    )
    charger = Charger(serial=SERIAL, sessions=sessions)
    world.system.plant = replace(world.system.plant, chargers=(charger,))
    await advance(hass, freezer, timedelta(days=1), step=HOUR)
    later = await recorded(hass, world)
    moved = {hour for hour in hours if later[hour] != hours[hour]}
    lost = {
        datetime.fromtimestamp(at, UTC).replace(minute=0) for at, _ in evening.steps[1:]
    }
    assert moved == lost
    assert sum(later.values()) == truth(world, midnight(1), max(later) + HOUR)


async def test_temporary_dip_is_corrected(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """By the next response; the same response again changes nothing."""
    world.system.install_charger(Charger(serial=SERIAL, habit=1))
    dip = Fault(operation="ev_charger_telemetry", data="dip", times=1)
    world.cloud.faults.add(dip)
    await set_up(options=OPTIONS)
    await advance(hass, freezer, timedelta(minutes=2))
    hours = await recorded(hass, world)
    # The first day is not requested again.
    await advance(hass, freezer, timedelta(days=1), step=HOUR)
    later = await recorded(hass, world)
    week = midnight(16)
    changed = {hour for hour in hours if later[hour] != hours[hour]}
    assert changed == {hour for hour, wh in hours.items() if wh and hour >= week}
    assert all(
        wh == truth(world, hour, hour + HOUR)
        for hour, wh in later.items()
        if hour >= week
    )


@pytest.mark.long
async def test_gap_of_days_is_filled(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """Each response covers the week before."""
    world.system.install_charger(Charger(serial=SERIAL, habit=1))
    await set_up(options=OPTIONS)
    fault = Fault(operation="ev_charger_telemetry", status=503)
    world.cloud.faults.add(fault)
    await advance(hass, freezer, timedelta(days=3), step=HOUR)
    world.cloud.faults.clear()
    await advance(hass, freezer, timedelta(days=1), step=HOUR)
    hours = await recorded(hass, world)
    assert sum(hours.values()) == truth(world, midnight(1), max(hours) + HOUR)


async def test_response_of_zeros_erases_nothing(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """A second response of zeros does not erase hours either."""
    world.system.install_charger(Charger(serial=SERIAL, habit=1))
    await set_up(options=OPTIONS)
    await advance(hass, freezer, timedelta(minutes=2))
    hours = await recorded(hass, world)
    world.cloud.faults.add(Fault(operation="ev_charger_telemetry", data="zero"))
    await advance(hass, freezer, timedelta(days=1), step=HOUR)
    later = await recorded(hass, world)
    assert {hour: later[hour] for hour in hours} == hours


async def test_no_statistic_without_energy_updates(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """A user who disabled statistics gets none of chargers either."""
    world.system.install_charger(Charger(serial=SERIAL, habit=1))
    await set_up(options={**OPTIONS, "energy_updates": 0})
    await advance(hass, freezer, timedelta(minutes=2))
    assert not await recorded(hass, world)


@pytest.mark.parametrize("name", ["IQ-1 / 2", "__", "ÄÖ", "2026"])
def test_statistic_ids_are_valid(name: str) -> None:
    """A serial number may contain any characters."""
    series = device_series(Device(DeviceKind.CHARGER, name), None)
    assert valid_statistic_id(statistic_id(7, series.key))
    assert series.name == "EV charger"
    assert name not in series.label
