"""API calls for energy: the updates of each day, and history."""

from copy import replace
from datetime import UTC, datetime, timedelta
import json
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.enphase_cloud.quota.backfill import (
    Backfill,
    BudgetLeft,
    ImportDemand,
)

NOW = datetime(2026, 6, 17, 12, 3, tzinfo=UTC)
DAY = timedelta(days=1)
MONTH_END = datetime(2026, 7, 1, tzinfo=UTC)

demands = st.builds(ImportDemand, st.integers(0, 100), st.integers(0, 2_000))


@st.composite
def some_means(draw: st.DrawFn) -> BudgetLeft:
    """Draw what there is to spend, and what polls would."""
    return BudgetLeft(
        calls_left=draw(st.integers(0, 60_000)),
        polls=draw(st.integers(0, 60_000)),
        period_end=NOW + draw(st.timedeltas(timedelta(), timedelta(days=31))),
        calls_per_minute=draw(st.integers(1, 300)),
    )


def backfill(*demands: ImportDemand, last: datetime | None = None) -> Backfill:
    """Return the demands of systems."""
    each = Backfill(last)
    for number, demand in enumerate(demands):
        each.set_demand(str(number), demand)
    return each


def watt(calls_left: int, *, polls: float = 5_000, days: float = 30) -> BudgetLeft:
    """Return what is left of a month on the free plan."""
    return BudgetLeft(
        calls_left=calls_left,
        polls=polls,
        period_end=NOW + days * DAY,
        calls_per_minute=10,
    )


@given(st.lists(demands, max_size=3), some_means())
def test_no_more_is_claimed_than_there_is(
    wanted: list[ImportDemand], means: BudgetLeft
) -> None:
    """Nor more than is wanted; polls keep their three quarters or all they want."""
    each = backfill(*wanted)
    claim = each.claim(NOW, means)
    assert 0 <= claim <= means.calls_left
    daily = backfill(ImportDemand(each.per_day)).claim(NOW, means)
    history = claim - daily
    assert 0 <= history <= each.history
    after_daily = means.calls_left - daily
    assert after_daily - history >= min(0.75 * after_daily, means.polls)


def test_the_calls_of_each_day_are_set_aside() -> None:
    """As many as there are days to come."""
    each = backfill(ImportDemand(per_day=5), ImportDemand(per_day=4))
    assert each.claim(NOW, watt(800)) == 9 * 30
    assert each.claim(NOW, watt(800, days=0.5)) == 5
    assert each.claim(NOW, watt(800, days=-1)) == 0
    # However much is wanted, polls keep half.
    assert each.claim(NOW, watt(100)) == 50


def test_a_system_tells_its_demand_anew_and_leaves() -> None:
    """What it wanted before does not count."""
    each = backfill(ImportDemand(5, 500), ImportDemand(1, 20))
    each.set_demand("0", ImportDemand(2, 3))
    assert (each.per_day, each.history) == (3, 23)
    each.forget("0")
    each.forget("nobody")
    assert (each.per_day, each.history) == (1, 20)


def test_without_calls_there_is_no_history() -> None:
    """It is requested again when the month has ended."""
    each = backfill(ImportDemand(0, 100))
    none_left = watt(3)
    assert each.pause(NOW, none_left) is None
    assert each.next_call(NOW, none_left) == none_left.period_end


def live_through(
    each: Backfill, means: BudgetLeft, *, polls_per_day: float, step: timedelta
) -> list[datetime]:
    """Let a period go by; return when history was requested."""
    now = NOW
    left = float(means.calls_left)
    requested: list[datetime] = []
    while now < means.period_end and each.history:
        left -= (polls_per_day + each.per_day) * (step / DAY)
        today = replace(
            means,
            calls_left=max(0, int(left)),
            polls=means.polls * ((means.period_end - now) / (means.period_end - NOW)),
        )
        if each.next_call(now, today) <= now:
            each.spent(now)
            requested.append(now)
            left -= 1
            each.set_demand("0", ImportDemand(each.per_day, each.history - 1))
        now += step
    return requested


def test_history_is_spread_over_what_it_may_take() -> None:
    """A quarter of what is left, at equal distances to the end of the month."""
    each = backfill(ImportDemand(per_day=5, history=10_000))
    requested = live_through(
        each, watt(900), polls_per_day=18.75, step=timedelta(minutes=5)
    )
    assert 180 <= len(requested) <= 188
    halves = [sum(at < NOW + 15 * DAY for at in requested), len(requested)]
    assert 0.45 < halves[0] / halves[1] < 0.55


@given(st.integers(0, 3_000), st.floats(1, 3), st.integers(0, 30), st.integers(1, 900))
def test_history_never_takes_more_than_its_share(
    calls_left: int, hunger: float, per_day: int, history: int
) -> None:
    """Where polls take theirs, or more."""
    means = watt(calls_left)
    share = 0.25 * max(0, calls_left - per_day * 30)
    requested = live_through(
        backfill(ImportDemand(per_day, history)),
        means,
        polls_per_day=hunger * 3 * share / 30,
        step=timedelta(hours=1),
    )
    assert len(requested) <= share + 1


def test_a_surplus_is_used_at_once() -> None:
    """At less than half of what a minute allows."""
    means = BudgetLeft(
        calls_left=40_000, polls=5_000, period_end=MONTH_END, calls_per_minute=50
    )
    each = backfill(ImportDemand(5, 600))
    assert each.pause(NOW, means) == timedelta(seconds=3)
    requested = live_through(each, means, polls_per_day=200, step=timedelta(seconds=1))
    assert len(requested) == 600
    assert requested[-1] - requested[0] <= timedelta(minutes=31)
    minute = timedelta(minutes=1)
    assert all(
        sum(at <= other < at + minute for other in requested) <= 20 for at in requested
    )


def test_a_minute_of_one_call_is_enough() -> None:
    """A plan may be small."""
    means = BudgetLeft(
        calls_left=40_000, polls=0, period_end=MONTH_END, calls_per_minute=1
    )
    assert backfill(ImportDemand(0, 5)).pause(NOW, means) == timedelta(minutes=1)


def test_wrong_clocks_hold_nothing_up_for_long() -> None:
    """A clock that was ahead, and a period that ended already."""
    means = watt(900)
    ahead = backfill(ImportDemand(0, 100), last=NOW + 400 * DAY)
    pause = ahead.pause(NOW, means)
    assert pause is not None
    assert ahead.next_call(NOW, means) == NOW + pause
    assert ahead.next_call(NOW + pause, means) == NOW + pause
    behind = backfill(ImportDemand(0, 100), last=NOW - 400 * DAY)
    assert behind.next_call(NOW, means) == NOW
    over = replace(means, period_end=NOW - DAY)
    assert ahead.next_call(NOW, over) == NOW
    assert backfill(ImportDemand(0, 100)).next_call(NOW, means) == NOW


@given(st.lists(demands, max_size=3), some_means(), st.timedeltas())
def test_history_is_never_asked_for_in_the_past(
    wanted: list[ImportDemand], means: BudgetLeft, lag: timedelta
) -> None:
    """Nor later than the period ends, when the count begins again."""
    last = NOW + lag if abs(lag) < 10_000 * DAY else None
    each = backfill(*wanted, last=last)
    if each.pause(NOW, means) is not None:
        moment = each.next_call(NOW, means)
        assert NOW <= moment <= max(NOW, means.period_end)


MONTH = BudgetLeft(
    calls_left=950,
    polls=5_000,
    period_end=NOW + 30 * DAY + 30 * DAY,
    calls_per_minute=10,
)


def test_how_long_history_takes() -> None:
    """Within the month, into the next and beyond, as it is paced."""
    means = watt(400)
    each = backfill(ImportDemand(0, 50))
    within = each.duration(NOW, means, MONTH)
    assert within == 15 * DAY
    assert backfill().duration(NOW, means, MONTH, more=50) == within
    next_month = each.duration(NOW, means, MONTH, more=150)
    assert next_month is not None
    assert timedelta(days=30) < next_month < timedelta(days=60)
    much_later = each.duration(NOW, means, MONTH, more=1_000)
    assert much_later is not None
    assert timedelta(days=120) < much_later < timedelta(days=180)
    requested = live_through(each, means, polls_per_day=10, step=timedelta(minutes=5))
    assert len(requested) == 50
    assert abs(requested[-1] - NOW - 15 * DAY) < DAY


def test_how_long_history_takes_with_calls_to_spare() -> None:
    """Minutes; none at all where there is no call for it."""
    rich = BudgetLeft(
        calls_left=40_000, polls=5_000, period_end=MONTH_END, calls_per_minute=50
    )
    month = replace(rich, period_end=MONTH_END + 31 * DAY)
    taken = backfill(ImportDemand(5, 600)).duration(NOW, rich, month)
    assert taken == timedelta(minutes=30)
    # At the end of a month, all is done right after it.
    spent = replace(rich, calls_left=0)
    late = backfill(ImportDemand(5, 600)).duration(NOW, spent, month)
    assert late == MONTH_END - NOW + timedelta(minutes=30)
    never = replace(month, calls_left=0)
    assert backfill(ImportDemand(5, 600)).duration(NOW, spent, never) is None
    assert backfill().duration(NOW, rich, month) == timedelta()


def test_the_last_call_outlives_a_restart() -> None:
    """Systems set their demands again."""
    each = backfill(ImportDemand(3, 100))
    each.spent(NOW)
    restored = Backfill.restore(json.loads(json.dumps(each.as_dict())))
    assert (restored.per_day, restored.history) == (0, 0)
    restored.set_demand("0", ImportDemand(3, 100))
    assert restored.next_call(NOW, watt(900)) == each.next_call(NOW, watt(900)) > NOW


@pytest.mark.parametrize(
    "data", [None, [], {}, 5, {"last": "x"}, {"last": float("nan")}, {"last": 1e300}]
)
def test_damage_is_refused(data: Any) -> None:
    """At any time."""
    with pytest.raises(ValueError, match="No"):
        Backfill.restore(data)
