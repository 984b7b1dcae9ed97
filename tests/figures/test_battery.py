"""Efficiency and capacity of a battery, compared with the simulated ones."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
import json
from random import Random

from hypothesis import given, strategies as st
import pytest

from custom_components.enphase_cloud.api.models import BatteryTelemetry
from custom_components.enphase_cloud.figures.battery import BatteryHistory
from custom_components.enphase_cloud.figures.periods import MONTHS
from simulator.physics import Storage

from .simulated import END, START, WEEK, ZONE, Year

PLATE = 10_000
DAY = timedelta(days=1)
QUARTER = timedelta(minutes=15)


def take(
    history: BatteryHistory,
    telemetry: BatteryTelemetry,
    fetched_at: datetime,
    plate: float | None = PLATE,
) -> bool:
    """Add a response to a history."""
    return history.take(
        telemetry, fetched_at=fetched_at, limit=10_000, plate=plate, zone=ZONE
    )


def weeks(
    year: Year, start: datetime = START, end: datetime = END
) -> Iterator[BatteryTelemetry]:
    """Yield the weeks of a year as reported a day after their end."""
    while start < end:
        year.now = start + WEEK + DAY
        yield year.batteries(start)
        start += WEEK


def true_efficiency(year: Year, start: datetime, end: datetime) -> float:
    """Return the true efficiency [%]."""
    truth = year.truth
    return (
        100 * truth.energy("discharge", start, end) / truth.energy("charge", start, end)
    )


@pytest.mark.parametrize(
    ("efficiency", "standby_w"),
    [(90, 0), (94, 0), (90, 8)],
    ids=["90", "94", "standby"],
)
def test_figures_of_a_year_are_correct(efficiency: int, standby_w: int) -> None:
    """Efficiency within 1 %, capacity within 3 %, also those of each month."""
    storage = Storage(units=2, efficiency_percent=efficiency, standby_w=standby_w)
    year, history = Year(battery=storage), BatteryHistory()
    responses = list(weeks(year))
    for telemetry in responses:
        assert take(history, telemetry, year.now)
    found, capacity = history.efficiency(), history.capacity()
    assert found is not None
    assert capacity is not None
    assert found.percent == pytest.approx(true_efficiency(year, START, END), abs=0.2)
    if not standby_w:
        assert found.percent == pytest.approx(efficiency, abs=0.2)
    assert found.charged == pytest.approx(
        year.truth.energy("charge", START, END), rel=0.02
    )
    assert capacity.energy == pytest.approx(storage.capacity_wh, rel=0.03)
    assert len(history.months) <= MONTHS
    stored = json.dumps(history.as_dict())
    assert len(stored) < 6_000
    assert BatteryHistory.from_dict(json.loads(stored)).as_dict() == history.as_dict()


def test_responses_count_once_in_any_order() -> None:
    """Weeks of history, with polls of a day in between."""
    year = Year(battery=2, commissioned=START.date() + 2 * DAY)
    responses = list(weeks(year, end=START + 9 * WEEK))
    in_turn, mixed = BatteryHistory(), BatteryHistory()
    for telemetry in responses:
        take(in_turn, telemetry, year.now)
    Random(3).shuffle(responses)
    for telemetry in responses:
        take(mixed, telemetry, year.now)
    once, again = mixed.efficiency(), mixed.as_dict()
    for telemetry in responses:
        assert not take(mixed, telemetry, year.now)
    assert mixed.as_dict() == again
    reference = in_turn.efficiency()
    assert once is not None
    assert reference is not None
    assert once.percent == pytest.approx(reference.percent, abs=0.7)
    assert once.charged == pytest.approx(reference.charged, rel=0.25)


def test_polls_of_a_day_continue_the_last_one() -> None:
    """Each has the day up to now; only final intervals count, once."""
    year, polled, whole = Year(battery=2), BatteryHistory(), BatteryHistory()
    at = START
    while at < START + 3 * WEEK:
        at += timedelta(hours=5)
        year.now = at
        telemetry = year.batteries(max(START, at - DAY))
        take(polled, telemetry, at)
    year.now = at
    for start in (START, START + WEEK, START + 2 * WEEK):
        take(whole, year.batteries(start), at)
    assert polled.efficiency() == whole.efficiency()
    assert polled.months.keys() == whole.months.keys()


def test_drift_while_charging_is_no_efficiency() -> None:
    """A battery that was filled only once has no round trip yet."""
    start = datetime(2026, 6, 1, tzinfo=UTC)
    history = BatteryHistory()
    assert take(history, rising(start, quarters=32), start + DAY)
    assert history.efficiency() is None
    assert history.capacity() is None


def rising(start: datetime, quarters: int, level: float = 20) -> BatteryTelemetry:
    """Return the telemetry of a battery that charges."""
    return series(start, [(275, 0, level + 2.5 * (n + 1)) for n in range(quarters)])


def series(
    start: datetime, steps: list[tuple[float | None, float | None, float | None]]
) -> BatteryTelemetry:
    """Return telemetry of quarters: charged, discharged, and the charge at the end."""
    return BatteryTelemetry.from_api(
        {
            "system_id": 1,
            "intervals": [
                {
                    "end_at": int((start + (number + 1) * QUARTER).timestamp()),
                    "charge": {"enwh": charged},
                    "discharge": {"enwh": discharged},
                    "soc": {"percent": level},
                }
                for number, (charged, discharged, level) in enumerate(steps)
            ],
        }
    )


def cycles(
    count: int, *, taken: float = 500, given: float = 450
) -> list[tuple[float, float, float]]:
    """Return cycles from 20 to 100 % and back, of 16 quarters each way."""
    up = [(taken, 0.0, 25.0 + 5 * step) for step in range(16)]
    down = [(0.0, given, 95.0 - 5 * step) for step in range(16)]
    return count * [*up, *down]


def test_regular_cycles() -> None:
    """16 times 450 Wh of 500 Wh, for 80 % of the charge."""
    start = datetime(2026, 6, 1, tzinfo=UTC)
    history = BatteryHistory()
    take(history, series(start, cycles(7)), start + 5 * DAY)
    found, capacity = history.efficiency(), history.capacity()
    assert found is not None
    assert capacity is not None
    assert found.percent == pytest.approx(90)
    assert capacity.energy == 9_000
    assert capacity.falls == 6


def test_too_few_falls_give_no_capacity() -> None:
    """The last one has not ended yet."""
    start = datetime(2026, 6, 1, tzinfo=UTC)
    history = BatteryHistory()
    take(history, series(start, cycles(5)), start + 5 * DAY)
    assert history.capacity() is None


def test_unknown_energy_is_a_gap() -> None:
    """Missing or absurd energy breaks the chain; a charge may be missing."""
    start = datetime(2026, 6, 1, tzinfo=UTC)
    steps: list[tuple[float | None, float | None, float | None]] = [*cycles(7)]
    steps[40] = (None, 0, 50)
    steps[80] = (10**12, 0, 50)
    steps[120] = (0, None, 50)
    steps[10] = (500, 0, None)
    steps[25] = (0, 450, None)
    history = BatteryHistory()
    take(history, series(start, steps), start + 5 * DAY)
    found = history.efficiency()
    assert found is not None
    assert found.percent == pytest.approx(90, abs=1)
    assert all(
        capacity == 9_000
        for month in history.months.values()
        for capacity in month.capacities
    )


def test_zeros_of_a_fault_are_skipped() -> None:
    """A response with only zeros may be a fault."""
    start = datetime(2026, 6, 1, tzinfo=UTC)
    history = BatteryHistory()
    assert not take(history, series(start, 96 * [(0, 0, 0)]), start + 2 * DAY)
    assert take(history, series(start, cycles(3)), start + 2 * DAY)


def test_implausible_figures_are_unknown() -> None:
    """More discharged than charged, or far more than the rated capacity."""
    start = datetime(2026, 6, 1, tzinfo=UTC)
    history = BatteryHistory()
    take(history, series(start, cycles(7, taken=300, given=450)), start + 5 * DAY)
    assert history.efficiency() is None
    odd = BatteryHistory()
    take(odd, series(start, cycles(7)), start + 5 * DAY, plate=50_000)
    assert odd.capacity() is None


def test_another_rated_capacity_resets_the_usable_one() -> None:
    """A battery was added or removed. An unknown rated capacity resets nothing."""
    start = datetime(2026, 6, 1, tzinfo=UTC)
    history = BatteryHistory()
    take(history, series(start, cycles(7)), start + 5 * DAY)
    later = series(start + 5 * DAY, cycles(1))
    take(history, later, start + 10 * DAY, plate=None)
    assert history.capacity() is not None
    take(history, later, start + 10 * DAY, plate=15_000)
    assert history.capacity() is None
    assert history.efficiency() is not None


def test_a_charge_that_never_returns_is_replaced() -> None:
    """After five weeks the comparison starts from another charge."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    history = BatteryHistory()
    once = [(500.0, 0.0, 25.0), *(40 * 96 * [(0.0, 1.0, 60.0)])]
    take(history, series(start, once), start + 60 * DAY)
    later = start + len(once) * QUARTER
    swings = 8 * [*(16 * [(500.0, 0.0, 80.0)]), *(16 * [(0.0, 450.0, 60.0)])]
    take(history, series(later, swings), later + 9 * DAY)
    found = history.efficiency()
    assert found is not None
    assert found.percent == pytest.approx(90, abs=1)


def test_a_rise_without_charging_gives_no_capacity() -> None:
    """The gateway corrected its estimate."""
    start = datetime(2026, 6, 1, tzinfo=UTC)
    fall = [(0.0, 450.0, 95.0 - 5 * step) for step in range(16)]
    fall[8] = (0.0, 450.0, 90.0)
    fall[0] = (0.0, 450.0, 60.0)
    up = [(500.0, 0.0, 25.0 + 5 * step) for step in range(16)]
    history = BatteryHistory()
    take(history, series(start, 7 * [*up, *fall]), start + 5 * DAY)
    assert history.capacity() is None


numbers = st.one_of(
    st.none(), st.floats(0, 3_000), st.sampled_from([0.0, -1.0, 10**15, float("nan")])
)


@given(
    st.lists(st.tuples(numbers, numbers, numbers), max_size=30)
    | st.dictionaries(
        st.integers(0, 6 * 32 - 1), st.tuples(numbers, numbers, numbers)
    ).map(lambda damaged: [damaged.get(at, step) for at, step in enumerate(cycles(6))]),
    st.integers(0, 400),
)
def test_any_response_gives_plausible_figures(
    steps: list[tuple[float | None, float | None, float | None]], age: int
) -> None:
    """The stored history is readable."""
    start = datetime(2026, 3, 28, tzinfo=UTC)
    history = BatteryHistory()
    take(history, series(start, steps), start + age * QUARTER)
    stored = json.loads(json.dumps(history.as_dict()))
    assert BatteryHistory.from_dict(stored).as_dict() == history.as_dict()
    found = history.efficiency()
    assert found is None or 30 <= found.percent <= 100


@pytest.mark.parametrize(
    "damaged",
    [
        {"months": {"2026-06-01": [1, 2, [-1]]}},
        {"months": {"2026-06-01": [1, 2, 3]}},
        {"months": {"x": [1, 2, []]}},
        {"seen": [[1]]},
        {"newest": {"until": 1}},
        {"newest": {"until": 1, "level": 1, "anchor": 5, "flow": {}}},
        {"plate": "much"},
    ],
)
def test_damaged_data_raises(damaged: dict[str, object]) -> None:
    """ValueError, which the storage handles."""
    with pytest.raises(ValueError, match=r"."):
        BatteryHistory.from_dict(BatteryHistory().as_dict() | damaged)


def test_thirteen_months_are_kept() -> None:
    """Older ones are removed."""
    history = BatteryHistory()
    for number in range(20):
        start = datetime(2024, 1, 2, tzinfo=UTC) + number * 30 * DAY
        take(history, series(start, cycles(7)), start + 5 * DAY)
    assert len(history.months) == MONTHS
