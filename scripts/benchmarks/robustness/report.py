"""Says what came of the inputs."""

from collections.abc import Iterator, Mapping
from typing import Any

from tests.robustness.sequences import Sequences

from ..report import table
from .measure import Outcome


def as_json(outcomes: Mapping[str, Outcome], sequences: Sequences) -> dict[str, Any]:
    """Return the figures that have a target."""
    slowest = max((outcome.slowest for outcome in outcomes.values()), default=0)
    return {
        "inputs": sum(outcome.inputs for outcome in outcomes.values()),
        "unexpected": sum(outcome.unexpected for outcome in outcomes.values()),
        "slowest_ms": round(slowest * 1_000, 2),
        "sequences": sequences.count,
        "overruns": sequences.overruns,
        "deadlocks": sequences.deadlocks,
    }


def text(outcomes: Mapping[str, Outcome], sequences: Sequences) -> Iterator[str]:
    """Yield all figures as text, with examples of what was not expected."""
    rows = [
        (name, f"{each.inputs:,}", f"{each.unexpected:,}", f"{each.slowest * 1e3:.2f}")
        for name, each in outcomes.items()
    ]
    yield from table([("", "inputs", "unexpected", "slowest [ms]"), *rows])
    for outcome in outcomes.values():
        for place, example in outcome.examples.items():
            yield f"{place}\n    {example}"
    yield (
        f"Of {sequences.count:,} sequences of calls and clocks {sequences.overruns:,}"
        f" overran a limit, and {sequences.deadlocks:,} came to a standstill"
    )
