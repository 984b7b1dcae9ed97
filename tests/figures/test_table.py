"""The figures of the table: from when to when each is valid, and what goes with it."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from custom_components.enphase_cloud.energy.parsing import system_day
from custom_components.enphase_cloud.energy.readings import HOUR, HourlyEnergy
from custom_components.enphase_cloud.figures.battery import Capacity, Efficiency
from custom_components.enphase_cloud.figures.peaks import Quarter
from custom_components.enphase_cloud.figures.table import (
    FIGURES,
    UNKNOWN,
    Figure,
    Known,
)
from custom_components.enphase_cloud.measurements.catalog import Flow

ZONE = ZoneInfo("Europe/Berlin")
TODAY = date(2026, 6, 17)
NOW = datetime(2026, 6, 17, 10, 5, tzinfo=UTC)
DAY = timedelta(days=1)
NOTHING = Known(
    now=NOW,
    zone=ZONE,
    cellular=False,
    since=None,
    hours={},
    production={},
    peaks={},
    efficiency=None,
    capacity=None,
    cycles=None,
)


def midnight(day: date) -> datetime:
    """Return when a day of the system begins."""
    return system_day(day, ZONE).start


def hours(first: date, until: datetime) -> Known:
    """Return known hours, with a quarter of the consumption from the grid."""
    starts, start = [], midnight(first)
    while start < until:
        starts.append(start)
        start += HOUR
    return NOTHING._replace(
        hours={
            Flow.CONSUMPTION: dict.fromkeys(starts, HourlyEnergy(1_000)),
            Flow.GRID_IMPORT: dict.fromkeys(starts, HourlyEnergy(250)),
        }
    )


def figure(key: str, known: Known) -> Figure:
    """Return a figure."""
    return FIGURES[key].of(known)


@pytest.mark.parametrize("key", sorted(FIGURES.keys() - {"battery_cycles"}))
def test_without_data_a_figure_is_unknown(key: str) -> None:
    assert figure(key, NOTHING) == UNKNOWN


def test_a_share_of_today_is_stale_at_midnight_or_before() -> None:
    """It is valid for six hours after the last known one."""
    until = midnight(TODAY) + 12 * HOUR
    found = figure("self_sufficiency_today", hours(TODAY, until))
    assert found == Figure(75, {"until": until}, until + 6 * HOUR)
    until = midnight(TODAY) + 22 * HOUR
    found = figure("self_sufficiency_today", hours(TODAY, until))
    assert found.stale_at == midnight(TODAY + DAY)


def test_a_share_of_yesterday_is_that_of_a_whole_day() -> None:
    known = hours(TODAY - DAY, midnight(TODAY))
    found = figure("self_sufficiency_yesterday", known)
    assert found == Figure(75, {"until": midnight(TODAY)}, midnight(TODAY + DAY))
    known = hours(TODAY - DAY, midnight(TODAY) - 3 * HOUR)
    assert figure("self_sufficiency_yesterday", known) == UNKNOWN


def test_a_share_of_the_month_is_valid_for_a_day_and_a_half() -> None:
    until = midnight(TODAY) + 12 * HOUR
    found = figure("self_sufficiency_month", hours(TODAY.replace(day=1), until))
    assert found == Figure(75, {"until": until}, until + 36 * HOUR)


def test_peaks_are_those_of_calendar_months() -> None:
    """The mean is that of the months before this one."""
    greatest = {4: 300, 5: 500, 6: 1_000}
    days = [date(2026, 4, 1) + number * DAY for number in range(30 + 31 + 17)]
    peaks = {day: Quarter(greatest[day.month] - day.day, midnight(day)) for day in days}
    known = NOTHING._replace(peaks=peaks)
    july = midnight(date(2026, 7, 1))
    assert figure("import_peak", known) == Figure(
        4 * 999, {"at": midnight(date(2026, 6, 1))}, july
    )
    assert figure("import_peak_last_month", known) == Figure(
        4 * 499, {"at": midnight(date(2026, 5, 1))}, july
    )
    assert figure("import_peak_mean", known) == Figure(4 * 399, {"months": 2})


def test_figures_of_the_battery_say_what_they_rest_on() -> None:
    known = NOTHING._replace(
        efficiency=Efficiency(89.5, 123_456, 110_493),
        capacity=Capacity(9_500, 12),
        cycles=31.5,
    )
    assert figure("battery_efficiency", known) == Figure(
        89.5, {"charged": 123.5, "discharged": 110.5}
    )
    assert figure("battery_usable_capacity", known) == Figure(9_500, {"falls": 12})
    assert figure("battery_cycles", known) == Figure(31.5)


def test_production_is_compared_with_the_year_before() -> None:
    """A year without production has no ratio."""
    known = NOTHING._replace(
        production={
            date(year, 6, day): wh
            for year, wh in ((2026, 9_000), (2025, 10_000), (2024, 12_346))
            for day in range(1, 17)
        }
    )
    assert figure("production_last_year", known) == Figure(
        160_000, {"years": {"2024": 197.54, "2025": 160.0}}
    )
    assert figure("production_ratio", known) == Figure(90)
    dark = {day: 0 if day.year == 2025 else wh for day, wh in known.production.items()}
    known = known._replace(production=dark)
    assert figure("production_ratio", known) == UNKNOWN
    assert figure("production_last_year", known).value == 0
