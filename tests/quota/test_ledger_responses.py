"""The defined reactions of the ledger to failures."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.enphase_cloud.api.access import Access
from custom_components.enphase_cloud.quota.ledger import (
    ASSUMED,
    BudgetExhaustedError,
    Ledger,
    Period,
    Purpose,
    Refusal,
)
from custom_components.enphase_cloud.quota.plans import PLANS, custom_plan

WATT = PLANS["watt"]
FIRST = datetime(2026, 6, 1, tzinfo=UTC)
TENTH = datetime(2026, 6, 10, 12, tzinfo=UTC)
JULY = datetime(2026, 7, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def _spend(ledger: Ledger, calls: int, begin: datetime) -> datetime:
    """Spend calls far enough apart for the minute not to matter."""
    at = begin
    for _ in range(calls):
        _call(ledger, at)
        at += timedelta(seconds=75)
    return at


def _refuse(
    ledger: Ledger,
    at: datetime,
    *,
    period: Period = Period.MONTH,
    start: datetime | None = FIRST,
    end: datetime | None = JULY,
    limit: int | None = 1000,
) -> bool:
    """Let the cloud refuse a call; return whether its data are plausible."""
    return ledger.refused_by_cloud(
        at, period=period, period_start=start, period_end=end, limit=limit
    )


def _call(ledger: Ledger, at: datetime, purpose: Purpose = Purpose.USER) -> None:
    """Make a call with a response at once, at the time that the clock shows."""
    call = ledger.charge("summary", at, purpose=purpose)
    ledger.ended(call, at, served=True, date=at)


def test_a_key_that_is_new_in_mid_month_may_have_been_used_before() -> None:
    """What has passed of the month counts as spent, in proportion."""
    ledger = Ledger(WATT, now=TENTH)
    assert 300 <= ledger.used(TENTH) <= 330
    assert ledger.by_operation(TENTH) == {ASSUMED: ledger.used(TENTH)}
    assert ledger.used(JULY) == 0


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=3),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "plan",
                        "months",
                        "recent",
                        "block",
                        "reserved",
                        "charged",
                        "refusals",
                    ]
                ),
                inner,
            )
        ),
    )
)
def test_a_damaged_record_is_answered_safely(damaged: Any) -> None:
    """Any file on the disk: no exception, and never as if no call was used."""
    ledger = Ledger.restore(damaged, WATT, now=TENTH)
    assert ledger.used(TENTH) >= 300
    if damaged is not None:
        refusal = ledger.refusal(TENTH, purpose=Purpose.USER)
        assert refusal is not None
        assert refusal.period is Period.MINUTE


@pytest.mark.parametrize(
    "key", ["plan", "months", "recent", "block", "charged", "seen", "clock_error"]
)
@pytest.mark.parametrize(
    "value", [None, "x", -1, [], {}, [{}], [[]], True, 1e11, 1e300]
)
def test_a_record_that_is_damaged_in_one_place(key: str, value: Any) -> None:
    """One damaged field must not raise, nor open the purse."""
    ledger = Ledger(WATT, now=FIRST)
    at = _spend(ledger, 400, FIRST)
    data = ledger.as_dict() | {key: value}
    restored = Ledger.restore(data, WATT, now=at)
    spent_or_assumed = restored.used(at)
    assert spent_or_assumed >= min(400, int(1000 * (at - FIRST) / (JULY - FIRST)))


def test_the_reserve_is_for_the_user_and_the_sign_in() -> None:
    """Background work stops first, then the user, never the sign-in."""
    ledger = Ledger(WATT, now=FIRST)
    at = FIRST
    spent = 0
    while (refusal := ledger.refusal(at, purpose=Purpose.BACKGROUND)) is None:
        _call(ledger, at, Purpose.BACKGROUND)
        spent += 1
        at += timedelta(seconds=75)
    assert refusal.period is Period.MONTH
    assert refusal.until == JULY
    assert 900 < spent < 1000
    assert ledger.refusal(at, purpose=Purpose.USER) is None
    with pytest.raises(BudgetExhaustedError):
        _spend(ledger, 1000 - spent, at)
    assert ledger.left(at) > 0
    ledger.charge("token", at, purpose=Purpose.SIGN_IN)


def test_a_refused_month_may_be_tried_once() -> None:
    """One call leaves within a minute, whoever makes it; then the refusal holds."""
    ledger = Ledger(WATT, now=FIRST)
    at = _spend(ledger, 10, FIRST)
    assert not ledger.may_try(at)
    _refuse(ledger, at)
    blocked = Refusal(Period.MONTH, JULY)
    assert ledger.may_try(at)
    assert ledger.refusal(at, purpose=Purpose.USER) == blocked
    ledger.allow_try(at)
    assert not ledger.may_try(at)
    call = ledger.charge("summary", at, purpose=Purpose.USER)
    assert ledger.refusal(at, purpose=Purpose.USER) == blocked
    ledger.allow_try(at)
    assert ledger.refusal(at, purpose=Purpose.USER) == blocked

    # Neither another refusal nor a restart gives another try; a response does.
    ledger.ended(call, at, date=at)
    _refuse(ledger, at)
    assert not ledger.may_try(at)
    ledger = Ledger.restore(ledger.as_dict(), WATT, now=at)
    assert not ledger.may_try(at)
    _call(ledger, JULY)
    assert ledger.refusal(JULY, purpose=Purpose.USER) is None
    assert not ledger.may_try(JULY)


def test_a_try_is_allowed_for_a_minute() -> None:
    """Nobody made use of it in time."""
    ledger = Ledger(WATT, now=FIRST)
    _call(ledger, FIRST)
    _refuse(ledger, FIRST)
    ledger.allow_try(FIRST)
    assert ledger.refusal(FIRST, purpose=Purpose.BACKGROUND) is None
    late = FIRST + timedelta(minutes=2)
    blocked = Refusal(Period.MONTH, JULY)
    assert ledger.refusal(late, purpose=Purpose.USER) == blocked


def test_no_try_beyond_the_plan() -> None:
    """Where we made all calls of the plan ourselves, only another plan helps."""
    ledger = Ledger(WATT, now=FIRST)
    at = FIRST
    while ledger.refusal(at, purpose=Purpose.USER) is None:
        at = _spend(ledger, 1, at)
    ledger.refused_by_cloud(
        at, period=Period.MONTH, period_start=FIRST, period_end=JULY, limit=1000
    )
    assert not ledger.may_try(at)


def test_sign_ins_count_in_the_minute_and_the_month() -> None:
    """They go further than all else, but not further than the plan."""
    ledger = Ledger(WATT, now=FIRST)
    for _ in range(10):
        _call(ledger, FIRST, Purpose.SIGN_IN)
    refusal = ledger.refusal(FIRST, purpose=Purpose.SIGN_IN)
    assert refusal is not None
    assert refusal.period is Period.MINUTE
    at = refusal.until
    for _ in range(990):
        _call(ledger, at, Purpose.SIGN_IN)
        at += timedelta(seconds=75)
    refusal = ledger.refusal(at, purpose=Purpose.SIGN_IN)
    assert refusal == Refusal(Period.MONTH, JULY)


def test_the_minute_is_kept_in_both_ways_of_counting() -> None:
    """A burst at the turn of a calendar minute stays within the limit."""
    ledger = Ledger(WATT, now=FIRST)
    at = FIRST + timedelta(seconds=55)
    allowed = 0
    for second in range(15):
        try:
            now = at + timedelta(seconds=second)
            _call(ledger, now)
            allowed += 1
        except BudgetExhaustedError as err:
            period, until = err.period, err.until
    assert allowed <= WATT.calls_per_minute
    assert period is Period.MINUTE
    assert until - at <= timedelta(seconds=75)
    assert ledger.refusal(until, purpose=Purpose.USER) is None


def test_a_refusal_of_the_month_is_believed_until_it_ends() -> None:
    """Blocked to the end of the month; another one has all its calls."""
    ledger = Ledger(WATT, now=FIRST)
    at = _spend(ledger, 10, FIRST)
    _refuse(ledger, at)
    later = at + timedelta(hours=9)
    assert ledger.blocked_until(later) == JULY
    assert ledger.left(later) == 0
    assert ledger.other_program_suspected(later)
    assert ledger.foreign_calls(later) > 900
    assert ledger.refusal(JULY - HOUR, purpose=Purpose.USER) is not None

    assert ledger.refusal(JULY, purpose=Purpose.USER) is None
    assert ledger.left(JULY) == 1000
    _call(ledger, JULY)
    assert ledger.refusal(JULY, purpose=Purpose.USER) is None
    assert ledger.period_end(JULY) == datetime(2026, 8, 1, tzinfo=UTC)


def test_a_month_that_ends_some_hours_later_is_waited_for() -> None:
    """The cloud's midnight may be another; its refusals are tried again till then."""
    ledger = Ledger(WATT, now=FIRST)
    _call(ledger, FIRST)
    shift = timedelta(hours=7)
    at, tries = JULY, 0
    while at < JULY + shift:
        call = ledger.charge("summary", at, purpose=Purpose.BACKGROUND)
        ledger.ended(call, at, date=at)
        assert _refuse(ledger, at, start=FIRST + shift, end=JULY + shift)
        until = ledger.blocked_until(at)
        assert until is not None
        at, tries = until, tries + 1
    assert tries < 20
    assert at - (JULY + shift) < HOUR
    assert ledger.left(at) == 1000 - tries


def test_a_probe_that_is_never_answered_does_not_block_for_ever() -> None:
    """After a minute without a response the next call may try."""
    ledger = Ledger(WATT, now=FIRST)
    ledger.refused_by_cloud(FIRST, period=Period.MINUTE)
    at = ledger.blocked_until(FIRST)
    assert at is not None
    ledger.charge("summary", at, purpose=Purpose.USER)
    blocked = ledger.blocked_until(at)
    assert blocked == at + timedelta(minutes=1)
    assert ledger.refusal(blocked, purpose=Purpose.USER) is None


def test_refusals_in_a_row_lengthen_the_pause() -> None:
    """A storm of 429s is met with patience."""
    ledger = Ledger(WATT, now=FIRST)
    at, pauses = FIRST, []
    for _ in range(12):
        ledger.refused_by_cloud(at)
        until = ledger.blocked_until(at)
        assert until is not None
        pauses.append(until - at)
        at = until
        ledger.charge("summary", at, purpose=Purpose.USER)
    assert pauses == sorted(pauses)
    assert pauses[0] == timedelta(minutes=1)
    assert pauses[-1] == timedelta(minutes=45)
    call = ledger.charge(
        "summary", at + timedelta(minutes=1), purpose=Purpose.BACKGROUND
    )
    ledger.ended(call, at + timedelta(minutes=1), served=True)
    assert ledger.refusal(at + timedelta(hours=1), purpose=Purpose.USER) is None


def test_a_refused_month_without_an_end_is_tried_again_within_the_hour() -> None:
    """A 429 of the month without other data blocks, but not for weeks."""
    ledger = Ledger(WATT, now=FIRST)
    ledger.refused_by_cloud(TENTH, period=Period.MONTH)
    until = ledger.blocked_until(TENTH)
    assert until is not None
    assert until - TENTH == timedelta(minutes=45)


def test_a_wrong_refusal_of_the_month_is_noticed_despite_assumed_calls() -> None:
    """Those of a key without a record leave few calls beside another program's."""
    at = datetime(2026, 6, 21, tzinfo=UTC)
    ledger = Ledger(WATT, now=at)
    call = ledger.charge("summary", at, purpose=Purpose.BACKGROUND)
    ledger.ended(call, at, served=True, date=at)
    spendable = ledger.spendable(at)
    ledger.refused_by_cloud(at, period=Period.MONTH)
    assert ledger.spendable(at) == 0
    probe_at = ledger.probe_at(at)
    assert probe_at == at + timedelta(minutes=45)
    call = ledger.charge("summary", probe_at, purpose=Purpose.BACKGROUND)
    assert ledger.refusal(probe_at, purpose=Purpose.BACKGROUND) is not None
    ledger.ended(call, probe_at, served=True, date=probe_at)
    assert ledger.spendable(probe_at) == pytest.approx(spendable, abs=3)


def test_a_smaller_limit_of_the_cloud_is_believed() -> None:
    """What the cloud says of the plan is the truth, until another plan is named."""
    ledger = Ledger(WATT, now=FIRST)
    ledger.refused_by_cloud(
        TENTH, period=Period.MONTH, period_start=FIRST, period_end=JULY, limit=500
    )
    assert ledger.limit == 500
    restored = Ledger.restore(ledger.as_dict(), WATT, now=TENTH)
    assert restored.limit == 500
    assert restored.blocked_until(TENTH) == JULY
    restored.change_plan(PLANS["kilowatt"], TENTH)
    assert restored.limit == 50_000
    assert restored.refusal(TENTH, purpose=Purpose.USER) is None


def test_another_programs_pace_is_planned_with_next_month() -> None:
    """What others took is not planned away again at once."""
    ledger = Ledger(WATT, now=FIRST)
    untouched = Ledger(WATT, now=FIRST).spendable(JULY)
    _spend(ledger, 700, FIRST)
    at = datetime(2026, 6, 25, tzinfo=UTC)
    ledger.refused_by_cloud(
        at, period=Period.MONTH, period_start=FIRST, period_end=JULY, limit=1000
    )
    assert ledger.foreign_calls(at) == 300
    assert untouched - 400 < ledger.spendable(JULY) < untouched - 200


def test_a_key_installed_under_a_clock_of_the_future_is_not_locked() -> None:
    """The true month is opened as that of a key without a record."""
    ledger = Ledger(WATT, now=datetime(2099, 1, 1, tzinfo=UTC))
    ledger.charge("summary", datetime(2099, 1, 1, tzinfo=UTC), purpose=Purpose.USER)
    assert 300 <= ledger.used(TENTH) <= 330
    assert ledger.refusal(TENTH, purpose=Purpose.BACKGROUND) is None


def test_a_clock_that_falls_back_prolongs_no_refusal() -> None:
    """A pause takes as long as it takes, whatever the clock shows."""
    ledger = Ledger(WATT, now=TENTH)
    ledger.refused_by_cloud(TENTH, period=Period.MINUTE)
    earlier = TENTH - timedelta(days=3)
    assert ledger.blocked_until(earlier) == earlier + timedelta(minutes=1)


def test_wasted_calls_are_counted() -> None:
    """Responses without new data are shown to the user."""
    ledger = Ledger(WATT, now=FIRST)
    ledger.record_wasted(FIRST)
    restored = Ledger.restore(ledger.as_dict(), WATT, now=FIRST)
    assert restored.wasted(FIRST) == 1


@pytest.mark.parametrize("limits", [(0, 100), (10, 0), (-1, 5)])
def test_a_plan_allows_something(limits: tuple[int, int]) -> None:
    """Limits below one are a slip of the keyboard."""
    minute, month = limits
    with pytest.raises(ValueError, match="at least one"):
        custom_plan(calls_per_minute=minute, calls_per_month=month, live_stream=False)


def test_plans_say_what_they_open() -> None:
    """Live streams begin with Kilowatt; a custom plan says it itself."""
    assert [key for key, plan in PLANS.items() if plan.has_live_stream] == [
        "kilowatt",
        "megawatt",
        "partner",
    ]
    custom = custom_plan(calls_per_minute=1, calls_per_month=1, live_stream=True)
    assert Access.STREAMING in custom.access


@pytest.mark.parametrize(
    "reported",
    [
        {"period_start": FIRST},
        {"period_end": JULY},
        {"period_start": JULY, "period_end": FIRST},
        {"period_start": FIRST, "period_end": FIRST + timedelta(days=60)},
        {"period_start": FIRST, "period_end": FIRST + timedelta(days=1)},
        {"period_start": FIRST, "period_end": TENTH + timedelta(seconds=1)},
        {"period_start": FIRST, "period_end": datetime(9999, 12, 31, tzinfo=UTC)},
        {
            "period_start": FIRST + timedelta(days=9),
            "period_end": JULY + timedelta(days=9),
        },
        {"period_start": FIRST, "period_end": JULY, "limit": 1},
        {"period_start": JULY, "period_end": datetime(2026, 8, 1, tzinfo=UTC)},
    ],
)
def test_implausible_data_of_a_refusal_is_ignored(reported: dict[str, Any]) -> None:
    """Half a period, a day, a second or a season, a limit of one: a pause, no more."""
    ledger = Ledger(WATT, now=FIRST)
    spent = _spend(ledger, 300, FIRST)
    for at in (spent, TENTH):
        assert not ledger.refused_by_cloud(at, period=Period.MONTH, **reported)
        assert ledger.period_end(at) == JULY
        assert ledger.limit == 1000
        assert ledger.left(at) == 700 - (at == TENTH)
        until = ledger.blocked_until(at)
        assert until is not None
        assert until - at <= timedelta(minutes=2)
        _call(ledger, until)
        assert ledger.refusal(until, purpose=Purpose.USER) is None


def test_what_is_assumed_tells_no_pace() -> None:
    """A key that is new on the tenth does not seem to spend the whole plan."""
    ledger = Ledger(PLANS["kilowatt"], now=TENTH)
    at = TENTH
    for _ in range(96):
        ledger.ended(ledger.charge("summary", at, purpose=Purpose.USER), at)
        at += timedelta(minutes=30)
    expected = ledger.expected_at_period_end(at)
    assumed = ledger.by_operation(at)[ASSUMED]
    own_days = (JULY - TENTH) / timedelta(days=1)
    assert expected - assumed == pytest.approx(48 * own_days, rel=0.1)


def test_the_first_minutes_of_a_month_tell_no_pace() -> None:
    """A month is not expected to be as busy as a restart."""
    ledger = Ledger(WATT, now=FIRST)
    assert ledger.expected_at_period_end(FIRST) == 0
    _spend(ledger, 3, FIRST)
    assert ledger.expected_at_period_end(FIRST + HOUR) <= 3 * 31


def test_a_refusal_that_was_not_ours_is_looked_into() -> None:
    """The cloud may be wrong; a call tries again when the pause is over."""
    ledger = Ledger(WATT, now=FIRST)
    _spend(ledger, 3, FIRST)
    assert ledger.probe_at(TENTH) is None
    ledger.refused_by_cloud(TENTH, period=Period.MONTH)
    until = ledger.probe_at(TENTH)
    assert until is not None
    assert TENTH < until <= TENTH + HOUR
    assert ledger.spendable(until) == 0
    assert ledger.probe_at(until) == until
    call = ledger.charge("summary", until, purpose=Purpose.BACKGROUND)
    assert ledger.probe_at(until) == until + timedelta(minutes=1)
    ledger.ended(call, until, served=True, date=until)
    assert ledger.probe_at(until) is None
    assert ledger.spendable(until) > 400


def test_no_more_is_expected_than_can_be_spent() -> None:
    """Pace times time may come to more than the plan, but nothing leaves then."""
    ledger = Ledger(WATT, now=FIRST)
    at = _spend(ledger, 100, FIRST)
    assert ledger.expected_at_period_end(at) == 1000
