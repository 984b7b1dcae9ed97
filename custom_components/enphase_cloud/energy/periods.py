"""Named periods such as "this week", and hourly energy summed over them."""

from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime, timedelta, tzinfo
from enum import StrEnum, auto
from typing import Any, Final

from ..measurements.catalog import Flow
from .parsing import system_day
from .readings import HOUR

type Hour = tuple[datetime, float, bool]
"""When an hour begins, its amount (Wh or money), and whether that is of a whole day."""

_MOST_DAYS: Final = 366
_MOST_VALUES: Final = 500


class Period(StrEnum):
    """A period by its name; weeks begin on Monday."""

    TODAY = auto()
    YESTERDAY = auto()
    THIS_WEEK = auto()
    THIS_MONTH = auto()
    LAST_MONTH = auto()
    THIS_YEAR = auto()


class Resolution(StrEnum):
    """The length of the parts of a period."""

    HOUR = auto()
    DAY = auto()
    MONTH = auto()


def days_of(period: Period, today: date) -> tuple[date, date]:
    """Return the first and the last day of a period; the last is today at most."""
    month = today.replace(day=1)
    yesterday, last_month = (day - timedelta(days=1) for day in (today, month))
    return {
        Period.TODAY: (today, today),
        Period.YESTERDAY: (yesterday, yesterday),
        Period.THIS_WEEK: (today - timedelta(days=today.weekday()), today),
        Period.THIS_MONTH: (month, today),
        Period.LAST_MONTH: (last_month.replace(day=1), last_month),
        Period.THIS_YEAR: (today.replace(month=1, day=1), today),
    }[period]


def days_between(first: str | None, last: str | None, today: date) -> tuple[date, date]:
    """Return the days between two dates; the last is today at the latest.

    Raises ValueError for invalid dates, and for no days or too many.
    """
    end = today if last is None else min(today, date.fromisoformat(last))
    start = end if first is None else date.fromisoformat(first)
    if not timedelta() <= end - start < timedelta(days=_MOST_DAYS):
        raise ValueError(f"Ask for 1 to {_MOST_DAYS} days, none of them in the future")
    return start, end


def check_size(
    periods: Iterable[tuple[date, date]], resolution: Resolution, flows: int
) -> None:
    """Raise ValueError where the periods have too many parts for a response."""
    parts = sum(_parts(first, last, resolution) for first, last in periods)
    if flows * parts > _MOST_VALUES:
        raise ValueError(
            f"More than {_MOST_VALUES} values: choose a longer resolution, fewer days,"
            " one flow or one system"
        )


def period_values(
    hours: Mapping[str, Iterable[Hour]],
    time_zone: tzinfo,
    resolution: Resolution | None,
) -> dict[str, Any]:
    """Return totals and parts of a period [kWh, or money] by the keys of statistics.

    A part is named by its local hour, day or month. Amounts that are only known for a
    whole day belong to no hour.
    """
    found = {name: known for name, of in hours.items() if (known := list(of))}
    if not found:
        return {}
    until = max(_end(hour, time_zone) for of in found.values() for hour in of)
    values: dict[str, Any] = {
        "recorded_until": until.astimezone(time_zone).isoformat(timespec="minutes"),
        "total": {
            name: _amount(name, sum(amount for _, amount, _ in of))
            for name, of in found.items()
        },
    }
    if resolution is not None:
        values["parts"] = {
            name: {
                part: _amount(name, amount)
                for part, amount in _by_part(of, time_zone, resolution).items()
            }
            for name, of in found.items()
        }
    return values


def kwh(energy: float) -> float:
    """Return an energy [Wh] in kWh."""
    return round(energy / 1000, 3)


def _end(hour: Hour, time_zone: tzinfo) -> datetime:
    start, _, is_of_day = hour
    if is_of_day:
        return system_day(start.astimezone(time_zone).date(), time_zone).end
    return start + HOUR


def _parts(first: date, last: date, resolution: Resolution) -> int:
    if resolution is Resolution.MONTH:
        return 12 * (last.year - first.year) + last.month - first.month + 1
    return ((last - first).days + 1) * (24 if resolution is Resolution.HOUR else 1)


def _by_part(
    hours: Collection[Hour], time_zone: tzinfo, resolution: Resolution
) -> dict[str, float]:
    amounts: dict[str, float] = {}
    for start, amount, is_of_day in hours:
        if resolution is Resolution.HOUR and is_of_day:
            continue
        part = _name(start.astimezone(time_zone), resolution)
        amounts[part] = amounts.get(part, 0) + amount
    return amounts


def _amount(name: str, amount: float) -> float:
    return kwh(amount) if name in Flow else round(amount, 2)


def _name(start: datetime, resolution: Resolution) -> str:
    if resolution is Resolution.HOUR:
        return start.isoformat(timespec="minutes")
    day = start.date().isoformat()
    return day if resolution is Resolution.DAY else day[: len("2026-12")]
