"""Measure stalls with many panels: python -m scripts.benchmarks.scale [--json]."""

from typing import Final

from ..report import command_line, tell
from .home import Home
from .measure import Measured, measure

_PANELS: Final = 2_000
_SYSTEMS: Final = 100


def main() -> None:
    """Set up one system with many panels, and many with a part of them each."""
    parser = command_line("scale", __doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of everything")
    parser.add_argument("--stacks", action="store_true", help="what held up the loop")
    arguments = parser.parse_args()
    part = 10 if arguments.quick else 1
    panels, systems = _PANELS // part, _SYSTEMS // part
    measured = {
        f"1 system, {panels:,} panels": measure(Home.of(systems=1, panels=panels)),
        f"{systems} systems, {panels // systems} panels each": (
            many := measure(Home.of(systems=systems, panels=panels // systems))
        ),
    }
    figures = {
        "longest_stall_ms": round(1_000 * max(map(_longest, measured.values())), 1),
        "setup_s_per_system": round(many.set_up_s / systems, 4),
        "memory_mib": round(max(each.memory_mib for each in measured.values()), 1),
    }
    lines = [
        f"{name}: {each.entities} entities, set up in {each.set_up_s:.1f} s of"
        f" processor time; longest stalls "
        + ", ".join(
            f"{what} {1_000 * found.longest:.0f} ms"
            for what, found in each.stalls.items()
        )
        for name, each in measured.items()
    ]
    if arguments.stacks:
        lines += [
            f"{name}, {what}:\n{found.stack}"
            for name, each in measured.items()
            for what, found in each.stalls.items()
        ]
    tell(arguments, lines, figures)


def _longest(measured: Measured) -> float:
    return max(found.longest for found in measured.stalls.values())


if __name__ == "__main__":
    main()
