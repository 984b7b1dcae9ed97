"""The production of years compared: the same month, and the best days."""

from collections.abc import Mapping
from datetime import date, tzinfo
from itertools import combinations, groupby
from math import log, sqrt
from statistics import median
from typing import Final, NamedTuple

from ..energy.parsing import system_day
from ..energy.readings import HourlyEnergies
from .periods import days_between
from .shares import day_total

type Days = Mapping[date, int]
"""What was produced on each day of the system that is known as a whole [Wh]."""

# So many days of a month need not be known.
_LACKING: Final = 0.1
# A month's best day is the 95th percentile of so many days at least.
_BEST: Final = 0.95
_LEAST_DAYS: Final = 20
# Years, and months of the year, that are compared at least.
_LEAST_YEARS: Final = 3
_LEAST_MONTHS: Final = 6
# The standard error of a median by the median deviation of independent values, and
# how many of them 95 % are within.
_MEDIAN_ERROR: Final = 1.4826 * 1.2533
_CONFIDENCE: Final = 1.96
# Panels do not age by so much a year [%]: then some were added or taken away.
_CREDIBLE: Final = 10.0


class SameMonth(NamedTuple):
    """What was produced from the first of a month up to a day, in years [Wh].

    Of each year the same days count: those known of it and of this year.
    """

    this_year: int
    last_year: int
    earlier: Mapping[int, int]


class Degradation(NamedTuple):
    """How much less the best days bring, each year [%], give or take `uncertainty`."""

    percent: float
    uncertainty: float
    years: int


def days_of(hours: HourlyEnergies, zone: tzinfo) -> Days:
    """Return the days that hours tell as a whole."""
    found = {}
    for day in sorted({hour.astimezone(zone).date() for hour in hours}):
        total = day_total(hours, system_day(day, zone))
        if total is not None:
            found[day] = total
    return found


def same_month(days: Days, today: date) -> SameMonth | None:
    """Return this month up to yesterday beside the same days of earlier years.

    None on the first of a month, and where too few days are known.
    """
    month = [day for day in days_between(today.replace(day=1), today) if day in days]
    earlier = {}
    this_year = 0
    for year in sorted({day.year for day in days if day.year < today.year}):
        pairs = [(day, other) for day in month if (other := _in(year, day)) in days]
        if pairs and len(pairs) >= (today.day - 1) * (1 - _LACKING):
            earlier[year] = sum(days[other] for _, other in pairs if other)
            this_year = sum(days[day] for day, _ in pairs)
    last = earlier.get(today.year - 1)
    return None if last is None else SameMonth(this_year, last, earlier)


def degradation(days: Days) -> Degradation | None:
    """Return how much less the best days bring each year.

    Of each month of the calendar, each two years are compared. None before three
    years.
    """
    best = _best_days(days)
    slopes = {
        month: median(
            100 * log(old / new) / (newer - older)
            for (older, old), (newer, new) in combinations(sorted(years.items()), 2)
        )
        for month, years in best.items()
        if max(years) - min(years) >= _LEAST_YEARS - 1 and len(years) >= _LEAST_YEARS
    }
    if len(slopes) < _LEAST_MONTHS:
        return None
    middle = median(slopes.values())
    deviation = median(abs(slope - middle) for slope in slopes.values())
    uncertainty = _CONFIDENCE * _MEDIAN_ERROR * deviation / sqrt(len(slopes))
    if abs(middle) > _CREDIBLE:
        return None
    years = {year for month in slopes for year in best[month]}
    return Degradation(middle, uncertainty, len(years))


def _in(year: int, day: date) -> date | None:
    try:
        return day.replace(year=year)
    except ValueError:
        return None


def _best_days(days: Days) -> Mapping[int, Mapping[int, float]]:
    """Return the best day of each month and year, by month."""
    found: dict[int, dict[int, float]] = {}
    months = groupby(sorted(days), key=lambda day: (day.year, day.month))
    for (year, month), group in months:
        energies = sorted(days[day] for day in group)
        if len(energies) >= _LEAST_DAYS and (best := _percentile(energies)):
            found.setdefault(month, {})[year] = best
    return found


def _percentile(values: list[int]) -> float:
    """Return the percentile of sorted values, between two of them where it falls."""
    place = _BEST * (len(values) - 1)
    index = int(place)
    above = values[min(index + 1, len(values) - 1)]
    return values[index] + (above - values[index]) * (place - index)
