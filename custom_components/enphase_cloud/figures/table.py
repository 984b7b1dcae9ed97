"""The figures: the equipment that each requires, and how it is computed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo
from functools import partial
from statistics import fmean
from typing import Final, NamedTuple

from ..energy.parsing import system_day
from ..energy.readings import EnergyByHour, Span
from ..measurements.board import Board
from ..measurements.catalog import Flow, Measurement
from .battery import Capacity, Efficiency
from .peaks import Quarter, peak_of_month
from .periods import MONTHS, days_between, months_before
from .shares import (
    SELF_CONSUMPTION,
    SELF_SUFFICIENCY,
    Share,
    ShareOf,
    is_complete,
    share_of_days,
    stale_after,
)
from .years import Days, degradation, same_month

_DAY: Final = timedelta(days=1)
# A share of a month is valid while only about a day is missing at the end.
_STALE_MONTH: Final = timedelta(hours=36)


class Known(NamedTuple):
    """The data that figures are computed from, at a moment.

    `hours`: yesterday and this month. `production`: all days. `peaks`: the greatest
    quarter hour of each day. `cycles`: from the lifetime energy and the rated capacity
    of the battery. `since`: the first day of the system.
    """

    now: datetime
    zone: tzinfo
    cellular: bool
    since: date | None
    hours: Mapping[Flow, EnergyByHour]
    production: Days
    peaks: Mapping[date, Quarter]
    efficiency: Efficiency | None
    capacity: Capacity | None
    cycles: float | None

    @property
    def today(self) -> date:
        """Return the local date."""
        return self.now.astimezone(self.zone).date()

    def days(self, first: date, end: date) -> list[Span]:
        """Return the days from `first` up to `end`, without `end`."""
        return [system_day(day, self.zone) for day in days_between(first, end)]


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure, or None if unknown, with its attributes; unknown from `stale_at` on."""

    value: float | None = None
    attributes: Mapping[str, object] = field(default_factory=dict)
    stale_at: datetime | None = None


UNKNOWN: Final = Figure()


class FigureRow(NamedTuple):
    """A row: whether the system has the equipment, and how to compute the figure."""

    is_there: Callable[[Board, datetime], bool]
    of: Callable[[Known], Figure]


def _has_meter(board: Board, now: datetime) -> bool:
    return board.has_consumption_meter(now)


def _has_battery(board: Board, _now: datetime) -> bool:
    return board.has_battery()


def _produces(board: Board, _now: datetime) -> bool:
    return Measurement.PRODUCTION_SOURCE in board.newest()


def _share(
    share: ShareOf, known: Known, first: date, end: date, stale: timedelta
) -> Figure:
    """Return the share from the day `first` up to now; it is stale from `end` on."""
    found = share_of_days(share, known.hours, known.days(first, known.today + _DAY))
    stale_at = system_day(end, known.zone).start
    return _shown(found, min(stale_at, found.until + stale) if found else stale_at)


def _shown(share: Share | None, stale_at: datetime) -> Figure:
    if share is None:
        return UNKNOWN
    return Figure(share.value, {"until": share.until}, stale_at)


def _today(share: ShareOf, known: Known) -> Figure:
    stale = stale_after(share, cellular=known.cellular)
    return _share(share, known, known.today, known.today + _DAY, stale)


def _yesterday(share: ShareOf, known: Known) -> Figure:
    (day,) = known.days(known.today - _DAY, known.today)
    found = share_of_days(share, known.hours, [day])
    stale_at = system_day(known.today + _DAY, known.zone).start
    return _shown(found if is_complete(found, day) else None, stale_at)


def _month(share: ShareOf, known: Known) -> Figure:
    first = known.today.replace(day=1)
    return _share(share, known, first, months_before(first, -1), _STALE_MONTH)


def _peak(known: Known, months_ago: int) -> Quarter | None:
    month = months_before(known.today.replace(day=1), months_ago)
    return peak_of_month(known.peaks, month, today=known.today, since=known.since)


def _peak_of_month(months_ago: int, known: Known) -> Figure:
    quarter = _peak(known, months_ago)
    next_month = months_before(known.today.replace(day=1), -1)
    if quarter is None:
        return UNKNOWN
    return Figure(
        quarter.power,
        {"at": quarter.start},
        system_day(next_month, known.zone).start,
    )


def _mean_peak(known: Known) -> Figure:
    found = [_peak(known, months) for months in range(1, MONTHS)]
    powers = [quarter.power for quarter in found if quarter is not None]
    return Figure(fmean(powers), {"months": len(powers)}) if powers else UNKNOWN


def _efficiency(known: Known) -> Figure:
    found = known.efficiency
    if found is None:
        return UNKNOWN
    energy = {"charged": found.charged, "discharged": found.discharged}
    return Figure(
        found.percent, {key: round(wh / 1_000, 1) for key, wh in energy.items()}
    )


def _usable_capacity(known: Known) -> Figure:
    found = known.capacity
    return UNKNOWN if found is None else Figure(found.energy, {"falls": found.falls})


def _production_last_year(known: Known) -> Figure:
    found = same_month(known.production, known.today)
    if found is None:
        return UNKNOWN
    years = {str(year): round(wh / 1_000, 2) for year, wh in found.earlier.items()}
    return Figure(found.last_year, {"years": years})


def _production_ratio(known: Known) -> Figure:
    found = same_month(known.production, known.today)
    if found is None or not found.last_year:
        return UNKNOWN
    return Figure(100 * found.this_year / found.last_year)


def _degradation(known: Known) -> Figure:
    found = degradation(known.production)
    if found is None:
        return UNKNOWN
    uncertainty = round(found.uncertainty, 2)
    return Figure(found.percent, {"uncertainty": uncertainty, "years": found.years})


FIGURES: Final[Mapping[str, FigureRow]] = {
    f"{name}_{period}": FigureRow(_has_meter, partial(of, share))
    for name, share in (
        ("self_consumption", SELF_CONSUMPTION),
        ("self_sufficiency", SELF_SUFFICIENCY),
    )
    for period, of in (("today", _today), ("yesterday", _yesterday), ("month", _month))
} | {
    "import_peak": FigureRow(_has_meter, partial(_peak_of_month, 0)),
    "import_peak_last_month": FigureRow(_has_meter, partial(_peak_of_month, 1)),
    "import_peak_mean": FigureRow(_has_meter, _mean_peak),
    "battery_efficiency": FigureRow(_has_battery, _efficiency),
    "battery_cycles": FigureRow(_has_battery, lambda known: Figure(known.cycles)),
    "battery_usable_capacity": FigureRow(_has_battery, _usable_capacity),
    "production_last_year": FigureRow(_produces, _production_last_year),
    "production_ratio": FigureRow(_produces, _production_ratio),
    "degradation": FigureRow(_produces, _degradation),
}
"""The rows by the key of their sensor."""
