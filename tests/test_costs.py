"""Costs in the recorder: exact, corrected with the energy, and without an API call."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final
from zoneinfo import ZoneInfo

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.recorder.models import (
    StatisticData,
    StatisticMeanType,
    StatisticMetaData,
)
from homeassistant.components.recorder.statistics import (
    async_add_external_statistics,
    async_import_statistics,
    list_statistic_ids,
    statistics_during_period,
)
from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.recorder import get_instance
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.enphase_cloud.const import SUBENTRY_ARRAY, SUBENTRY_TARIFF
from custom_components.enphase_cloud.coordinator.recorded import statistic_id
from custom_components.enphase_cloud.coordinator.statistics import StatisticsImporter
from custom_components.enphase_cloud.energy.parsing import system_day
from custom_components.enphase_cloud.energy.readings import HOUR, Reading, Span
from custom_components.enphase_cloud.measurements.catalog import Flow
from custom_components.enphase_cloud.measurements.system import SystemInfo

from .conftest import SetUp, World
from .energy_helpers import advance, recorded
from .helpers import state

# The recorder has to be there before Home Assistant.
pytestmark = pytest.mark.usefixtures("recorder_mock")

NOW: Final = datetime(2026, 6, 17, 12, 3, tzinfo=UTC)
BERLIN: Final = ZoneInfo("Europe/Berlin")
COST: Final = "grid_import_cost"
COMPENSATION: Final = "grid_export_compensation"
# The integration imports nothing; tests do.
AT_REST: Final = {"energy_updates": 0, "history": "none"}
SPOT: Final = "sensor.spot_price"

type Version = dict[str, Any]


@pytest.fixture(autouse=True)
def _noon(freezer: FrozenDateTimeFactory) -> None:
    freezer.move_to(NOW)


@pytest.fixture
def system_properties() -> dict[str, Any]:
    """Return a system with all flows, which is two weeks old."""
    return {
        "name": "Hilltop",
        "battery": 2,
        "time_zone": "Europe/Berlin",
        "latitude": 45,
        "commissioned": date(2026, 6, 4),
    }


def fixed(price: str, valid_from: str | None = None, **more: Any) -> Version:
    """Return a version with one price."""
    return {"valid_from": valid_from, "kind": "fixed", "price": price, **more}


def spot() -> Version:
    """Return a version with the price of an entity."""
    return {"valid_from": None, "kind": "entity", "entity_id": SPOT}


def add_tariff(
    hass: HomeAssistant,
    world: World,
    entry: MockConfigEntry,
    *versions: Version,
    direction: str = "import",
) -> ConfigSubentry:
    """Add a tariff to an entry, which reloads it once it is loaded."""
    subentry = ConfigSubentry(
        data=MappingProxyType(
            {
                "system": world.system.system_id,
                "direction": direction,
                "versions": list(versions),
            }
        ),
        subentry_type=SUBENTRY_TARIFF,
        title=f"Tariff of {direction}",
        unique_id=None,
    )
    hass.config_entries.async_add_subentry(entry, subentry)
    return subentry


async def change(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    subentry: ConfigSubentry,
    *versions: Version,
) -> None:
    """Correct a tariff, and wait until that is done."""
    data = {**subentry.data, "versions": list(versions)}
    hass.config_entries.async_update_subentry(entry, subentry, data=data)
    await hass.async_block_till_done(wait_background_tasks=True)


@pytest.fixture
def begin(hass: HomeAssistant, world: World, set_up: SetUp) -> Callable[..., Any]:
    """Return a function that sets up an entry with a tariff of import."""

    async def begin(
        *versions: Version, options: Mapping[str, Any] = AT_REST
    ) -> tuple[MockConfigEntry, ConfigSubentry]:
        entry = world.entry(options=dict(options))
        entry.add_to_hass(hass)
        subentry = add_tariff(hass, world, entry, *versions)
        await set_up(entry)
        await hass.async_block_till_done(wait_background_tasks=True)
        return entry, subentry

    return begin


async def record_energy(
    hass: HomeAssistant,
    world: World,
    energy_by_start: Mapping[datetime, int],
    flow: Flow = Flow.GRID_IMPORT,
    length: timedelta = HOUR,
    zone: ZoneInfo = BERLIN,
) -> None:
    """Record the Wh of hours, or of days."""
    system = world.system
    info = SystemInfo(system_id=system.system_id, name=system.name, time_zone=zone)
    readings = {
        Span(start, length): Reading(
            is_certain=True, fetched_at=dt_util.utcnow(), energy=energy
        )
        for start, energy in energy_by_start.items()
    }
    await StatisticsImporter(hass, info).async_import(flow, readings)


async def costs(
    hass: HomeAssistant, world: World, key: str = COST
) -> dict[datetime, float]:
    """Return the cost of each hour; check that changes of sums match."""
    statistic = statistic_id(world.system.system_id, key)
    found = await get_instance(hass).async_add_executor_job(
        statistics_during_period,
        hass,
        datetime(2000, 1, 1, tzinfo=UTC),
        None,
        {statistic},
        "hour",
        None,
        {"change", "state", "sum"},
    )
    rows = found.get(statistic, [])
    for row in rows:
        assert row["change"] == pytest.approx(row["state"], abs=1e-9)
    return {
        dt_util.utc_from_timestamp(row["start"]): row["state"] or 0.0 for row in rows
    }


async def record_spot_prices(
    hass: HomeAssistant,
    prices: Mapping[datetime, float],
    unit: str,
    *,
    entity_id: str = SPOT,
) -> None:
    """Record prices of an entity."""
    async_import_statistics(
        hass,
        StatisticMetaData(
            mean_type=StatisticMeanType.ARITHMETIC,
            has_sum=False,
            name=None,
            source="recorder",
            statistic_id=entity_id,
            unit_class=None,
            unit_of_measurement=unit,
        ),
        [
            StatisticData(start=start, mean=price, min=price, max=price)
            for start, price in prices.items()
        ],
    )
    await get_instance(hass).async_block_till_done()


def hour(number: int, day: int = 16) -> datetime:
    """Return an hour of a day in June at the system."""
    return system_day(date(2026, 6, day), BERLIN).start + number * HOUR


class Writes:
    """Collects the hours that are written into the statistics of costs."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Begin to collect."""
        self.rows: list[datetime] = []
        module = "custom_components.enphase_cloud.coordinator.recorded"
        name = f"{module}.async_add_external_statistics"
        write = async_add_external_statistics

        def collect(hass: HomeAssistant, metadata: Any, rows: Any) -> None:
            listed = list(rows)
            if metadata["statistic_id"].endswith((COST, COMPENSATION)):
                self.rows += [row["start"] for row in listed]
            write(hass, metadata, listed)

        monkeypatch.setattr(name, collect)


@pytest.fixture
def writes(monkeypatch: pytest.MonkeyPatch) -> Writes:
    """Return the hours that are written into the statistics of costs."""
    return Writes(monkeypatch)


async def test_costs_follow_each_import(
    hass: HomeAssistant, world: World, begin: Any, freezer: FrozenDateTimeFactory
) -> None:
    """They match the energy of the simulator hour by hour, without an API call."""
    options = {"energy_updates": 24, "history": "day"}
    entry, _ = await begin(fixed("0.30", standing_charge="0.45"), options=options)
    add_tariff(hass, world, entry, fixed("0.08"), direction="export")
    await hass.async_block_till_done(wait_background_tasks=True)
    await advance(hass, freezer, timedelta(minutes=12), step=timedelta(minutes=1))
    await advance(hass, freezer, 5 * HOUR, step=timedelta(minutes=10))
    truth = world.cloud.truth(world.system.system_id)
    until = dt_util.utcnow() - 6 * HOUR
    found = await costs(hass, world), await costs(hass, world, COMPENSATION)
    checked = 0
    start = hour(0, 12)
    while start < until:
        is_midnight = start.astimezone(BERLIN).hour == 0
        paid = truth.energy("import", start, start + HOUR) * 0.0003
        assert found[0][start] == pytest.approx(paid + 0.45 * is_midnight, abs=1e-9)
        got = truth.energy("export", start, start + HOUR) * 0.00008
        assert found[1][start] == pytest.approx(got, abs=1e-9)
        checked += bool(paid) + bool(got)
        start += HOUR
    assert checked > 50
    # Days of which only the energy is known.
    for day in range(6, 9):
        paid = sum(found[0].get(hour(number, day), 0) for number in range(24))
        energy = truth.day("import", date(2026, 6, day))
        assert paid == pytest.approx(energy * 0.0003 + 0.45, abs=1e-9)

    today = [cost for start, cost in found[0].items() if start >= hour(0, 17)]
    shown = hass.states.get("sensor.hilltop_cost_today")
    assert shown is not None
    assert float(shown.state) == pytest.approx(sum(today), abs=1e-9)
    assert shown.attributes["last_reset"] == "2026-06-17T00:00:00+02:00"
    assert shown.attributes["unit_of_measurement"] == "EUR"
    assert shown.attributes["state_class"] == "total"
    assert shown.attributes["device_class"] == "monetary"
    month = sum(found[0].values()) - sum(found[1].values())
    shown_month = float(state(hass, "sensor.hilltop_net_cost_this_month"))
    assert shown_month == pytest.approx(month, abs=1e-9)
    calls = len(world.calls)
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert state(hass, "sensor.hilltop_net_cost_this_month") != "unknown"
    assert len(world.calls) == calls


async def test_statistics_of_costs_have_names_and_currency(
    hass: HomeAssistant, world: World, begin: Any
) -> None:
    """The currency is Home Assistant's; names resemble those of energy."""
    await record_energy(hass, world, {hour(0): 1000})
    await begin(fixed("0.30"))
    found = await get_instance(hass).async_add_executor_job(list_statistic_ids, hass)
    [cost] = [each for each in found if each["statistic_id"].endswith(COST)]
    assert cost["name"] == "Hilltop grid import cost"
    assert cost["statistics_unit_of_measurement"] == "EUR"
    assert cost["has_sum"]
    assert not cost["has_mean"]


async def test_energy_dashboard_accepts_costs(
    hass: HomeAssistant,
    world: World,
    begin: Any,
    hass_ws_client: WebSocketGenerator,
) -> None:
    """Home Assistant's own validation finds no issue."""
    for flow in (Flow.GRID_IMPORT, Flow.GRID_EXPORT):
        await record_energy(hass, world, {hour(0): 1000}, flow)
    entry, _ = await begin(fixed("0.30"))
    add_tariff(hass, world, entry, fixed("0.08"), direction="export")
    await hass.async_block_till_done(wait_background_tasks=True)
    assert await async_setup_component(hass, "energy", {})
    grid = {
        "type": "grid",
        "cost_adjustment_day": 0.0,
        "stat_energy_from": Flow.GRID_IMPORT,
        "stat_energy_to": Flow.GRID_EXPORT,
        "stat_cost": COST,
        "stat_compensation": COMPENSATION,
    }
    system_id = world.system.system_id
    source = {
        key: statistic_id(system_id, str(value)) if key.startswith("stat") else value
        for key, value in grid.items()
    }
    client = await hass_ws_client(hass)
    await client.send_json_auto_id(
        {"type": "energy/save_prefs", "energy_sources": [source]}
    )
    assert (await client.receive_json())["success"]
    await client.send_json_auto_id({"type": "energy/validate"})
    [issues] = (await client.receive_json())["result"]["energy_sources"]
    assert not issues


async def test_corrected_hour_changes_only_its_cost(
    hass: HomeAssistant, world: World, begin: Any, writes: Writes
) -> None:
    """Later sums change with it; after a restart nothing is written."""
    await record_energy(hass, world, {hour(number): 1000 for number in range(24)})
    entry, _ = await begin(fixed("0.25"))
    before = await costs(hass, world)
    assert before == {hour(number): 0.25 for number in range(24)}
    writes.rows.clear()
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert not writes.rows
    await record_energy(hass, world, {hour(5): 3000})
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert await costs(hass, world) == before | {hour(5): 0.75}
    assert min(writes.rows) == hour(5)


async def test_corrected_tariff_prices_only_from_its_date(
    hass: HomeAssistant, world: World, begin: Any, writes: Writes
) -> None:
    """Only hours from the first difference on are priced again."""
    # Longer ago than the hours that are checked in any case.
    days = [datetime(2026, month, 3, 10, tzinfo=UTC) for month in (1, 2, 3, 4)]
    await record_energy(hass, world, dict.fromkeys(days, 2000))
    entry, subentry = await begin(fixed("0.30"))
    assert await costs(hass, world) == dict.fromkeys(days, 0.6)
    writes.rows.clear()
    await change(
        hass, entry, subentry, fixed("0.30"), fixed("0.40", valid_from="2026-03-01")
    )
    assert list((await costs(hass, world)).values()) == [0.6, 0.6, 0.8, 0.8]
    assert writes.rows == days[2:]
    await change(hass, entry, subentry, fixed("0.10"))
    assert list((await costs(hass, world)).values()) == [0.2] * 4


async def test_each_day_has_a_standing_charge(
    hass: HomeAssistant, world: World, begin: Any
) -> None:
    """A day's energy has the mean price; a day without import is charged, too."""
    # The clock goes forward on the 29th: 23 hours, of which 5 are at night.
    for day in (28, 29):
        span = system_day(date(2026, 3, day), BERLIN)
        await record_energy(hass, world, {span.start: 4600}, length=span.length)
    await record_energy(hass, world, {hour(3): 0})
    night = {"price": "0.10", "start": "00:00", "end": "06:00"}
    await begin(
        {"kind": "time_of_use", "price": "0.30", "periods": [night]}
        | {"standing_charge": "0.5"}
    )
    paid = list((await costs(hass, world)).values())
    assert paid == pytest.approx(
        [
            4.6 * (6 * 0.10 + 18 * 0.30) / 24 + 0.5,
            4.6 * (5 * 0.10 + 18 * 0.30) / 23 + 0.5,
            0.5,
        ],
        abs=1e-9,
    )


async def test_hour_is_priced_when_its_price_arrives(
    hass: HomeAssistant, world: World, begin: Any
) -> None:
    """An hour waits for its price; units are converted; prices may be negative."""
    await record_energy(hass, world, {hour(number): 1000 for number in range(4)})
    await record_spot_prices(hass, {hour(0): 80.0, hour(1): -20.0}, "EUR/MWh")
    entry, subentry = await begin(spot())
    assert await costs(hass, world) == {hour(0): 0.08, hour(1): -0.02}
    await record_spot_prices(hass, {hour(3): 100.0}, "EUR/MWh")
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    expected = {hour(0): 0.08, hour(1): -0.02, hour(3): 0.1}
    assert await costs(hass, world) == expected
    await record_spot_prices(hass, {hour(2): 200.0}, "EUR/MWh")
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert await costs(hass, world) == expected | {hour(2): 0.2}
    # Hours without a price in the corrected tariff cost nothing yet.
    unknown = {"kind": "entity", "entity_id": "sensor.nobody"}
    await change(hass, entry, subentry, unknown)
    assert set((await costs(hass, world)).values()) == {0.0}


async def test_tariff_follows_a_renamed_price_entity(
    hass: HomeAssistant,
    world: World,
    begin: Any,
    entity_registry: er.EntityRegistry,
    writes: Writes,
) -> None:
    """Past costs stay as they are; later hours take the price of the new id."""
    entity_registry.async_get_or_create(
        "sensor", "template", "spot", suggested_object_id=SPOT.removeprefix("sensor.")
    )
    await record_energy(hass, world, {hour(number): 1000 for number in range(3)})
    await record_spot_prices(hass, {hour(0): 0.1, hour(1): 0.2}, "EUR/kWh")
    damaged = {"kind": "nonsense", "entity_id": None}
    entry, subentry = await begin(spot(), damaged)
    array = ConfigSubentry(
        data=MappingProxyType({"system": world.system.system_id, "panels": []}),
        subentry_type=SUBENTRY_ARRAY,
        title="South roof",
        unique_id=None,
    )
    hass.config_entries.async_add_subentry(entry, array)
    await hass.async_block_till_done(wait_background_tasks=True)
    before = {hour(0): 0.1, hour(1): 0.2}
    assert await costs(hass, world) == before
    writes.rows.clear()
    calls = len(world.calls)
    for name in ("sensor.a_price", "sensor.market_price"):
        entity_registry.async_update_entity(
            entity_registry.async_get_entity_id("sensor", "template", "spot") or SPOT,
            new_entity_id=name,
        )
    await hass.async_block_till_done(wait_background_tasks=True)
    versions = entry.subentries[subentry.subentry_id].data["versions"]
    assert versions == [{**spot(), "entity_id": "sensor.market_price"}, damaged]
    assert entry.subentries[array.subentry_id].data == array.data
    assert await costs(hass, world) == before
    assert not writes.rows
    await record_spot_prices(
        hass, {hour(2): 0.3}, "EUR/kWh", entity_id="sensor.market_price"
    )
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert await costs(hass, world) == before | {hour(2): 0.3}
    assert len(world.calls) == calls


async def test_each_import_looks_for_late_prices(
    hass: HomeAssistant, world: World, begin: Any, freezer: FrozenDateTimeFactory
) -> None:
    """Also for hours that the import does not contain."""
    known = {hour(number, 12): 0.1 + number / 100 for number in range(48)}
    await record_spot_prices(hass, known, "EUR/kWh")
    await begin(spot(), options={"energy_updates": 24, "history": "none"})
    await advance(hass, freezer, timedelta(minutes=5), step=timedelta(minutes=1))
    hourly = await recorded(hass, world.system.system_id, Flow.GRID_IMPORT)
    assert set(await costs(hass, world)) == known.keys() & hourly.keys()
    late = {hour(number, 10): 0.2 for number in range(72)}
    await record_spot_prices(hass, late, "EUR/kWh")
    await advance(hass, freezer, timedelta(hours=2), step=timedelta(minutes=20))
    found = await costs(hass, world)
    prices = known | late
    assert found == {
        start: pytest.approx(energy * prices[start] / 1000, abs=1e-9)
        for start, energy in hourly.items()
        if start in prices
    }
    assert len(found) > 48


async def test_tariff_added_again_prices_hours_in_between(
    hass: HomeAssistant, world: World, begin: Any
) -> None:
    """Rows stay while the tariff is removed."""
    await record_energy(hass, world, {hour(0): 1000})
    entry, subentry = await begin(fixed("0.30"))
    assert hass.states.get("sensor.hilltop_cost_today") is not None
    hass.config_entries.async_remove_subentry(entry, subentry.subentry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    await record_energy(hass, world, {hour(1): 1000})
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert await costs(hass, world) == {hour(0): 0.3}
    add_tariff(hass, world, entry, fixed("0.30"))
    await hass.async_block_till_done(wait_background_tasks=True)
    assert await costs(hass, world) == {hour(0): 0.3, hour(1): 0.3}


async def test_other_currency_changes_only_the_unit_of_costs(
    hass: HomeAssistant, world: World, begin: Any
) -> None:
    """Amounts are not converted."""
    await record_energy(hass, world, {hour(0): 1000})
    await begin(fixed("0.30"))
    await hass.config.async_update(currency="CHF")
    await hass.async_block_till_done(wait_background_tasks=True)
    found = await get_instance(hass).async_add_executor_job(list_statistic_ids, hass)
    [cost] = [each for each in found if each["statistic_id"].endswith(COST)]
    assert cost["statistics_unit_of_measurement"] == "CHF"
    assert await costs(hass, world) == {hour(0): 0.3}
    shown = hass.states.get("sensor.hilltop_cost_today")
    assert shown is not None
    assert shown.attributes["unit_of_measurement"] == "CHF"


@pytest.mark.usefixtures("entity_registry_enabled_by_default")
async def test_sensors_change_their_period_at_midnight(
    hass: HomeAssistant,
    world: World,
    begin: Any,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Today becomes yesterday, this month last month, without a call."""
    freezer.move_to("2026-06-30 21:30:00+00:00")
    for flow, energy in (
        (Flow.GRID_IMPORT, 1000),
        (Flow.GRID_EXPORT, 2000),
        (Flow.CONSUMPTION, 5000),
    ):
        await record_energy(
            hass, world, {hour(3, 30): energy, hour(4, 30): energy}, flow
        )
        await record_energy(hass, world, {hour(3, 29): energy}, flow)
    entry, _ = await begin(fixed("0.30"))
    add_tariff(hass, world, entry, fixed("0.10"), direction="export")
    await hass.async_block_till_done(wait_background_tasks=True)

    def shown(what: str) -> list[float | None]:
        periods = ("today", "yesterday", "this_month", "last_month")
        states = [hass.states.get(f"sensor.hilltop_{what}_{each}") for each in periods]
        return [
            None if each is None or each.state == "unknown" else float(each.state)
            for each in states
        ]

    assert shown("cost") == [0.6, 0.3, 0.9, None]
    assert shown("compensation") == [0.4, 0.2, 0.6, None]
    assert shown("net_cost") == [0.2, 0.1, 0.3, None]
    assert shown("savings") == [2.8, None, 4.2, None]
    calls = len(world.calls)
    await advance(hass, freezer, timedelta(minutes=31), step=timedelta(minutes=31))
    assert len(world.calls) - calls <= 3
    assert shown("cost") == [None, 0.6, None, 0.9]
    assert shown("savings") == [None, None, None, 4.2]
    # Hours without known consumption save nothing.
    await record_energy(hass, world, {hour(5, 30): 1000})
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert shown("cost")[3] == 1.2
    assert shown("savings")[3] == 4.2


async def test_cost_of_yesterday_is_never_that_of_today(
    hass: HomeAssistant,
    world: World,
    begin: Any,
    freezer: FrozenDateTimeFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where the database fails at midnight, the costs of the new day are unknown."""

    async def fail(*_: object, **__: object) -> None:
        raise RuntimeError("The database is locked")

    freezer.move_to("2026-06-17 21:30:00+00:00")
    await record_energy(hass, world, {hour(3, 17): 1000})
    await begin(fixed("0.30"))
    assert state(hass, "sensor.hilltop_cost_today") == "0.3"
    module = "custom_components.enphase_cloud.coordinator.cost_statistics"
    with monkeypatch.context() as failing:
        failing.setattr(f"{module}.async_recorded_hours", fail)
        await advance(hass, freezer, timedelta(minutes=35), step=timedelta(minutes=35))
        assert state(hass, "sensor.hilltop_cost_today") == "unknown"
        assert state(hass, "sensor.hilltop_net_cost_this_month") == "unknown"
    await advance(hass, freezer, timedelta(minutes=5), step=timedelta(minutes=5))
    assert state(hass, "sensor.hilltop_cost_today") == "unknown"
    assert state(hass, "sensor.hilltop_net_cost_this_month") == "0.3"


async def test_costs_are_completed_after_a_crash(
    hass: HomeAssistant,
    world: World,
    begin: Any,
    hass_storage: dict[str, Any],
) -> None:
    """Prices again from the stored start on; with a damaged store, all hours."""
    days = [datetime(2026, month, 3, 10, tzinfo=UTC) for month in (1, 2, 3)]
    await record_energy(hass, world, dict.fromkeys(days, 1000))
    entry, _ = await begin(fixed("0.30"))
    await record_energy(hass, world, {days[1]: 2000})
    await hass.config_entries.async_unload(entry.entry_id)
    kept = hass_storage[f"enphase_cloud.{entry.entry_id}"]["data"]["systems"]
    priced = kept[str(world.system.system_id)]["priced"]
    assert priced["import"]["due"] is None
    priced["import"]["due"] = days[1].timestamp()
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert list((await costs(hass, world)).values()) == [0.3, 0.6, 0.3]
    await record_energy(hass, world, {days[0]: 3000})
    await hass.config_entries.async_unload(entry.entry_id)
    kept = hass_storage[f"enphase_cloud.{entry.entry_id}"]["data"]["systems"]
    kept[str(world.system.system_id)]["priced"] = {"import": {"tariff": 5}, "x": {}}
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert list((await costs(hass, world)).values()) == [0.9, 0.6, 0.3]


async def test_failure_of_the_database_is_logged_and_repaired(
    hass: HomeAssistant,
    world: World,
    begin: Any,
    freezer: FrozenDateTimeFactory,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Energy is still imported, and the next import prices the missing hours."""

    async def fail(*_: object, **__: object) -> None:
        raise RuntimeError("The database is locked")

    await begin(fixed("0.30"), options={"energy_updates": 24, "history": "none"})
    module = "custom_components.enphase_cloud.coordinator.cost_statistics"
    with monkeypatch.context() as failing:
        failing.setattr(f"{module}.async_write_hours", fail)
        await advance(hass, freezer, timedelta(minutes=5), step=timedelta(minutes=1))
    assert "RuntimeError" in caplog.text
    assert await recorded(hass, world.system.system_id, Flow.GRID_IMPORT)
    assert not await costs(hass, world)
    await advance(hass, freezer, timedelta(hours=2), step=timedelta(minutes=20))
    hourly = await recorded(hass, world.system.system_id, Flow.GRID_IMPORT)
    found = await costs(hass, world)
    assert found == {
        start: pytest.approx(energy * 0.0003) for start, energy in hourly.items()
    }


async def test_damaged_tariffs_are_skipped(
    hass: HomeAssistant, world: World, begin: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """With one warning for each; valid ones are used."""
    await record_energy(hass, world, {hour(0): 1000})
    entry, _ = await begin({"kind": "free"}, fixed("0.30"))
    assert caplog.text.count("Prices of a tariff cannot be read") == 1
    add_tariff(hass, world, entry, fixed("0.30"), direction="sideways")
    for kind, system in (("array", world.system.system_id), (SUBENTRY_TARIFF, 1)):
        data = {"system": system, "direction": "export", "panels": []}
        other = ConfigSubentry(
            data=MappingProxyType(data | {"versions": [fixed("1")]}),
            subentry_type=kind,
            title="Another",
            unique_id=None,
        )
        hass.config_entries.async_add_subentry(entry, other)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert "A tariff cannot be read" in caplog.text
    assert await costs(hass, world) == {hour(0): 0.3}
    assert hass.states.get("sensor.hilltop_net_cost_today") is not None
    assert not await costs(hass, world, COMPENSATION)


async def test_system_without_a_tariff_has_no_costs(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """It has neither sensors nor statistics."""
    await record_energy(hass, world, {hour(0): 1000})
    await set_up(options=AT_REST)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert not await costs(hass, world)
    assert hass.states.get("sensor.hilltop_cost_today") is None
