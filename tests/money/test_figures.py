"""Amounts of periods, from the costs of hours."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from custom_components.enphase_cloud.energy.readings import HOUR
from custom_components.enphase_cloud.money.figures import Amount, Period, figures

BERLIN = ZoneInfo("Europe/Berlin")
MIDNIGHT = datetime(2026, 3, 31, 22, tzinfo=UTC)
TODAY = date(2026, 4, 1)
MARCH = (31 * 24 - 1) * HOUR


@pytest.mark.parametrize(
    ("today", "period", "start", "hours"),
    [
        (TODAY, Period.TODAY, MIDNIGHT, 24),
        (TODAY, Period.YESTERDAY, MIDNIGHT - 24 * HOUR, 24),
        (TODAY, Period.MONTH, MIDNIGHT, 30 * 24),
        (TODAY, Period.LAST_MONTH, MIDNIGHT - MARCH, 31 * 24 - 1),
        (date(2026, 3, 31), Period.MONTH, MIDNIGHT - MARCH, 31 * 24 - 1),
    ],
)
def test_periods_are_local_days(
    today: date, period: Period, start: datetime, hours: int
) -> None:
    """March has one hour less."""
    span = period.span(today, BERLIN)
    assert span.start == start
    assert span.length == timedelta(hours=hours)
    noon = datetime(today.year, today.month, today.day, 12, tzinfo=BERLIN)
    assert period.is_current is (start <= noon < start + span.length)


def test_amounts() -> None:
    """Net needs both parts; savings cover the hours up to the last common one."""
    cost = {MIDNIGHT + number * HOUR: 10 for number in range(4)}
    known = figures(
        cost=cost,
        compensation={MIDNIGHT: 3, MIDNIGHT + HOUR: 3},
        without_solar={MIDNIGHT + number * HOUR: 100 for number in range(3)},
        today=TODAY,
        zone=BERLIN,
    )
    assert [known[amount, Period.TODAY] for amount in Amount] == [40, 6, 34, 186]
    assert [known[amount, Period.YESTERDAY] for amount in Amount] == [None] * 4


def test_without_export_or_consumption() -> None:
    """No export tariff gives no compensation, no consumption no savings."""
    for without_solar, savings in (({}, None), ({MIDNIGHT: 30}, 20)):
        known = figures(
            cost={MIDNIGHT: 10},
            compensation=None,
            without_solar=without_solar,
            today=TODAY,
            zone=BERLIN,
        )
        amounts = [known[amount, Period.MONTH] for amount in Amount]
        assert amounts == [10, None, 10, savings]
    known = figures(
        cost={MIDNIGHT: 10},
        compensation={},
        without_solar={MIDNIGHT: 30},
        today=TODAY,
        zone=BERLIN,
    )
    assert [known[amount, Period.TODAY] for amount in Amount] == [10, None, None, None]
