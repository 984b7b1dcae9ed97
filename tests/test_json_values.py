"""What is read from the disk is held to what can be."""

from datetime import timedelta

import pytest

from custom_components.enphase_cloud import json_values as stored


@pytest.mark.parametrize("value", [-1, 1.5, True, None, "1", 10**400])
def test_a_count_is_a_whole_number(value: object) -> None:
    """Nothing else is one."""
    with pytest.raises(ValueError, match="count"):
        stored.count(value)
    with pytest.raises(ValueError, match="count"):
        stored.count(6, most=5)


@pytest.mark.parametrize("value", [-1, True, None, "1", float("nan"), 1e12, 10**400])
def test_a_moment_is_of_our_time(value: object) -> None:
    """Neither before 1970 nor after 2200."""
    with pytest.raises(ValueError, match="number"):
        stored.moment(value)


def test_what_lacks_a_member_is_damaged() -> None:
    """While what may be missing can be asked for as of any mapping."""
    record = stored.record({"here": 1})
    assert record["here"] == 1
    assert record.get("there") is None
    with pytest.raises(ValueError, match="there"):
        record["there"]
    for value in (None, [], "record", 5):
        with pytest.raises(ValueError, match="object"):
            stored.record(value)


@pytest.mark.parametrize("value", [None, {}, [1], [[1]], [[1, 2, 3]], [[1, 2]] * 9_999])
def test_rows_are_as_long_as_they_should_be(value: object) -> None:
    """And there are not more of them than we would ever store."""
    assert stored.rows([[1, 2]], width=2) == [[1, 2]]
    with pytest.raises(ValueError, match="ours"):
        stored.rows(value, width=2)


def test_nothing_is_stored_as_none() -> None:
    """It is read as such, and anything else by its reader."""
    assert stored.optional(stored.count, None) is None
    assert stored.optional(stored.count, 5) == 5


def test_a_duration_is_no_season() -> None:
    """A month is the longest that is ever stored."""
    assert stored.duration(60) == timedelta(minutes=1)
    with pytest.raises(ValueError, match="duration"):
        stored.duration(86_400 * 41)


@pytest.mark.parametrize("value", ["0001-01-01", "9999-12-31", "2026-02-30", 5, ""])
def test_a_day_is_of_our_time(value: object) -> None:
    """And one of the calendar."""
    with pytest.raises(ValueError, match=r"ours|[Ii]nvalid|day"):
        stored.day(value)


@pytest.mark.parametrize("value", ["1", True, None, 1e14, float("nan"), 10**400])
def test_a_figure_is_one_of_a_system(value: object) -> None:
    """Negative ones are, too."""
    assert stored.quantity(-5) == -5
    with pytest.raises(ValueError, match="figure"):
        stored.quantity(value)
