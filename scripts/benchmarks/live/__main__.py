"""Measure live data: python -m scripts.benchmarks.live [--json]."""

import sys

from .report import report, run

if __name__ == "__main__":
    results = run()
    print(report(results))
    if "--json" in sys.argv[1:]:
        print(results.as_json())
