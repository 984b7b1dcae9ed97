"""Recorded energy and money of a system, grouped and totalled."""

from collections.abc import Iterable, Mapping
import csv
from datetime import date, datetime, timedelta, tzinfo
import io
from math import fsum
from typing import Final, NamedTuple

from ..measurements.catalog import Flow
from .parsing import system_day
from .periods import Resolution, kwh
from .readings import HOUR, Span

IMPORT_COST: Final = "grid_import_cost"
EXPORT_COMPENSATION: Final = "grid_export_compensation"
MONEY: Final = (IMPORT_COST, EXPORT_COMPENSATION)
"""The keys of statistics in the currency of Home Assistant, if there are any."""
KEYS: Final = (*Flow, *MONEY)


class Recorded(NamedTuple):
    """The recorded amount of an hour: Wh of a flow, or money.

    With `of_day` it is not of this hour alone, but the amount of the system's day
    without its known hours.
    """

    start: datetime
    amount: float
    of_day: bool = False


type RecordedHours = Mapping[str, Iterable[Recorded]]
"""Recorded hours by the keys of statistics; only keys with records."""
type Table = Mapping[Span, Mapping[str, float]]
"""Amounts by time and key, in order."""


def totals(hours: RecordedHours) -> dict[str, float]:
    """Return the sum of each key with records."""
    return {
        key: fsum(each.amount for each in recorded)
        for key in KEYS
        if (recorded := list(hours.get(key, ())))
    }


def table(
    hours: RecordedHours, resolution: Resolution, days: Span, time_zone: tzinfo
) -> Table:
    """Return the records of some days, by hours, days or months of the system.

    A day with unknown hours has a row as long as the day, at any resolution. Of a
    month, only the given days count. An hour belongs to the day in which it begins.
    """
    parts: dict[Span, dict[str, list[float]]] = {}
    for key, recorded in hours.items():
        for each in recorded:
            span = _span(each, resolution, time_zone)
            if resolution is Resolution.MONTH:
                span = _within(days, span)
            parts.setdefault(span, {}).setdefault(key, []).append(each.amount)
    return {
        span: {key: fsum(amounts) for key, amounts in parts[span].items()}
        for span in sorted(parts)
    }


def to_csv(rows: Table, time_zone: tzinfo, currency: str) -> str:
    """Return a table as CSV: times in the system's time zone, kWh, and money if any.

    Unknown values are empty.
    """
    money = [key for key in MONEY if any(key in row for row in rows.values())]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    names = [f"{flow}_kwh" for flow in Flow]
    writer.writerow(
        ["start", "end", *names, *(f"{key}_{currency.lower()}" for key in money)]
    )
    for span, row in rows.items():
        moments = (each.astimezone(time_zone) for each in (span.start, span.end))
        writer.writerow(
            [
                *(moment.isoformat() for moment in moments),
                *(_kwh(row.get(flow)) for flow in Flow),
                *(_money(row.get(key)) for key in money),
            ]
        )
    return out.getvalue()


def _span(recorded: Recorded, resolution: Resolution, time_zone: tzinfo) -> Span:
    if resolution is Resolution.HOUR and not recorded.of_day:
        return Span(recorded.start, HOUR)
    day = recorded.start.astimezone(time_zone).date()
    if resolution is Resolution.MONTH:
        start, end = (system_day(first, time_zone).start for first in _month(day))
        return Span(start, end - start)
    return system_day(day, time_zone)


def _within(days: Span, span: Span) -> Span:
    start = max(days.start, span.start)
    return Span(start, min(days.end, span.end) - start)


def _month(day: date) -> tuple[date, date]:
    """Return the first day of a month and of the next."""
    first = day.replace(day=1)
    return first, (first + timedelta(days=31)).replace(day=1)


def _kwh(energy: float | None) -> str:
    return "" if energy is None else f"{kwh(energy):.3f}"


def _money(amount: float | None) -> str:
    # Adding 0.0 turns -0.0 into 0.0.
    return "" if amount is None else f"{round(amount, 4) + 0.0:.4f}"
