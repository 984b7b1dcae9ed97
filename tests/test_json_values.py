"""Readers of stored values refuse damaged ones."""

from datetime import timedelta

import pytest

from custom_components.enphase_cloud import json_values as stored


@pytest.mark.parametrize("value", [-1, 1.5, True, None, "1", 10**400])
def test_count_accepts_only_whole_numbers_in_range(value: object) -> None:
    """Negative, fractional, absurd and other values raise an error."""
    with pytest.raises(ValueError, match="count"):
        stored.count(value)
    with pytest.raises(ValueError, match="count"):
        stored.count(6, most=5)


@pytest.mark.parametrize("value", [-1, True, None, "1", float("nan"), 1e12, 10**400])
def test_moment_accepts_only_plausible_times(value: object) -> None:
    """Times before 1970 or after 2200 raise an error."""
    with pytest.raises(ValueError, match="number"):
        stored.moment(value)


def test_record_raises_for_a_missing_key() -> None:
    """`get` returns None for a missing key, as in any mapping."""
    record = stored.record({"here": 1})
    assert record["here"] == 1
    assert record.get("there") is None
    with pytest.raises(ValueError, match="there"):
        record["there"]
    for value in (None, [], "record", 5):
        with pytest.raises(ValueError, match="object"):
            stored.record(value)


@pytest.mark.parametrize("value", [None, {}, [1], [[1]], [[1, 2, 3]], [[1, 2]] * 9_999])
def test_rows_accept_only_their_width_and_number(value: object) -> None:
    """More rows than the integration stores raise an error."""
    assert stored.rows([[1, 2]], width=2) == [[1, 2]]
    with pytest.raises(ValueError, match="ours"):
        stored.rows(value, width=2)


def test_optional_accepts_none() -> None:
    """Its reader reads any other value."""
    assert stored.optional(stored.count, None) is None
    assert stored.optional(stored.count, 5) == 5


def test_duration_of_more_than_a_month_is_refused() -> None:
    """The integration stores no longer duration."""
    assert stored.duration(60) == timedelta(minutes=1)
    with pytest.raises(ValueError, match="duration"):
        stored.duration(86_400 * 41)


@pytest.mark.parametrize("value", ["0001-01-01", "9999-12-31", "2026-02-30", 5, ""])
def test_day_accepts_only_plausible_dates(value: object) -> None:
    """Dates that do not exist raise an error."""
    with pytest.raises(ValueError, match=r"ours|[Ii]nvalid|day"):
        stored.day(value)


@pytest.mark.parametrize("value", ["1", True, None, 1e14, float("nan"), 10**400])
def test_quantity_accepts_only_plausible_numbers(value: object) -> None:
    """Negative numbers are accepted."""
    assert stored.quantity(-5) == -5
    with pytest.raises(ValueError, match="figure"):
        stored.quantity(value)
