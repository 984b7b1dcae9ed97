"""Readers of stored JSON values; they raise only ValueError.

Pure, and below all folders, as each of them restores values.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

_YEAR_2200: Final = 7_258_118_400
_LONGEST: Final = timedelta(days=40)
_MOST: Final = 10**9
_GREATEST: Final = 10**13
_MOST_ROWS: Final = 5_000
_LONGEST_TEXT: Final = 100
LONGEST_PROSE: Final = 1_000
_YEARS: Final = range(1970, 2200)


class Record(dict[str, Any]):
    """A stored object."""

    def __missing__(self, name: str) -> Any:
        """Raise ValueError: an object without this member is damaged."""
        raise ValueError(f"No {name}")


def record(value: object) -> Record:
    """Return a stored object."""
    if not isinstance(value, Mapping):
        raise ValueError("Not an object")  # noqa: TRY004  # one error for bad data
    return Record(value)


def rows(value: object, *, width: int) -> list[list[Any]]:
    """Return a stored list of lists, each as long as `width`."""
    if not isinstance(value, list) or len(value) > _MOST_ROWS:
        raise ValueError("Not a list of ours")
    if not all(isinstance(row, list) and len(row) == width for row in value):
        raise ValueError("Not rows of ours")
    return value


def count(value: object, *, most: int = _MOST) -> int:
    """Return a stored count."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        raise ValueError("Not a count of ours")
    return value


def number(value: object) -> float:
    """Return a stored number from 0 on."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise ValueError("Not a number")  # noqa: TRY004  # one error for bad data
    if not 0 <= value <= _YEAR_2200:
        raise ValueError("Not a number of ours")
    return float(value)


def duration(value: object) -> timedelta:
    """Return a stored duration."""
    if (seconds := timedelta(seconds=number(value))) > _LONGEST:
        raise ValueError("Not a duration of ours")
    return seconds


def quantity(value: object) -> float:
    """Return a stored number, which may be negative."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise ValueError("Not a figure")  # noqa: TRY004  # one error for bad data
    if not -_GREATEST <= value <= _GREATEST:
        raise ValueError("Not a figure of ours")
    return value


def text(value: object) -> str:
    """Return a stored word."""
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT:
        raise ValueError("Not a word of ours")
    return value


def prose(value: object) -> str:
    """Return a stored text of some words."""
    if not isinstance(value, str) or len(value) > LONGEST_PROSE:
        raise ValueError("Not a text of ours")
    return value


def moment(value: object) -> datetime:
    """Return a stored moment."""
    return datetime.fromtimestamp(number(value), UTC)


def day(value: object) -> date:
    """Return a stored day."""
    day = date.fromisoformat(text(value))
    if day.year not in _YEARS:
        raise ValueError("Not a day of ours")
    return day


def optional[ValueT](read: Callable[[object], ValueT], value: object) -> ValueT | None:
    """Return a value through a reader, or None if it is stored as null."""
    return None if value is None else read(value)
