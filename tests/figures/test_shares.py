"""Self-consumption and self-sufficiency: correct, or unknown."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given, strategies as st
import pytest

from custom_components.enphase_cloud.energy.parsing import system_day
from custom_components.enphase_cloud.energy.readings import (
    HOUR,
    EnergyByHour,
    HourlyEnergy,
)
from custom_components.enphase_cloud.figures.periods import days_between, months_before
from custom_components.enphase_cloud.figures.shares import (
    SELF_CONSUMPTION,
    SELF_SUFFICIENCY,
    ShareOf,
    day_total,
    is_complete,
    share_of_days,
    stale_after,
)
from custom_components.enphase_cloud.measurements.catalog import Flow

from .simulated import END, START, ZONE, Year, as_days

DAY = system_day(date(2026, 6, 10), ZONE)
NOON = DAY.start + 12 * HOUR


@pytest.fixture(scope="module")
def year() -> Year:
    """Return a year with a battery."""
    return Year(battery=1)


@pytest.mark.parametrize("as_recorded", [dict, as_days], ids=["hours", "days"])
def test_each_month_of_a_year_is_correct(
    year: Year, as_recorded: type[dict[datetime, HourlyEnergy]]
) -> None:
    """To the last digit, whether hours or only days are known."""
    recorded = year.hours(START, END)
    hours = {flow: as_recorded(each) for flow, each in recorded.items()}
    month = date(2025, 7, 1)
    while month < END.date():
        following = months_before(month, -1)
        days = [system_day(day, ZONE) for day in days_between(month, following)]
        start, end = days[0].start, days[-1].start + days[-1].length
        produced, consumed, imported, exported = (
            year.truth.energy(flow, start, end)
            for flow in ("production", "consumption", "import", "export")
        )
        consumption = share_of_days(SELF_CONSUMPTION, hours, days)
        sufficiency = share_of_days(SELF_SUFFICIENCY, hours, days)
        assert consumption is not None
        assert sufficiency is not None
        assert consumption.until == sufficiency.until == end
        assert consumption.value == pytest.approx(100 * (1 - exported / produced))
        assert sufficiency.value == pytest.approx(100 * (1 - imported / consumed))
        month = following


def flows(
    whole: int, passes: int, share: ShareOf = SELF_SUFFICIENCY, hours: int = 24
) -> dict[Flow, dict[datetime, HourlyEnergy]]:
    """Return a number of equal hours of the day."""
    starts = list(DAY.hours)[:hours]
    return {
        share.whole: {start: HourlyEnergy(whole) for start in starts},
        share.passes: {start: HourlyEnergy(passes) for start in starts},
    }


@pytest.mark.parametrize("flow", [Flow.CONSUMPTION, Flow.GRID_IMPORT])
def test_without_a_flow_it_is_unknown(flow: Flow) -> None:
    """A system without a meter has neither."""
    hours: dict[Flow, EnergyByHour] = {**flows(1_000, 250)}
    found = share_of_days(SELF_SUFFICIENCY, hours, [DAY])
    assert found is not None
    assert found.value == 75
    del hours[flow]
    assert share_of_days(SELF_SUFFICIENCY, hours, [DAY]) is None


@pytest.mark.parametrize(("missing", "is_known"), [(2, True), (3, False)])
def test_a_tenth_of_the_hours_may_be_missing(missing: int, *, is_known: bool) -> None:
    """In either flow; only hours known of both count."""
    hours = flows(1_000, 250)
    for hour in list(DAY.hours)[5 : 5 + missing]:
        del hours[Flow.GRID_IMPORT][hour]
    found = share_of_days(SELF_SUFFICIENCY, hours, [DAY])
    assert (found is not None and found.value == 75) is is_known


def test_the_day_so_far_is_as_of_the_last_hour_of_both() -> None:
    """Later hours of only one flow do not count."""
    hours = flows(1_000, 250, hours=10)
    hours[Flow.CONSUMPTION] |= {
        DAY.start + number * HOUR: HourlyEnergy(9_000) for number in (10, 11)
    }
    found = share_of_days(SELF_SUFFICIENCY, hours, [DAY])
    assert found is not None
    assert (found.value, found.until) == (75, DAY.start + 10 * HOUR)
    assert not is_complete(found, DAY)
    assert not is_complete(None, DAY)
    assert is_complete(share_of_days(SELF_SUFFICIENCY, flows(900, 9), [DAY]), DAY)


@pytest.mark.parametrize(
    ("passes", "explained", "value"),
    [
        (1_000, 0, 0),
        (1_040, 0, 0),
        (1_100, 0, None),
        (3_000, 2_000, 0),
        (3_000, 1_000, None),
        (0, 0, 100),
    ],
)
@pytest.mark.parametrize("share", [SELF_CONSUMPTION, SELF_SUFFICIENCY])
def test_more_import_or_export_than_the_whole_has_to_be_explained(
    share: ShareOf, passes: int, explained: int, value: float | None
) -> None:
    """By the battery, or by the difference of two meters."""
    hours = flows(1_000, passes, share)
    hours[share.explained_by] = {
        hour: HourlyEnergy(explained) for hour in hours[share.whole]
    }
    found = share_of_days(share, hours, [DAY])
    assert (None if found is None else found.value) == value


def test_almost_no_energy_has_no_share() -> None:
    """As in a night without production."""
    assert share_of_days(SELF_CONSUMPTION, flows(2, 0, SELF_CONSUMPTION), [DAY]) is None


def test_energy_of_a_whole_day_is_not_that_of_an_hour() -> None:
    """It counts only if the day is known of both flows."""
    hours = flows(1_000, 250, hours=0)
    hours[Flow.CONSUMPTION] = {DAY.start: HourlyEnergy(24_000, DAY)}
    hours[Flow.GRID_IMPORT] = {DAY.start: HourlyEnergy(250)}
    assert share_of_days(SELF_SUFFICIENCY, hours, [DAY]) is None
    hours[Flow.GRID_IMPORT][DAY.start + HOUR] = HourlyEnergy(5_750, DAY)
    found = share_of_days(SELF_SUFFICIENCY, hours, [DAY])
    assert found is not None
    assert found.value == 75


@pytest.mark.parametrize("share", [SELF_CONSUMPTION, SELF_SUFFICIENCY])
def test_battery_energy_of_a_whole_day_explains_no_single_hour(share: ShareOf) -> None:
    """It does once the day is known of the other flows."""
    rest = {DAY.start + 9 * HOUR: HourlyEnergy(48_000, DAY)}
    part = {**flows(1_000, 3_000, share, hours=10), share.explained_by: rest}
    assert share_of_days(share, part, [DAY]) is None
    whole = {**flows(1_000, 3_000, share), share.explained_by: rest}
    found = share_of_days(share, whole, [DAY])
    assert found is not None
    assert found.value == 0


@pytest.mark.parametrize(
    ("day", "count"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25)], ids=str
)
def test_days_of_another_length_are_whole(day: date, count: int) -> None:
    """All their hours count."""
    span = system_day(day, ZONE)
    hours = {hour: HourlyEnergy(100) for hour in span.hours}
    assert day_total(hours, span) == 100 * count
    del hours[max(hours)]
    assert day_total(hours, span) is None


@pytest.mark.parametrize(
    ("share", "hours"), [(SELF_CONSUMPTION, 12), (SELF_SUFFICIENCY, 6)]
)
def test_a_share_of_today_is_valid_for_hours(share: ShareOf, hours: int) -> None:
    """Over a night without production, and longer where reports are rare."""
    assert stale_after(share, cellular=False) == hours * HOUR
    assert stale_after(share, cellular=True) == (hours + 6) * HOUR


hourly = st.dictionaries(
    st.integers(0, 47).map(lambda hour: DAY.start + hour * HOUR),
    st.tuples(st.integers(0, 5_000), st.booleans()).map(
        lambda each: HourlyEnergy(each[0], DAY if each[1] else None)
    ),
)


@given(st.dictionaries(st.sampled_from(Flow), hourly), st.sampled_from([0, 300, 1_000]))
def test_a_share_is_a_percentage(hours: dict[Flow, EnergyByHour], passes: int) -> None:
    """For any known hours, among sound ones or alone."""
    days = [DAY, system_day(date(2026, 6, 11), ZONE)]
    for share in (SELF_CONSUMPTION, SELF_SUFFICIENCY):
        sound: dict[Flow, EnergyByHour] = {**flows(1_000, passes, share)}
        mixed = {flow: {**sound.get(flow, {}), **hours.get(flow, {})} for flow in Flow}
        for known in (hours, mixed):
            found = share_of_days(share, known, days)
            assert found is None or 0 <= found.value <= 100
            assert found is None or found.until <= DAY.start + timedelta(days=2)
            assert found is None or found.until.tzinfo is UTC
