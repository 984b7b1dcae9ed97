"""Runs the measurements, and says what they came to."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

from . import backfill
from .backfill import Backfill, Growth
from .recorder import in_a_loop
from .truth import Comparison
from .year import SITES, Year, play


@dataclass(frozen=True, slots=True)
class Results:
    """All that was measured, in one run."""

    years: list[Year]
    backfill: Backfill
    growth: Growth


def measure() -> Results:
    """Measure everything, each in a process of its own; times with nothing beside."""
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        timed = pool.submit(_backfill).result()
        years = [pool.submit(_year, number) for number in range(len(SITES))]
        growth = pool.submit(_growth)
        return Results([year.result() for year in years], timed, growth.result())


def _backfill() -> Backfill:
    return in_a_loop(backfill.measure_time())


def _growth() -> Growth:
    return in_a_loop(backfill.measure_growth())


def _year(number: int) -> Year:
    return in_a_loop(play(SITES[number]))


def as_json(results: Results) -> dict[str, Any]:
    """Return the figures that have a target, of the site where they are worst.

    The rival is the sensor whose numbers the cloud never distorts, where it is best.
    """
    years = results.years
    return {
        "hourly_error": max(_rounded(year.ours.hourly_error) for year in years),
        "phantom_hours": sum(len(year.ours.phantoms) for year in years),
        "sum_falls": sum(len(year.ours.falls) for year in years),
        "rival_hourly_error": min(_rounded(year.spared.hourly_error) for year in years),
        "import_ratio": round(results.backfill.ratio, 3),
        "memory_growth_mib": round(results.growth.memory, 2),
    }


def _rounded(error: float) -> float:
    return round(error, 6)


def text(results: Results) -> str:
    """Return all figures as text."""
    return "\n".join(
        [
            *(line for year in results.years for line in _of_year(year)),
            *_of_backfill(results.backfill, results.growth),
        ]
    )


def _of_year(year: Year) -> Iterator[str]:
    yield (
        f"A year at {year.site.name}, {year.site.time_zone},"
        f" production told by its {year.site.measured_by}:"
        f" {year.calls:,} calls, {year.restarts} restarts"
    )
    yield f"    {'':42} {'hours':>10} {'days':>10} {'phantoms':>9} {'falls':>6}"
    yield from _line("Enphase Cloud", year.ours)
    yield from _line("  its history of weeks before", year.history)
    yield from _line("total_increasing, polled when we are", year.plain)
    yield from _line("  and spared all distorted numbers", year.spared)
    yield ""


def _line(name: str, compared: Comparison) -> Iterator[str]:
    yield (
        f"    {name:42} {compared.hourly_error:10.4%} {compared.daily_error:10.4%}"
        f" {len(compared.phantoms):9,} {len(compared.falls):6,}"
    )


def _of_backfill(timed: Backfill, growth: Growth) -> Iterator[str]:
    yield (
        f"Two years of hours, {timed.rows:,} rows:"
        f" {timed.ratio:.2f} times the recorder alone"
    )
    yield f"    {'Enphase Cloud':28} {timed.rows / timed.ours:10,.0f} rows per second"
    yield f"    {'the recorder alone':28} {timed.rows / timed.alone:10,.0f}"
    yield (
        f"    memory grows by {growth.memory:.1f} MiB at most,"
        f" the database by {growth.database:.1f} MiB for {growth.rows:,} rows"
    )
