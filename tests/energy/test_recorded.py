"""Tables of what is recorded, by the days and months of the system."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from custom_components.enphase_cloud.energy.parsing import system_day
from custom_components.enphase_cloud.energy.periods import Resolution
from custom_components.enphase_cloud.energy.readings import HOUR, Span
from custom_components.enphase_cloud.energy.recorded import Recorded, table, to_csv
from custom_components.enphase_cloud.measurements.catalog import Flow

KOLKATA = ZoneInfo("Asia/Kolkata")


def midnight(day: date) -> datetime:
    """Return when a day of the system begins."""
    return system_day(day, KOLKATA).start


def between(first: date, end: date) -> Span:
    """Return the days from `first` up to `end`, without `end`."""
    return Span(midnight(first), midnight(end) - midnight(first))


def test_of_a_month_only_the_given_days_count() -> None:
    """A month in between is whole."""
    days = between(date(2026, 1, 30), date(2026, 3, 3))
    hours = [
        Recorded(midnight(date(2026, month, day)), 1_000)
        for month, day in ((3, 2), (1, 30), (1, 31), (2, 1), (2, 28), (3, 1))
    ]
    rows = table({Flow.GRID_IMPORT: hours}, Resolution.MONTH, days, KOLKATA)
    assert list(rows.items()) == [
        (between(first, end), {Flow.GRID_IMPORT: 2_000})
        for first, end in (
            (date(2026, 1, 30), date(2026, 2, 1)),
            (date(2026, 2, 1), date(2026, 3, 1)),
            (date(2026, 3, 1), date(2026, 3, 3)),
        )
    ]


def test_a_day_with_unknown_hours_is_as_long_as_the_day() -> None:
    """Also among hours."""
    first, second = date(2026, 6, 17), date(2026, 6, 18)
    start = next(system_day(first, KOLKATA).hours)
    hours = [
        Recorded(next(system_day(second, KOLKATA).hours), 5, of_day=True),
        Recorded(start, 3),
    ]
    days = between(first, date(2026, 6, 19))
    rows = table({Flow.PRODUCTION: hours}, Resolution.HOUR, days, KOLKATA)
    assert list(rows) == [Span(start, HOUR), system_day(second, KOLKATA)]


def test_money_has_columns_if_there_is_any() -> None:
    """Energy is in kWh; what is unknown is empty."""
    day = date(2026, 6, 17)
    start = next(system_day(day, KOLKATA).hours)
    hours = {
        Flow.GRID_IMPORT: [Recorded(start, 1_234)],
        "grid_import_cost": [Recorded(start, 0.5)],
    }
    days = between(day, date(2026, 6, 18))
    header, row = to_csv(
        table(hours, Resolution.DAY, days, KOLKATA), KOLKATA, "INR"
    ).splitlines()
    assert header.startswith("start,end,production_kwh,consumption_kwh,grid_import_kwh")
    assert header.endswith(",grid_import_cost_inr")
    assert row.split(",")[2:5] == ["", "", "1.234"]
    assert float(row.split(",")[-1]) == 0.5
