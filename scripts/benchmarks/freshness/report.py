"""Says what was measured."""

from collections.abc import Iterator, Mapping
from typing import Any

from ..report import table
from .measure import Result

_COLUMNS = (
    *("", "calls", "month", "minute", "over", "429", "wasted", "unused", "age"),
    *("bound", "blind", "ends", "clouds", "fixed"),
    *("to bound", "to blind", "to ends", "to clouds", "to fixed"),
)
_FOOT = """
A year on a virtual clock, each row with the calls that our schedule made in it.
  month    the most calls of a month; minute: of 60 seconds; over: beyond a limit
  unused   what background work left beyond the reserve, in the worst month
  age      of data, mean over time, weighted, in minutes
  bound    no schedule can do better, even if it foresees every publication
  blind    the same, if it foresees all but how long each upload will take to appear
  ends     the same, if it asks for the end of each day, too
  clouds   the same, if it knows the sun, but not the clouds that are to come
  fixed    each document at one interval around the clock"""


def text(results: Mapping[str, Result]) -> Iterator[str]:
    """Yield a table for people."""
    yield from table([_COLUMNS, *(_row(*item) for item in results.items())])
    yield _FOOT


def _row(name: str, result: Result) -> tuple[str, ...]:
    return (
        name,
        f"{result.calls}",
        f"{result.worst_month}",
        f"{result.worst_minute}",
        f"{result.over_limit}",
        f"{result.refusals}",
        f"{result.wasted:.1%}",
        f"{result.unused:.1%}",
        f"{result.age:.1f}",
        *(f"{age:.1f}" for age in result.rivals.values()),
        *(f"{result.ratio_to(rival):.3f}" for rival in result.rivals),
    )


def as_json(results: Mapping[str, Result]) -> dict[str, Any]:
    """Return the results for programs."""
    ratios = {
        "ratio_to_bound": "bound",
        "ratio_to_bound_without_foresight_of_delays": "blind",
        "ratio_to_bound_with_day_ends": "ends",
        "ratio_to_bound_without_foresight_of_clouds": "clouds",
        "ratio_to_fixed": "fixed",
    }
    return {
        "scenarios": {
            name: {
                "calls": result.calls,
                "over_limit": result.over_limit,
                **{key: round(result.ratio_to(ratios[key]), 4) for key in ratios},
                "ratio_to_bound_by_month": [
                    round(ratio, 2) for ratio in result.ratios_to_bound
                ],
                "wasted": round(result.wasted, 4),
                "unused": round(result.unused, 4),
                "refusals": result.refusals,
                "worst_month": result.worst_month,
                "worst_minute": result.worst_minute,
            }
            for name, result in results.items()
        }
    }
