"""Energy of a system: requested within the budget, imported and shown correctly."""

import asyncio
from collections import Counter
from collections.abc import Generator
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import pairwise
import logging
from typing import Any
from unittest.mock import patch
from zoneinfo import ZoneInfo

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import SOURCE_REAUTH
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.enphase_cloud.api import Endpoint, EnphaseCloudClient
from custom_components.enphase_cloud.const import (
    CONF_ENERGY_UPDATES,
    CONF_HISTORY,
    DOMAIN,
)
from custom_components.enphase_cloud.coordinator.statistics import StatisticsImporter
from custom_components.enphase_cloud.energy.import_progress import WEEK, Days
from custom_components.enphase_cloud.energy.readings import HOUR
from custom_components.enphase_cloud.measurements.catalog import Flow
from simulator import Fault, Window
from simulator.moments import epoch

from .conftest import SetUp, World
from .energy_helpers import (
    FLOWS,
    INTERVALS,
    LIFETIMES,
    POLLS,
    EnergyRequest,
    all_recorded,
    capture_energy_requests,
    hours_between,
    recorded,
    request_counts,
)
from .helpers import pass_time, state

pytestmark = pytest.mark.usefixtures("recorder_mock")

NOW = datetime(2026, 6, 17, 12, 3, tzinfo=UTC)
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
UPDATES = 24

advance = partial(pass_time, step=10 * MINUTE)

TODAY = {
    Flow.CONSUMPTION: "sensor.hilltop_consumption_today",
    Flow.GRID_IMPORT: "sensor.hilltop_imported_today",
    Flow.GRID_EXPORT: "sensor.hilltop_exported_today",
    Flow.BATTERY_CHARGE: "sensor.hilltop_charged_today",
    Flow.BATTERY_DISCHARGE: "sensor.hilltop_discharged_today",
}
LIFETIME = {
    Flow.CONSUMPTION: "sensor.hilltop_lifetime_consumption",
    Flow.GRID_IMPORT: "sensor.hilltop_lifetime_imported",
    Flow.GRID_EXPORT: "sensor.hilltop_lifetime_exported",
    Flow.BATTERY_CHARGE: "sensor.hilltop_lifetime_charged",
    Flow.BATTERY_DISCHARGE: "sensor.hilltop_lifetime_discharged",
}


@pytest.fixture(autouse=True)
def _without_sql_in_the_log() -> None:
    """Keep the statements of the database out of the log."""
    logging.getLogger("sqlalchemy.engine").setLevel(logging.WARNING)


@pytest.fixture
def now() -> datetime:
    """Return when a test begins; parametrize to choose another time."""
    return NOW


@pytest.fixture
def system_properties() -> dict[str, Any]:
    """Return a system with all flows, which is six weeks old."""
    return {
        "name": "Hilltop",
        "battery": 2,
        "time_zone": "Europe/Berlin",
        "latitude": 45,
        "commissioned": date(2026, 5, 1),
    }


@pytest.fixture(autouse=True)
def _noon(freezer: FrozenDateTimeFactory, now: datetime) -> None:
    freezer.move_to(now)


@pytest.fixture
def requested() -> Generator[list[EnergyRequest]]:
    """Return the requests for energy."""
    with capture_energy_requests() as requested:
        yield requested


def options(updates: int = UPDATES, history: str = "day") -> dict[str, Any]:
    """Return the options of an entry."""
    return {CONF_ENERGY_UPDATES: updates, CONF_HISTORY: history}


def watt_hours(hass: HomeAssistant, entity_id: str) -> float | None:
    """Return the state of a sensor [Wh], None where it is unknown."""
    shown = hass.states.get(entity_id)
    if shown is None or shown.state == "unknown":
        return None
    unit = {"kWh": 1_000, "MWh": 1_000_000}[shown.attributes["unit_of_measurement"]]
    return round(float(shown.state) * unit)


def five_minutes_ahead() -> datetime:
    """Return the next multiple of five minutes."""
    ahead = dt_util.utcnow() + 5 * MINUTE
    return ahead.replace(minute=ahead.minute // 5 * 5, second=0, microsecond=0)


def energy_calls(world: World) -> list[str]:
    """Return the requests for documents that only energy needs."""
    return [call for call in world.calls if call in LIFETIMES | INTERVALS]


def properties(zone: str, commissioned: date, **others: Any) -> dict[str, Any]:
    """Return a system in a time zone."""
    return {
        "name": "Hilltop",
        "battery": 2,
        "time_zone": zone,
        "latitude": 45,
        "commissioned": commissioned,
        **others,
    }


async def assert_hours_are_true(
    hass: HomeAssistant, world: World, start: datetime, end: datetime
) -> None:
    """Compare every hour of every flow with the simulator's true energy."""
    truth = world.cloud.truth(world.system.system_id)
    for flow, true_flow in FLOWS.items():
        imported = await recorded(hass, world.system.system_id, flow)
        hours = hours_between(start, end)
        assert hours
        assert {hour: imported.get(hour) for hour in hours} == {
            hour: truth.energy(true_flow, hour, hour + HOUR) for hour in hours
        }, flow


THOROUGH = [pytest.mark.thorough, pytest.mark.long]
CHANGES = pytest.mark.parametrize(
    ("now", "system_properties"),
    [
        pytest.param(
            NOW, properties("Europe/Berlin", date(2026, 5, 1)), marks=THOROUGH
        ),
        pytest.param(
            NOW, properties("Asia/Kathmandu", date(2026, 6, 1)), marks=THOROUGH
        ),
        (
            datetime(2026, 10, 24, 12, 3, tzinfo=UTC),
            properties("Europe/Berlin", date(2026, 9, 1)),
        ),
    ],
    ids=["summer", "odd_offset", "winter_time"],
)


@CHANGES
@pytest.mark.long
async def test_day_of_updates_imports_true_energy(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    requested: list[EnergyRequest],
    now: datetime,
) -> None:
    """Days and the hours of the last week at once, then 24 updates a day."""
    await set_up(options=options())
    await advance(hass, freezer, 12 * MINUTE, step=MINUTE)
    first = Counter(energy_calls(world))
    assert set(first) == LIFETIMES | INTERVALS
    assert all(first[operation] == 1 for operation in LIFETIMES)
    await advance(hass, freezer, 26 * HOUR)
    later = Counter(energy_calls(world)) - first
    length = 25 if now.month == 10 else 24
    assert set(later) == INTERVALS
    assert all(abs(calls - 26 * UPDATES / length) <= 1 for calls in later.values())
    assert sum("battery" in what for what, start in requested if start) == 2
    assert (
        max(request_counts([each for each in requested if each[1] is None]).values())
        == 1
    )

    truth = world.cloud.truth(world.system.system_id)
    zone = ZoneInfo(world.system.time_zone)
    await assert_hours_are_true(
        hass, world, now - WEEK + HOUR, dt_util.utcnow() - 6 * HOUR
    )
    for flow, true_flow in FLOWS.items():
        imported = await recorded(hass, world.system.system_id, flow)
        day = world.system.plant.commissioned + DAY
        while day < (now - WEEK - DAY).astimezone(zone).date():
            midnight = datetime.combine(day, datetime.min.time(), zone)
            hours = hours_between(midnight, midnight + DAY)
            assert sum(imported.get(hour, 0) for hour in hours) == truth.day(
                true_flow, day
            )
            day += DAY


@pytest.mark.parametrize(
    ("now", "system_properties"),
    [
        pytest.param(
            NOW,
            properties("Asia/Kathmandu", date(2026, 6, 1), corrections=False),
            marks=THOROUGH,
        ),
        (
            datetime(2026, 10, 24, 17, 3, tzinfo=UTC),
            properties("Europe/Berlin", date(2026, 9, 1), corrections=False),
        ),
    ],
    ids=["odd_offset", "winter_time"],
)
@pytest.mark.long
async def test_energy_sensors_show_true_energy(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Energy since the system's midnight and in total, up to the newest hour."""
    await set_up(options=options())
    await advance(hass, freezer, 12 * MINUTE, step=MINUTE)
    truth = world.cloud.truth(world.system.system_id)
    zone = ZoneInfo(world.system.time_zone)
    offset = None
    seen: set[date] = set()
    for _ in range(20):
        await advance(hass, freezer, 84 * MINUTE, step=6 * MINUTE)
        now = dt_util.utcnow()
        today = now.astimezone(zone).date()
        midnight = datetime.combine(today, datetime.min.time(), zone)
        for flow, true_flow in FLOWS.items():
            if flow not in TODAY:
                continue
            until = max(await recorded(hass, world.system.system_id, flow)) + HOUR
            shown = hass.states.get(TODAY[flow])
            assert shown is not None
            assert shown.attributes["last_reset"] == midnight.isoformat()
            assert shown.attributes["state_class"] == "total"
            hours = hours_between(midnight, until)
            expected = sum(truth.energy(true_flow, hour, hour + HOUR) for hour in hours)
            assert watt_hours(hass, TODAY[flow]) == (expected if hours else None)
            seen |= {today} if hours else set()
            # Where midnight is within an hour, the part between the reported days
            # and the first whole hour is unknown.
            lifetime = watt_hours(hass, LIFETIME[flow])
            assert lifetime is not None
            missing = truth.lifetime(true_flow, until) - lifetime
            if midnight.astimezone(UTC).minute:
                assert 0 <= missing < 1_500
            else:
                assert missing == 0
            offset = now.astimezone(zone).utcoffset()
    assert len(seen) == 2
    assert offset is not None


@pytest.mark.parametrize(
    "data", ["zero", "null", "dip", "repeat", "gap", "absurd", "strings", "negative"]
)
@pytest.mark.thorough
@pytest.mark.long
async def test_wrong_data_of_the_cloud_changes_no_energy(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    data: Any,
) -> None:
    """Lifetime sensors and sums never fall; after the fault, hours are true again."""
    await set_up(options=options())
    await advance(hass, freezer, 12 * MINUTE, step=MINUTE)
    lifetimes: list[dict[Flow, float | None]] = []
    truth = world.cloud.truth(world.system.system_id)
    began_at = dt_util.utcnow()

    async def watch(hours: int) -> None:
        for _ in range(hours):
            await advance(hass, freezer, HOUR, step=10 * MINUTE)
            lifetimes.append({flow: watt_hours(hass, LIFETIME[flow]) for flow in TODAY})
            for flow in TODAY:
                shown = lifetimes[-1][flow]
                assert shown is not None
                assert shown <= truth.lifetime(FLOWS[flow], five_minutes_ahead())

    await watch(3)
    fault = world.cloud.faults.add(Fault(operation="*telemetry*", data=data))
    await watch(3)
    assert fault.hits > 10
    world.cloud.faults.remove(fault)
    await watch(12)
    for sooner, later in pairwise(lifetimes):
        for flow in TODAY:
            assert (later[flow] or 0) >= (sooner[flow] or 0)
    imported = await all_recorded(hass, world.system.system_id)
    for flow, hours in imported.items():
        assert all(
            energy <= truth.energy(FLOWS[flow], hour, hour + HOUR)
            for hour, energy in hours.items()
            if hour > began_at - WEEK + DAY
        )
    # Of an hour that no later response covers, a dip of the data is accepted.
    if data != "dip":
        await advance(hass, freezer, 12 * HOUR, step=15 * MINUTE)
        await assert_hours_are_true(hass, world, NOW - 6 * DAY, NOW + 20 * HOUR)


@pytest.mark.thorough
@pytest.mark.long
async def test_lost_response_is_requested_again(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """Even if it was the only response of a day."""
    fault = world.cloud.faults.add(Fault(operation="*telemetry*", data="gap"))
    await set_up(options=options(1))
    await advance(hass, freezer, 12 * MINUTE, step=MINUTE)
    assert fault.hits >= 6
    assert not await recorded(hass, world.system.system_id, Flow.GRID_IMPORT) or (
        len(await recorded(hass, world.system.system_id, Flow.GRID_IMPORT)) < 60
    )
    world.cloud.faults.remove(fault)
    await advance(hass, freezer, 30 * HOUR, step=10 * MINUTE)
    await assert_hours_are_true(hass, world, NOW - 5 * DAY, NOW + 8 * HOUR)


@pytest.mark.thorough
@pytest.mark.long
async def test_late_report_after_weeks_is_imported(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """Energy too old for any update is imported once the gateway reports again."""
    silent_until = NOW + 12 * DAY
    world.system.offline.append(Window(epoch(NOW + 2 * DAY), epoch(silent_until)))
    await set_up(options=options(1))
    await advance(hass, freezer, 12 * MINUTE, step=MINUTE)
    await advance(hass, freezer, 12 * DAY, step=3 * HOUR)
    assert (NOW + 3 * DAY).replace(minute=0) not in await recorded(
        hass, world.system.system_id, Flow.CONSUMPTION
    )
    await advance(hass, freezer, 2 * DAY, step=HOUR)
    await assert_hours_are_true(hass, world, NOW - 5 * DAY, silent_until)


async def test_polls_of_batteries_import_hours_of_today(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    requested: list[EnergyRequest],
) -> None:
    """No extra call is made; the other flows wait for the next day."""
    await set_up(options=options(1, "none"))
    await advance(hass, freezer, 12 * MINUTE, step=MINUTE)
    spent = len(requested)
    assert spent == 5
    await advance(hass, freezer, 8 * HOUR)
    assert len(requested) == spent
    system_id = world.system.system_id
    truth = world.cloud.truth(system_id)
    charged = await recorded(hass, system_id, Flow.BATTERY_CHARGE)
    assert max(charged) >= NOW + 5 * HOUR
    assert max(await recorded(hass, system_id, Flow.CONSUMPTION)) < NOW
    for hour in hours_between(NOW - 6 * HOUR, NOW + 4 * HOUR):
        assert charged[hour] == truth.energy("charge", hour, hour + HOUR)
    today = watt_hours(hass, TODAY[Flow.BATTERY_CHARGE])
    midnight = datetime(2026, 6, 16, 22, tzinfo=UTC)
    assert today == sum(energy for hour, energy in charged.items() if hour >= midnight)


async def polls_of_days(
    hass: HomeAssistant, world: World, freezer: FrozenDateTimeFactory, days: int
) -> Counter[str]:
    """Let days pass; return how often each document was polled."""
    before = len(world.calls)
    await advance(hass, freezer, days * DAY, step=10 * MINUTE)
    return Counter(
        call
        for call in world.calls[before:]
        if call in POLLS or call == "telemetry_battery"
    )


@pytest.mark.parametrize("plan", ["watt"])
@pytest.mark.parametrize(
    "system_properties", [properties("Europe/Berlin", date(2024, 1, 1))]
)
@pytest.mark.thorough
@pytest.mark.long
async def test_history_import_leaves_calls_for_polls(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    requested: list[EnergyRequest],
) -> None:
    """On the free plan, an import of two years leaves polls most of their calls."""
    entry = await set_up(options=options(1, "none"))
    await advance(hass, freezer, HOUR)
    without = await polls_of_days(hass, world, freezer, 2)
    hass.config_entries.async_update_entry(
        entry, options={**entry.options, **options(1, "hour")}
    )
    await hass.config_entries.async_reload(entry.entry_id)
    await advance(hass, freezer, HOUR)
    spent = len(requested)
    during = await polls_of_days(hass, world, freezer, 2)
    assert during.total() >= 0.7 * without.total() > 20
    assert set(during) == set(without) == {*POLLS, "telemetry_battery"}
    weeks = len(requested) - spent - 2 * 5
    # A quarter of what is left, over two days.
    assert 5 <= weeks <= 16
    assert 429 not in {request.status for request in world.cloud.requests}


@pytest.mark.parametrize("plan", ["watt"])
@pytest.mark.thorough
@pytest.mark.long
async def test_three_systems_at_once_respect_the_limit_per_minute(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
) -> None:
    """All data arrives; the cloud refuses no request."""
    for number in range(2):
        world.add_system(
            **properties("Europe/Berlin", date(2026, 5, 1), address=None)
            | {"name": f"Hilltop {number}"}
        )
    await set_up(options=options(1))
    await advance(hass, freezer, 20 * MINUTE, step=timedelta(seconds=20))
    assert {request.status for request in world.cloud.requests} == {200}
    requests_of = Counter(
        (request.system_id, request.operation)
        for request in world.cloud.requests
        if request.operation in LIFETIMES | INTERVALS
    )
    assert requests_of == dict.fromkeys(
        (
            (system.system_id, operation)
            for system in world.systems
            for operation in LIFETIMES | INTERVALS
        ),
        1,
    )


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.long
async def test_refused_document_is_disabled(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    issue_registry: ir.IssueRegistry,
    status: int,
) -> None:
    """Only that document, with one issue for the user; the others continue."""
    fault = world.cloud.faults.add(
        Fault(operation="energy_import_telemetry", status=status)
    )
    entry = await set_up(options=options())
    await advance(hass, freezer, 30 * MINUTE, step=MINUTE)
    hits = fault.hits
    assert 1 <= hits <= 2
    await advance(hass, freezer, 12 * HOUR)
    assert fault.hits == hits
    key = "document_refused" if status == 401 else "document_forbidden"
    [issue] = issue_registry.issues.values()
    assert issue.issue_id == f"{key}_{entry.entry_id}"
    assert not hass.config_entries.flow.async_progress_by_handler(
        DOMAIN, match_context={"source": SOURCE_REAUTH}
    )
    calls = Counter(energy_calls(world))
    assert all(
        calls[operation] >= 12 for operation in INTERVALS - {"energy_import_telemetry"}
    )
    newest = max(await recorded(hass, world.system.system_id, Flow.GRID_EXPORT))
    assert newest >= NOW + 10 * HOUR


@pytest.mark.thorough
@pytest.mark.long
async def test_pauses_grow_while_the_cloud_fails(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """The backoff lasts until the cloud responds; no request is repeated silently."""
    await set_up(options=options(1))
    faults = [
        world.cloud.faults.add(Fault(operation=operation, status=503))
        for operation in (*LIFETIMES, *INTERVALS)
    ]
    await advance(hass, freezer, 26 * HOUR)
    failed = [
        request
        for request in world.cloud.requests
        if request.operation in LIFETIMES | INTERVALS
    ]
    assert 8 <= len(failed) <= 20
    for operation in LIFETIMES | INTERVALS:
        times = [each.at for each in failed if each.operation == operation]
        pauses = [later - sooner for sooner, later in pairwise(times)]
        for number, pause in enumerate(pauses):
            assert pause >= min(5 * MINUTE * 2**number, 6 * HOUR)
    for fault in faults:
        world.cloud.faults.remove(fault)
    await advance(hass, freezer, 13 * HOUR, step=10 * MINUTE)
    await assert_hours_are_true(hass, world, NOW - 5 * DAY, NOW + 20 * HOUR)
    assert watt_hours(hass, LIFETIME[Flow.GRID_IMPORT]) is not None


@pytest.mark.thorough
@pytest.mark.long
async def test_failing_document_does_not_delay_others(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    issue_registry: ir.IssueRegistry,
) -> None:
    """Not even if it is the first document; it is not disabled."""
    fault = world.cloud.faults.add(Fault(operation="energy_lifetime", status=500))
    await set_up(options=options())
    await advance(hass, freezer, 24 * HOUR, step=10 * MINUTE)
    assert fault.hits <= 12
    calls = Counter(energy_calls(world))
    assert all(calls[operation] >= 20 for operation in INTERVALS), calls
    assert not issue_registry.issues
    world.cloud.faults.remove(fault)
    await advance(hass, freezer, 7 * HOUR, step=10 * MINUTE)
    imported = await recorded(hass, world.system.system_id, Flow.PRODUCTION)
    assert min(imported) < NOW - 5 * WEEK


@pytest.mark.parametrize(
    ("now", "system_properties"),
    [
        (
            datetime(2026, 6, 16, 23, 3, tzinfo=UTC),
            properties("Europe/Berlin", date(2026, 6, 17)),
        )
    ],
)
async def test_new_system_that_never_produced_wastes_no_calls(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The lifetime documents have no first day, which is no fault."""
    await set_up(options=options(1))
    await advance(hass, freezer, 90 * MINUTE)
    assert max(Counter(energy_calls(world)).values()) == 1
    assert "energy data" not in caplog.text.lower()


@pytest.mark.parametrize(
    "fault", [{"status": 422}, {"body": "wrong_types"}, {"body": "html"}]
)
@pytest.mark.thorough
@pytest.mark.long
async def test_unavailable_window_is_skipped(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    caplog: pytest.LogCaptureFixture,
    requested: list[EnergyRequest],
    fault: dict[str, Any],
) -> None:
    """After three attempts, with a warning; the next window is requested."""
    # The update first, then the oldest week.
    world.cloud.faults.add(
        Fault(operation="energy_import_telemetry", skip=1, times=3, **fault)
    )
    await set_up(options=options(1, "hour"))
    await advance(hass, freezer, 90 * MINUTE, step=MINUTE)
    name = f"{world.system.system_id} import_telemetry"
    weeks = [start for what, start in requested if what == name]
    oldest = min(start for start in weeks if start is not None)
    assert Counter(weeks)[oldest] == 3
    assert all(count == 1 for start, count in Counter(weeks).items() if start != oldest)
    assert len(set(weeks)) == 7
    assert caplog.text.count("Skipping energy data") == 1
    imported = await recorded(hass, world.system.system_id, Flow.GRID_IMPORT)
    truth = world.cloud.truth(world.system.system_id)
    for hour in hours_between(oldest + WEEK + DAY, NOW - 6 * HOUR):
        assert imported[hour] == truth.energy("import", hour, hour + HOUR)
    # Of the skipped week, the energy of the days is known.
    assert sum(energy for hour, energy in imported.items() if hour < oldest + WEEK) > 0


@pytest.mark.long
async def test_restart_makes_only_due_calls(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    requested: list[EnergyRequest],
) -> None:
    """A restart restores progress and states."""
    entry = await set_up(options=options(1, "hour"))
    await advance(hass, freezer, 50 * MINUTE, step=MINUTE)
    assert state(hass, "sensor.hilltop_history_import") == "100.0"
    before = {
        entity: state(hass, entity) for entity in (*TODAY.values(), *LIFETIME.values())
    }
    spent = len(requested)
    for _ in range(3):
        await hass.config_entries.async_reload(entry.entry_id)
        await hass.async_block_till_done(wait_background_tasks=True)
        assert {entity: state(hass, entity) for entity in before} == before
        await advance(hass, freezer, 3 * MINUTE, step=MINUTE)
    await advance(hass, freezer, 2 * HOUR)
    assert len(requested) == spent
    assert state(hass, "sensor.hilltop_history_import") == "100.0"


async def test_unload_ends_requests_and_removal_deletes_the_store(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    hass_storage: dict[str, Any],
) -> None:
    """An unloaded entry requests nothing; a removed entry leaves nothing stored."""
    entry = await set_up(options=options(UPDATES, "hour"))
    await advance(hass, freezer, 2 * MINUTE, step=timedelta(seconds=10))
    requested = len(world.calls)
    assert requested >= 10
    await hass.config_entries.async_unload(entry.entry_id)
    await advance(hass, freezer, 6 * HOUR)
    assert len(world.calls) == requested
    await hass.config_entries.async_remove(entry.entry_id)
    await advance(hass, freezer, HOUR)
    assert not [key for key in hass_storage if key.startswith(DOMAIN)]


async def test_failing_recorder_wastes_no_calls(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    requested: list[EnergyRequest],
) -> None:
    """Requests pause until the recorder works again; then all energy is imported."""

    async def fail(*_: Any) -> None:
        raise RuntimeError("The disk is full")

    hass.loop.set_exception_handler(lambda *_: None)
    with patch.object(StatisticsImporter, "async_import", fail):
        await set_up(options=options(1))
        await advance(hass, freezer, HOUR, step=5 * MINUTE)
    assert 1 <= len(requested) <= 6
    await advance(hass, freezer, HOUR, step=5 * MINUTE)
    await assert_hours_are_true(hass, world, NOW - 5 * DAY, NOW - 6 * HOUR)


async def test_new_import_during_a_call_does_not_repeat_the_call(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The next request waits for the response."""
    may_respond = asyncio.Event()
    method = EnphaseCloudClient.get
    requested: list[Any] = []

    async def slow(
        client: EnphaseCloudClient, endpoint: Endpoint[Any], **options: Any
    ) -> Any:
        if endpoint.name.endswith("_lifetime"):
            requested.append(endpoint)
            await may_respond.wait()
        return await method(client, endpoint, **options)

    with patch.object(EnphaseCloudClient, "get", slow):
        entry = await set_up(options=options(1))
        for _ in range(20):
            freezer.tick(MINUTE)
            await fire_timers(hass)
            entry.runtime_data.systems[0].energy.async_change(
                lambda progress: progress.request_days(Days())
            )
        assert len(requested) == 1
        may_respond.set()
        await advance(hass, freezer, 12 * MINUTE, step=MINUTE)
    assert len(requested) == len(set(requested)) == 5


async def fire_timers(hass: HomeAssistant) -> None:
    """Fire timers without waiting for the tasks that they start."""
    async_fire_time_changed(hass)
    await hass.async_block_till_done()
    for _ in range(20):
        await asyncio.sleep(0)
