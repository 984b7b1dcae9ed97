"""Sums of what parts of a system report."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, strategies as st
import pytest

from custom_components.enphase_cloud.api.models import (
    BatteryOperation,
    BatteryReading,
    PowerReading,
)
from custom_components.enphase_cloud.measurements.parts import (
    Total,
    measured_together,
    total,
)

NOON = datetime(2026, 6, 21, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)

LAGS = st.timedeltas(timedelta(), timedelta(days=7))
PARTS = st.lists(st.tuples(st.integers(-9_000, 9_000), LAGS | st.none()), min_size=1)


def meter(power: int, lag: timedelta | None = timedelta()) -> PowerReading:
    """Return a channel that was read some time before noon, or has no moment."""
    return PowerReading(power=power, reported_at=None if lag is None else NOON - lag)


def battery(power: int | None, lag: timedelta = timedelta()) -> BatteryReading:
    """Return a battery that was read some time before noon."""
    mode = BatteryOperation.UNKNOWN
    return BatteryReading(power=power, reported_at=NOON - lag, mode=mode)


def add_up(
    *readings: PowerReading | BatteryReading, cellular: bool = False
) -> Total | None:
    """Return the sum of readings that are fetched a few minutes after noon."""
    return total(readings, fetched_at=NOON + 5 * MINUTE, cellular=cellular)


def test_a_sum_is_as_old_as_its_oldest_part() -> None:
    """Even if the others are newer."""
    assert add_up(meter(700), meter(55, 20 * MINUTE)) == Total(755, NOON - 20 * MINUTE)


def test_without_parts_there_is_no_sum() -> None:
    """It is None, not zero."""
    assert add_up() is None


@pytest.mark.parametrize(
    ("lag", "cellular", "power"),
    [
        (2 * HOUR, False, 3),
        (2 * HOUR + MINUTE, False, 1),
        (8 * HOUR, True, 3),
        (8 * HOUR + MINUTE, True, 1),
    ],
)
def test_a_part_that_lags_by_hours_is_skipped(
    lag: timedelta, *, cellular: bool, power: int
) -> None:
    """It fell silent, or was replaced."""
    summed = add_up(meter(1), meter(2, lag), cellular=cellular)
    assert summed == Total(power, NOON - lag if power == 3 else NOON)


def test_a_part_without_a_moment_counts() -> None:
    """The sum gets the moment of the others; without others it is of now."""
    assert add_up(meter(1, None), meter(2, MINUTE)) == Total(3, NOON - MINUTE)
    assert add_up(meter(1, None)) == Total(1, NOON + 5 * MINUTE)


def test_a_part_whose_clock_is_ahead_makes_no_other_old() -> None:
    """It counts as read now."""
    summed = add_up(meter(1, -timedelta(days=400)), meter(2))
    assert summed == Total(3, NOON)


def test_without_the_direction_of_one_battery_there_is_no_sum() -> None:
    """Unless that battery fell silent long ago."""
    assert add_up(battery(500), battery(None)) is None
    assert add_up(battery(500), battery(None, 5 * HOUR)) == Total(500, NOON)


@given(reported=PARTS, cellular=st.booleans())
def test_any_report_has_a_sum(
    reported: list[tuple[int, timedelta | None]], *, cellular: bool
) -> None:
    """The newest part always counts, and the sum's age is that of a part."""
    summed = add_up(*(meter(*part) for part in reported), cellular=cellular)
    assert summed is not None
    moments = [NOON - lag for _, lag in reported if lag is not None]
    if moments:
        assert summed.measured_at in moments
        assert max(moments) - summed.measured_at <= (8 if cellular else 2) * HOUR


@given(
    reported=PARTS,
    silent=st.lists(
        st.tuples(
            st.integers(-9_000, 9_000), st.timedeltas(9 * HOUR, timedelta(days=7))
        )
    ),
    cellular=st.booleans(),
)
def test_silent_parts_do_not_change_the_sum(
    reported: list[tuple[int, timedelta | None]],
    silent: list[tuple[int, timedelta]],
    *,
    cellular: bool,
) -> None:
    """The sum is as if it were not listed."""
    speaking = [meter(5), *(meter(*part) for part in reported)]
    listed = [*(meter(*part) for part in silent), *speaking]
    assert add_up(*listed, cellular=cellular) == add_up(*speaking, cellular=cellular)


@pytest.mark.parametrize(
    ("seconds", "is_together"), [(0, True), (400, True), (840, True), (900, False)]
)
def test_what_may_be_combined(seconds: int, *, is_together: bool) -> None:
    """Less than a report apart, in any order."""
    older = NOON - timedelta(seconds=seconds)
    one, other = Total(1, NOON), Total(2, older)
    expected = older if is_together else None
    assert measured_together(one, other) == measured_together(other, one) == expected
