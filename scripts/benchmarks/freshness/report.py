"""Says what was measured."""

from collections.abc import Mapping
from typing import Any

from .measure import Result
from .scenarios import SCENARIOS

_HEAD = (
    f"{'':27}{'calls':>7}{'worst':>6}{'of':>7}{'worst':>7}{'of':>4}{'over':>6}"
    f"{'429':>5}{'wasted':>8}{'unused':>8}  {'mean age of data in minutes':31}"
    f"{'to bound':>16}{'to fixed':>9}",
    f"{'':27}{'':7}{'month':>6}{'':7}{'minute':>7}{'':4}{'limit':>6}"
    f"{'':5}{'':8}{'':8}{'ours':>7}{'bound':>8}{'(blind)':>9}{'fixed':>8}"
    f"{'':1}{'':>7}{'(blind)':>8}{'':9}",
)
_FOOT = """
A year on a virtual clock, each row with the calls that our schedule made in it.
  unused   what background work left beyond the reserve, in the worst month
  bound    no schedule can do better, even if it foresees every publication
  (blind)  the same, if it foresees all but how long each upload will take to appear
  fixed    each document at one interval around the clock"""


def table(results: Mapping[str, Result]) -> str:
    """Return a table for people."""
    return "\n".join([*_HEAD, *(_row(*item) for item in results.items()), _FOOT])


def _row(name: str, result: Result) -> str:
    plan = SCENARIOS[name].plan
    return (
        f"{name:27}{result.calls:7}{result.worst_month:6}{plan.calls_per_month:7}"
        f"{result.worst_minute:7}{plan.calls_per_minute:4}{result.over_limit:6}"
        f"{result.refusals:5}{result.wasted:8.1%}{result.unused:8.1%}"
        f"{result.age:7.1f}{result.least_age:8.1f}{result.unforeseen_age:9.1f}"
        f"{result.fixed_age:8.1f}{result.ratio_to_bound:8.3f}"
        f"{result.ratio_to_unforeseen:8.3f}{result.ratio_to_fixed:9.3f}"
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
