"""Measure stalls with many panels: python -m scripts.benchmarks.scale [--json]."""

from typing import Final

from ..report import command_line, tell
from .home import Home
from .measure import measure

_PANELS: Final = 2_000
_SYSTEMS: Final = 100


def main() -> None:
    """Set up one system with many panels, and many systems that share as many."""
    parser = command_line("scale", __doc__, quick="a tenth of everything")
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
    stalls = [
        (name, what, found)
        for name, each in measured.items()
        for what, found in each.stalls.items()
    ]
    figures = {
        "longest_stall_ms": round(1_000 * max(one.longest for *_, one in stalls), 1),
        "setup_s_per_system": round(many.set_up_s / systems, 4),
        "memory_mib": round(max(each.memory_mib for each in measured.values()), 1),
    }
    lines = [
        f"{name}: {each.entities} entities, set up in {each.set_up_s:.1f} s of"
        f" processor time"
        for name, each in measured.items()
    ]
    for name, what, found in stalls:
        lines.append(
            f"    {name}, longest stall {what}: {1_000 * found.longest:.0f} ms"
        )
        if arguments.stacks:
            lines.append(found.stack)
    tell(arguments, lines, figures)


if __name__ == "__main__":
    main()
