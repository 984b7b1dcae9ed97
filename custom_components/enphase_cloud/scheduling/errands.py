"""When to request what is requested once a day or once a week."""

from datetime import datetime, time, timedelta, tzinfo
from typing import Final

from .daylight import Daylight

# Devices stand still and gateways have reported the day before; energy follows later.
_FIRST_AT: Final = timedelta(hours=3)
_DAY: Final = timedelta(days=1)
_PRIME: Final = 7919
_SPREAD: Final = timedelta(minutes=45)
# What changes about a system makes an errand due at once, but not more often than this.
# What was requested so shortly before the small hours is not requested in them.
_SHORTEST: Final = timedelta(hours=6)


def spread(system_id: int) -> float:
    """Return a number from 0 to 1 that keeps systems apart.

    A prime spreads neighbouring ids over the whole span.
    """
    return system_id * _PRIME % 1000 / 1000


def next_errand(
    *,
    now: datetime,
    requested_at: datetime | None,
    period: timedelta,
    time_zone: tzinfo,
    spread: float,
    has_failed: bool,
    is_urgent: bool,
) -> datetime:
    """Return when an errand is due, at the latest a period after the last one.

    `spread` from 0 to 1 keeps systems apart. An errand without a request is due now.
    What is requested several times a day knows no small hours.
    """
    if requested_at is None:
        return now
    requested_at = min(requested_at, now)
    if period < _DAY:
        return requested_at + period
    if has_failed:
        period = min(period, _DAY)
    at = _FIRST_AT + spread * _SPREAD
    rest = timedelta() if has_failed else _SHORTEST
    day = (requested_at + rest - at).astimezone(time_zone).date()
    midnight = datetime.combine(day + timedelta(days=period.days), time(), time_zone)
    due = (midnight + at).astimezone(requested_at.tzinfo)
    return min(due, requested_at + _SHORTEST) if is_urgent else due


def after_dawn(due: datetime, told_until: datetime, daylight: Daylight) -> datetime:
    """Return when an errand is due that rests in the dark, once it told all of the day.

    What was requested last tells all up to `told_until`.
    """
    if daylight.is_day(told_until) or daylight.is_day(due):
        return due
    return daylight.next_dawn(due)
