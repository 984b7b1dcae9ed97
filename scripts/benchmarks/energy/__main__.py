"""Measure energy: python -m scripts.benchmarks.energy [--json]."""

from argparse import ArgumentParser
import json

from .report import as_json, measure, text


def main() -> None:
    """Play the years and the backfill, and report; it takes some minutes."""
    parser = ArgumentParser(prog="scripts/bench energy", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one object as last line")
    arguments = parser.parse_args()
    results = measure()
    print(text(results))
    if arguments.json:
        print(json.dumps(as_json(results)))


if __name__ == "__main__":
    main()
