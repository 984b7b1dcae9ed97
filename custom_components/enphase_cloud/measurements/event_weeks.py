"""Weeks of events and alarms: which a time range covers, to request and to keep."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple, Self

from ..json_values import moment, record
from .system_events import SystemEvent, read_rows

WEEK: Final = timedelta(days=7)
# The cloud has no events older than nine months.
_OLDEST: Final = timedelta(days=270)
# Late reports have arrived by then, so a week is complete a day after its end.
_LATE: Final = timedelta(days=1)
# An incomplete week is requested again after PAUSE, a complete one with an event that
# had not ended after _PAUSE_OPEN.
PAUSE: Final = timedelta(hours=6)
_PAUSE_OPEN: Final = WEEK
MOST_WEEKS: Final = 80
# Calendar views show at least a day. Automations request a quarter of an hour each
# quarter of an hour, which must not cost API calls.
SHORTEST_RANGE: Final = timedelta(hours=6)
_FIRST: Final = datetime(2000, 1, 3, tzinfo=UTC)  # A Monday.


class Week(NamedTuple):
    """The events of a week, as of the moment of the request."""

    fetched_at: datetime
    events: tuple[SystemEvent, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return it in a shape that JSON can hold."""
        return {
            "fetched_at": self.fetched_at.timestamp(),
            "happenings": [each.as_row() for each in self.events],
        }

    @classmethod
    def from_dict(cls, data: object) -> Self:
        """Read what `as_dict` returned; raises ValueError where that is damaged."""
        stored = record(data)
        return cls(moment(stored["fetched_at"]), read_rows(stored["happenings"]))


type Weeks = Mapping[datetime, Week]
"""Weeks by their beginnings, Monday at midnight in UTC."""


def week_starts(start: datetime, end: datetime) -> list[datetime]:
    """Return the beginnings of the weeks that a time range overlaps."""
    first = _FIRST + (start - _FIRST) // WEEK * WEEK
    return [first + number * WEEK for number in range(-((first - end) // WEEK))]


def is_long_enough(start: datetime, end: datetime) -> bool:
    """Return whether a time range is long enough for a calendar view of a user."""
    return end - start >= SHORTEST_RANGE


def due_weeks(
    weeks: Weeks, start: datetime, end: datetime, now: datetime
) -> list[datetime]:
    """Return the beginnings of the weeks of a time range to request, newest first."""
    if not is_long_enough(start, end):
        return []
    reached = max(start, now - _OLDEST)
    starts = week_starts(reached, min(end, now)) if reached < min(end, now) else []
    return [each for each in reversed(starts) if _is_due(each, weeks.get(each), now)]


def _is_due(start: datetime, week: Week | None, now: datetime) -> bool:
    if week is None or week.fetched_at > now:
        # With a clock that was ahead, it may not be complete.
        return True
    complete_at = start + WEEK + _LATE
    if week.fetched_at < complete_at:
        return now >= complete_at or now - week.fetched_at >= PAUSE
    is_open = any(each.ended_at is None for each in week.events)
    return is_open and now - week.fetched_at >= _PAUSE_OPEN


def request_span(start: datetime, now: datetime) -> tuple[int, int]:
    """Return the first and last second [Unix time] of a week that may be requested."""
    first = max(start, now - _OLDEST)
    last = min(start + WEEK - timedelta(seconds=1), now)
    return int(first.timestamp()), int(last.timestamp())


def with_week(weeks: Weeks, start: datetime, week: Week) -> dict[datetime, Week]:
    """Return the weeks with a new one; only the newest MOST_WEEKS are kept."""
    inside = tuple(
        each for each in week.events if start <= each.started_at < start + WEEK
    )
    kept = {**weeks, start: Week(week.fetched_at, inside)}
    return dict(sorted(kept.items())[-MOST_WEEKS:])


def events_between(weeks: Weeks, start: datetime, end: datetime) -> list[SystemEvent]:
    """Return the known events that overlap a time range, oldest first."""
    found = [
        each
        for week in weeks.values()
        for each in week.events
        if each.started_at < end and (each.ended_at or end) >= start
    ]
    return sorted(found, key=lambda each: (each.started_at, each.event_type_id))


def weeks_as_dict(weeks: Weeks) -> dict[str, Any]:
    """Return weeks in a shape that JSON can hold."""
    return {f"{start.timestamp():.0f}": week.as_dict() for start, week in weeks.items()}


def weeks_from_dict(data: object) -> dict[datetime, Week]:
    """Read what `weeks_as_dict` returned; raises ValueError where that is damaged."""
    return {
        moment(int(start)): Week.from_dict(week) for start, week in record(data).items()
    }
