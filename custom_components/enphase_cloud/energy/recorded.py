"""What is recorded of a system's energy and money, grouped and totalled."""

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
"""The keys of statistics in the currency of Home Assistant, where there are any."""
KEYS: Final = (*Flow, *MONEY)


class Recorded(NamedTuple):
    """What is recorded of an hour: Wh of a flow, or an amount of the currency.

    With `of_day` it is not of this hour alone, but what is known of the system's day
    beyond its other hours.
    """

    start: datetime
    amount: float
    of_day: bool = False


type RecordedHours = Mapping[str, Iterable[Recorded]]
"""By the keys of statistics, those of which something is recorded."""
type Table = Mapping[Span, Mapping[str, float]]
"""Amounts by time and key, in order."""


def totals(hours: RecordedHours) -> dict[str, float]:
    """Return the sum of each key of which anything is recorded."""
    return {
        key: fsum(each.amount for each in told)
        for key in KEYS
        if (told := list(hours.get(key, ())))
    }


def table(
    hours: RecordedHours, resolution: Resolution, days: Span, time_zone: tzinfo
) -> Table:
    """Return what is recorded of some days, by hours, days or months of the system.

    Of a day whose hours are not known, there is a row as long as the day, whatever the
    resolution. Of a month, only the given days count.
    """
    parts: dict[Span, dict[str, list[float]]] = {}
    for key, told in hours.items():
        for each in told:
            span = _within(days, _span(each, resolution, time_zone))
            parts.setdefault(span, {}).setdefault(key, []).append(each.amount)
    return {
        span: {key: fsum(amounts) for key, amounts in parts[span].items()}
        for span in sorted(parts)
    }


def to_csv(rows: Table, time_zone: tzinfo, currency: str) -> str:
    """Return a table as CSV: moments of the system, kWh, and money where there is any.

    What is not known is empty.
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


def _span(told: Recorded, resolution: Resolution, time_zone: tzinfo) -> Span:
    if resolution is Resolution.HOUR and not told.of_day:
        return Span(told.start, HOUR)
    day = told.start.astimezone(time_zone).date()
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
    # A rounded nothing has no sign.
    return "" if amount is None else f"{round(amount, 4) + 0.0:.4f}"
