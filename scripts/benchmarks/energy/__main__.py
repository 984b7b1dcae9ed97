"""Measure energy: python -m scripts.benchmarks.energy [--json]."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

from ..home_assistant import in_a_process
from ..report import command_line, table, tell
from .backfill import Backfill, import_two_years
from .year import SITES, Year, play


def main() -> None:
    """Run the years and the backfill, and report; it takes some minutes."""
    arguments = command_line("energy", __doc__).parse_args()
    # Each in its own process; the timed ones run alone.
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        timed = pool.submit(in_a_process, import_two_years, beside_rival=True).result()
        years = [*pool.map(partial(in_a_process, play), SITES)]
        alone = pool.submit(in_a_process, import_two_years, beside_rival=False).result()
    lines = [line for year in years for line in _of_year(year)]
    lines += _of_backfill(timed)
    lines.append(f"    memory grows by at most {alone.growth_mib:.1f} MiB")
    # Our worst site against the rival's best.
    figures = {
        "hourly_error": max(round(year.ours.hourly_error, 6) for year in years),
        "phantom_hours": sum(len(year.ours.phantoms) for year in years),
        "sum_falls": sum(len(year.ours.falls) for year in years),
        "rival_hourly_error": min(round(year.rival.hourly_error, 6) for year in years),
        "import_ratio": round(timed.ours / timed.alone, 3),
        "memory_growth_mib": round(alone.growth_mib, 2),
    }
    tell(arguments, lines, figures)


def _of_year(year: Year) -> Iterator[str]:
    yield (
        f"A year at {year.site.name}, {year.site.time_zone},"
        f" production measured by its {year.site.measured_by}: {year.calls:,} calls"
    )
    compared = {
        "Enphase Cloud": year.ours,
        "  its history of earlier weeks": year.history,
        "total_increasing, without distorted numbers": year.rival,
    }
    rows = [
        (
            name,
            f"{each.hourly_error:.4%}",
            f"{len(each.phantoms)}",
            f"{len(each.falls)}",
        )
        for name, each in compared.items()
    ]
    yield from table([("", "hours", "phantoms", "falls"), *rows])
    yield ""


def _of_backfill(timed: Backfill) -> Iterator[str]:
    yield (
        f"Import of two years of hours, {timed.rows:,} rows:"
        f" {timed.ours / timed.alone:.2f} times as long as the recorder alone"
    )
    taken = {"Enphase Cloud": timed.ours, "the recorder alone": timed.alone}
    yield from table(
        [
            (name, f"{timed.rows / seconds:,.0f} rows per second")
            for name, seconds in taken.items()
        ]
    )


if __name__ == "__main__":
    main()
