"""Measure freshness: python -m scripts.benchmarks.freshness [--json] [--plot]."""

from concurrent.futures import ProcessPoolExecutor

from ..report import command_line, tell
from .measure import play
from .report import as_json, text
from .scenarios import SCENARIOS


def main() -> None:
    """Simulate all scenarios, or the named ones, and report."""
    parser = command_line("freshness", __doc__, parts=SCENARIOS)
    parser.add_argument("--plot", action="store_true", help="draw docs/images")
    arguments = parser.parse_args()
    if arguments.plot:
        from .plot import draw  # noqa: PLC0415  # matplotlib is slow to load

        draw()
        return
    # The longest first, so that all processes finish at about the same time.
    longest_first = sorted(arguments.parts, key=lambda name: -SCENARIOS[name].effort)
    with ProcessPoolExecutor() as pool:
        played = pool.map(play, [SCENARIOS[name] for name in longest_first])
        results = dict(zip(longest_first, played, strict=True))
    results = {name: results[name] for name in arguments.parts}
    tell(arguments, text(results), as_json(results))


if __name__ == "__main__":
    main()
