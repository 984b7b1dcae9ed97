"""Live streams cost money: how many there may be, and when the next session begins."""

from collections.abc import Callable
from datetime import datetime, time, timedelta, tzinfo
import math
from typing import Final, NamedTuple

from .daylight import Daylight

_DAY: Final = timedelta(days=1)
# Scheduled sessions leave this share to what users and automations ask for.
_SHARE_FOR_REQUESTS: Final = 0.2

type OpeningWindow = tuple[datetime, datetime]
# Returns the window that is open at a moment, or else the first one after it.
type OpenHours = Callable[[datetime], OpeningWindow]


class StreamAllowance(NamedTuple):
    """How many live streams the user wants to pay for in a month."""

    per_month: int

    def left(self, used: int) -> int:
        """Return how many may still be opened this month."""
        return max(0, self.per_month - used)

    def left_for_sessions(self, used: int) -> int:
        """Return how many of these may be opened without being asked for."""
        return max(0, self.left(used) - math.ceil(self.per_month * _SHARE_FOR_REQUESTS))


def split(length: timedelta, longest: timedelta) -> int:
    """Return how many streams in a row it takes to cover a length."""
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

    At least `pause` after the last one, and so that what is left lasts until the
    period ends; without any left, when the next period begins.
    """
    if left <= 0:
        return _open_from(max(period_end, now), hours)
    if last is None:
        return _open_from(now, hours)
    spread = _open_time(now, period_end, hours) / left
    due = max(last + pause, _later(last, spread, hours), now)
    return _open_from(due, hours)


def all_day(at: datetime) -> OpeningWindow:
    """Return the hours that never end."""
    return at, at + _DAY


def by_day(daylight: Daylight) -> OpenHours:
    """Return the hours in which a system produces, as far as they are known."""

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
    """Return the moment until which windows have been open for a time."""
    while open_time > timedelta():
        opens, closes = hours(at)
        at = max(at, opens)
        step = min(open_time, closes - at)
        open_time -= step
        at += step
    return at


def _open_time(begin: datetime, end: datetime, hours: OpenHours) -> timedelta:
    """Return how long windows are open within a period."""
    total = timedelta()
    at = begin
    while at < end:
        opens, closes = hours(at)
        total += max(min(closes, end) - max(opens, at), timedelta())
        at = max(closes, at + timedelta(seconds=1))
    return total
