"""Distorts the numbers of a document, as a faulty cloud would."""

from collections.abc import Callable
from typing import Any

from .documents.windows import Document, JsonBody
from .faults import DataFault

_DISTORTED = frozenset(
    {
        "charge",
        "consumption",
        "current_power",
        "discharge",
        "energy_lifetime",
        "energy_today",
        "enwh",
        "export",
        "import",
        "meter_production",
        "micro_production",
        "percent",
        "power",
        "power_produced",
        "powr",
        "production",
        "value",
        "value_charged",
        "value_discharged",
        "wh_del",
        "wh_exported",
        "wh_imported",
    }
)
_ABSURD = 10**12

_NUMBERS: dict[DataFault, Callable[[int], object]] = {
    "zero": lambda _: 0,
    "null": lambda _: None,
    "dip": lambda number: number // 2,
    "tenfold": lambda number: number * 10,
    "absurd": lambda _: _ABSURD,
    "strings": str,
    "negative": lambda number: -number - 1,
}


def distort(document: JsonBody, fault: DataFault) -> None:
    """Distort a document in place."""
    if fault in _NUMBERS:
        _change_numbers(document, _NUMBERS[fault])
    elif isinstance(document, dict):
        _change_intervals(document, fault)


def _change_numbers(node: Any, change: Callable[[int], object]) -> None:
    children = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in list(children):
        if isinstance(value, dict):
            _change_numbers(value, change)
        elif isinstance(value, list):
            if key in _DISTORTED:
                node[key] = [change(number) for number in value]
            else:
                _change_numbers(value, change)
        elif key in _DISTORTED and value is not None:
            node[key] = change(value)


def _change_intervals(document: Document, fault: DataFault) -> None:
    """Repeat each interval, or remove every second one."""
    intervals = document.get("intervals")
    if not isinstance(intervals, list):
        return
    nested = bool(intervals) and isinstance(intervals[0], list)
    rows = intervals[0] if nested else intervals
    if fault == "repeat":
        rows[:] = [row for row in rows for _ in range(2)]
    else:
        del rows[1::2]
