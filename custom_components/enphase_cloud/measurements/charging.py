"""The energy of charging sessions, and the times at which a charger may charge."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import islice
from operator import attrgetter
import re
from typing import Final, NamedTuple, Self

from ..api.models import ChargingSession, ChargingTimes, EnergyIntervals
from ..json_values import LONGEST_PROSE

# The energy of a session and that of intervals come from different meters and are
# rounded: they may differ by these shares, plus this energy [Wh].
_LEAST_SHARE: Final = 0.7
_MOST_SHARE: Final = 1.4
_ROUNDED: Final = 20.0
_KILO: Final = 1_000
_SEPARATOR: Final = ";"
_TIMES: Final = re.compile(
    r"([1-7]+)@(\d\d)(\d\d)-(\d\d)(\d\d)(?:\*(\d{1,3}))?", re.ASCII
)


def session_energy(
    session: ChargingSession, intervals: EnergyIntervals | None
) -> float | None:
    """Return the energy [Wh] of a session; None if its unit cannot be determined.

    The cloud reports a number without a unit: Wh, as documented, or kWh. The unit
    follows from the charger's intervals, which have to cover all of the session.
    """
    reported = session.energy_added
    if reported is None or intervals is None:
        return None
    bounds = _energy_bounds(session, intervals)
    if bounds is None:
        return None
    least, most = bounds
    if reported and not most:
        # Intervals that are all zero may also be a fault.
        return None
    fitting = {
        energy
        for energy in (reported, reported * _KILO)
        if least * _LEAST_SHARE - _ROUNDED <= energy <= most * _MOST_SHARE + _ROUNDED
    }
    return fitting.pop() if len(fitting) == 1 else None


def _energy_bounds(
    session: ChargingSession, intervals: EnergyIntervals
) -> tuple[float, float] | None:
    """Return the least and the greatest energy [Wh] that a session can have.

    None if intervals do not cover all of the session.
    """
    least = most = 0.0
    covered_until = session.start_at
    first = bisect_right(
        intervals.intervals, session.start_at, key=attrgetter("end_at")
    )
    for interval in islice(intervals.intervals, first, None):
        start = interval.end_at - intervals.length
        if start >= session.end_at:
            break
        if interval.energy is None or start > covered_until:
            return None
        covered_until = interval.end_at
        most += interval.energy
        if start >= session.start_at and interval.end_at <= session.end_at:
            least += interval.energy
    return None if covered_until < session.end_at else (least, most)


class Occurrence(NamedTuple):
    """A time at which a charger may charge, with up to `level` [%] of its power."""

    start: datetime
    end: datetime
    level: int | None


class WeeklyTimes(NamedTuple):
    """The weekly times at which a charger may charge."""

    times: tuple[ChargingTimes, ...] = ()

    def between(
        self, start: datetime, end: datetime, time_zone: tzinfo
    ) -> list[Occurrence]:
        """Return the occurrences that overlap a time range, in order, each once."""
        found = {
            occurrence
            for day in _days(start, end, time_zone)
            for times in self.times
            if day.isoweekday() in times.days
            and (occurrence := _occurrence(times, day, time_zone)).start < end
            and start < occurrence.end
        }
        return sorted(found, key=attrgetter("start", "end"))

    def next(self, at: datetime, time_zone: tzinfo) -> Occurrence | None:
        """Return the current occurrence, else the next one within eight days."""
        found = self.between(at, at + timedelta(days=8), time_zone)
        return next(iter(found), None)

    def as_text(self) -> str:
        """Return as many times as fit as a text for storage."""
        text = ""
        for each in self.times:
            days = "".join(map(str, each.days))
            level = "" if each.level is None else f"*{each.level}"
            one = f"{days}@{each.start:%H%M}-{each.end:%H%M}{level}"
            longer = _SEPARATOR.join(filter(None, (text, one)))
            if len(longer) > LONGEST_PROSE:
                break
            text = longer
        return text

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read what `as_text` returned; skip times that are damaged."""
        return cls(tuple(_times(text.split(_SEPARATOR))))


def _times(parts: Iterable[str]) -> Iterator[ChargingTimes]:
    for part in parts:
        if (match := _TIMES.fullmatch(part)) is None:
            continue
        days, level = match[1], match[6]
        start_hour, start_minute, end_hour, end_minute = map(int, match.groups()[1:5])
        try:
            start, end = time(start_hour, start_minute), time(end_hour, end_minute)
        except ValueError:
            continue
        yield ChargingTimes(
            days=tuple(map(int, days)),
            start=start,
            end=end,
            level=None if level is None else int(level),
        )


def _days(start: datetime, end: datetime, time_zone: tzinfo) -> Iterator[date]:
    """Yield the days on which an occurrence that overlaps a time range may begin."""
    day = start.astimezone(time_zone).date() - timedelta(days=1)
    last = end.astimezone(time_zone).date()
    while day <= last:
        yield day
        day += timedelta(days=1)


def _occurrence(times: ChargingTimes, day: date, time_zone: tzinfo) -> Occurrence:
    """Return the occurrence that begins on a day; equal times mean 24 hours."""
    until = day if times.end > times.start else day + timedelta(days=1)
    start, end = (
        datetime.combine(on, at, time_zone).astimezone(UTC)
        for on, at in ((day, times.start), (until, times.end))
    )
    return Occurrence(start=start, end=end, level=times.level)
