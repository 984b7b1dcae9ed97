"""Production compared between years: the same month, and the best days."""

from collections.abc import Mapping
from datetime import date, tzinfo
from itertools import combinations, groupby
from math import log, sqrt
from statistics import median
from typing import Final, NamedTuple

from ..energy.parsing import system_day
from ..energy.readings import EnergyByHour
from .periods import days_between
from .shares import day_total

type Days = Mapping[date, int]
"""The production [Wh] of each day that is known as a whole."""

# The share of a month's days that may be unknown.
_LACKING: Final = 0.1
# A month's best day is the 95th percentile of at least this number of days.
_BEST: Final = 0.95
_LEAST_DAYS: Final = 20
# The least number of years, and of calendar months, to compare.
_LEAST_YEARS: Final = 3
_LEAST_MONTHS: Final = 6
# The standard error of the median of independent values, as a multiple of their median
# absolute deviation / √n, and the number of standard errors of a 95 % interval.
_MEDIAN_ERROR: Final = 1.4826 * 1.2533
_CONFIDENCE: Final = 1.96
# Panels do not age by more than this per year [%]: panels were added or removed.
_CREDIBLE: Final = 10.0


class SameMonth(NamedTuple):
    """The production [Wh] from the first of a month up to a day, in several years.

    Each year is compared on the days known of it and of this year; `this_year` is of
    the days known of last year.
    """

    this_year: int
    last_year: int
    earlier: Mapping[int, int]


class Degradation(NamedTuple):
    """The decrease of the best days per year [%], with its 95 % uncertainty [%]."""

    percent: float
    uncertainty: float
    years: int


def days_of(hours: EnergyByHour, zone: tzinfo) -> Days:
    """Return the days of which all hours are known."""
    found = {}
    for day in sorted({hour.astimezone(zone).date() for hour in hours}):
        total = day_total(hours, system_day(day, zone))
        if total is not None:
            found[day] = total
    return found


def same_month(days: Days, today: date) -> SameMonth | None:
    """Return this month up to yesterday, and the same days of earlier years.

    None on the first of a month, and if too few days of last year are known.
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
    """Return the decrease of the best days per year: the median of calendar months.

    Within a calendar month all pairs of years are compared. None before three years.
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
    """Return the energy [Wh] of the best day by calendar month and year."""
    found: dict[int, dict[int, float]] = {}
    months = groupby(sorted(days), key=lambda day: (day.year, day.month))
    for (year, month), group in months:
        energy = sorted(days[day] for day in group)
        if len(energy) >= _LEAST_DAYS and (best := _percentile(energy)):
            found.setdefault(month, {})[year] = best
    return found


def _percentile(values: list[int]) -> float:
    """Return the 95th percentile of sorted values, interpolated."""
    place = _BEST * (len(values) - 1)
    index = int(place)
    above = values[min(index + 1, len(values) - 1)]
    return values[index] + (above - values[index]) * (place - index)
