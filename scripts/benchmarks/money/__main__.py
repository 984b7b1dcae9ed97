"""Measure costs: python -m scripts.benchmarks.money [--json] [--nights N]."""

from typing import Final

from ..home_assistant import in_a_loop
from ..report import command_line, tell
from .year import play

_NIGHTS: Final = 365


def main() -> None:
    """Simulate a year, and compare its costs; it takes some minutes."""
    parser = command_line("money", __doc__)
    parser.add_argument("--nights", type=int, default=_NIGHTS, help="fewer are faster")
    arguments = parser.parse_args()
    result = in_a_loop(play(arguments.nights))
    lines = [
        f"{arguments.nights} nights, error against the true bill:",
        *(f"    {name}: {error:.6%}" for name, error in result.errors.items()),
    ]
    figures = {
        "cost_error": round(max(result.errors.values()), 8),
        "sum_falls": result.falls,
        "repriced_hours_wrong": result.wrong,
        "sensor_vs_statistics": result.differing,
    }
    tell(arguments, lines, figures)


if __name__ == "__main__":
    main()
