"""The cost of each hour: energy of statistics times the prices of a tariff.

Internally money is whole billionths of the currency: watt-hours times millionths per
kWh. So sums are exact; they are rounded once, when they are written or shown.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta, tzinfo
from typing import Any, Final, NamedTuple, Self

from ..energy.readings import Span, StatisticsRow
from ..json_values import moment, optional, record, text
from .tariff import Direction, Tariff, TariffVersion

type EntityPrices = Mapping[str, Mapping[datetime, int]]
"""The prices of entities by hour (UTC), in millionths per kWh."""
type Costs = Mapping[datetime, int]
"""The cost of each hour by its start, in billionths."""

BILLION: Final = 10**9
_MILLIONTH: Final = 1_000
# The bits of a number that survive a database: of 52, the division and the product each
# lose half a bit.
_BITS: Final = 51


class CostRow(NamedTuple):
    """The cost of an hour, and the sum of all costs up to its end, in billionths."""

    start: datetime
    cost: int
    sum: int

    def is_like(self, other: Self | None) -> bool:
        """Return whether a row is the same, within the precision of a database."""
        return (
            other is not None
            and is_same(self.cost, other.cost)
            and is_same(self.sum, other.sum)
        )


class Priced(NamedTuple):
    """The tariff, currency and time zone of the costs in statistics, to detect changes.

    Rows from `due` on may be missing or outdated; with `is_repriced` they have the
    prices of an earlier tariff.
    """

    tariff: Tariff
    currency: str
    zone: str
    due: datetime | None = None
    is_repriced: bool = False

    @classmethod
    def from_dict(cls, stored: object) -> Self:
        """Read what `as_dict` returned; raises ValueError where that is damaged."""
        kept = record(stored)
        return cls(
            tariff=Tariff.from_dict(kept["tariff"]),
            currency=text(kept["currency"]),
            zone=text(kept["zone"]),
            due=optional(moment, kept["due"]),
            is_repriced=kept["anew"] is True,
        )

    def as_dict(self) -> dict[str, Any]:
        """Return it in a shape that JSON can hold."""
        return {
            "tariff": self.tariff.as_dict(),
            "currency": self.currency,
            "zone": self.zone,
            "due": self.due and max(0, self.due.timestamp()),
            "anew": self.is_repriced,
        }


class Pricer(NamedTuple):
    """Prices hours of a system by a tariff."""

    tariff: Tariff
    zone: tzinfo
    entities: EntityPrices

    def costs(self, rows: Sequence[StatisticsRow]) -> dict[datetime, int]:
        """Return the cost of each hour of whole local days, in order.

        Hours without a price are skipped. Energy of a whole day gets the mean price of
        its unknown hours. The first hour of a day with a price includes the standing
        charge.
        """
        costs: dict[datetime, int] = {}
        charged: set[date] = set()
        step = timedelta(minutes=self.tariff.step)
        energy = {row.start: row.energy for row in rows if row.day is None}
        for row in rows:
            hours = [row.start] if row.day is None else _unknown(row.day, energy)
            prices = [price for hour in hours for price in self._prices(hour, step)]
            if not prices:
                continue
            cost = _rounded(row.energy * sum(prices), len(prices))
            today = row.start.astimezone(self.zone).date()
            if today not in charged:
                charged.add(today)
                cost += self._standing_charge(today) * _MILLIONTH
            costs[row.start] = cost
        return costs

    def _prices(self, hour: datetime, step: timedelta) -> list[int]:
        """Return the prices of equal parts of an hour; [] if one is unknown."""

        def of_entity(entity_id: str) -> int | None:
            return self.entities.get(entity_id, {}).get(hour)

        prices = []
        for part in range(timedelta(hours=1) // step):
            at = (hour + part * step).astimezone(self.zone)
            version = self.tariff.version_on(at.date())
            price = None if version is None else version.price_at(at, of_entity)
            if price is None:
                return []
            prices.append(price)
        return prices

    def _standing_charge(self, today: date) -> int:
        version = self.tariff.version_on(today)
        if version is None or self.tariff.direction is Direction.EXPORT:
            return 0
        return version.standing_charge


def cost_rows(
    costs: Costs,
    recorded: Mapping[datetime, CostRow],
    *,
    zone: tzinfo,
    sum_before: int,
    is_repriced: bool = False,
) -> list[CostRow]:
    """Return rows in order, each with the sum up to its end.

    On a day without any price, a recorded hour keeps its cost, which is of the same
    tariff. Else, and with `is_repriced`, it costs 0 until its price is known, as rows
    cannot be deleted: its energy or the standing charge may be in other hours now.
    """
    priced = {start.astimezone(zone).date() for start in costs}
    kept = {
        start: 0 if is_repriced or start.astimezone(zone).date() in priced else row.cost
        for start, row in recorded.items()
    }
    known = kept | dict(costs)
    rows, total = [], sum_before
    for start in sorted(known):
        total += known[start]
        rows.append(CostRow(start=start, cost=known[start], sum=total))
    return rows


def is_same(amount: int, other: int) -> bool:
    """Return whether amounts are the same, within the precision of a database."""
    return abs(amount - other) <= abs(other) >> _BITS


def first_difference(before: Tariff, after: Tariff) -> date | None:
    """Return the first local day on which prices differ, None without any."""
    days = {version.valid_from or date.min for version in before.versions}
    days |= {version.valid_from or date.min for version in after.versions}
    if before.step != after.step:
        return date.min
    for day in sorted(days):
        if _terms(before.version_on(day)) != _terms(after.version_on(day)):
            return day
    return None


def _unknown(day: Span, energy: Mapping[datetime, int]) -> list[datetime]:
    """Return the hours of a day without known energy.

    Known hours with only zeros may be a fault: then the energy is of any hour.
    """
    hours = list(day.hours)
    if not any(energy.get(hour) for hour in hours):
        return hours
    return [hour for hour in hours if hour not in energy]


def _terms(version: TariffVersion | None) -> dict[str, Any] | None:
    return None if version is None else version.as_dict() | {"valid_from": None}


def _rounded(amount: int, parts: int) -> int:
    return (2 * amount + parts) // (2 * parts)
