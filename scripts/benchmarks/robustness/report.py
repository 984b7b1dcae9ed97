"""Says what came of the inputs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
import json

from .measure import Outcome


@dataclass(frozen=True, slots=True)
class Sequences:
    """Sequences of calls, clocks and refusals, and which of them broke law 1."""

    count: int = 0
    overruns: int = 0
    deadlocks: int = 0


def text(outcomes: Mapping[str, Outcome], sequences: Sequences) -> str:
    """Return all figures as text, with examples of what was not expected."""
    return "\n".join(_lines(outcomes, sequences))


def as_json(outcomes: Mapping[str, Outcome], sequences: Sequences) -> str:
    """Return the figures that have a target."""
    return json.dumps(
        {
            "inputs": sum(outcome.inputs for outcome in outcomes.values()),
            "unexpected": sum(outcome.unexpected for outcome in outcomes.values()),
            "slowest_ms": round(
                max((outcome.slowest for outcome in outcomes.values()), default=0)
                * 1_000,
                2,
            ),
            "sequences": sequences.count,
            "overruns": sequences.overruns,
            "deadlocks": sequences.deadlocks,
        }
    )


def _lines(outcomes: Mapping[str, Outcome], sequences: Sequences) -> Iterator[str]:
    yield f"{'':32} {'inputs':>10} {'unexpected':>11} {'slowest':>11}"
    for name, outcome in outcomes.items():
        yield (
            f"{name:32} {outcome.inputs:10,} {outcome.unexpected:11,}"
            f" {outcome.slowest * 1_000:8.2f} ms"
        )
        for place, example in outcome.examples.items():
            yield f"    {place}"
            yield f"        {example}"
    yield (
        f"Of {sequences.count:,} sequences of calls and clocks {sequences.overruns:,}"
        f" overran a limit, and {sequences.deadlocks:,} came to a standstill"
    )
