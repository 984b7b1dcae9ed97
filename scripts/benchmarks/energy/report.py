"""Runs the measurements, and says what they came to."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

from ..home_assistant import in_a_loop
from ..report import table
from . import backfill
from .backfill import Backfill
from .year import SITES, Year, play


@dataclass(frozen=True, slots=True)
class Results:
    """All that was measured, in one run."""

    years: list[Year]
    backfill: Backfill
    memory_growth: float


def measure() -> Results:
    """Measure everything, each in a process of its own; times with nothing beside."""
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        timed = pool.submit(_backfill).result()
        years = [pool.submit(_year, number) for number in range(len(SITES))]
        growth = pool.submit(_growth)
        return Results([year.result() for year in years], timed, growth.result())


def _backfill() -> Backfill:
    return in_a_loop(backfill.measure_time())


def _growth() -> float:
    return in_a_loop(backfill.measure_growth())


def _year(number: int) -> Year:
    return in_a_loop(play(SITES[number]))


def as_json(results: Results) -> dict[str, Any]:
    """Return the figures that have a target, of the site where they are worst.

    The rival counts where it is best.
    """
    years = results.years
    errors = [round(year.ours.hourly_error, 6) for year in years]
    rivals = [round(year.rival.hourly_error, 6) for year in years]
    return {
        "hourly_error": max(errors),
        "phantom_hours": sum(len(year.ours.phantoms) for year in years),
        "sum_falls": sum(len(year.ours.falls) for year in years),
        "rival_hourly_error": min(rivals),
        "import_ratio": round(results.backfill.ratio, 3),
        "memory_growth_mib": round(results.memory_growth, 2),
    }


def text(results: Results) -> Iterator[str]:
    """Yield all figures as text."""
    for year in results.years:
        yield from _of_year(year)
    timed = results.backfill
    yield (
        f"Two years of hours, {timed.rows:,} rows:"
        f" {timed.ratio:.2f} times the recorder alone"
    )
    yield from table(
        [
            ("Enphase Cloud", f"{timed.rows / timed.ours:,.0f} rows per second"),
            ("the recorder alone", f"{timed.rows / timed.alone:,.0f} rows per second"),
        ]
    )
    yield f"    memory grows by {results.memory_growth:.1f} MiB at most"


def _of_year(year: Year) -> Iterator[str]:
    yield (
        f"A year at {year.site.name}, {year.site.time_zone},"
        f" production told by its {year.site.measured_by}:"
        f" {year.calls:,} calls"
    )
    compared = {
        "Enphase Cloud": year.ours,
        "  its history of weeks before": year.history,
        "total_increasing, spared all distorted numbers": year.rival,
    }
    yield from table(
        [
            ("", "hours", "phantoms", "falls"),
            *(
                (
                    name,
                    f"{each.hourly_error:.4%}",
                    f"{len(each.phantoms):,}",
                    f"{len(each.falls):,}",
                )
                for name, each in compared.items()
            ),
        ]
    )
    yield ""
