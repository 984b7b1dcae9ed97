"""`python -m scripts.benchmarks NAME [--json]`: run one benchmark."""

from pathlib import Path
import runpy
import sys


def main() -> int:
    """Hand over to the benchmark that is named first."""
    names = sorted(
        path.parent.name for path in Path(__file__).parent.glob("*/__main__.py")
    )
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name not in names:
        print(f"Name a benchmark: {', '.join(names)}", file=sys.stderr)
        return 2
    del sys.argv[1]
    runpy.run_module(f"{__package__}.{name}", run_name="__main__")
    return 0


if __name__ == "__main__":
    sys.exit(main())
