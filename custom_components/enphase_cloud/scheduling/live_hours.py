"""How many live streams the user's limit allows, and when the next session begins."""

from collections.abc import Callable
from datetime import datetime, time, timedelta, tzinfo
import math
from typing import Final, NamedTuple

from .daylight import Daylight

_DAY: Final = timedelta(days=1)
# Scheduled sessions leave this share to sessions by users and automations.
_SHARE_FOR_REQUESTS: Final = 0.2

type OpeningWindow = tuple[datetime, datetime]
# Returns the window that is open at a moment, or the first one after it.
type OpenHours = Callable[[datetime], OpeningWindow]


class StreamAllowance(NamedTuple):
    """The live streams per month that the user agrees to pay for."""

    per_month: int

    def left(self, used: int) -> int:
        """Return how many are left this month."""
        return max(0, self.per_month - used)

    def left_for_sessions(self, used: int) -> int:
        """Return how many are left for scheduled sessions."""
        return max(0, self.left(used) - math.ceil(self.per_month * _SHARE_FOR_REQUESTS))


def split(length: timedelta, longest: timedelta) -> int:
    """Return the number of streams that a session of a length needs."""
    return max(0, math.ceil(length / longest))


def next_session(
    *,
    last: datetime | None,
    now: datetime,
    pause: timedelta,
    left: int,
    period_end: datetime,
    hours: OpenHours,
) -> datetime:
    """Return when the next scheduled session begins, now or later.

    It is at least `pause` after the last one, and late enough that the streams `left`
    last until the period ends. If none is left, it is when the next period begins.
    """
    if left <= 0:
        return _open_from(max(period_end, now), hours)
    if last is None:
        return _open_from(now, hours)
    spread = _open_time(now, period_end, hours) / left
    due = max(last + pause, _later(last, spread, hours), now)
    return _open_from(due, hours)


def all_day(at: datetime) -> OpeningWindow:
    """Return a window that is always open."""
    return at, at + _DAY


def by_day(daylight: Daylight) -> OpenHours:
    """Return the hours in which a system produces; all hours while none are known."""

    def window(at: datetime) -> OpeningWindow:
        opens = at if daylight.is_day(at) else daylight.next_change(at)
        return opens, daylight.next_change(opens)

    return window


def between(begin: time, end: time, time_zone: tzinfo) -> OpenHours:
    """Return the hours between two times of the system's day; over midnight, too."""

    def window(at: datetime) -> OpeningWindow:
        day = at.astimezone(time_zone).date() - _DAY
        while True:
            opens = datetime.combine(day, begin, time_zone)
            closes = datetime.combine(
                day if begin < end else day + _DAY, end, time_zone
            )
            # Compared in UTC: a day may have 23 or 25 hours, and summer time may leave
            # nothing between two times.
            if closes.timestamp() > max(at.timestamp(), opens.timestamp()):
                return opens.astimezone(at.tzinfo), closes.astimezone(at.tzinfo)
            day += _DAY

    return window


def _open_from(at: datetime, hours: OpenHours) -> datetime:
    return max(at, hours(at)[0])


def _later(at: datetime, open_time: timedelta, hours: OpenHours) -> datetime:
    """Return when windows have been open for a total of `open_time`."""
    while open_time > timedelta():
        opens, closes = hours(at)
        at = max(at, opens)
        step = min(open_time, closes - at)
        open_time -= step
        at += step
    return at


def _open_time(begin: datetime, end: datetime, hours: OpenHours) -> timedelta:
    """Return the total time for which windows are open within a period."""
    total = timedelta()
    at = begin
    while at < end:
        opens, closes = hours(at)
        total += max(min(closes, end) - max(opens, at), timedelta())
        at = max(closes, at + timedelta(seconds=1))
    return total
