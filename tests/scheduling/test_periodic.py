"""When daily and weekly documents are requested."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, strategies as st

from custom_components.enphase_cloud.scheduling.periodic import (
    next_periodic_request,
    spread,
)

NOW = datetime(2026, 6, 21, 10, 7, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
DAY = timedelta(days=1)


def due(
    requested_at: datetime | None,
    *,
    period: timedelta = DAY,
    has_failed: bool = False,
    is_urgent: bool = False,
    spread: float = 0,
) -> datetime:
    """Return when a periodic request of a system in Berlin is due."""
    return next_periodic_request(
        now=NOW,
        requested_at=requested_at,
        period=period,
        time_zone=BERLIN,
        spread=spread,
        has_failed=has_failed,
        is_urgent=is_urgent,
    )


def test_the_first_is_due_at_once() -> None:
    """Nothing is known without it."""
    assert due(None) == NOW


def test_the_next_is_due_before_dawn_of_the_system() -> None:
    """Of the next day, or of the same weekday a week later."""
    dawn = datetime(2026, 6, 22, 1, tzinfo=UTC)
    assert due(NOW) == dawn
    assert due(dawn - DAY) == dawn
    assert due(NOW, period=7 * DAY) == dawn + 6 * DAY


def test_one_that_failed_waits_for_a_day_at_most() -> None:
    """A weekly one does not wait for a week."""
    assert due(NOW, period=7 * DAY, has_failed=True) == due(NOW)


def test_one_that_is_urgent_comes_hours_after_the_last() -> None:
    """But never later than it would without."""
    assert due(NOW, is_urgent=True) == NOW + timedelta(hours=6)
    night = NOW.replace(hour=23) - DAY
    assert due(night, has_failed=True, is_urgent=True) == due(night, has_failed=True)


def test_what_was_requested_in_the_night_is_not_requested_again_in_it() -> None:
    """Unless it failed."""
    dawn = datetime(2026, 6, 22, 1, tzinfo=UTC)
    midnight = NOW.replace(hour=22) - DAY
    assert due(midnight) == due(midnight + timedelta(hours=2)) == dawn
    assert due(midnight, has_failed=True) == dawn - DAY
    assert due(midnight, period=7 * DAY) == dawn + 6 * DAY
    assert due(midnight, is_urgent=True) == midnight + timedelta(hours=6)


def test_systems_are_apart_by_minutes() -> None:
    """The last is requested before the devices produce."""
    assert due(NOW, spread=0.5) == due(NOW) + timedelta(minutes=22.5)
    midnight = NOW.replace(hour=1, minute=10)
    assert due(midnight, has_failed=True) == due(NOW)
    assert due(midnight, has_failed=True, spread=0.5) == due(NOW, spread=0.5) - DAY


@given(st.integers(1, 10**9))
def test_systems_are_spread(system_id: int) -> None:
    """Over the whole span, and always alike."""
    assert 0 <= spread(system_id) < 1
    assert spread(system_id) != spread(system_id + 1)


@given(ago=st.timedeltas(timedelta(), timedelta(days=40)), is_urgent=st.booleans())
def test_no_periodic_request_is_due_before_the_last_one(
    *, ago: timedelta, is_urgent: bool
) -> None:
    """And at the latest in the night after the next."""
    made = NOW - ago
    assert made < due(made, is_urgent=is_urgent) <= made + timedelta(hours=31)
