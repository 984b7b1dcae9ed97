"""Measure how fresh calls keep the picture: python -m scripts.benchmarks.freshness."""

import json
import sys

from .report import Result, play
from .scenarios import SCENARIOS


def figures(result: Result) -> dict[str, float]:
    """Return what the promise is held against, shares as fractions."""
    return {
        "calls": result.calls,
        "over_limit": result.over_limit,
        "ratio_to_bound": round(result.age / result.least_age, 3),
        "ratio_to_fixed": round(result.age / result.fixed_age, 3),
        "wasted": round(result.wasted, 4),
        "unused": round(result.unused, 4),
    }


def main() -> None:
    """Play all scenarios, a line each as it ends."""
    print(
        f"{'scenario':24} {'calls':>7} {'month':>6} {'minute':>6} {'over':>5}"
        f" {'429':>5} {'wasted':>7} {'unused':>7} {'age':>6} {'bound':>6} {'fixed':>6}"
    )
    scenarios = {}
    for name, scenario in SCENARIOS.items():
        result = play(scenario)
        scenarios[name] = figures(result)
        print(
            f"{name:24} {result.calls:7} {result.worst_month:6}"
            f" {result.worst_minute:6} {result.over_limit:5} {result.refusals:5}"
            f" {result.wasted:7.1%} {result.unused:7.1%} {result.age:6.1f}"
            f" {result.age / result.least_age:6.3f}"
            f" {result.age / result.fixed_age:6.3f}",
            flush=True,
        )
    if "--json" in sys.argv[1:]:
        print(json.dumps({"scenarios": scenarios}))


if __name__ == "__main__":
    main()
