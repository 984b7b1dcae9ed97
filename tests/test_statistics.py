"""Energy in the recorder: exact, corrected, and never counted twice."""

import asyncio
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from math import isclose
from random import Random
from typing import override
from zoneinfo import ZoneInfo

from homeassistant.components.recorder.models import (
    StatisticData,
    StatisticMeanType,
    StatisticMetaData,
)
from homeassistant.components.recorder.statistics import (
    StatisticsRow,
    async_add_external_statistics,
    list_statistic_ids,
    statistics_during_period,
    valid_statistic_id,
)
from homeassistant.components.recorder.tasks import SynchronizeTask
from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.recorder import get_instance
import pytest

from custom_components.enphase_cloud.api import (
    AbstractAuth,
    EnphaseCloudClient,
    QuotaExceededError,
    interval_query,
)
from custom_components.enphase_cloud.api.endpoints import (
    BATTERY_LIFETIME,
    BATTERY_TELEMETRY,
    CONSUMPTION_LIFETIME,
    CONSUMPTION_TELEMETRY,
    EXPORT_LIFETIME,
    EXPORT_TELEMETRY,
    IMPORT_LIFETIME,
    IMPORT_TELEMETRY,
    PRODUCTION_LIFETIME,
    PRODUCTION_METER_TELEMETRY,
)
from custom_components.enphase_cloud.coordinator.statistics import (
    StatisticsImporter,
    statistic_id,
)
from custom_components.enphase_cloud.energy.parsing import (
    battery_intervals,
    readings_of_days,
    readings_of_intervals,
    system_day,
)
from custom_components.enphase_cloud.energy.readings import (
    HOUR,
    NO_READINGS,
    Reading,
    Readings,
    Span,
    hourly,
    merge_readings,
)
from custom_components.enphase_cloud.measurements.catalog import Flow
from custom_components.enphase_cloud.measurements.system import SystemInfo

from .conftest import World
from .energy_helpers import FLOWS

# The recorder must be set up before Home Assistant.
pytestmark = pytest.mark.usefixtures("recorder_mock")

SYSTEM_ID = 4_711_001
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
FETCHED_AT = datetime(2026, 6, 1, tzinfo=UTC)
# Its midnight is 15 min past an hour of UTC.
KATHMANDU = ZoneInfo("Asia/Kathmandu")
DAY_ONE = date(2026, 5, 1)
DAY = system_day(DAY_ONE, KATHMANDU)
FIRST, *_ = DAY.hours


@pytest.fixture
def importer(hass: HomeAssistant) -> StatisticsImporter:
    """Return the importer of a system in Nepal."""
    return StatisticsImporter(
        hass, SystemInfo(system_id=SYSTEM_ID, name="Hilltop", time_zone=KATHMANDU)
    )


def reading(energy: float, *, is_certain: bool = True) -> Reading:
    """Return a reading of a response [Wh]."""
    return Reading(is_certain=is_certain, fetched_at=FETCHED_AT, energy=energy)


def hours(energy: Mapping[int, float], *, is_certain: bool = True) -> Readings:
    """Return readings of hours by their position after the first hour [Wh]."""
    return {
        Span(FIRST + position * HOUR, HOUR): reading(value, is_certain=is_certain)
        for position, value in energy.items()
    }


async def written(hass: HomeAssistant) -> None:
    """Wait until the recorder has completed its tasks."""
    done = hass.loop.create_future()
    get_instance(hass).queue_task(SynchronizeTask(done))
    await done


async def recorded(
    hass: HomeAssistant, flow: Flow = Flow.PRODUCTION, system_id: int = SYSTEM_ID
) -> list[StatisticsRow]:
    """Return the rows of a statistic [Wh], rounded as readers of kWh do."""
    statistic = statistic_id(system_id, flow)
    found: dict[str, list[StatisticsRow]]
    found = await get_instance(hass).async_add_executor_job(
        statistics_during_period,
        hass,
        LONG_AGO,
        None,
        {statistic},
        "hour",
        {"energy": "Wh"},
        {"change", "state", "sum"},
    )
    rows = found.get(statistic, [])
    for row in rows:
        for column in ("change", "state", "sum"):
            whole = round(row[column] or 0)
            assert isclose(row[column] or 0, whole, abs_tol=1e-6)
            row[column] = whole
    return rows


async def changes(
    hass: HomeAssistant, flow: Flow = Flow.PRODUCTION
) -> dict[int, float | None]:
    """Return the change in each hour by its position, as the dashboard does [Wh]."""
    rows = await recorded(hass, flow)
    sums = [row["sum"] or 0 for row in rows]
    assert sums == sorted(sums)
    assert [row["state"] for row in rows] == [row["change"] for row in rows]
    return {
        round((row["start"] - FIRST.timestamp()) / 3600): row["change"] for row in rows
    }


@pytest.mark.parametrize("flow", Flow)
async def test_statistic_meets_the_requirements_of_the_dashboard(
    hass: HomeAssistant, importer: StatisticsImporter, flow: Flow
) -> None:
    """Each flow has its own statistic, with a sum of energy."""
    imported = await importer.async_import(flow, hours({0: 1_500, 1: 0, 2: 250}))
    assert imported.changed == FIRST
    (metadata,) = await get_instance(hass).async_add_executor_job(
        list_statistic_ids, hass
    )
    assert valid_statistic_id(metadata["statistic_id"])
    assert metadata["statistic_id"] == f"enphase_cloud:{SYSTEM_ID}_{flow}"
    assert metadata["source"] == "enphase_cloud"
    assert metadata["has_sum"] is True
    assert metadata["unit_class"] == "energy"
    assert metadata["statistics_unit_of_measurement"] == "kWh"
    assert str(metadata["name"]).startswith("Hilltop ")
    assert await changes(hass, flow) == {0: 1_500, 1: 0, 2: 250}


async def test_each_flow_has_a_name(
    hass: HomeAssistant, importer: StatisticsImporter
) -> None:
    """The user sees names, not statistic ids."""
    for flow in Flow:
        await importer.async_import(flow, hours({0: 1}))
    listed = await get_instance(hass).async_add_executor_job(list_statistic_ids, hass)
    assert len({metadata["name"] for metadata in listed}) == len(Flow)


async def test_readings_without_whole_hours_write_nothing(
    hass: HomeAssistant, importer: StatisticsImporter
) -> None:
    """Neither empty readings nor parts of an hour make a statistic."""
    assert (await importer.async_import(Flow.PRODUCTION, NO_READINGS)).changed is None
    part = {Span(FIRST, timedelta(minutes=15)): reading(5)}
    assert (await importer.async_import(Flow.PRODUCTION, part)).changed is None
    assert await recorded(hass) == []


async def test_importing_twice_changes_nothing(
    hass: HomeAssistant, importer: StatisticsImporter
) -> None:
    """The second import writes nothing."""
    window = hours({0: 100, 1: 200, 30: 300})
    await importer.async_import(Flow.PRODUCTION, window)
    before = await recorded(hass)
    assert (await importer.async_import(Flow.PRODUCTION, window)).changed is None
    assert await recorded(hass) == before


async def test_correction_changes_its_hour_and_all_later_sums(
    hass: HomeAssistant, importer: StatisticsImporter
) -> None:
    """No other hour changes its energy."""
    await importer.async_import(Flow.PRODUCTION, hours(dict.fromkeys(range(60), 100)))
    changed = (await importer.async_import(Flow.PRODUCTION, hours({30: 40}))).changed
    assert changed == FIRST + 30 * HOUR
    assert await changes(hass) == dict.fromkeys(range(60), 100) | {30: 40}
    assert (await recorded(hass))[-1]["sum"] == 59 * 100 + 40


async def test_sum_continues_after_a_gap(
    hass: HomeAssistant, importer: StatisticsImporter
) -> None:
    """An import weeks later does not start a new sum."""
    await importer.async_import(Flow.PRODUCTION, hours({0: 100, 1: 200}))
    await importer.async_import(Flow.PRODUCTION, hours({1_000: 50}))
    assert [row["sum"] for row in await recorded(hass)] == [100, 300, 350]


async def test_older_window_raises_later_sums(
    hass: HomeAssistant, importer: StatisticsImporter
) -> None:
    """History may be imported after newer energy."""
    await importer.async_import(Flow.PRODUCTION, hours({1_000: 50}))
    await importer.async_import(Flow.PRODUCTION, hours({0: 100, 1: 200}))
    assert [row["sum"] for row in await recorded(hass)] == [100, 300, 350]


async def test_windows_in_any_order_give_the_same_rows(
    hass: HomeAssistant, importer: StatisticsImporter
) -> None:
    """Windows overlap and repeat."""
    random = Random(5)
    truth = {position: random.randrange(2_000) for position in range(120)}
    windows = [
        hours({at: truth[at] for at in range(start, min(start + 20, 120))})
        for start in range(0, 120, 13)
    ]
    ordered = [Flow.PRODUCTION, Flow.CONSUMPTION, Flow.GRID_IMPORT]
    for flow in ordered:
        shuffled = windows * 2
        random.shuffle(shuffled)
        for window in shuffled:
            await importer.async_import(flow, window)
    for flow in ordered:
        assert await changes(hass, flow) == truth


async def test_imports_at_the_same_time_lose_nothing(
    hass: HomeAssistant, importer: StatisticsImporter
) -> None:
    """Imports run one after another."""
    await asyncio.gather(
        *(
            importer.async_import(Flow.PRODUCTION, hours({position: 10}))
            for position in (3, 1, 2, 0)
        )
    )
    assert await changes(hass) == dict.fromkeys(range(4), 10)


async def test_response_of_zeros_erases_nothing(
    hass: HomeAssistant, importer: StatisticsImporter
) -> None:
    """Uncertain zeros do not replace energy in the recorder; certain zeros do."""
    await importer.async_import(Flow.PRODUCTION, hours({0: 100}))
    zeros = hours({0: 0, 1: 0}, is_certain=False)
    await importer.async_import(Flow.PRODUCTION, zeros)
    assert await changes(hass) == {0: 100, 1: 0}
    await importer.async_import(Flow.PRODUCTION, hours({0: 0, 1: 7}))
    assert await changes(hass) == {0: 0, 1: 7}


async def test_hours_replace_the_row_of_their_day(
    hass: HomeAssistant, importer: StatisticsImporter
) -> None:
    """While they arrive, window by window, the day keeps its energy."""
    tomorrow = system_day(date(2026, 5, 2), KATHMANDU)
    totals = {DAY: reading(2_400), tomorrow: reading(1_000)}
    await importer.async_import(Flow.PRODUCTION, totals)
    assert await changes(hass) == {0: 2_400, 24: 1_000}
    for window in (range(10, 14), range(12, 20), range(2), range(20, 24), range(2, 10)):
        await importer.async_import(Flow.PRODUCTION, hours(dict.fromkeys(window, 100)))
        assert sum((await changes(hass)).values()) == 3_400
    assert await changes(hass) == dict.fromkeys(range(24), 100) | {24: 1_000}
    # The total of a day is ignored once its hours are imported.
    assert (await importer.async_import(Flow.PRODUCTION, totals)).changed is None


async def test_import_by_windows_equals_import_at_once(
    hass: HomeAssistant, importer: StatisticsImporter
) -> None:
    """Windows imported one by one give the same rows as all together."""
    responses = [
        {DAY: reading(5_000)},
        hours({1: 700, 2: 0, 23: 60}),
        hours({0: 300}),
        hours({1: 650, 24: 9}),
    ]
    known = NO_READINGS
    for number, response in enumerate(responses):
        at = FETCHED_AT + number * HOUR
        dated = {
            span: Reading(is_certain=True, fetched_at=at, energy=each.energy)
            for span, each in response.items()
        }
        known = merge_readings(known, dated)
        await importer.async_import(Flow.CONSUMPTION, dated)
        expected = [energy.energy for energy in hourly(known).values()]
        assert list((await changes(hass, Flow.CONSUMPTION)).values()) == expected


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.thorough
async def test_import_of_days_and_hours_in_any_order(
    hass: HomeAssistant, importer: StatisticsImporter, seed: int
) -> None:
    """Also with corrections and insertions between existing rows."""
    random = Random(seed)
    days = [
        system_day(DAY_ONE + timedelta(days=number), KATHMANDU)
        for number in (0, 1, 2, 9, 10)
    ]
    known = NO_READINGS
    for number in range(12):
        day = random.choice(days)
        first, length = random.randrange(24), random.randrange(1, 30)
        at = FETCHED_AT + number * HOUR
        spans = (
            [day]
            if random.random() < 0.4
            else [
                Span(next(day.hours) + position * HOUR, HOUR)
                for position in range(first, first + length)
            ]
        )
        response = {
            span: Reading(
                is_certain=True,
                fetched_at=at,
                energy=random.randrange(100) * (span.length // HOUR),
            )
            for span in spans
        }
        known = merge_readings(known, response)
        await importer.async_import(Flow.PRODUCTION, response)
        expected = {
            round((hour - FIRST) / HOUR): each.energy
            for hour, each in hourly(known).items()
        }
        # A row without energy of its own has a change of zero.
        assert dict.fromkeys(await changes(hass), 0) | expected == await changes(hass)


async def test_repairs_wrong_sums(
    hass: HomeAssistant, importer: StatisticsImporter
) -> None:
    """The energy of the cloud replaces the wrong rows, and sums rise again."""
    await importer.async_import(Flow.PRODUCTION, hours({0: 100, 1: 100, 2: 100}))
    get_instance(hass).async_adjust_statistics(
        statistic_id(SYSTEM_ID, Flow.PRODUCTION), FIRST + HOUR, -500, "Wh"
    )
    await written(hass)
    window = hours({0: 100, 1: 100, 2: 100})
    imported = await importer.async_import(Flow.PRODUCTION, window)
    assert imported.changed == FIRST + HOUR
    sums = [row["sum"] or 0 for row in await recorded(hass)]
    assert [later - sooner for sooner, later in pairwise(sums)] == [100, 100]


async def write_foreign(
    hass: HomeAssistant, unit: str | None, unit_class: str | None
) -> None:
    """Write three hours of 1.5 each under our id, as another program could."""
    async_add_external_statistics(
        hass,
        StatisticMetaData(
            mean_type=StatisticMeanType.NONE,
            has_sum=True,
            name="Foreign",
            source="enphase_cloud",
            statistic_id=statistic_id(SYSTEM_ID, Flow.PRODUCTION),
            unit_class=unit_class,
            unit_of_measurement=unit,
        ),
        [
            StatisticData(
                start=FIRST + number * HOUR, state=1.5, sum=1.5 * (number + 1)
            )
            for number in range(3)
        ],
    )
    await written(hass)


@pytest.mark.parametrize(("unit", "wh"), [("MWh", 1_500_000), ("kWh", 1_500)])
async def test_rows_in_another_unit_of_energy_are_converted(
    hass: HomeAssistant, importer: StatisticsImporter, unit: str, wh: int
) -> None:
    """Rows in MWh become rows in kWh with the same energy; those in kWh stay."""
    await write_foreign(hass, unit, "energy")
    await importer.async_import(Flow.PRODUCTION, hours({3: 700}))
    assert await changes(hass) == {0: wh, 1: wh, 2: wh, 3: 700}
    sums = [row["sum"] for row in await recorded(hass)]
    assert sums == [wh, 2 * wh, 3 * wh, 3 * wh + 700]
    (metadata,) = await get_instance(hass).async_add_executor_job(
        list_statistic_ids, hass
    )
    assert metadata["statistics_unit_of_measurement"] == "kWh"
    assert not importer.foreign


@pytest.mark.parametrize(("unit", "unit_class"), [("m³", "volume"), (None, None)])
async def test_rows_of_another_quantity_are_kept(
    hass: HomeAssistant,
    importer: StatisticsImporter,
    caplog: pytest.LogCaptureFixture,
    unit: str | None,
    unit_class: str | None,
) -> None:
    """The import writes nothing and warns once; it continues after they are cleared."""
    await write_foreign(hass, unit, unit_class)
    statistic = statistic_id(SYSTEM_ID, Flow.PRODUCTION)
    for _ in range(2):
        assert (
            await importer.async_import(Flow.PRODUCTION, hours({3: 700}))
        ).changed is None
        assert importer.foreign == {statistic}
    assert caplog.text.count("is not imported") == 1
    found = await get_instance(hass).async_add_executor_job(list_statistic_ids, hass)
    assert [each["statistics_unit_of_measurement"] for each in found] == [unit]
    get_instance(hass).async_clear_statistics([statistic])
    await written(hass)
    await importer.async_import(Flow.PRODUCTION, hours({3: 700}))
    assert await changes(hass) == {3: 700}
    assert not importer.foreign


@pytest.mark.parametrize("zone", ["Pacific/Honolulu", "Pacific/Auckland", "Asia/Tokyo"])
async def test_change_of_time_zone_keeps_all_energy(
    hass: HomeAssistant, importer: StatisticsImporter, zone: str
) -> None:
    """Days imported before keep their energy, though they begin at another hour."""
    totals = {
        system_day(date(2026, 5, day), KATHMANDU): reading(1_000) for day in range(1, 9)
    }
    await importer.async_import(Flow.PRODUCTION, totals)
    moved = StatisticsImporter(
        hass, SystemInfo(system_id=SYSTEM_ID, name="Hilltop", time_zone=ZoneInfo(zone))
    )
    await moved.async_import(Flow.PRODUCTION, hours({30: 5}))
    assert sum((await changes(hass)).values()) == 8_000


class OwnersToken(AbstractAuth):
    """A valid token of the owner."""

    def __init__(self, world: World) -> None:
        token = world.cloud.tokens_for(world.application, world.owner)
        self._token = str(token["access_token"])

    @override
    async def async_get_access_token(self, *, rejected: str | None = None) -> str:
        return self._token


class OpenGate:
    """A budget that permits every request."""

    def attempt(self, operation: str) -> AbstractAsyncContextManager[OpenGate]:
        """Permit a request."""
        return nullcontext(self)

    def on_response(self, status: int, date: datetime | None) -> None:
        """Do nothing."""

    async def on_quota_error(self, err: QuotaExceededError) -> None:
        """Do nothing."""


class History:
    """Imports a system's documents through the client into statistics."""

    def __init__(
        self, hass: HomeAssistant, world: World, zone: str, now: datetime
    ) -> None:
        world.cloud.now = lambda: now
        self.now = now
        self.system = world.add_system(
            time_zone=zone,
            latitude=40,
            battery=1,
            commissioned=(now - timedelta(days=12)).date(),
        )
        self.system_id = self.system.system_id
        self.truth = world.cloud.truth(self.system_id)
        self._zone = ZoneInfo(zone)
        self._client = EnphaseCloudClient(
            async_get_clientsession(hass),
            OwnersToken(world),
            world.application.api_key,
            OpenGate(),
            url=world.url,
        )
        self._importer = StatisticsImporter(
            hass,
            SystemInfo(system_id=self.system_id, name="Moved", time_zone=self._zone),
        )

    async def import_days(self) -> None:
        """Import the totals of all days."""
        batteries = await self._client.get(BATTERY_LIFETIME, system_id=self.system_id)
        totals = {
            Flow.BATTERY_CHARGE: batteries.charged,
            Flow.BATTERY_DISCHARGE: batteries.discharged,
        } | {
            flow: await self._client.get(endpoint, system_id=self.system_id)
            for flow, endpoint in {
                Flow.PRODUCTION: PRODUCTION_LIFETIME,
                Flow.CONSUMPTION: CONSUMPTION_LIFETIME,
                Flow.GRID_IMPORT: IMPORT_LIFETIME,
                Flow.GRID_EXPORT: EXPORT_LIFETIME,
            }.items()
        }
        for flow, daily in totals.items():
            readings = readings_of_days(
                daily, fetched_at=self.now, time_zone=self._zone, power_limit=100_000
            )
            await self._importer.async_import(flow, readings)

    async def import_week(self, start_at: datetime) -> None:
        """Import the intervals of a week."""
        query = interval_query(start_at, week=True)
        telemetry = await self._client.get(
            BATTERY_TELEMETRY, query=query, system_id=self.system_id
        )
        documents = dict(battery_intervals(telemetry)) | {
            flow: await self._client.get(
                endpoint, query=query, system_id=self.system_id
            )
            for flow, endpoint in {
                Flow.PRODUCTION: PRODUCTION_METER_TELEMETRY,
                Flow.CONSUMPTION: CONSUMPTION_TELEMETRY,
                Flow.GRID_IMPORT: IMPORT_TELEMETRY,
                Flow.GRID_EXPORT: EXPORT_TELEMETRY,
            }.items()
        }
        for flow, document in documents.items():
            readings = readings_of_intervals(
                document, fetched_at=self.now, power_limit=100_000
            )
            await self._importer.async_import(flow, readings)


@pytest.mark.parametrize("plan", ["partner"])
@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("Europe/Berlin", date(2026, 3, 29)),
        ("Europe/Berlin", date(2026, 10, 25)),
        ("Asia/Kathmandu", date(2026, 6, 1)),
        ("Australia/Lord_Howe", date(2026, 4, 5)),
    ],
)
async def test_days_and_then_hours_equal_the_true_energy(
    hass: HomeAssistant, world: World, zone: str, day: date
) -> None:
    """From the cloud through client and recorder, across a clock change."""
    last = system_day(day, ZoneInfo(zone))
    settled_at = last.start + last.length
    history = History(hass, world, zone, settled_at + 6 * HOUR)
    began_at = datetime.fromtimestamp(history.system.operational_at, UTC)

    await history.import_days()
    for flow, true_flow in FLOWS.items():
        rows = await recorded(hass, flow, history.system_id)
        assert len(rows) >= 11
        assert rows[-1]["sum"] == history.truth.lifetime(true_flow, settled_at)

    for week in (0, 1, 0):
        start_at = began_at.replace(minute=0) + timedelta(weeks=week)
        await history.import_week(start_at)
    for flow, true_flow in FLOWS.items():
        rows = await recorded(hass, flow, history.system_id)
        recorded_hours = {
            datetime.fromtimestamp(row["start"], UTC): row["change"] for row in rows
        }
        # The system's first hour is incomplete in some time zones.
        hour = began_at.replace(minute=0) + HOUR
        while (end := hour + HOUR) <= settled_at:
            assert recorded_hours[hour] == history.truth.energy(true_flow, hour, end)
            hour = end
