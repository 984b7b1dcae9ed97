"""Periods by their names, and hours summed over them."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from custom_components.enphase_cloud.energy.periods import (
    Period,
    Resolution,
    check_size,
    days_between,
    days_of,
    period_values,
)
from custom_components.enphase_cloud.energy.readings import HOUR
from custom_components.enphase_cloud.measurements.catalog import Flow

BERLIN = ZoneInfo("Europe/Berlin")
SUNDAY = date(2026, 3, 1)


@pytest.mark.parametrize(
    ("period", "first", "last"),
    [
        (Period.TODAY, SUNDAY, SUNDAY),
        (Period.YESTERDAY, date(2026, 2, 28), date(2026, 2, 28)),
        (Period.THIS_WEEK, date(2026, 2, 23), SUNDAY),
        (Period.THIS_MONTH, SUNDAY, SUNDAY),
        (Period.LAST_MONTH, date(2026, 2, 1), date(2026, 2, 28)),
        (Period.THIS_YEAR, date(2026, 1, 1), SUNDAY),
    ],
)
def test_a_period_has_days(period: Period, first: date, last: date) -> None:
    """As far as it has begun."""
    assert days_of(period, SUNDAY) == (first, last)


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        ("2026-02-10", "2026-02-12", (date(2026, 2, 10), date(2026, 2, 12))),
        ("2026-02-10", None, (date(2026, 2, 10), SUNDAY)),
        ("2026-02-10", "2027-01-01", (date(2026, 2, 10), SUNDAY)),
        (None, "2026-02-12", (date(2026, 2, 12), date(2026, 2, 12))),
        ("2025-03-01", None, (date(2025, 3, 1), SUNDAY)),
    ],
)
def test_dates_give_days(
    first: str | None, last: str | None, expected: tuple[date, date]
) -> None:
    """The last is today at the latest."""
    assert days_between(first, last, SUNDAY) == expected


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("2026-03-02", None),
        ("2026-02-12", "2026-02-10"),
        ("2025-02-28", None),
        ("yesterday", None),
        (None, "2026-02-30"),
        ("0001-01-01", "9999-12-31"),
    ],
)
def test_some_dates_give_no_days(first: str | None, last: str | None) -> None:
    """Of the future, in the wrong order, too many, or none at all."""
    with pytest.raises(ValueError):  # noqa: PT011
        days_between(first, last, SUNDAY)


@pytest.mark.parametrize(
    ("days", "resolution", "flows", "fits"),
    [
        (20, Resolution.HOUR, 1, True),
        (21, Resolution.HOUR, 1, False),
        (3, Resolution.HOUR, 6, True),
        (83, Resolution.DAY, 6, True),
        (84, Resolution.DAY, 6, False),
        (366, Resolution.MONTH, 6, True),
    ],
)
def test_an_answer_has_an_end(
    days: int, resolution: Resolution, flows: int, *, fits: bool
) -> None:
    """What an assistant reads has to be paid for."""
    periods = [(SUNDAY, SUNDAY + timedelta(days=days - 1))]
    if fits:
        check_size(periods, resolution, flows)
    else:
        with pytest.raises(ValueError, match="More than 500 values"):
            check_size(periods, resolution, flows)


def test_hours_become_parts() -> None:
    """Named by their local hour, day or month; a day's rest is of no hour."""
    # The night in which summer time ends.
    start = datetime(2026, 10, 24, 22, tzinfo=UTC)
    hours = [(start + number * HOUR, 100.0 + number, False) for number in range(4)]
    hours.append((start + 24 * HOUR, 1_000.0, True))
    flows = {
        Flow.PRODUCTION: hours,
        Flow.CONSUMPTION: [],
        "cost": [(start, 1.234, False)],
    }
    by_hour = period_values(flows, BERLIN, Resolution.HOUR)
    assert by_hour["total"] == {"production": 1.406, "cost": 1.23}
    assert by_hour["recorded_until"] == "2026-10-26T00:00+01:00"
    assert by_hour["parts"] == {
        "production": {
            "2026-10-25T00:00+02:00": 0.1,
            "2026-10-25T01:00+02:00": 0.101,
            "2026-10-25T02:00+02:00": 0.102,
            "2026-10-25T02:00+01:00": 0.103,
        },
        "cost": {"2026-10-25T00:00+02:00": 1.23},
    }
    by_day = period_values(flows, BERLIN, Resolution.DAY)["parts"]["production"]
    assert by_day == {"2026-10-25": 1.406}
    by_month = period_values(flows, BERLIN, Resolution.MONTH)["parts"]["production"]
    assert by_month == {"2026-10": 1.406}
    assert "parts" not in period_values(flows, BERLIN, None)
    day = period_values({Flow.PRODUCTION: [(start, 5.0, True)]}, BERLIN, None)
    assert day["recorded_until"] == "2026-10-26T00:00+01:00"
    assert period_values({Flow.PRODUCTION: []}, BERLIN, None) == {}
