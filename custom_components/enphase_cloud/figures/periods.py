"""Days and months of a system."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta, tzinfo
from typing import Final

MONTHS: Final = 13
"""How many months are kept: the current one and the twelve before."""

_DAY: Final = timedelta(days=1)


def month_of(moment: datetime, zone: tzinfo) -> date:
    """Return the first day of the local month of a moment."""
    return moment.astimezone(zone).date().replace(day=1)


def months_before(month: date, months: int) -> date:
    """Return the first day of an earlier month, or later if `months` is negative."""
    years, index = divmod(month.year * 12 + month.month - 1 - months, 12)
    return date(years, index + 1, 1)


def days_between(first: date, end: date) -> Iterator[date]:
    """Yield the days from `first` up to `end`, without `end`."""
    while first < end:
        yield first
        first += _DAY
