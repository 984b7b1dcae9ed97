"""Measure freshness: python -m scripts.benchmarks.freshness [--json] [--plot]."""

from concurrent.futures import ProcessPoolExecutor

from ..report import command_line, tell
from .measure import Result, play
from .report import as_json, text
from .scenarios import SCENARIOS


def main() -> None:
    """Play all scenarios, or those named, and report."""
    parser = command_line("freshness", __doc__)
    parser.add_argument("scenario", nargs="*", help="; ".join(SCENARIOS))
    parser.add_argument("--plot", action="store_true", help="draw docs/images")
    arguments = parser.parse_args()
    if unknown := set(arguments.scenario) - set(SCENARIOS):
        parser.error(f"there is no scenario {', '.join(sorted(unknown))}")
    if arguments.plot:
        from .plot import draw  # noqa: PLC0415  # matplotlib is slow to load

        draw()
        return
    names = arguments.scenario or list(SCENARIOS)
    # The longest first, so that the cores finish together.
    longest_first = sorted(names, key=lambda name: -SCENARIOS[name].effort)
    with ProcessPoolExecutor() as pool:
        played = pool.map(play, [SCENARIOS[name] for name in longest_first])
        results: dict[str, Result] = dict(zip(longest_first, played, strict=True))
    results = {name: results[name] for name in names}
    tell(arguments, text(results), as_json(results))


if __name__ == "__main__":
    main()
