"""When to request what is requested once a day or once a week."""

from datetime import datetime, time, timedelta, tzinfo
from typing import Final

from .daylight import Daylight

# Devices stand still and gateways have reported the day before; energy follows later.
_FIRST_AT: Final = timedelta(hours=3)
_DAY: Final = timedelta(days=1)
_PRIME: Final = 7919
_SPREAD: Final = timedelta(minutes=45)
# The shortest interval between urgent requests, caused by a change of the system; and
# before the small hours, within which a request replaces that of the small hours.
_SHORTEST: Final = timedelta(hours=6)


def spread(system_id: int) -> float:
    """Return a number from 0 to 1 that keeps systems apart.

    A prime spreads neighbouring ids over the whole span.
    """
    return system_id * _PRIME % 1000 / 1000


def next_periodic_request(
    *,
    now: datetime,
    requested_at: datetime | None,
    period: timedelta,
    time_zone: tzinfo,
    spread: float,
    has_failed: bool,
    is_urgent: bool,
) -> datetime:
    """Return when a periodic document is due: about a period after the last request.

    `spread` from 0 to 1 keeps systems apart. The first request is due now. Only periods
    of a day or more are aligned with the small hours.
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


def after_dawn(due: datetime, data_until: datetime, daylight: Daylight) -> datetime:
    """Return when a document is due that is not requested at night.

    `data_until` is the end of the data known so far: after dusk, the day is complete.
    """
    if daylight.is_day(data_until) or daylight.is_day(due):
        return due
    return daylight.next_dawn(due)
