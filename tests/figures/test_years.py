"""Production compared between years, with panels that age in the simulator."""

from copy import replace
from datetime import date, datetime, timedelta

from hypothesis import example, given, strategies as st
import pytest

from custom_components.enphase_cloud.energy.parsing import system_day
from custom_components.enphase_cloud.energy.readings import HourlyEnergy
from custom_components.enphase_cloud.figures.years import (
    Days,
    days_of,
    degradation,
    same_month,
)

from .simulated import ZONE, Year

DAY = timedelta(days=1)


def simulated(first: date, days: int, ageing_percent: float) -> Days:
    """Return the production of each day."""
    year = Year(commissioned=first)
    year.system.plant = replace(year.system.plant, ageing_percent=ageing_percent)
    truth = year.truth
    every = (first + number * DAY for number in range(days))
    return {day: truth.day("production", day) for day in every}


@pytest.mark.parametrize("ageing", [0.0, 1.5])
def test_degradation_is_within_its_uncertainty(ageing: float) -> None:
    """For four years."""
    days = simulated(date(2022, 7, 1), 4 * 365 + 1, ageing)
    found = degradation(days)
    assert found is not None
    assert abs(found.percent - ageing) <= found.uncertainty
    assert found.uncertainty < 1
    assert found.years == 5


def fine(first: date, days: int, left: float = 1.0) -> dict[date, int]:
    """Return equal days, with `left` of the energy of the year before."""
    every = (first + number * DAY for number in range(days))
    return {day: round(30_000 * left ** (day.year - first.year)) for day in every}


@pytest.mark.parametrize(("years", "is_known"), [(2, False), (3, True)])
def test_before_three_years_degradation_is_unknown(
    years: int, *, is_known: bool
) -> None:
    """Two years are no trend."""
    days = fine(date(2022, 1, 1), 365 * years)
    assert (degradation(days) is not None) is is_known


def test_the_trend_of_equal_days_is_exact() -> None:
    """Logarithms of what is left: 1 % less is 1.005 % a year."""
    found = degradation(fine(date(2020, 1, 1), 365 * 5, left=0.99))
    assert found is not None
    assert found.percent == pytest.approx(1.005, abs=0.01)
    assert found.uncertainty == pytest.approx(0, abs=0.01)


def test_clouds_and_odd_days_do_not_matter() -> None:
    """Only the best days count, of which one in twenty may be wrong."""
    days = fine(date(2020, 1, 1), 365 * 5, left=0.99)
    for number, day in enumerate(sorted(days)):
        if number % 3:
            days[day] //= 2
        if day.day == 1:
            days[day] *= 5
    found = degradation(days)
    assert found is not None
    assert found.percent == pytest.approx(1.005, abs=0.01)


def test_added_panels_are_no_degradation() -> None:
    """There are twice as many panels from the second year on."""
    days = fine(date(2020, 1, 1), 365 * 4)
    days |= {day: 2 * days[day] for day in days if day >= date(2021, 1, 1)}
    days |= {day: 4 * days[day] for day in days if day >= date(2022, 1, 1)}
    assert degradation(days) is None


def test_months_with_few_days_do_not_count() -> None:
    """Nineteen days of each month are known."""
    days = {
        day: energy
        for day, energy in fine(date(2020, 1, 1), 365 * 5).items()
        if day.day < 20
    }
    assert degradation(days) is None
    assert degradation({}) is None


def test_the_same_days_of_earlier_years_are_compared() -> None:
    """Up to yesterday, and only those known of both."""
    days = {
        **fine(date(2025, 6, 1), 30),
        **{day: 2 * wh for day, wh in fine(date(2024, 6, 1), 30).items()},
        **{day: 3 * wh for day, wh in fine(date(2026, 6, 1), 16).items()},
    }
    found = same_month(days, date(2026, 6, 17))
    assert found is not None
    assert (found.this_year, found.last_year) == (16 * 90_000, 16 * 30_000)
    assert found.earlier == {2024: 16 * 60_000, 2025: 16 * 30_000}
    del days[date(2025, 6, 3)]
    found = same_month(days, date(2026, 6, 17))
    assert found is not None
    assert (found.this_year, found.last_year) == (15 * 90_000, 15 * 30_000)
    del days[date(2025, 6, 4)]
    assert same_month(days, date(2026, 6, 17)) is None


def test_on_the_first_nothing_can_be_compared() -> None:
    """Nor if last year is unknown."""
    days = fine(date(2024, 1, 1), 600)
    assert same_month(days, date(2025, 6, 1)) is None
    assert same_month(days, date(2024, 6, 15)) is None
    assert same_month({}, date(2024, 6, 15)) is None


def test_a_leap_day_has_no_match() -> None:
    """It is skipped in both years."""
    days = fine(date(2027, 1, 1), 800)
    found = same_month(days, date(2028, 3, 1))
    assert found is None
    del days[date(2027, 2, 28)]
    found = same_month(days, date(2028, 2, 29))
    assert found is not None
    assert found.this_year == found.last_year == 27 * 30_000


def test_days_are_those_known_as_a_whole() -> None:
    """All hours, or the day's own energy."""
    first, second, third = (
        system_day(date(2026, 6, 1) + n * DAY, ZONE) for n in range(3)
    )
    hours: dict[datetime, HourlyEnergy] = {
        hour: HourlyEnergy(10) for hour in [*first.hours, *second.hours]
    }
    del hours[second.start]
    hours[third.start] = HourlyEnergy(700, third)
    assert days_of(hours, ZONE) == {date(2026, 6, 1): 240, date(2026, 6, 3): 700}


FIVE_YEARS = fine(date(2020, 1, 1), 365 * 5, left=0.98)


@given(
    st.dictionaries(
        st.dates(date(2020, 1, 1), date(2026, 12, 31)),
        st.integers(0, 10**6),
        max_size=500,
    ),
    st.dates(date(2020, 1, 1), date(2028, 2, 29)),
)
@example({}, date(2024, 6, 17))
def test_any_days_can_be_compared(days: dict[date, int], today: date) -> None:
    """The figures are plausible."""
    for known in (days, FIVE_YEARS | days):
        found = degradation(known)
        assert found is None or abs(found.percent) <= 10
        compared = same_month(known, today)
        assert compared is None or compared.earlier[today.year - 1] >= 0
