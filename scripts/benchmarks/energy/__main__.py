"""Measure energy: python -m scripts.benchmarks.energy [--json]."""

from ..report import command_line, tell
from .report import as_json, measure, text


def main() -> None:
    """Play the years and the backfill, and report; it takes some minutes."""
    arguments = command_line("energy", __doc__).parse_args()
    results = measure()
    tell(arguments, text(results), as_json(results))


if __name__ == "__main__":
    main()
