"""Figures from interval data: true, kept over restarts, and without extra calls."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from unittest.mock import patch
from zoneinfo import ZoneInfo

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)
from sqlalchemy.exc import SQLAlchemyError

from custom_components.enphase_cloud.const import (
    CONF_ENERGY_UPDATES,
    CONF_HISTORY,
    DOMAIN,
)
from custom_components.enphase_cloud.coordinator import figures
from custom_components.enphase_cloud.coordinator.recorded import async_recorded_hours
from simulator import Fault

from .conftest import SetUp, World
from .energy_helpers import INTERVALS, LIFETIMES, POLLS, advance
from .helpers import press

# The recorder must be set up before Home Assistant.
pytestmark = pytest.mark.usefixtures("recorder_mock")

ZONE = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 6, 17, 12, 3, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
HALF_AN_HOUR = timedelta(minutes=30)
QUARTER = timedelta(minutes=15)
ENABLED = {
    "self_consumed_today",
    "self_consumed_yesterday",
    "self_sufficiency_today",
    "self_sufficiency_yesterday",
    "import_peak_this_month",
    "battery_efficiency",
    "battery_cycles",
    "usable_battery_capacity",
}
OTHERS = {
    "self_consumed_this_month",
    "self_sufficiency_this_month",
    "import_peak_last_month",
    "mean_import_peak",
    "production_a_year_ago",
    "production_vs_last_year",
    "degradation",
}


@pytest.fixture
def now() -> datetime:
    """Return when a test begins; parametrize to choose another time."""
    return NOW


@pytest.fixture(autouse=True)
def _noon(freezer: FrozenDateTimeFactory, now: datetime) -> None:
    freezer.move_to(now)


@pytest.fixture
def system_properties() -> dict[str, Any]:
    """Return a system with all flows, commissioned on the first of this month."""
    return properties(date(2026, 6, 1))


def properties(commissioned: date, **others: Any) -> dict[str, Any]:
    """Return a system that was commissioned on a day."""
    return {
        "name": "Hilltop",
        "battery": 2,
        "time_zone": "Europe/Berlin",
        "latitude": 45,
        "commissioned": commissioned,
        **others,
    }


def options(updates: int = 24, history: str = "hour") -> dict[str, Any]:
    """Return the options of an entry."""
    return {CONF_ENERGY_UPDATES: updates, CONF_HISTORY: history}


def found(hass: HomeAssistant, name: str) -> State | None:
    """Return the state of a figure."""
    return hass.states.get(f"sensor.hilltop_{name}")


def shown(hass: HomeAssistant, name: str) -> float | None:
    """Return the value of a figure, None where it is unknown."""
    state = found(hass, name)
    assert state is not None, name
    return None if state.state == "unknown" else float(state.state)


def attribute(hass: HomeAssistant, name: str, key: str) -> Any:
    """Return an attribute of a figure."""
    state = found(hass, name)
    assert state is not None
    return state.attributes[key]


def midnight(day: date) -> datetime:
    """Return when a day of the system begins."""
    return datetime.combine(day, datetime.min.time(), ZONE).astimezone(UTC)


def true_shares(world: World, start: datetime, end: datetime) -> tuple[float, float]:
    """Return self-consumption and self-sufficiency [%]."""
    truth = world.cloud.truth(world.system.system_id)
    produced, consumed, imported, exported = (
        truth.energy(flow, start, end)
        for flow in ("production", "consumption", "import", "export")
    )
    return 100 * (1 - exported / produced), 100 * (1 - imported / consumed)


def true_peak(world: World, start: datetime, end: datetime) -> tuple[float, datetime]:
    """Return the highest mean power of a quarter of an hour [kW] and its start."""
    truth = world.cloud.truth(world.system.system_id)
    quarters = (start + number * QUARTER for number in range((end - start) // QUARTER))
    wh, minus = max(
        (truth.energy("import", at, at + QUARTER), -at.timestamp()) for at in quarters
    )
    return wh * 4 / 1_000, datetime.fromtimestamp(-minus, UTC)


async def set_up_and_import(
    hass: HomeAssistant, set_up: SetUp, freezer: FrozenDateTimeFactory, **chosen: Any
) -> MockConfigEntry:
    """Set up an entry, and let the import finish."""
    entry: MockConfigEntry = await set_up(options=options(**chosen))
    await advance(hass, freezer, timedelta(minutes=5), step=timedelta(seconds=20))
    await advance(hass, freezer, timedelta(minutes=12), step=MINUTE)
    return entry


def whole_hour() -> datetime:
    """Return the beginning of the present hour."""
    return dt_util.utcnow().replace(minute=0, second=0, microsecond=0)


@pytest.mark.usefixtures("entity_registry_enabled_by_default")
async def test_figures_are_true_after_an_import(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """At once, and without a call beyond those for energy."""
    await set_up_and_import(hass, set_up, freezer)
    day, month = midnight(date(2026, 6, 17)), midnight(date(2026, 6, 1))
    spans = {
        "yesterday": (midnight(date(2026, 6, 16)), day),
        "today": (day, datetime.fromisoformat(str(data_end(hass, "today")))),
        "this_month": (
            month,
            datetime.fromisoformat(str(data_end(hass, "this_month"))),
        ),
    }
    for period, (start, end) in spans.items():
        assert end >= whole_hour() - HOUR or period == "yesterday"
        consumption, sufficiency = true_shares(world, start, end)
        assert shown(hass, f"self_consumed_{period}") == pytest.approx(consumption)
        assert shown(hass, f"self_sufficiency_{period}") == pytest.approx(sufficiency)
    power, at = true_peak(world, month, whole_hour())
    assert shown(hass, "import_peak_this_month") == pytest.approx(power)
    assert attribute(hass, "import_peak_this_month", "at") == at
    assert shown(hass, "battery_efficiency") == pytest.approx(90, rel=0.01)
    assert shown(hass, "usable_battery_capacity") == pytest.approx(10, rel=0.03)
    truth = world.cloud.truth(world.system.system_id)
    discharged = truth.energy("discharge", month, whole_hour())
    assert shown(hass, "battery_cycles") == pytest.approx(discharged / 10_000, rel=0.01)
    # The system has no data before this month.
    for name in OTHERS - {"self_consumed_this_month", "self_sufficiency_this_month"}:
        assert shown(hass, name) is None
    assert set(world.calls) <= POLLS | INTERVALS | LIFETIMES | {"telemetry_battery"}
    # Three weeks of history, of which the newest is the first update.
    assert all(world.calls.count(each) == 3 for each in INTERVALS)


async def test_failed_refresh_is_repeated(
    hass: HomeAssistant,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Every five minutes, until the recorder can be read."""
    entry = await set_up_and_import(hass, set_up, freezer)
    before = shown(hass, "self_sufficiency_today")
    assert before is not None
    assert await hass.config_entries.async_unload(entry.entry_id)
    attempts = []

    async def fail(
        hass: HomeAssistant, ids: set[str], start: datetime, **options: Any
    ) -> Any:
        if len(ids) == 1:
            # All days of production can be read.
            return await async_recorded_hours(hass, ids, start, **options)
        attempts.append(dt_util.utcnow())
        raise SQLAlchemyError

    with patch.object(figures, "async_recorded_hours", fail):
        await set_up(entry)
        await advance(hass, freezer, timedelta(minutes=9), step=MINUTE)
    assert shown(hass, "self_sufficiency_today") is None
    assert [later - earlier for earlier, later in pairwise(attempts)] == [5 * MINUTE]
    await advance(hass, freezer, 5 * MINUTE, step=MINUTE)
    assert shown(hass, "self_sufficiency_today") == before
    assert caplog.text.count("Unforeseen SQLAlchemyError") == 2


async def test_slow_refresh_is_not_begun_again(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """Reading many years may take longer than the pause between two refreshes."""
    may_read = asyncio.Event()
    years: list[datetime] = []

    async def read(
        hass: HomeAssistant, ids: set[str], start: datetime, **options: Any
    ) -> Any:
        if len(ids) == 1:
            years.append(dt_util.utcnow())
            await may_read.wait()
        return await async_recorded_hours(hass, ids, start, **options)

    with patch.object(figures, "async_recorded_hours", read):
        await set_up(options=options())
        for _ in range(4):
            freezer.tick(5 * MINUTE)
            async_fire_time_changed(hass)
            await hass.async_block_till_done()
        may_read.set()
        await hass.async_block_till_done(wait_background_tasks=True)
        assert len(years) == 1
        await advance(hass, freezer, timedelta(minutes=12), step=MINUTE)
    assert shown(hass, "self_sufficiency_today") is not None


def data_end(hass: HomeAssistant, period: str) -> datetime:
    """Return the end of the data in the share of a period."""
    at = attribute(hass, f"self_sufficiency_{period}", "until")
    assert at == attribute(hass, f"self_consumed_{period}", "until")
    assert isinstance(at, datetime)
    return at


async def test_rarely_used_figures_are_disabled_by_default(
    hass: HomeAssistant, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """Users can enable the others."""
    await set_up_and_import(hass, set_up, freezer)
    registry = er.async_get(hass)
    for name in ENABLED | OTHERS:
        entry = registry.async_get(f"sensor.hilltop_{name}")
        assert entry is not None
        assert (entry.disabled_by is None) is (name in ENABLED), name


@pytest.mark.usefixtures("entity_registry_enabled_by_default")
@pytest.mark.long
async def test_restart_keeps_figures_without_a_call(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """They come from the recorder and the store."""
    entry = await set_up_and_import(hass, set_up, freezer)
    before = {name: shown(hass, name) for name in ENABLED | OTHERS}
    assert sum(value is not None for value in before.values()) == 10
    assert await hass.config_entries.async_unload(entry.entry_id)
    world.cloud.requests.clear()
    await set_up(entry)
    await advance(hass, freezer, timedelta(seconds=30), step=timedelta(seconds=10))
    assert {name: shown(hass, name) for name in ENABLED | OTHERS} == before
    assert not world.calls


@pytest.mark.usefixtures("entity_registry_enabled_by_default")
@pytest.mark.long
async def test_damaged_store_makes_only_its_figures_unknown(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    hass_storage: dict[str, Any],
) -> None:
    """Peak and battery figures depend on the store; shares do not."""
    entry = await set_up_and_import(hass, set_up, freezer)
    share = shown(hass, "self_sufficiency_yesterday")
    assert await hass.config_entries.async_unload(entry.entry_id)
    kept = hass_storage[f"{DOMAIN}.{entry.entry_id}"]["data"]["systems"]
    kept[str(world.system.system_id)] |= {"peaks": 5, "battery_history": {"seen": 5}}
    await set_up(entry)
    await advance(hass, freezer, timedelta(seconds=30), step=timedelta(seconds=10))
    assert shown(hass, "import_peak_this_month") is None
    assert shown(hass, "battery_efficiency") is None
    assert shown(hass, "self_sufficiency_yesterday") == share


@pytest.mark.parametrize(
    ("now", "system_properties"),
    [
        (
            datetime(2026, 6, 17, 14, 33, tzinfo=UTC),
            properties(date(2026, 6, 1), battery=None),
        )
    ],
    ids=["evening"],
)
@pytest.mark.long
async def test_correction_raises_and_lowers_the_peak(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """One response has ten times the true energy, and the next one corrects it."""
    await set_up_and_import(hass, set_up, freezer)
    # From then on, responses cover the last hours.
    await advance(hass, freezer, 4 * HOUR)
    month = midnight(date(2026, 6, 1))
    assert shown(hass, "import_peak_this_month") == pytest.approx(
        true_peak(world, month, whole_hour())[0]
    )
    fault = Fault(operation="energy_import_telemetry", data="tenfold", times=1)
    world.cloud.faults.add(fault)
    await advance(hass, freezer, HOUR)
    assert fault.hits == 1
    wrong = shown(hass, "import_peak_this_month")
    assert wrong is not None
    assert wrong > 2 * true_peak(world, month, whole_hour())[0]
    await advance(hass, freezer, 2 * HOUR)
    power, at = true_peak(world, month, whole_hour() - HOUR)
    assert shown(hass, "import_peak_this_month") == pytest.approx(power)
    assert attribute(hass, "import_peak_this_month", "at") == at


@pytest.mark.parametrize(
    "system_properties",
    [
        properties(date(2026, 6, 1), meters=["production"]),
        properties(date(2026, 6, 1), meters=[], battery=None),
    ],
    ids=["with battery", "panels"],
)
@pytest.mark.usefixtures("entity_registry_enabled_by_default")
async def test_no_share_and_no_peak_without_a_meter(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """Only figures that the system supports exist."""
    await set_up_and_import(hass, set_up, freezer)
    has_battery = world.system.plant.storage is not None
    there = {name for name in ENABLED | OTHERS if found(hass, name)}
    assert there == OTHERS - {
        "self_consumed_this_month",
        "self_sufficiency_this_month",
        "import_peak_last_month",
        "mean_import_peak",
    } | ({name for name in ENABLED if "battery" in name} if has_battery else set())


async def test_no_figures_without_energy_updates(
    hass: HomeAssistant, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """They would have no data."""
    await set_up_and_import(hass, set_up, freezer, updates=0, history="none")
    assert not {name for name in ENABLED | OTHERS if found(hass, name)}


@pytest.mark.long
async def test_figures_of_a_removed_battery_are_unavailable(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """The figures of the home continue."""
    await set_up_and_import(hass, set_up, freezer, updates=1)
    assert shown(hass, "battery_efficiency") is not None
    world.system.remove_batteries(dt_util.utcnow())
    await advance(hass, freezer, 26 * HOUR, step=HALF_AN_HOUR)
    for name in ("battery_efficiency", "battery_cycles", "usable_battery_capacity"):
        state = found(hass, name)
        assert state is not None
        assert state.state == "unavailable"
    _, sufficiency = true_shares(
        world, midnight(date(2026, 6, 17)), midnight(date(2026, 6, 18))
    )
    assert shown(hass, "self_sufficiency_yesterday") == pytest.approx(sufficiency)


@pytest.mark.parametrize(
    ("now", "system_properties"),
    [
        (datetime(2026, 10, 31, 20, 3, tzinfo=UTC), properties(date(2026, 10, 20))),
        (datetime(2026, 3, 31, 20, 3, tzinfo=UTC), properties(date(2026, 3, 20))),
    ],
    ids=["winter time", "summer time"],
)
@pytest.mark.usefixtures("entity_registry_enabled_by_default")
@pytest.mark.long
async def test_month_ends_at_the_systems_midnight(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    now: datetime,
) -> None:
    """Home Assistant has another time zone; the month has a day of 23 or 25 hours."""
    await set_up_and_import(hass, set_up, freezer, updates=1)
    today = now.astimezone(ZONE).date()
    first = world.system.plant.commissioned
    power, at = true_peak(world, midnight(first), whole_hour())
    assert shown(hass, "import_peak_this_month") == pytest.approx(power)
    days = (today - first).days
    if today.month == 10:
        assert midnight(today) - midnight(first) == days * DAY + HOUR
    await advance(
        hass,
        freezer,
        midnight(today + DAY) - dt_util.utcnow() - MINUTE,
        step=HALF_AN_HOUR,
    )
    assert shown(hass, "import_peak_this_month") == pytest.approx(power)
    await advance(hass, freezer, 7 * MINUTE, step=MINUTE)
    assert shown(hass, "self_sufficiency_today") is None
    assert shown(hass, "import_peak_this_month") is None
    assert shown(hass, "import_peak_last_month") == pytest.approx(power)
    assert attribute(hass, "import_peak_last_month", "at") == at
    await advance(hass, freezer, 9 * HOUR, step=HALF_AN_HOUR)
    power, at = true_peak(world, midnight(first), midnight(today + DAY))
    assert shown(hass, "import_peak_last_month") == pytest.approx(power)
    # The days before the system was commissioned have no data.
    assert shown(hass, "mean_import_peak") == pytest.approx(power)
    assert attribute(hass, "mean_import_peak", "months") == 1
    _, sufficiency = true_shares(world, midnight(today), midnight(today + DAY))
    assert shown(hass, "self_sufficiency_yesterday") == pytest.approx(sufficiency)
    end_of_data = attribute(hass, "self_sufficiency_this_month", "until")
    assert end_of_data > midnight(today + DAY)


@pytest.mark.long
async def test_jump_of_the_clock_hides_figures_of_another_day(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """The clock jumps three days ahead, and back again."""
    await set_up_and_import(hass, set_up, freezer)
    today = shown(hass, "self_sufficiency_today")
    assert today is not None
    before = dt_util.utcnow()
    freezer.move_to(before + 3 * DAY)
    await advance(hass, freezer, MINUTE, step=MINUTE)
    assert shown(hass, "self_sufficiency_today") != today
    # Three days of this month have no data.
    assert shown(hass, "import_peak_this_month") is None
    await advance(hass, freezer, HOUR)
    assert shown(hass, "import_peak_this_month") is not None
    _, sufficiency = true_shares(
        world, midnight(date(2026, 6, 20)), share_end(hass, "self_sufficiency_today")
    )
    assert shown(hass, "self_sufficiency_today") == pytest.approx(sufficiency)
    freezer.move_to(before + timedelta(minutes=30))
    await press(hass, "button.hilltop_refresh_now")
    await hass.async_block_till_done()
    assert shown(hass, "self_sufficiency_today") is None
    assert shown(hass, "import_peak_this_month") is None
    assert shown(hass, "battery_cycles") is not None


def share_end(hass: HomeAssistant, name: str) -> datetime:
    """Return the end of the data in a share."""
    at = attribute(hass, name, "until")
    assert isinstance(at, datetime)
    return at


@pytest.mark.long
async def test_old_figures_are_unknown(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """With one update a day, the share of today becomes unknown after some hours."""
    await set_up_and_import(hass, set_up, freezer, updates=1)
    assert shown(hass, "self_sufficiency_today") is not None
    await advance(hass, freezer, 6 * HOUR, step=HALF_AN_HOUR)
    assert shown(hass, "self_sufficiency_today") is None
    assert shown(hass, "self_sufficiency_yesterday") is not None


@pytest.mark.parametrize("system_properties", [properties(date(2023, 6, 1))])
@pytest.mark.usefixtures("entity_registry_enabled_by_default")
@pytest.mark.long
async def test_years_are_compared_by_the_same_days(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """One call returns all days; panels that do not age show no degradation."""
    await set_up_and_import(hass, set_up, freezer, updates=1, history="day")
    await advance(hass, freezer, HOUR)
    truth = world.cloud.truth(world.system.system_id)

    def produced(year: int) -> float:
        days = (date(year, 6, 1) + number * DAY for number in range(16))
        return sum(truth.day("production", day) for day in days) / 1_000

    assert shown(hass, "production_a_year_ago") == pytest.approx(produced(2025))
    years = attribute(hass, "production_a_year_ago", "years")
    assert years == {
        str(year): pytest.approx(produced(year), abs=0.01)
        for year in (2023, 2024, 2025)
    }
    assert shown(hass, "production_vs_last_year") == pytest.approx(
        100 * produced(2026) / produced(2025)
    )
    worn = shown(hass, "degradation")
    assert worn is not None
    assert abs(worn) <= attribute(hass, "degradation", "uncertainty") + 0.01
    assert world.calls.count("energy_lifetime") == 1
