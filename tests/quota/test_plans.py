"""Plans on one API key."""

from datetime import timedelta

from hypothesis import given, strategies as st
import pytest

from custom_components.enphase_cloud.api.access import Access
from custom_components.enphase_cloud.quota.plans import (
    PLANS,
    Plan,
    custom_plan,
    strictest,
)
from custom_components.enphase_cloud.quota.reserve import Calls, reserve, user_limit

DAY = timedelta(days=1)
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


@given(plan=plans, dollars=st.integers(0, 10_000))
def test_never_more_is_spent_than_the_user_wants(plan: Plan, dollars: int) -> None:
    """All calls of a month together cost no more than what they are limited to."""
    limited = plan.limited_to(dollars)
    assert limited.calls_per_month <= plan.calls_per_month
    assert limited.cost(limited.calls_per_month) <= dollars
    if plan.free_calls is None:
        assert limited == plan
    elif limited.calls_per_month < plan.calls_per_month:
        assert limited.cost(limited.calls_per_month + 1) > dollars


def test_the_price_of_partner() -> None:
    """10,000 calls are free, then each costs half a cent; 1,500,000 are the most."""
    partner = PLANS["partner"]
    assert partner.limited_to(0).calls_per_month == 10_000
    assert partner.limited_to(1).calls_per_month == 10_200
    assert partner.limited_to(10_000).calls_per_month == 1_500_000
    assert [partner.cost(calls) for calls in (0, 10_000, 10_001, 10_200)] == [
        0,
        0,
        0.005,
        1,
    ]
    assert PLANS["megawatt"].cost(300_000) == 0


def test_streaming_is_as_the_user_says() -> None:
    """All else of a custom plan is decided by the cloud's responses."""
    plans = [
        custom_plan(calls_per_minute=1, calls_per_month=1, live_stream=live_stream)
        for live_stream in (False, True)
    ]
    assert [Access.STREAMING in plan.access for plan in plans] == [False, True]
    assert [plan.live_stream_price is None for plan in plans] == [True, False]


def test_the_reserve_shrinks_with_the_month() -> None:
    """3 % at its beginning, 1 % at its end; and a sign-in for each day."""
    assert reserve(10_000, 30 * DAY, elapsed=0) == 330
    assert reserve(10_000, 15 * DAY, elapsed=0.5) == 215
    assert reserve(10_000, 0 * DAY, elapsed=1) == 100
    assert reserve(100, 30 * DAY, elapsed=1) == 1 + 5
    # A few calls are kept to check the time.
    assert [user_limit(limit, DAY) for limit in (10_000, 40, 1)] == [9_992, 36, 1]
    assert user_limit(10_000, 30 * DAY) == 9_970


def test_only_the_calls_of_the_minute_are_kept() -> None:
    """Those whose month is certain do not pile up."""
    calls = Calls()
    for minute in range(0, 60, 2):
        ticks = timedelta(minutes=minute)
        calls.begin("summary", ticks).ended = ticks
        calls.place(before=ticks)
        assert len(calls) == 1


def test_a_call_is_placed_if_it_ended_before() -> None:
    """One that ended later may be of another month."""
    calls = Calls()
    calls.begin("summary", timedelta()).ended = timedelta(seconds=5)
    calls.begin("battery", timedelta())
    calls.place(before=timedelta(seconds=4))
    assert calls.unplaced == {"summary": 1, "battery": 1}
    calls.place(before=timedelta(seconds=5))
    assert calls.unplaced == {"battery": 1}
