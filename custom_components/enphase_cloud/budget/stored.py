"""Reads what was stored, and trusts none of it."""

from datetime import UTC, datetime


def count(value: object) -> int:
    """Return a stored count; raises ValueError unless it is one."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError("Not a count")
    return value


def number(value: object) -> float:
    """Return a stored positive number; raises ValueError unless it is one."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise ValueError("Not a number")  # noqa: TRY004  # one error for bad data
    if not 0 <= value < 1e12:  # noqa: PLR2004  # neither infinite nor NaN
        raise ValueError("Not a number of ours")
    return float(value)


def moment(value: object) -> datetime:
    """Return a stored moment; raises ValueError unless it is one."""
    try:
        return datetime.fromtimestamp(number(value), UTC)
    except (OverflowError, OSError) as err:
        raise ValueError("Not a moment") from err


def optional_moment(value: object) -> datetime | None:
    """Return a stored moment or None; raises ValueError unless it is either."""
    return None if value is None else moment(value)
