"""Formats the results."""

from collections.abc import Iterator, Mapping
from typing import Any

from ..report import table
from .measure import Result

_FOOT = """
A year on a virtual clock, each row with the calls that our schedule made in it.
  month    the most calls in a month; minute: in 60 seconds; over: above a limit
  unused   the share that background work left above the reserve, in the worst month
  age      the weighted mean age of data in minutes
  bound    the least possible age, if a schedule foresees every publication
  blind    the same, if it foresees all but the delay of each upload
  ends     the same, if it also requests the end of each day
  clouds   the same, if it also foresees the sun but not the clouds
  fixed    the age if each document is polled at one fixed interval"""


_RATIOS = {
    "bound": "ratio_to_bound",
    "blind": "ratio_to_bound_without_foresight_of_delays",
    "ends": "ratio_to_bound_with_day_ends",
    "clouds": "ratio_to_bound_without_foresight_of_clouds",
    "fixed": "ratio_to_fixed",
}


def text(results: Mapping[str, Result]) -> Iterator[str]:
    """Yield the lines of a table."""
    rows = [{"": name, **_columns(result)} for name, result in results.items()]
    yield from table([[*rows[0]], *([*row.values()] for row in rows)])
    yield _FOOT


def _columns(result: Result) -> dict[str, str]:
    return {
        "calls": f"{result.calls}",
        "month": f"{result.worst_month}",
        "minute": f"{result.worst_minute}",
        "over": f"{result.over_limit}",
        "429": f"{result.refusals}",
        "wasted": f"{result.wasted:.1%}",
        "unused": f"{result.unused:.1%}",
        "age": f"{result.age:.1f}",
        **{rival: f"{age:.1f}" for rival, age in result.rivals.items()},
        **{f"to {rival}": f"{result.ratio_to(rival):.3f}" for rival in _RATIOS},
    }


def as_json(results: Mapping[str, Result]) -> dict[str, Any]:
    """Return the results for JSON."""
    return {"scenarios": {name: _figures(each) for name, each in results.items()}}


def _figures(result: Result) -> dict[str, Any]:
    ratios = [round(ratio, 2) for ratio in result.ratios_to_bound]
    return {
        "calls": result.calls,
        "over_limit": result.over_limit,
        **{key: round(result.ratio_to(rival), 4) for rival, key in _RATIOS.items()},
        "ratio_to_bound_by_month": ratios,
        "wasted": round(result.wasted, 4),
        "unused": round(result.unused, 4),
        "refusals": result.refusals,
        "worst_month": result.worst_month,
        "worst_minute": result.worst_minute,
    }
