"""What is read from the disk is held to what can be."""

from datetime import timedelta

import pytest

from custom_components.enphase_cloud.budget.stored import count, duration, moment


@pytest.mark.parametrize("value", [-1, 1.5, True, None, "1"])
def test_a_count_is_a_whole_number(value: object) -> None:
    """Nothing else is one."""
    with pytest.raises(ValueError, match="count"):
        count(value)


@pytest.mark.parametrize("value", [-1, True, None, "1", float("nan"), 1e12])
def test_a_moment_is_of_our_time(value: object) -> None:
    """Neither before 1970 nor after 2200."""
    with pytest.raises(ValueError, match="number"):
        moment(value)


def test_a_duration_is_no_season() -> None:
    """A month is the longest that is ever stored."""
    assert duration(60) == timedelta(minutes=1)
    with pytest.raises(ValueError, match="duration"):
        duration(86_400 * 41)
