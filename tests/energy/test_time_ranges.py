"""Sets of time, held against sets of hours."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given, strategies as st

from custom_components.enphase_cloud.energy.time_ranges import (
    Range,
    Ranges,
    union,
    within,
    without,
)

EPOCH = datetime(2026, 3, 28, tzinfo=UTC)
HOUR = timedelta(hours=1)

positions = st.integers(0, 40)
some_ranges = st.lists(
    st.tuples(positions, positions).map(
        lambda bounds: (EPOCH + bounds[0] * HOUR, EPOCH + bounds[1] * HOUR)
    ),
    max_size=8,
)


def hours(ranges: list[Range] | Ranges) -> set[int]:
    """Return the model of ranges: the positions of their hours."""
    return {
        position
        for start, end in ranges
        for position in range((start - EPOCH) // HOUR, (end - EPOCH) // HOUR)
    }


def assert_tidy(ranges: Ranges) -> None:
    """Assert that ranges are in order, neither empty nor touching."""
    assert all(start < end for start, end in ranges)
    assert all(sooner[1] < later[0] for sooner, later in pairwise(ranges))


@given(some_ranges)
def test_a_union_is_all_that_is_in_any(ranges: list[Range]) -> None:
    """Whatever the order and the overlap."""
    joined = union(ranges)
    assert_tidy(joined)
    assert hours(joined) == hours(ranges)
    assert union(reversed(ranges)) == union(joined) == joined


@given(some_ranges, some_ranges)
def test_what_is_taken_is_gone(ranges: list[Range], taken: list[Range]) -> None:
    """And nothing else is."""
    rest = without(ranges, taken)
    assert_tidy(rest)
    assert hours(rest) == hours(ranges) - hours(taken)


@given(some_ranges, positions, positions)
def test_what_is_within_bounds(ranges: list[Range], start: int, end: int) -> None:
    """Bounds that are no range hold nothing."""
    inner = within(ranges, EPOCH + start * HOUR, EPOCH + end * HOUR)
    assert_tidy(inner)
    assert hours(inner) == hours(ranges) & set(range(start, end))
