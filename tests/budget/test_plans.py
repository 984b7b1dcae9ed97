"""Plans on one API key."""

from hypothesis import given, strategies as st
import pytest

from custom_components.enphase_cloud.budget.plans import (
    PLANS,
    Plan,
    custom_plan,
    strictest,
)

plans = st.sampled_from(list(PLANS.values())) | st.builds(
    custom_plan,
    calls_per_minute=st.integers(1, 10_000),
    calls_per_month=st.integers(1, 2_000_000),
    live_stream=st.booleans(),
)


def test_the_lower_of_each_limit_counts() -> None:
    """A small month with a fast minute does not lift the minute of another plan."""
    custom = custom_plan(
        calls_per_minute=10_000, calls_per_month=999, live_stream=False
    )
    for named in ([PLANS["watt"], custom], [custom, PLANS["watt"]]):
        plan = strictest(named)
        assert (plan.calls_per_minute, plan.calls_per_month) == (10, 999)


@given(st.lists(plans, min_size=1, max_size=4))
def test_no_plan_is_exceeded(named: list[Plan]) -> None:
    """What counts is allowed by each, and some plan forbids more."""
    plan = strictest(named)
    for name in ("calls_per_minute", "calls_per_month"):
        assert getattr(plan, name) == min(getattr(each, name) for each in named)


@pytest.mark.parametrize("key", PLANS)
def test_a_plan_alone_is_itself(key: str) -> None:
    """One user of a key has the whole plan."""
    assert strictest([PLANS[key]]) == PLANS[key]
