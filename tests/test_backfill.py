"""An interrupted import of history completes, and requests no window twice."""

import asyncio
from collections.abc import Generator
from copy import deepcopy
from datetime import UTC, date, datetime, timedelta
from itertools import count
import logging
from random import Random
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.recorder import statistics as recorder_statistics
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from sqlalchemy.exc import OperationalError

from custom_components.enphase_cloud.const import (
    CONF_ENERGY_UPDATES,
    CONF_HISTORY,
    DOMAIN,
)
from custom_components.enphase_cloud.coordinator.statistics import StatisticsImporter
from custom_components.enphase_cloud.energy.import_progress import WEEK
from custom_components.enphase_cloud.energy.readings import HOUR
from custom_components.enphase_cloud.measurements.catalog import Flow
from simulator import Fault

from .conftest import SetUp, World
from .energy_helpers import (
    FLOWS,
    EnergyRequest,
    all_recorded,
    capture_energy_requests,
    hours_between,
    recorded,
    request_counts,
)
from .helpers import fire_timers, state

pytestmark = pytest.mark.usefixtures("recorder_mock")

# The month ends during the import, in UTC.
BEGIN = datetime(2026, 6, 30, 23, 40, tzinfo=UTC)
COMMISSIONED = date(2026, 6, 5)
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
DOCUMENTS = 5
SEEDS = range(6)
IMPORTED = "sensor.hilltop_history_import"


@pytest.fixture(autouse=True)
def _calm_log() -> None:
    """Keep the database from logging each statement."""
    logging.getLogger("sqlalchemy.engine").setLevel(logging.WARNING)


@pytest.fixture
def system_properties() -> dict[str, Any]:
    """Return a system that is four weeks old, and whose cloud corrects nothing."""
    return {
        "name": "Hilltop",
        "battery": 1,
        "time_zone": "Europe/Berlin",
        "latitude": 45,
        "commissioned": COMMISSIONED,
        "corrections": False,
    }


@pytest.fixture(autouse=True)
def _month_end(freezer: FrozenDateTimeFactory) -> None:
    freezer.move_to(BEGIN)


@pytest.fixture
def requested() -> Generator[list[EnergyRequest]]:
    """Collect the requests for energy."""
    with capture_energy_requests() as requested:
        yield requested


def options() -> dict[str, Any]:
    """Return the options of an entry that imports all hours."""
    return {CONF_ENERGY_UPDATES: 1, CONF_HISTORY: "hour"}


async def tick(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> None:
    """Let a minute pass, in which one call is made."""
    freezer.tick(MINUTE)
    fire_timers(hass)
    await hass.async_block_till_done(wait_background_tasks=True)


async def finish(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, *, minutes: int = 90
) -> int:
    """Finish the import; return how many minutes it took."""
    for minute in range(minutes):
        await tick(hass, freezer)
        if state(hass, IMPORTED) == "100.0":
            return minute + 1
    pytest.fail(f"Only {state(hass, IMPORTED)} % are imported")


async def assert_history_is_complete(hass: HomeAssistant, world: World) -> None:
    """Compare the statistics with the truth, hour by hour."""
    truth = world.cloud.truth(world.system.system_id)
    began_at = datetime.fromtimestamp(world.system.operational_at, UTC)
    for flow, hourly in (await all_recorded(hass, world.system.system_id)).items():
        hours = hours_between(began_at, BEGIN - HOUR)
        assert {hour: hourly.get(hour) for hour in hours} == {
            hour: truth.energy(FLOWS[flow], hour, hour + HOUR) for hour in hours
        }, flow


def assert_no_window_is_requested_twice(
    requested: list[EnergyRequest], *, again: int = 0
) -> None:
    """Allow `again` repeated requests, for windows that were interrupted."""
    history = request_counts(
        [each for each in requested if each[1] is None or each[1] < BEGIN - WEEK]
    )
    # All days, and the weeks before the last one.
    assert len(history) == DOCUMENTS * 4
    repeated = history.total() - len(history)
    updates = [start for _, start in requested if start and start >= BEGIN - WEEK]
    # The last week, from an hour on; the update of the next day begins at its end.
    first = [start for start in updates if start < BEGIN - WEEK + DAY]
    assert repeated + len(first) - DOCUMENTS <= again


async def test_uninterrupted_import_requests_each_window_once(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    requested: list[EnergyRequest],
) -> None:
    """The interrupted imports below have the same result."""
    await set_up(options=options())
    shares: list[float] = []
    for _ in range(DOCUMENTS * 5 + 2):
        await tick(hass, freezer)
        if state(hass, IMPORTED) != "unknown":
            shares.append(float(state(hass, IMPORTED)))
    assert shares == sorted(shares)
    assert shares[-1] == 100
    assert_no_window_is_requested_twice(requested)
    await assert_history_is_complete(hass, world)


@pytest.mark.parametrize("number", range(4))
async def test_write_refused_by_the_database_is_repeated(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    requested: list[EnergyRequest],
    monkeypatch: pytest.MonkeyPatch,
    number: int,
) -> None:
    """The recorder drops it; else the total of a day would stay at its first hour."""
    write = recorder_statistics.import_statistics
    writes = count()

    def refuse_one(instance: Any, metadata: Any, *args: Any) -> bool:
        is_of_flow = metadata["statistic_id"].endswith(Flow.GRID_IMPORT)
        if is_of_flow and next(writes) == number:
            raise OperationalError("", {}, Exception("database is locked"))
        return write(instance, metadata, *args)

    monkeypatch.setattr(recorder_statistics, "import_statistics", refuse_one)
    await set_up(options=options())
    await finish(hass, freezer)
    assert next(writes) > number
    assert_no_window_is_requested_twice(requested)
    await assert_history_is_complete(hass, world)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.thorough
@pytest.mark.long
async def test_reload_repeats_at_most_one_request(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    requested: list[EnergyRequest],
    seed: int,
) -> None:
    """The reload happens at any point, also during a request."""
    random = Random(seed)
    entry = await set_up(options=options())
    for _ in range(random.randrange(DOCUMENTS * 5)):
        await tick(hass, freezer)
    freezer.tick(MINUTE)
    fire_timers(hass)
    for _ in range(random.randrange(60)):
        await asyncio.sleep(0)
    await hass.config_entries.async_reload(entry.entry_id)
    await finish(hass, freezer)
    assert_no_window_is_requested_twice(requested, again=1)
    await assert_history_is_complete(hass, world)


async def kill(
    hass: HomeAssistant, entry: MockConfigEntry, hass_storage: dict[str, Any]
) -> None:
    """Simulate a kill: the next start finds only what is on the disk.

    The data of the recorder is there: it commits before an import returns.
    """
    on_disk = deepcopy(
        {key: value for key, value in hass_storage.items() if key.startswith(DOMAIN)}
    )
    await hass.config_entries.async_unload(entry.entry_id)
    for key in [key for key in hass_storage if key.startswith(DOMAIN)]:
        del hass_storage[key]
    hass_storage.update(on_disk)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.thorough
@pytest.mark.long
async def test_kill_repeats_at_most_one_request(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    hass_storage: dict[str, Any],
    requested: list[EnergyRequest],
    seed: int,
) -> None:
    """The progress that is not on the disk yet is lost."""
    random = Random(seed)
    entry = await set_up(options=options())
    # After two minutes, the properties of the system are on the disk.
    for _ in range(random.randrange(2, DOCUMENTS * 5)):
        await tick(hass, freezer)
    freezer.tick(MINUTE)
    fire_timers(hass)
    for _ in range(random.randrange(60)):
        await asyncio.sleep(0)
    await kill(hass, entry, hass_storage)
    await finish(hass, freezer)
    assert_no_window_is_requested_twice(requested, again=1)
    await assert_history_is_complete(hass, world)


@pytest.mark.parametrize("flow", [Flow.PRODUCTION, Flow.BATTERY_DISCHARGE])
@pytest.mark.long
async def test_kill_between_recorder_and_store_repeats_one_request(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    hass_storage: dict[str, Any],
    requested: list[EnergyRequest],
    monkeypatch: pytest.MonkeyPatch,
    flow: Flow,
) -> None:
    """Hours in the statistics but not in the stored progress are imported again."""
    entry = await set_up(options=options())
    for _ in range(14):
        await tick(hass, freezer)
    imported = asyncio.Event()
    method = StatisticsImporter.async_import

    async def hang(importer: StatisticsImporter, which: Flow, *args: Any) -> Any:
        result = await method(importer, which, *args)
        if which is flow:
            imported.set()
            await asyncio.Future()
        return result

    monkeypatch.setattr(StatisticsImporter, "async_import", hang)
    for _ in range(DOCUMENTS):
        freezer.tick(MINUTE)
        fire_timers(hass)
        for _ in range(2_000):
            if imported.is_set():
                break
            # Let the threads of the recorder and of the storage run.
            await hass.async_add_executor_job(int)
    assert imported.is_set()
    monkeypatch.setattr(StatisticsImporter, "async_import", method)
    await kill(hass, entry, hass_storage)
    await finish(hass, freezer)
    assert_no_window_is_requested_twice(requested, again=1)
    assert max(request_counts(requested).values()) == 2
    await assert_history_is_complete(hass, world)


@pytest.mark.parametrize("plan", ["watt"])
@pytest.mark.thorough
@pytest.mark.long
async def test_import_pauses_from_month_quota_to_next_month(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    requested: list[EnergyRequest],
) -> None:
    """No request leaves until the month ends; then the import continues."""
    freezer.move_to(BEGIN - 24 * HOUR)
    await set_up(options=options())
    # Late in a month, calls wait a while if no response has given the time yet.
    for _ in range(33):
        await tick(hass, freezer)
    fault = world.cloud.faults.add(Fault(quota="month", times=1))
    for _ in range(20):
        await tick(hass, freezer)
    assert fault.hits == 1
    spent = len(world.cloud.requests)
    for _ in range(10):
        freezer.tick(10 * MINUTE)
        await tick(hass, freezer)
    assert len(world.cloud.requests) == spent
    freezer.move_to(BEGIN + 30 * MINUTE)
    # The free plan has a call for history every few hours.
    for _ in range(300):
        freezer.tick(HOUR)
        await tick(hass, freezer)
        if state(hass, IMPORTED) == "100.0":
            break
    history = request_counts(
        [
            each
            for each in requested
            if each[1] is None or each[1] < BEGIN - WEEK - 3 * HOUR
        ]
    )
    assert history.total() - len(history) <= 1
    assert state(hass, IMPORTED) == "100.0"
    await assert_history_is_complete(hass, world)


@pytest.mark.parametrize(
    ("fault", "seed"),
    [
        *(({"status": 503, "times": 3}, seed) for seed in SEEDS),
        *(({"quota": "minute", "times": 2}, seed) for seed in (0, 5)),
        ({"cut": "before_headers", "times": 2}, 4),
        ({"cut": "mid_body", "times": 2}, 6),
    ],
)
@pytest.mark.thorough
@pytest.mark.long
async def test_failed_requests_are_repeated_and_no_others(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    requested: list[EnergyRequest],
    seed: int,
    fault: dict[str, Any],
) -> None:
    """Each failure costs at most one repeated window."""
    await set_up(options=options())
    for _ in range(Random(seed).randrange(DOCUMENTS * 5)):
        await tick(hass, freezer)
    failing = world.cloud.faults.add(Fault(operation="*lifetime", **fault))
    others = world.cloud.faults.add(Fault(operation="*telemetry*", **fault))
    await finish(hass, freezer, minutes=180)
    failures = failing.hits + others.hits
    assert failures
    assert_no_window_is_requested_twice(requested, again=failures)
    await assert_history_is_complete(hass, world)


async def test_disabled_history_is_not_requested_until_enabled_again(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    requested: list[EnergyRequest],
) -> None:
    """After that, only missing windows are requested."""
    entry = await set_up(options=options())
    for _ in range(15):
        await tick(hass, freezer)
    hass.config_entries.async_update_entry(
        entry, options={**entry.options, CONF_HISTORY: "none"}
    )
    await hass.config_entries.async_reload(entry.entry_id)
    spent = len(requested)
    for _ in range(10):
        await tick(hass, freezer)
    assert len(requested) == spent
    before = await recorded(hass, world.system.system_id, Flow.PRODUCTION)
    assert before
    hass.config_entries.async_update_entry(
        entry, options={**entry.options, CONF_HISTORY: "hour"}
    )
    await hass.config_entries.async_reload(entry.entry_id)
    await finish(hass, freezer)
    weeks = [each for each in requested if each[1] is not None]
    assert max(request_counts(weeks).values()) == 1
    await assert_history_is_complete(hass, world)
