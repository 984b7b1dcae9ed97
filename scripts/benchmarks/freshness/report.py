"""Says what was measured."""

from collections.abc import Iterable, Mapping
from typing import Any

from .measure import Result
from .scenarios import SCENARIOS

_COLUMNS = {
    "": 27,
    "calls": 7,
    "worst month": 14,
    "minute": 8,
    "over": 5,
    "429": 5,
    "wasted": 8,
    "unused": 8,
    "age": 8,
    "bound": 8,
    "(blind)": 9,
    "(ends)": 8,
    "(clouds)": 10,
    "fixed": 8,
    "to bound": 10,
    "(blind) ": 9,
    "(ends) ": 8,
    "(clouds) ": 10,
    "to fixed": 10,
}
_FOOT = """
A year on a virtual clock, each row with the calls that our schedule made in it.
  worst    the most calls of a month and of 60 seconds; over: calls beyond a limit
  unused   what background work left beyond the reserve, in the worst month
  age      of data, mean over time, weighted, in minutes
  bound    no schedule can do better, even if it foresees every publication
  (blind)  the same, if it foresees all but how long each upload will take to appear
  (ends)   the same, if it asks for the end of each day, too
  (clouds) the same, if it knows the sun, but not the clouds that are to come
  fixed    each document at one interval around the clock"""


def table(results: Mapping[str, Result]) -> str:
    """Return a table for people."""
    rows = [_line(_COLUMNS), *(_line(_row(*item)) for item in results.items())]
    return "\n".join([*rows, _FOOT])


def _line(cells: Iterable[str]) -> str:
    first, *others = zip(cells, _COLUMNS.values(), strict=True)
    return f"{first[0]:{first[1]}}" + "".join(
        f"{cell:>{width}}" for cell, width in others
    )


def _row(name: str, result: Result) -> tuple[str, ...]:
    plan = SCENARIOS[name].plan
    return (
        name,
        f"{result.calls}",
        f"{result.worst_month}/{plan.calls_per_month}",
        f"{result.worst_minute}/{plan.calls_per_minute}",
        f"{result.over_limit}",
        f"{result.refusals}",
        f"{result.wasted:.1%}",
        f"{result.unused:.1%}",
        f"{result.age:.1f}",
        f"{result.least_age:.1f}",
        f"{result.unforeseen_age:.1f}",
        f"{result.dutiful_age:.1f}",
        f"{result.clouded_age:.1f}",
        f"{result.fixed_age:.1f}",
        f"{result.ratio_to_bound:.3f}",
        f"{result.ratio_to_unforeseen:.3f}",
        f"{result.ratio_to_dutiful:.3f}",
        f"{result.ratio_to_clouded:.3f}",
        f"{result.ratio_to_fixed:.3f}",
    )


def as_json(results: Mapping[str, Result]) -> dict[str, Any]:
    """Return the results for programs."""
    return {
        "scenarios": {
            name: {
                "calls": result.calls,
                "over_limit": result.over_limit,
                "ratio_to_bound": round(result.ratio_to_bound, 4),
                "ratio_to_bound_without_foresight_of_delays": round(
                    result.ratio_to_unforeseen, 4
                ),
                "ratio_to_bound_with_day_ends": round(result.ratio_to_dutiful, 4),
                "ratio_to_bound_without_foresight_of_clouds": round(
                    result.ratio_to_clouded, 4
                ),
                "ratio_to_bound_by_month": [
                    round(ratio, 2) for ratio in result.ratios_to_bound
                ],
                "ratio_to_fixed": round(result.ratio_to_fixed, 4),
                "wasted": round(result.wasted, 4),
                "unused": round(result.unused, 4),
                "refusals": result.refusals,
                "worst_month": result.worst_month,
                "worst_minute": result.worst_minute,
            }
            for name, result in results.items()
        }
    }
