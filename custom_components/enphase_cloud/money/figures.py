"""Costs and savings of today, yesterday, this month and the month before."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta, tzinfo
from enum import StrEnum

from ..energy.parsing import system_day
from ..energy.readings import HOUR, Span
from .costs import Costs


class Amount(StrEnum):
    """An amount of money of a period."""

    COST = "cost"
    COMPENSATION = "compensation"
    NET = "net_cost"
    SAVINGS = "savings"


class Period(StrEnum):
    """A period of local days of the system."""

    TODAY = "today"
    YESTERDAY = "yesterday"
    MONTH = "month"
    LAST_MONTH = "last_month"

    @property
    def is_current(self) -> bool:
        """Return whether it includes today."""
        return self in {Period.TODAY, Period.MONTH}

    def span(self, today: date, zone: tzinfo) -> Span:
        """Return the time range of the period, relative to a day."""
        month = today.replace(day=1)
        first, after = {
            Period.TODAY: (today, today + timedelta(days=1)),
            Period.YESTERDAY: (today - timedelta(days=1), today),
            Period.MONTH: (month, (month + timedelta(days=31)).replace(day=1)),
            Period.LAST_MONTH: ((month - timedelta(days=1)).replace(day=1), month),
        }[self]
        start = system_day(first, zone).start
        return Span(start, system_day(after, zone).start - start)


type Figures = Mapping[tuple[Amount, Period], int | None]
"""Amounts in billionths of the currency; None if unknown."""


def figures(
    *,
    cost: Costs | None,
    compensation: Costs | None,
    without_solar: Costs,
    today: date,
    zone: tzinfo,
) -> Figures:
    """Return all amounts of all periods.

    `cost` and `compensation` are None without such a tariff; `without_solar` is the
    cost if all consumption were imported. Savings cover the hours up to the last one
    that is known of all three.
    """
    found: dict[tuple[Amount, Period], int | None] = {}
    parts = [each for each in (cost, compensation) if each is not None]
    for period in Period:
        span = period.span(today, zone)
        paid, got = _sum(cost, span), _sum(compensation, span)
        found[Amount.COST, period] = paid
        found[Amount.COMPENSATION, period] = got
        found[Amount.NET, period] = _net(paid, got, has_export=compensation is not None)
        known = _up_to_the_last_of_all([*parts, without_solar], span)
        paid, got = _sum(cost, known), _sum(compensation, known)
        net = _net(paid, got, has_export=compensation is not None)
        usual = _sum(without_solar, known)
        found[Amount.SAVINGS, period] = (
            None if net is None or usual is None else usual - net
        )
    return found


def _sum(costs: Costs | None, span: Span) -> int | None:
    end = span.start + span.length
    within = [
        cost for start, cost in (costs or {}).items() if span.start <= start < end
    ]
    return sum(within) if within else None


def _net(paid: int | None, got: int | None, *, has_export: bool) -> int | None:
    if paid is None or (has_export and got is None):
        return None
    return paid - (got or 0)


def _up_to_the_last_of_all(parts: list[Costs], span: Span) -> Span:
    end = span.start + span.length
    last: list[datetime] = [max(part, default=span.start - HOUR) for part in parts]
    until = min(end, *(each + HOUR for each in last))
    return Span(span.start, max(timedelta(), until - span.start))
