"""The true bill of a year, calculated from the simulation by independent code.

Each tariff is here twice: as the user enters it, and as a function of the local hour.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from math import sin
from typing import Any, Final
from zoneinfo import ZoneInfo

ZONE: Final = ZoneInfo("Europe/Berlin")
SPOT: Final = "sensor.spot_price"
SPOT_UNIT: Final = "EUR/MWh"
CORRECTED_ON: Final = 270
"""The night of the year after which the user corrects each tariff."""

_EXPORT: Final = {"kind": "fixed", "price": "0.0793"}
_WEEKDAYS: Final = [0, 1, 2, 3, 4]
_SATURDAY: Final = 5
_WINTER: Final = frozenset({11, 12, 1, 2, 3})
_SUMMER: Final = range(4, 10)
_MORNING: Final = 6
_NOON: Final = range(11, 15)
_EVENING: Final = 22


def spot_price(hour: datetime) -> Fraction:
    """Return the price of an hour per kWh, at times negative."""
    number = int(hour.timestamp()) // 3600
    return Fraction(round(90 + 110 * sin(number / 3.7) + 25 * sin(number / 91)), 1000)


def _fixed(_hour: datetime, at: datetime) -> Fraction:
    return Fraction("0.3619" if at.date() >= date(2027, 5, 1) else "0.3007")


def _table(_hour: datetime, at: datetime) -> Fraction:
    evening = at if at.hour >= _EVENING else at - timedelta(days=1)
    is_night = not _MORNING <= at.hour < _EVENING and evening.weekday() < _SATURDAY
    if is_night and evening.month in _WINTER:
        return Fraction("0.1987" if at.date() >= date(2027, 3, 15) else "0.2213")
    if at.month in _SUMMER and at.hour in _NOON:
        return Fraction("0.1811")
    return Fraction("0.3421")


def _spot(hour: datetime, _at: datetime) -> Fraction:
    return spot_price(hour)


def _night(price: str) -> list[dict[str, Any]]:
    winter = {"first": "11-01", "last": "03-31", "start": "22:00", "end": "06:00"}
    summer = {"first": "04-01", "last": "09-30", "start": "11:00", "end": "15:00"}
    return [
        winter | {"price": price, "weekdays": _WEEKDAYS},
        summer | {"price": "0.1811"},
    ]


def _table_of(price: str, valid_from: str | None) -> dict[str, Any]:
    return {
        "kind": "time_of_use",
        "valid_from": valid_from,
        "price": "0.3421",
        "standing_charge": "0.45",
        "periods": _night(price),
    }


@dataclass(frozen=True, slots=True)
class Contract:
    """A tariff: as first entered, as corrected, and its true function."""

    name: str
    entered: list[dict[str, Any]]
    corrected: list[dict[str, Any]]
    price: Callable[[datetime, datetime], Fraction]
    standing_charge: Callable[[date], Fraction]

    def paid(self, hour: datetime, energy: float) -> Fraction:
        """Return the true cost of an hour's import [Wh], with the daily charge."""
        at = hour.astimezone(ZONE)
        charge = self.standing_charge(at.date()) if at.hour == 0 else Fraction(0)
        return Fraction(energy) / 1000 * self.price(hour, at) + charge


def got(energy: float) -> Fraction:
    """Return the true compensation for an export [Wh]."""
    return Fraction(energy) / 1000 * Fraction("0.0793")


EXPORT: Final = [_EXPORT]
_FIXED: Final = {"kind": "fixed", "standing_charge": "0.45"}
_ENTITY: Final = {"kind": "entity", "entity_id": SPOT}
CONTRACTS: Final = (
    Contract(
        "fixed",
        [_FIXED | {"price": "0.3007"}],
        [
            _FIXED | {"price": "0.3007"},
            _FIXED | {"price": "0.3619", "valid_from": "2027-05-01"},
        ],
        _fixed,
        lambda _day: Fraction("0.45"),
    ),
    Contract(
        "time of use",
        [_table_of("0.2213", None)],
        [_table_of("0.2213", None), _table_of("0.1987", "2027-03-15")],
        _table,
        lambda _day: Fraction("0.45"),
    ),
    Contract(
        "price entity",
        [_ENTITY | {"standing_charge": "0.20"}],
        [
            _ENTITY | {"standing_charge": "0.20"},
            _ENTITY | {"standing_charge": "0.31", "valid_from": "2027-06-01"},
        ],
        _spot,
        lambda day: Fraction("0.31" if day >= date(2027, 6, 1) else "0.20"),
    ),
)


def hours(start: datetime, end: datetime) -> list[datetime]:
    """Return the hours from a time up to another."""
    first = start.astimezone(UTC)
    count = (end - first) // timedelta(hours=1)
    return [first + number * timedelta(hours=1) for number in range(count)]
