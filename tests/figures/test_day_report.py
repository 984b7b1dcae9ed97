"""The report of a day, complete or not."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from custom_components.enphase_cloud.energy.parsing import system_day
from custom_components.enphase_cloud.energy.periods import Resolution
from custom_components.enphase_cloud.energy.recorded import Recorded, table, to_csv
from custom_components.enphase_cloud.figures.day_report import DayReport
from custom_components.enphase_cloud.figures.peaks import Quarter
from custom_components.enphase_cloud.measurements.catalog import Flow

KOLKATA = ZoneInfo("Asia/Kolkata")
DAY = date(2026, 6, 17)
SPAN = system_day(DAY, KOLKATA)


def _hours(energy: float, count: int = 24) -> list[Recorded]:
    """Return the same energy for the first hours of the day."""
    hours = list(SPAN.hours)[:count]
    return [Recorded(hour, energy) for hour in hours]


def test_shares_and_money() -> None:
    hours = {
        Flow.PRODUCTION: _hours(1_000),
        Flow.CONSUMPTION: _hours(800),
        Flow.GRID_IMPORT: _hours(201),
        Flow.GRID_EXPORT: _hours(401),
        "grid_import_cost": _hours(0.0517),
        "grid_export_compensation": _hours(0.0512),
    }
    peak = Quarter(500, SPAN.start + timedelta(hours=2))
    report = DayReport.of_hours(DAY, hours, KOLKATA, peak=peak)
    assert report.as_dict("INR", KOLKATA) == {
        "date": "2026-06-17",
        "energy_kwh": {
            "production": 24.0,
            "consumption": 19.2,
            "grid_import": 4.824,
            "grid_export": 9.624,
        },
        "self_sufficiency": 74.9,
        "self_consumption": 59.9,
        "cost": {"currency": "INR", "import": 1.24, "compensation": 1.23, "net": 0.01},
        "import_peak": {"power_kw": 2.0, "at": "2026-06-17T02:00:00+05:30"},
    }
    assert report.summary() == {
        "date": "2026-06-17",
        "production_kwh": 24.0,
        "self_sufficiency": 74.9,
        "net_cost": 0.01,
    }


@pytest.mark.parametrize(("is_paid", "net"), [(False, -1.2), (True, None)])
def test_import_without_a_known_price_has_no_net_cost(
    is_paid: bool,  # noqa: FBT001
    net: float | None,
) -> None:
    """Compensation alone is the net cost only where import has no tariff."""
    hours = {"grid_export_compensation": _hours(0.05)}
    report = DayReport.of_hours(DAY, hours, KOLKATA, is_import_paid=is_paid)
    assert report.summary().get("net_cost") == net


def test_a_cost_of_nothing_has_no_sign() -> None:
    """A tenth of a cent that was earned is not shown as -0.0."""
    hours = {"grid_import_cost": _hours(0), "grid_export_compensation": _hours(4e-5)}
    report = DayReport.of_hours(DAY, hours, KOLKATA)
    assert report.net_cost == pytest.approx(-0.00096)
    assert str(report.summary()["net_cost"]) == "0.0"


@pytest.mark.parametrize("known", [0, 12])
def test_half_a_day_has_no_share(known: int) -> None:
    """It would still change; the known energy is included."""
    hours = {
        Flow.CONSUMPTION: _hours(800),
        Flow.GRID_IMPORT: _hours(200, known),
    }
    report = DayReport.of_hours(DAY, hours, KOLKATA)
    assert report.self_sufficiency is None
    assert report.kwh(Flow.CONSUMPTION) == 19.2
    assert report.summary() == {"date": "2026-06-17"}


def test_a_day_without_hours_has_shares() -> None:
    """The first row has the energy of the whole day."""
    hours = {
        Flow.CONSUMPTION: [Recorded(next(SPAN.hours), 8_000, of_day=True)],
        Flow.GRID_IMPORT: [Recorded(next(SPAN.hours), 2_000, of_day=True)],
    }
    report = DayReport.of_hours(DAY, hours, KOLKATA)
    assert report.self_sufficiency == pytest.approx(75)


def test_days_that_begin_at_half_past_are_whole() -> None:
    """An hour of UTC belongs to the day in which it begins."""
    hours = {Flow.PRODUCTION: _hours(1_000)}
    rows = table(hours, Resolution.DAY, SPAN, KOLKATA)
    assert rows == {SPAN: {Flow.PRODUCTION: 24_000}}
    text = to_csv(rows, KOLKATA, "INR")
    assert text.splitlines()[1] == (
        "2026-06-17T00:00:00+05:30,2026-06-18T00:00:00+05:30,24.000,,,,,"
    )


def test_hours_of_utc_stay_whole() -> None:
    """With the offset of the system, also the one at midnight."""
    starts = [
        datetime(2026, 6, day, hour, tzinfo=UTC) for day, hour in ((16, 19), (17, 18))
    ]
    rows = table(
        {Flow.PRODUCTION: [Recorded(start, 5) for start in starts]},
        Resolution.HOUR,
        SPAN,
        KOLKATA,
    )
    first, last = to_csv(rows, KOLKATA, "INR").splitlines()[1:]
    assert first.startswith(
        "2026-06-17T00:30:00+05:30,2026-06-17T01:30:00+05:30,0.005,"
    )
    assert last.startswith("2026-06-17T23:30:00+05:30,2026-06-18T00:30:00+05:30,0.005,")
