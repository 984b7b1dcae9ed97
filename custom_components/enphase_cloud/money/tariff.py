"""Tariffs: the price of a kilowatt-hour at a moment, as entered by the user.

Prices are whole millionths of the currency per kWh, standing charges whole millionths
per day. They are stored as decimal texts, without loss.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from math import gcd
from typing import Any, Final, NamedTuple, Self

from ..json_values import count, day, optional, record, text
from ..measurements.catalog import Flow

type EntityPrice = Callable[[str], int | None]
"""Returns the price of an entity in the hour to price; None if unknown."""

PRICE_UNIT: Final = Decimal("1e-6")
MOST_PRICE: Final = 1_000_000
"""The highest price per kWh and charge per day that is accepted [currency]."""
MOST_VERSIONS: Final = 200
MOST_PERIODS: Final = 50

_EVERY_DAY: Final = frozenset(range(7))
_MOST_HOLIDAYS: Final = 1_000
_LONGEST_ID: Final = 255
_LEAP_YEAR: Final = 2000
_QUARTER: Final = 15
_DAY: Final = timedelta(days=1)


class Direction(StrEnum):
    """Whether the user pays (import) or is paid (export)."""

    IMPORT = "import"
    EXPORT = "export"

    @property
    def flow(self) -> Flow:
        """Return the flow of energy that the tariff applies to."""
        is_import = self is Direction.IMPORT
        return Flow.GRID_IMPORT if is_import else Flow.GRID_EXPORT


class PriceKind(StrEnum):
    """Where the price of a version comes from."""

    FIXED = "fixed"
    TIME_OF_USE = "time_of_use"
    ENTITY = "entity"


class Period(NamedTuple):
    """Hours of certain days with a price of their own.

    `start` and `end` are local times; the period ends on the next day if `end` is not
    after `start`, so equal times mean 24 hours. Its weekday and date are those of the
    day on which it begins. `first` and `last` are days (month, day) of each year, both
    included; the season may include New Year. With `holidays` it also applies on
    holidays of any weekday.
    """

    price: int
    weekdays: frozenset[int] = _EVERY_DAY
    start: time = time()
    end: time = time()
    first: tuple[int, int] | None = None
    last: tuple[int, int] | None = None
    holidays: bool = False

    @classmethod
    def from_dict(cls, stored: object) -> Self:
        """Read what `as_dict` returned; raises ValueError where that is damaged."""
        kept = record(stored)
        first = optional(_day_of_year, kept.get("first"))
        last = optional(_day_of_year, kept.get("last"))
        if (first is None) is not (last is None):
            raise ValueError("Half a season")
        return cls(
            price=price(kept["price"]),
            weekdays=frozenset(
                count(each, most=6) for each in _list(kept.get("weekdays"), 7)
            )
            or _EVERY_DAY,
            start=_time(kept["start"]),
            end=_time(kept["end"]),
            first=first,
            last=last,
            holidays=kept.get("holidays") is True,
        )

    def as_dict(self) -> dict[str, Any]:
        """Return it in a shape that JSON can hold."""
        season = {"first": self.first, "last": self.last}
        return {
            "price": price_text(self.price),
            "weekdays": sorted(self.weekdays),
            "start": f"{self.start:%H:%M}",
            "end": f"{self.end:%H:%M}",
            **{
                key: f"{at[0]:02}-{at[1]:02}"
                for key, at in season.items()
                if at is not None
            },
            "holidays": self.holidays,
        }

    def applies(self, moment: datetime, holidays: frozenset[date]) -> bool:
        """Return whether a local moment is in the period."""
        at, today = moment.time(), moment.date()
        if self.start < self.end:
            return self.start <= at < self.end and self._begins_on(today, holidays)
        if at >= self.start:
            return self._begins_on(today, holidays)
        return at < self.end and self._begins_on(today - _DAY, holidays)

    def _begins_on(self, today: date, holidays: frozenset[date]) -> bool:
        is_day = today.weekday() in self.weekdays
        if not is_day and not (self.holidays and today in holidays):
            return False
        if self.first is None or self.last is None:
            return True
        on = (today.month, today.day)
        if self.first <= self.last:
            return self.first <= on <= self.last
        return on >= self.first or on <= self.last


class TariffVersion(NamedTuple):
    """The prices from the local day `valid_from` on; None means from the beginning.

    The first period that applies gives the price; without one it is `price`.
    """

    kind: PriceKind
    valid_from: date | None = None
    price: int = 0
    standing_charge: int = 0
    periods: tuple[Period, ...] = ()
    holidays: frozenset[date] = frozenset()
    entity_id: str | None = None

    @classmethod
    def from_dict(cls, stored: object) -> Self:
        """Read what `as_dict` returned; raises ValueError where that is damaged."""
        kept = record(stored)
        kind = PriceKind(text(kept["kind"]))
        is_entity, is_table = kind is PriceKind.ENTITY, kind is PriceKind.TIME_OF_USE
        periods = _list(kept.get("periods"), MOST_PERIODS) if is_table else []
        return cls(
            kind=kind,
            valid_from=optional(day, kept.get("valid_from")),
            price=0 if is_entity else price(kept["price"]),
            standing_charge=max(0, price(kept.get("standing_charge") or "0")),
            periods=tuple(Period.from_dict(each) for each in periods),
            holidays=frozenset(
                day(each) for each in _list(kept.get("holidays"), _MOST_HOLIDAYS)
            ),
            entity_id=_entity_id(kept["entity_id"]) if is_entity else None,
        )

    def as_dict(self) -> dict[str, Any]:
        """Return it in a shape that JSON can hold."""
        stored: dict[str, Any] = {
            "valid_from": self.valid_from and self.valid_from.isoformat(),
            "kind": str(self.kind),
            "standing_charge": price_text(self.standing_charge),
        }
        if self.kind is PriceKind.ENTITY:
            return {**stored, "entity_id": self.entity_id}
        stored["price"] = price_text(self.price)
        if self.kind is PriceKind.TIME_OF_USE:
            stored["periods"] = [each.as_dict() for each in self.periods]
        if self.holidays:
            stored["holidays"] = sorted(each.isoformat() for each in self.holidays)
        return stored

    def price_at(self, moment: datetime, entity_price: EntityPrice) -> int | None:
        """Return the price at a local moment; None if unknown."""
        if self.entity_id is not None:
            return entity_price(self.entity_id)
        for period in self.periods:
            if period.applies(moment, self.holidays):
                return period.price
        return self.price


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariff:
    """The tariff of a system for a direction, in all its versions.

    `versions` are in order of `valid_from`. `damaged` is the number of stored versions
    that are not readable.
    """

    system: int
    direction: Direction
    versions: tuple[TariffVersion, ...]
    damaged: int = field(default=0, compare=False)

    @classmethod
    def from_dict(cls, stored: object) -> Self:
        """Read what `as_dict` returned, without damaged versions.

        Raises ValueError if the system, the direction or the list is damaged.
        """
        kept = record(stored)
        found, damaged = [], 0
        for each in _list(kept["versions"], MOST_VERSIONS):
            try:
                found.append(TariffVersion.from_dict(each))
            except ValueError:
                damaged += 1
        return cls(
            system=count(kept["system"], most=2**53),
            direction=Direction(text(kept["direction"])),
            versions=tuple(sorted(found, key=_valid_from)),
            damaged=damaged,
        )

    def as_dict(self) -> dict[str, Any]:
        """Return it in a shape that JSON can hold."""
        return {
            "system": self.system,
            "direction": str(self.direction),
            "versions": [each.as_dict() for each in self.versions],
        }

    def version_on(self, today: date) -> TariffVersion | None:
        """Return the version of a local day; None before the first version.

        Of two versions from the same day, the one that was entered later applies.
        """
        for version in reversed(self.versions):
            if _valid_from(version) <= today:
                return version
        return None

    @property
    def entities(self) -> frozenset[str]:
        """Return the entities whose states are prices."""
        return frozenset(
            each.entity_id for each in self.versions if each.entity_id is not None
        )

    @property
    def step(self) -> int:
        """Return the least duration of a price [min], a divisor of an hour.

        At most 15, as UTC offsets of time zones are multiples of that.
        """
        return gcd(
            _QUARTER,
            *(
                at.minute
                for version in self.versions
                for period in version.periods
                for at in (period.start, period.end)
            ),
        )


def with_renamed_entity(
    stored: Mapping[str, Any], old_id: str, new_id: str
) -> dict[str, Any]:
    """Return a stored tariff with the new id of an entity that has its prices.

    Damaged versions stay as they are. Raises ValueError if the whole is damaged.
    """
    versions = [
        {**each, "entity_id": new_id}
        if isinstance(each, Mapping) and each.get("entity_id") == old_id
        else each
        for each in _list(record(stored)["versions"], MOST_VERSIONS)
    ]
    return {**stored, "versions": versions}


def price(value: object) -> int:
    """Return a decimal text in the currency as whole millionths.

    Raises ValueError if it is not a number, or too great.
    """
    try:
        amount = Decimal(text(value).strip())
    except InvalidOperation:
        raise ValueError("Not a price") from None
    if not amount.is_finite() or abs(amount) > MOST_PRICE:
        raise ValueError("Not a price of ours")
    return round(amount / PRICE_UNIT)


def price_text(amount: int) -> str:
    """Return whole millionths as a decimal text in the currency."""
    return format((amount * PRICE_UNIT).normalize(), "f")


def _valid_from(version: TariffVersion) -> date:
    return version.valid_from or date.min


def _list(value: object, most: int) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > most:
        raise ValueError("Not a list of ours")
    return value


def _time(value: object) -> time:
    return time.fromisoformat(text(value)).replace(second=0, microsecond=0, tzinfo=None)


def _day_of_year(value: object) -> tuple[int, int]:
    on = date.fromisoformat(f"{_LEAP_YEAR}-{text(value)}")
    return on.month, on.day


def _entity_id(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_ID:
        raise ValueError("Not an entity")
    return value
