"""Measure robustness: python -m scripts.benchmarks.robustness [--json] [--quick]."""

from tests.robustness.sequences import Sequences, run_side_by_side

from ..report import command_line, table, tell
from .measure import TARGETS, measure

_QUICK = 300
_SEQUENCES = 10_000
_QUICK_SEQUENCES = 20


def main() -> None:
    """Run all targets, or the named ones, and report; in full it takes some minutes."""
    parser = command_line(
        "robustness", __doc__, quick="few inputs of each", parts=TARGETS
    )
    parser.add_argument("--seed", type=int, default=0, help="other inputs")
    arguments = parser.parse_args()
    quick = _QUICK if arguments.quick else None
    outcomes = measure(arguments.parts, seed=arguments.seed, quick=quick)
    sequences = Sequences()
    if arguments.parts == [*TARGETS]:
        count = _QUICK_SEQUENCES if arguments.quick else _SEQUENCES
        sequences = run_side_by_side(count, seed=arguments.seed)
    rows = [
        (name, f"{each.inputs:,}", f"{each.unexpected:,}", f"{each.slowest * 1e3:.2f}")
        for name, each in outcomes.items()
    ]
    lines = [*table([("", "inputs", "unexpected", "slowest [ms]"), *rows])]
    for outcome in outcomes.values():
        lines += [f"{at}\n    {given}" for at, given in outcome.examples.items()]
    lines.append(
        f"Of {sequences.count:,} sequences of calls and clocks {sequences.overruns:,}"
        f" exceeded a limit, and {sequences.deadlocks:,} stopped all calls"
    )
    slowest = max(outcome.slowest for outcome in outcomes.values())
    figures = {
        "inputs": sum(outcome.inputs for outcome in outcomes.values()),
        "unexpected": sum(outcome.unexpected for outcome in outcomes.values()),
        "slowest_ms": round(slowest * 1_000, 2),
        "sequences": sequences.count,
        "overruns": sequences.overruns,
        "deadlocks": sequences.deadlocks,
    }
    tell(arguments, lines, figures)


if __name__ == "__main__":
    main()
