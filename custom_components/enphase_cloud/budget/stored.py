"""Reads what was stored, and trusts none of it."""

from datetime import UTC, datetime, timedelta

_YEAR_2200 = 7_258_118_400
_LONGEST = timedelta(days=40)


def count(value: object) -> int:
    """Return a stored count; raises ValueError unless it is one."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError("Not a count")
    return value


def number(value: object) -> float:
    """Return a stored number from 0 on; raises ValueError unless it is one."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise ValueError("Not a number")  # noqa: TRY004  # one error for bad data
    if not 0 <= value <= _YEAR_2200:
        raise ValueError("Not a number of ours")
    return float(value)


def duration(value: object) -> timedelta:
    """Return a stored duration; raises ValueError unless it is one."""
    if (seconds := timedelta(seconds=number(value))) > _LONGEST:
        raise ValueError("Not a duration of ours")
    return seconds


def moment(value: object) -> datetime:
    """Return a stored moment; raises ValueError unless it is one."""
    return datetime.fromtimestamp(number(value), UTC)


def optional_moment(value: object) -> datetime | None:
    """Return a stored moment or None; raises ValueError unless it is either."""
    return None if value is None else moment(value)
