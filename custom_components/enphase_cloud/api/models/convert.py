"""Readers of single JSON values.

No recording of most documents is public, so the readers are tolerant: an unreadable
value is None, never an error and never an invented number.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import lru_cache
from itertools import islice
import math
import re
from typing import Any, Final, Self

from ..exceptions import MalformedResponseError

POWER_LIMIT: Final = 10_000_000
"""W. No privately owned system reaches 10 MW."""
ENERGY_LIMIT: Final = 10_000_000_000_000
"""Wh. About the production of 10 MW in a century."""

_YEARS: Final = range(2000, 2100)
_EARLIEST: Final = datetime(_YEARS.start, 1, 1, tzinfo=UTC).timestamp()
_LATEST: Final = datetime(_YEARS.stop, 1, 1, tzinfo=UTC).timestamp()
_NUMBER: Final = re.compile(r"([+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)\s*%?", re.ASCII)
_INTEGER_LIMIT: Final = 2**53
_FULL: Final = 100
_LONGEST_WORD: Final = 64
_LONGEST_TEXT: Final = 100
_LONGEST_PROSE: Final = 2_000
# A week has half as many intervals of 5 minutes.
_MOST_OBJECTS: Final = 4_000
_MOST_KINDS: Final = 100


def to_object(value: object) -> Mapping[str, Any]:
    """Return a JSON object, or raise MalformedResponseError."""
    if isinstance(value, (dict, Mapping)):
        return value
    raise MalformedResponseError("The response is not a JSON object")


def to_identifier(value: object) -> int:
    """Return the id of a system, or raise MalformedResponseError."""
    identifier = to_integer(value)
    # A rounded id could be that of another system.
    if identifier is None or identifier <= 0 or identifier != to_number(value):
        raise MalformedResponseError("The response has no system id")
    return identifier


def to_device_id(value: object) -> int | None:
    """Return the id of a device; the cloud writes "" for none."""
    identifier = to_integer(value)
    if identifier is None or identifier <= 0 or identifier != to_number(value):
        return None
    return identifier


def to_serial(value: object) -> str | None:
    """Return a serial number, which the cloud may also write as a number."""
    if type(value) is int and 0 < value <= _INTEGER_LIMIT:
        return str(value)
    # A truncated number could be that of another device.
    if not isinstance(value, str) or len(value) > _LONGEST_WORD:
        return None
    return to_text(value)


def to_number(value: object) -> float | None:
    """Return a finite number, also from a string such as "97%"."""
    # Exact types: bool is a subclass of int.
    if type(value) is int or type(value) is float:
        try:
            number = float(value)
        except OverflowError:
            return None
    elif isinstance(value, str) and len(value) <= _LONGEST_WORD:
        match = _NUMBER.fullmatch(value.strip())
        number = float(match[1]) if match else math.nan
    else:
        return None
    return number if math.isfinite(number) else None


def to_integer(value: object) -> int | None:
    """Return a rounded whole number up to 2**53, the limit of exact floats."""
    number = to_number(value)
    if number is None or abs(number) > _INTEGER_LIMIT:
        return None
    return round(number)


def to_count(value: object) -> int | None:
    """Return a whole number that is not negative."""
    count = to_integer(value)
    return count if count is not None and count >= 0 else None


def to_power(value: object) -> int | None:
    """Return a plausible power in W."""
    power = value if type(value) is int else to_number(value)
    if power is None or not -POWER_LIMIT <= power <= POWER_LIMIT:
        return None
    return round(power)


def to_energy(value: object) -> float | None:
    """Return a plausible energy in Wh, which is not negative."""
    energy = to_number(value)
    return energy if energy is not None and 0 <= energy <= ENERGY_LIMIT else None


def to_inflow(value: object) -> float | None:
    """Return the positive part of a signed energy in Wh: 0 if it is negative."""
    energy = to_number(value)
    if energy is None or abs(energy) > ENERGY_LIMIT:
        return None
    return max(0.0, energy)


def to_outflow(value: object) -> float | None:
    """Return the negative part of a signed energy in Wh: 0 if it is positive."""
    energy = to_number(value)
    return None if energy is None else to_inflow(-energy)


def to_percentage(value: object) -> float | None:
    """Return a number between 0 and 100."""
    percentage = to_number(value)
    if percentage is None or not 0 <= percentage <= _FULL:
        return None
    return percentage


def to_whole_percentage(value: object) -> int | None:
    """Return a whole number between 0 and 100."""
    percentage = value if type(value) is int else to_number(value)
    if percentage is None or not 0 <= percentage <= _FULL:
        return None
    return round(percentage)


def to_text(value: object) -> str | None:
    """Return a text that is not blank and can be encoded, at most 100 characters."""
    return _to_text(value, _LONGEST_TEXT)


def to_prose(value: object) -> str | None:
    """Return a text of several sentences, at most 2,000 characters."""
    return _to_text(value, _LONGEST_PROSE)


def _to_text(value: object, longest: int) -> str | None:
    if not isinstance(value, str):
        return None
    text = value[:longest].encode(errors="replace").decode()
    return text.strip() or None


def to_flag(value: object) -> bool | None:
    """Return a boolean, also from "true" or "false"."""
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(to_word(value))


def to_word(value: object) -> str:
    """Return a text in lower case, empty if the value is not a text."""
    return value[:_LONGEST_TEXT].lower() if isinstance(value, str) else ""


def to_datetime(value: object) -> datetime | None:
    """Return the UTC time of an epoch timestamp in seconds or milliseconds."""
    timestamp = to_number(value)
    if timestamp is None:
        return None
    if timestamp > _LATEST:
        timestamp /= 1000
    if not _EARLIEST <= timestamp < _LATEST:
        return None
    return datetime.fromtimestamp(timestamp, UTC)


def to_date(value: object) -> date | None:
    """Return the day of an ISO date."""
    if not isinstance(value, str):
        return None
    try:
        day = date.fromisoformat(value)
    except ValueError:
        return None
    return day if day.year in _YEARS else None


def to_objects(nested: object) -> Iterator[Mapping[str, Any]]:
    """Yield the objects of nested arrays, at most 4,000."""
    waiting = [nested]
    for _ in range(_MOST_OBJECTS):
        if not waiting:
            break
        item = waiting.pop()
        if isinstance(item, list):
            waiting.extend(reversed(item))
        elif isinstance(item, Mapping):
            yield item


def to_kinds(value: object) -> Mapping[str, Any]:
    """Return the members of an object by their names: letters only, without plural s.

    The cloud writes heat_pump in one document, heat-pump or heat_pumps in another.
    """
    if not isinstance(value, Mapping):
        return {}
    names = islice(value, _MOST_KINDS)
    return {
        _letters(name[:_LONGEST_WORD]).removesuffix("s"): value[name] for name in names
    }


class OpenEnum(StrEnum):
    """An enumeration that the cloud may extend without notice.

    Each has a member UNKNOWN. The spelling varies between documents, so only letters
    are compared.
    """

    @classmethod
    def from_api(cls, value: object) -> Self:
        """Return the member of a name, else UNKNOWN."""
        if isinstance(value, str) and len(value) <= _LONGEST_WORD:
            member: Self = _member(cls, value)
            return member
        return cls("unknown")

    @classmethod
    def aliases(cls) -> Mapping[str, Self]:
        """Return members by further names in the API, letters only."""
        return {}


@lru_cache(maxsize=256)
def _member[MemberT: OpenEnum](enumeration: type[MemberT], name: str) -> MemberT:
    letters = _letters(name)
    members = {_letters(member): member for member in enumeration}
    return (members | dict(enumeration.aliases())).get(letters, enumeration("unknown"))


def _letters(name: str) -> str:
    return "".join(filter(str.isalpha, name)).lower()
