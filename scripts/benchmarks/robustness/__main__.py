"""Measure robustness: python -m scripts.benchmarks.robustness [--json] [--quick]."""

from tests.robustness.sequences import Sequences, run_side_by_side

from ..report import command_line, tell
from .measure import TARGETS, measure
from .report import as_json, text

_QUICK = 300
_SEQUENCES = 10_000
_QUICK_SEQUENCES = 20


def main() -> None:
    """Try all targets, or those named, and report; in full it takes some minutes."""
    parser = command_line("robustness", __doc__)
    parser.add_argument("target", nargs="*", help="; ".join(TARGETS))
    parser.add_argument("--quick", action="store_true", help="few inputs of each")
    parser.add_argument("--seed", type=int, default=0, help="other inputs")
    arguments = parser.parse_args()
    if unknown := set(arguments.target) - set(TARGETS):
        parser.error(f"there is no target {', '.join(sorted(unknown))}")
    quick = _QUICK if arguments.quick else None
    names = arguments.target or TARGETS
    outcomes = measure(names, seed=arguments.seed, quick=quick)
    sequences = Sequences()
    if not arguments.target:
        count = _QUICK_SEQUENCES if arguments.quick else _SEQUENCES
        sequences = run_side_by_side(count, seed=arguments.seed)
    tell(arguments, text(outcomes, sequences), as_json(outcomes, sequences))


if __name__ == "__main__":
    main()
