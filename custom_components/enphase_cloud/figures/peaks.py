"""The quarter hours of the greatest import, which capacity tariffs bill."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta, tzinfo
from typing import Any, Final, NamedTuple, Self

from ..energy.readings import Readings, top_of_hour
from ..json_values import moment, number, record, rows
from .periods import MONTHS, days_between, month_of, months_before

_QUARTER: Final = timedelta(minutes=15)
# Up to this age, responses correct single hours; later, whole days.
_YOUNG: Final = timedelta(days=8)
# The share of a month's days that may be unknown.
_LACKING: Final = 0.1


class Quarter(NamedTuple):
    """The energy of a quarter of an hour [Wh], and its start."""

    energy: float
    start: datetime

    @property
    def power(self) -> float:
        """Return the mean power [W]."""
        return self.energy * 4


class Peaks(NamedTuple):
    """The greatest quarter of each hour of the last days, and of each day before.

    So if a response corrects the greatest quarter of a month, the second greatest is
    still known: responses replace whole hours of the last days, or whole older days.
    """

    quarters: tuple[Quarter, ...] = ()

    def with_readings(self, readings: Readings, zone: tzinfo) -> Self:
        """Return the peaks after a response, which replaces known quarters.

        Uncertain readings, such as those of a response with only zeros, replace none.
        """
        quarters = [
            (Quarter(reading.energy, span.start), reading.is_certain)
            for span, reading in readings.items()
            if span.length == _QUARTER
        ]
        certain = {quarter.start for quarter, is_certain in quarters if is_certain}
        kept = [each for each in self.quarters if each.start not in certain]
        kept += [quarter for quarter, _ in quarters]
        return self if not quarters else type(self)(_greatest(kept, zone))

    def by_day(self, zone: tzinfo) -> Mapping[date, Quarter]:
        """Return the greatest known quarter of each day."""
        days: dict[date, Quarter] = {}
        for quarter in self.quarters:
            day = quarter.start.astimezone(zone).date()
            if day not in days or quarter.energy > days[day].energy:
                days[day] = quarter
        return days

    def as_dict(self) -> dict[str, Any]:
        """Return the peaks in a shape that JSON can hold."""
        return {
            "quarters": [
                [each.energy, each.start.timestamp()] for each in self.quarters
            ]
        }

    @classmethod
    def from_dict(cls, data: object) -> Self:
        """Read what `as_dict` returned; raises ValueError where that is damaged."""
        return cls(
            tuple(
                Quarter(number(energy), moment(start))
                for energy, start in rows(record(data)["quarters"], width=2)
            )
        )


def peak_of_month(
    days: Mapping[date, Quarter], month: date, *, today: date, since: date | None
) -> Quarter | None:
    """Return the greatest quarter of a month; None if too few days are known.

    A day counts as known if any of its quarters is. `since` is the first day of the
    system.
    """
    end = months_before(month, -1)
    first = month if since is None else max(month, since)
    past = list(days_between(first, min(end, today)))
    found = [days[day] for day in days_between(month, end) if day in days]
    missing = sum(day not in days for day in past)
    if not found or missing > len(past) * _LACKING:
        return None
    return max(found, key=lambda quarter: quarter.energy)


def _greatest(quarters: list[Quarter], zone: tzinfo) -> tuple[Quarter, ...]:
    """Return the greatest quarter of each hour or day, in order of time."""
    newest = max(quarter.start for quarter in quarters)
    first_month = months_before(month_of(newest, zone), MONTHS - 1)
    greatest: dict[date, Quarter] = {}
    for quarter in sorted(quarters, key=lambda each: each.start):
        if month_of(quarter.start, zone) < first_month:
            continue
        is_young = newest - quarter.start < _YOUNG
        day = quarter.start.astimezone(zone).date()
        key = top_of_hour(quarter.start) if is_young else day
        if key not in greatest or quarter.energy > greatest[key].energy:
            greatest[key] = quarter
    return tuple(greatest.values())
