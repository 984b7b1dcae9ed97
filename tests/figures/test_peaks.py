"""The greatest quarter hour of a month's import, also after corrections."""

from datetime import UTC, date, datetime, timedelta
import json
from zoneinfo import ZoneInfo

from hypothesis import given, strategies as st
import pytest

from custom_components.enphase_cloud.energy.readings import Reading, Readings, Span
from custom_components.enphase_cloud.figures.peaks import Peaks, Quarter, peak_of_month
from custom_components.enphase_cloud.figures.periods import MONTHS, months_before

from .simulated import END, FIRST, START, WEEK, ZONE, Year

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
QUARTER = timedelta(minutes=15)
JUNE = date(2026, 6, 1)
NOON = datetime(2026, 6, 10, 10, tzinfo=UTC)


def readings(
    start: datetime, energy: list[float], *, is_certain: bool = True
) -> Readings:
    """Return a response with the energy [Wh] of consecutive quarters."""
    return {
        Span(start + number * QUARTER, QUARTER): Reading(is_certain, start, each)
        for number, each in enumerate(energy)
    }


def peak(
    peaks: Peaks, month: date = JUNE, today: date = date(2026, 6, 11)
) -> Quarter | None:
    """Return the peak of a month of a system that is new."""
    days = peaks.by_day(ZONE)
    return peak_of_month(days, month, today=today, since=NOON.date())


def test_peaks_of_a_year_are_correct() -> None:
    """The peak of each month, to the Wh and the quarter."""
    year, peaks = Year(battery=1), Peaks()
    at = START
    while at < END:
        # The next response corrects late intervals.
        year.now = min(at + WEEK + HOUR, END + DAY)
        peaks = peaks.with_readings(year.imports(at), ZONE)
        at += WEEK
    year.now = END + DAY
    peaks = peaks.with_readings(year.imports(END - WEEK), ZONE)
    assert len(peaks.quarters) < 650
    truth = year.truth
    for months in range(12):
        month = months_before(JUNE, months)
        begin, end = (
            datetime.combine(each, datetime.min.time(), ZONE).astimezone(UTC)
            for each in (month, months_before(month, -1))
        )
        quarters = range(int((end - begin) / QUARTER))
        expected = max(
            truth.energy("import", begin + n * QUARTER, begin + (n + 1) * QUARTER)
            for n in quarters
        )
        found = peak_of_month(
            peaks.by_day(ZONE), month, today=date(2026, 7, 1), since=FIRST
        )
        assert found is not None
        assert found.energy == expected
        assert truth.energy("import", found.start, found.start + QUARTER) == expected


@pytest.mark.parametrize(
    ("corrected", "expected"), [(300, 400), (700, 700), (0, 400)], ids=str
)
def test_a_correction_of_the_peak_counts(corrected: float, expected: float) -> None:
    """Downward, upward, and to zero."""
    peaks = Peaks().with_readings(readings(NOON, [100, 400, 50, 50]), ZONE)
    evening = NOON + 6 * HOUR
    peaks = peaks.with_readings(readings(evening, [500, 100, 100, 350]), ZONE)
    assert peak(peaks) == Quarter(500, evening)
    peaks = peaks.with_readings(readings(evening, [corrected, 100, 100, 350]), ZONE)
    found = peak(peaks)
    assert found is not None
    assert found.energy == expected
    assert found.power == 4 * expected


def test_a_correction_of_an_older_day_counts() -> None:
    """A week of history is requested again weeks later."""
    peaks = Peaks().with_readings(readings(NOON, [100, 400, 50, 50]), ZONE)
    peaks = peaks.with_readings(readings(NOON + DAY, [200, 300, 50, 50]), ZONE)
    peaks = peaks.with_readings(readings(NOON + 15 * DAY, 4 * [10]), ZONE)
    last = peak_of_month(
        peaks.by_day(ZONE), JUNE, today=date(2026, 6, 12), since=NOON.date()
    )
    assert last == Quarter(400, NOON + QUARTER)
    peaks = peaks.with_readings(readings(NOON, [100, 200, 50, 50]), ZONE)
    last = peak_of_month(
        peaks.by_day(ZONE), JUNE, today=date(2026, 6, 12), since=NOON.date()
    )
    assert last == Quarter(300, NOON + DAY + QUARTER)


def test_zeros_of_a_fault_replace_nothing() -> None:
    """They count if no other reading is known."""
    peaks = Peaks().with_readings(readings(NOON, [100, 400, 50, 50]), ZONE)
    zeros = readings(NOON, 4 * [0.0], is_certain=False)
    assert peak(peaks.with_readings(zeros, ZONE)) == Quarter(400, NOON + QUARTER)
    alone = peak(Peaks().with_readings(zeros, ZONE))
    assert alone is not None
    assert alone.energy == 0


def test_only_quarters_count() -> None:
    """Days and intervals of five minutes are no quarter hours."""
    other = {
        Span(NOON, length): Reading(is_certain=True, fetched_at=NOON, energy=900)
        for length in (timedelta(minutes=5), HOUR, DAY)
    }
    assert Peaks().with_readings(other, ZONE) == Peaks()
    assert peak(Peaks()) is None


def test_months_are_the_systems_also_where_the_clock_changes() -> None:
    """The last quarter of March, and the first of November."""
    first = datetime(2026, 3, 31, 21, 45, tzinfo=UTC)
    peaks = Peaks().with_readings(readings(first, [800, 900]), ZONE)
    march, april = (
        peak_of_month(
            peaks.by_day(ZONE), month, today=date(2026, 4, 2), since=date(2026, 3, 31)
        )
        for month in (date(2026, 3, 1), date(2026, 4, 1))
    )
    assert march == Quarter(800, first)
    assert april == Quarter(900, first + QUARTER)
    zone = ZoneInfo("America/Los_Angeles")
    first = datetime(2026, 11, 1, 6, 45, tzinfo=UTC)
    peaks = Peaks().with_readings(readings(first, [800, 900]), zone)
    found = peak_of_month(
        peaks.by_day(zone),
        date(2026, 11, 1),
        today=date(2026, 11, 2),
        since=date(2026, 10, 31),
    )
    assert found == Quarter(900, first + QUARTER)


@pytest.mark.parametrize(("known", "is_known"), [(18, True), (17, False)])
def test_a_month_with_unknown_days_is_unknown(known: int, *, is_known: bool) -> None:
    """Of twenty past days eighteen are enough."""
    peaks = Peaks()
    for day in range(20 - known, 20):
        at = datetime(2026, 6, 1 + day, 10, tzinfo=UTC)
        peaks = peaks.with_readings(readings(at, [100, 50, 50, 50]), ZONE)
    found = peak_of_month(peaks.by_day(ZONE), JUNE, today=date(2026, 6, 21), since=None)
    assert (found is not None) is is_known


responses = st.lists(
    st.tuples(
        st.integers(0, 96),
        st.lists(st.floats(0, 5_000), min_size=4, max_size=4),
    ),
    max_size=20,
)


@given(responses)
def test_the_peak_follows_from_the_newest_readings(
    hours: list[tuple[int, list[float]]],
) -> None:
    """For any hours, in any order, also repeated."""
    peaks, last = Peaks(), dict[datetime, float]()
    for hour, quarters in hours:
        read = readings(NOON + hour * HOUR, quarters)
        peaks = peaks.with_readings(read, ZONE)
        last |= {span.start: reading.energy for span, reading in read.items()}
    stored = json.loads(json.dumps(peaks.as_dict()))
    assert Peaks.from_dict(stored) == peaks
    found = max((each.energy for each in peaks.quarters), default=None)
    assert found == max(last.values(), default=None)


@given(st.lists(st.integers(0, 700), min_size=1, max_size=30))
def test_it_stays_small(days: list[int]) -> None:
    """Thirteen months at most."""
    peaks = Peaks()
    for day in days:
        at = datetime(2025, 1, 1, tzinfo=UTC) + day * DAY
        peaks = peaks.with_readings(readings(at, [1, 2, 3, 4]), ZONE)
    newest = max(quarter.start for quarter in peaks.quarters)
    assert all(newest - each.start < MONTHS * 31 * DAY for each in peaks.quarters)


@pytest.mark.parametrize("damaged", [{}, {"quarters": 5}, {"quarters": [[-1, 5]]}, 5])
def test_damaged_data_raises(damaged: object) -> None:
    """ValueError, which the storage handles."""
    with pytest.raises(ValueError, match=r"."):
        Peaks.from_dict(damaged)
