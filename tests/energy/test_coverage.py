"""How far a response covers the time that was requested."""

from datetime import UTC, datetime, timedelta

import pytest

from custom_components.enphase_cloud.energy.coverage import (
    confirmed_until,
    covered_until,
    newest_end,
)
from custom_components.enphase_cloud.energy.readings import (
    HOUR,
    SETTLES_AFTER,
    Reading,
    Readings,
    Span,
)
from custom_components.enphase_cloud.measurements.catalog import Flow

BEGIN = datetime(2026, 6, 10, tzinfo=UTC)


def readings(*hours: int, uncertain: int | None = None) -> Readings:
    """Return readings of some hours, counted from the beginning."""
    return {
        Span(BEGIN + hour * HOUR, HOUR): Reading(
            is_certain=hour != uncertain, fetched_at=BEGIN, energy=100
        )
        for hour in hours
    }


@pytest.mark.parametrize(
    ("known", "hours"),
    [
        (readings(), None),
        (readings(1, 2), None),
        (readings(0, 1, 2), 3),
        # Their order says nothing.
        (readings(2, 0, 1), 3),
        (readings(0, 1, 3), 2),
        (readings(0, 1, 2, uncertain=1), 1),
        (readings(0, uncertain=0), None),
        # A day that holds its hours.
        (readings(1) | {Span(BEGIN, 24 * HOUR): Reading(True, BEGIN, 0)}, 24),  # noqa: FBT003
    ],
)
def test_a_gap_ends_what_is_covered(known: Readings, hours: int | None) -> None:
    """And so does a reading that is not certain."""
    until = None if hours is None else BEGIN + hours * HOUR
    assert covered_until({Flow.GRID_IMPORT: known}, BEGIN) == until


def test_the_flow_that_is_covered_least_decides() -> None:
    """The newest interval is that of any flow."""
    both = {Flow.BATTERY_CHARGE: readings(0), Flow.BATTERY_DISCHARGE: readings(0, 1)}
    assert covered_until(both, BEGIN) == BEGIN + HOUR
    assert newest_end(both) == BEGIN + 2 * HOUR
    assert covered_until({}, BEGIN) is None
    assert newest_end({Flow.GRID_IMPORT: {}}) is None


def test_what_changed_is_confirmed_by_a_later_response() -> None:
    """Up to what may still be corrected of the first changed hour."""
    late = BEGIN + timedelta(days=2)
    assert confirmed_until(late, changed=None) == late
    assert confirmed_until(late, changed=BEGIN) == BEGIN + SETTLES_AFTER
    assert confirmed_until(BEGIN, changed=late) == BEGIN
    assert confirmed_until(None, changed=BEGIN) is None
