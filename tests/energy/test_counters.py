"""Today and lifetime out of the rows of statistics."""

from datetime import UTC, datetime, timedelta

import pytest

from custom_components.enphase_cloud.energy.counters import samples_of_rows
from custom_components.enphase_cloud.energy.readings import HOUR, Span, StatisticsRow
from custom_components.enphase_cloud.measurements.catalog import (
    Flow,
    Measurement,
    Source,
)
from custom_components.enphase_cloud.measurements.samples import NOTHING, Sample

MIDNIGHT = datetime(2026, 6, 10, 22, tzinfo=UTC)
TODAY = Span(MIDNIGHT, timedelta(days=1))
SOURCE = Source.IMPORT_INTERVALS
IMPORTED_TODAY = Measurement.ENERGY_IMPORTED_TODAY
IMPORTED_EVER = Measurement.ENERGY_IMPORTED_LIFETIME


def rows(first: int, last: int) -> list[StatisticsRow]:
    """Return hours of 100 Wh each, counted from midnight on; the sum began before."""
    return [
        StatisticsRow(start=MIDNIGHT + hour * HOUR, energy=100, sum=50_000 + 100 * hour)
        for hour in range(first, last)
    ]


def test_today_is_what_its_hours_hold() -> None:
    found = samples_of_rows(
        {Flow.GRID_IMPORT: rows(-30, 4)},
        today=TODAY,
        source=SOURCE,
        known=NOTHING,
        all_days=True,
    )
    until = MIDNIGHT + 4 * HOUR
    assert found == {
        IMPORTED_TODAY: Sample(400, until, SOURCE),
        IMPORTED_EVER: Sample(50_300, until, SOURCE),
    }


def test_before_the_first_hour_of_a_day_today_is_unknown() -> None:
    """The day before is not today."""
    found = samples_of_rows(
        {Flow.GRID_IMPORT: rows(-30, 0)},
        today=TODAY,
        source=SOURCE,
        known=NOTHING,
        all_days=True,
    )
    assert found == {IMPORTED_EVER: Sample(49_900, MIDNIGHT, SOURCE)}


def test_a_day_is_known_up_to_its_end() -> None:
    """Also if its energy is at its first hour."""
    day = Span(MIDNIGHT - timedelta(days=1), timedelta(days=1))
    row = StatisticsRow(start=day.start, energy=700, sum=900, day=day)
    found = samples_of_rows(
        {Flow.GRID_IMPORT: [row]},
        today=TODAY,
        source=SOURCE,
        known=NOTHING,
        all_days=True,
    )
    assert found == {IMPORTED_EVER: Sample(900, MIDNIGHT, SOURCE)}


@pytest.mark.parametrize("is_known", [True, False])
def test_a_sum_is_a_lifetime_only_if_all_days_are_in_it(is_known: bool) -> None:  # noqa: FBT001
    known = {IMPORTED_EVER: Sample(1, MIDNIGHT, SOURCE)} if is_known else NOTHING
    found = samples_of_rows(
        {Flow.GRID_IMPORT: rows(-2, 2)},
        today=TODAY,
        source=SOURCE,
        known=known,
        all_days=False,
    )
    assert (IMPORTED_EVER in found) == is_known
    assert found[IMPORTED_TODAY].value == 200


def test_the_summary_has_the_production() -> None:
    """And what has no rows says nothing."""
    found = samples_of_rows(
        {
            Flow.PRODUCTION: rows(-2, 2),
            Flow.GRID_EXPORT: [],
            Flow.GRID_IMPORT: rows(0, 1),
        },
        today=TODAY,
        source=SOURCE,
        known=NOTHING,
        all_days=True,
    )
    assert found.keys() == {IMPORTED_TODAY, IMPORTED_EVER}
