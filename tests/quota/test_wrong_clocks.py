"""Clocks, responses and connections that were seen to break the budget, each alone.

The cloud's own count (`tests.robustness.household`) decides.
"""

from collections.abc import Iterator
from copy import replace
from datetime import UTC, datetime, timedelta
import json

import pytest

from custom_components.enphase_cloud.quota.ledger import Ledger, Period, Purpose
from custom_components.enphase_cloud.quota.plans import PLANS, Plan, custom_plan
from tests.robustness.household import FINE, Household, Outcome, Refused

WATT = PLANS["watt"]
TIGHT = custom_plan(calls_per_minute=3, calls_per_month=1_000, live_stream=False)
MARCH = datetime(2026, 3, 1, tzinfo=UTC)
APRIL = datetime(2026, 4, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
RIGHT = timedelta()


def _home(plan: Plan = WATT, *, begun: datetime = MARCH, at: datetime) -> Household:
    """Return a household whose key is known since a moment."""
    home = Household(plan, begun)
    home.send(Purpose.USER)
    home.pass_time(at - begun)
    return home


def _spend(home: Household, calls: int, outcome: Outcome = FINE) -> int:
    """Try to spend calls slowly enough for the minute; return how many left."""
    left = 0
    for _ in range(calls):
        left += home.send(Purpose.USER, outcome)
        home.pass_time(10 * SECOND)
    return left


def _wait(home: Household) -> timedelta:
    """Wait until a call leaves, for some hours at most; return how long that took."""
    waited = RIGHT
    while not home.send(Purpose.USER) and waited < 3 * HOUR:
        home.pass_time(MINUTE)
        waited += MINUTE
    return waited


@pytest.mark.parametrize(("plan", "calls"), [(WATT, 9), (TIGHT, 1)])
@pytest.mark.parametrize("ahead", [timedelta(hours=2), 35 * DAY, 730 * DAY])
@pytest.mark.parametrize("restarts", [False, True])
def test_calls_under_a_clock_ahead_do_not_fill_the_minute_for_ever(
    plan: Plan, calls: int, ahead: timedelta, *, restarts: bool
) -> None:
    """The minute passes, whatever the clock is set to."""
    home = _home(plan, at=MARCH + 10 * DAY)
    home.set_clock(ahead)
    for _ in range(calls):
        home.send(Purpose.USER)
    if restarts:
        home.restart(RIGHT)
    home.set_clock(RIGHT)
    home.pass_time(75 * SECOND)
    assert home.send(Purpose.USER)


def test_calls_under_a_clock_a_month_ahead_do_not_fill_that_month() -> None:
    """They count in the month in which they left, and in no other."""
    home = _home(at=MARCH + 10 * DAY)
    home.restart(31 * DAY)
    assert _spend(home, 980) > 900
    home.restart(RIGHT)
    home.pass_time(APRIL - home.time)
    assert _spend(home, 10) == 10
    assert home.ledger.used(home.now) == 10
    assert not home.counted.overruns


@pytest.mark.parametrize("restarts", [False, True])
def test_a_clock_that_is_years_ahead_then_in_1970_opens_no_second_month(
    *,
    restarts: bool,
) -> None:
    """Whatever year it shows, the cloud's month has one plan."""
    home = _home(at=MARCH + 10 * DAY)
    errors = (730 * DAY, datetime(1970, 1, 1, tzinfo=UTC) - home.time, RIGHT)
    for error in errors * 2:
        if restarts:
            home.restart(error)
        else:
            home.set_clock(error)
        _spend(home, 700)
    assert not home.counted.overruns
    assert home.counted.own(home.time) > 900


def test_a_new_month_begins_though_the_clock_stands_in_the_old_one() -> None:
    """By the responses of the cloud, and between them a monotonic clock."""
    home = _home(at=APRIL - DAY)
    _spend(home, 1_000)
    home.set_clock(-3 * DAY)
    home.pass_time(APRIL + 5 * SECOND - home.time)
    assert _spend(home, 10) == 10


@pytest.mark.parametrize("error", [RIGHT, -35 * DAY, 35 * DAY])
def test_a_restart_in_the_next_month_finds_it_out_within_the_hour(
    error: timedelta,
) -> None:
    """Also where the last month was spent; at once if the clock is right."""
    home = _home(at=MARCH + 20 * DAY)
    _spend(home, 1_000)
    assert not home.send(Purpose.USER)
    home.pass_time(APRIL + DAY - home.time)
    home.restart(error)
    waited = _wait(home)
    assert waited < HOUR
    assert waited == RIGHT or error
    home.pass_time(2 * MINUTE)
    home.send(Purpose.USER)
    home.pass_time(2 * MINUTE)
    assert _spend(home, 20) == 20
    assert not home.counted.overruns


def test_a_machine_that_slept_finds_a_new_month() -> None:
    """No clock of its own but the one of the wall has gone on meanwhile."""
    home = _home(at=APRIL - DAY)
    _spend(home, 1_000)
    home.suspend(2 * DAY)
    assert _wait(home) < HOUR
    home.pass_time(2 * MINUTE)
    assert _spend(home, 20) == 20
    assert not home.counted.overruns


def test_a_clock_that_is_set_within_the_month_lets_no_call_out() -> None:
    """Nothing says that the month is over; it is not checked either."""
    home = _home(at=MARCH + 10 * DAY)
    _spend(home, 1_000)
    assert home.ledger.probe_at(home.now) is None
    home.set_clock(-DAY)
    assert _wait(home) >= 3 * HOUR


def test_the_time_that_passed_is_stored() -> None:
    """A clock that is behind after a restart does not lengthen the month."""
    home = _home(at=MARCH + 10 * DAY)
    home.restart(-5 * DAY)
    left = home.ledger.period_end(home.now) - home.now
    assert abs(left - 21 * DAY) < DAY


def test_a_response_without_a_date_is_no_reason_to_hurry() -> None:
    """Only a response that says it is past the month is confirmed at once."""
    home = _home(at=MARCH + 20 * DAY)
    _spend(home, 1_000)
    home.restart(35 * DAY)
    assert home.send(Purpose.USER, Outcome(dated=False))
    home.pass_time(30 * MINUTE)
    assert not home.send(Purpose.USER)


def test_a_clock_that_stood_still_without_power_hides_no_new_month() -> None:
    """It continues where the record ends, as if nothing had passed since."""
    home = _home(at=APRIL - DAY)
    _spend(home, 1_000)
    home.pass_time(2 * DAY)
    home.kill(-2 * DAY)
    assert _wait(home) < HOUR
    home.pass_time(2 * MINUTE)
    home.send(Purpose.USER)
    home.pass_time(2 * MINUTE)
    assert _spend(home, 20) == 20
    assert not home.counted.overruns


def test_two_processes_with_one_answer_each_find_out_the_month() -> None:
    """The time that the first learnt is not lost when it is restarted."""
    home = _home(at=MARCH + 20 * DAY)
    _spend(home, 1_000)
    home.pass_time(APRIL + DAY - home.time)
    home.kill(-35 * DAY)
    for error in (-40 * DAY, -45 * DAY):
        assert _wait(home) < HOUR
        home.pass_time(2 * SECOND)
        home.restart(error)
    home.pass_time(2 * MINUTE)
    assert _spend(home, 20) == 20
    assert not home.counted.overruns


def test_a_process_with_one_absurd_time_opens_no_month_to_the_next() -> None:
    """It takes two responses that are past the end of the month."""
    home = _home(at=MARCH + 20 * DAY)
    _spend(home, 1_000)
    home.restart(35 * DAY)
    assert home.send(Purpose.USER, Outcome(date=APRIL + DAY))
    home.pass_time(2 * SECOND)
    for error in (31 * DAY, -35 * DAY, RIGHT):
        home.restart(error)
        _wait(home)
        home.pass_time(2 * SECOND)
        assert _spend(home, 100) < 5
    assert not home.counted.overruns


def _absurd() -> Iterator[Refused]:
    never = datetime(9999, 12, 31, tzinfo=UTC)
    for limit in (1, 1_000, None):
        for start, end in (
            (MARCH, MARCH + 10 * DAY + 3 * SECOND),
            (MARCH, never),
            (None, never),
            (None, MARCH),
            (APRIL, APRIL + 30 * DAY),
        ):
            for period in (Period.MONTH, Period.MINUTE, None):
                yield Refused(period, start, end, limit)
    yield Refused(Period.MONTH, MARCH, APRIL, 1)


@pytest.mark.parametrize("refused", list(_absurd()))
def test_what_no_plan_can_be_changes_no_plan(refused: Refused) -> None:
    """It pauses calls for a minute; all that the plan has can be spent, and no more."""
    home = _home(at=MARCH + 10 * DAY)
    home.send(Purpose.USER, Outcome(response="refused", refused=refused))
    home.pass_time(2 * MINUTE)
    _spend(home, 1_200)
    assert not home.counted.overruns
    assert home.counted.own(home.time) > 950


def test_a_reported_limit_below_served_calls_is_forgotten() -> None:
    """The cloud has served more, so that it was not true."""
    home = _home(at=MARCH + 10 * DAY)
    reported = Refused(Period.MONTH, MARCH, APRIL, 600)
    home.send(Purpose.USER, Outcome(response="refused", refused=reported))
    home.pass_time(MINUTE)
    assert home.ledger.limit == 600
    home.pass_time(APRIL - home.time)
    _spend(home, 700)
    assert home.ledger.limit == 600
    # The same holds for a limit stored by version 0.1.0.
    stored = {**home.ledger.as_dict(), "cloud_limit": 1}
    assert Ledger.restore(stored, WATT, now=home.now).limit == 1_000


@pytest.mark.parametrize("answer", ["error", "nothing"])
def test_only_a_served_call_ends_a_refusal(answer: str) -> None:
    """A server that fails has not counted, and says nothing of what is left."""
    home = _home(at=MARCH + 10 * DAY)
    home.send(Purpose.USER, Outcome(response="refused", refused=Refused(Period.MONTH)))
    home.pass_time(50 * MINUTE)
    assert home.ledger.foreign_calls(home.now) > 900
    assert home.send(Purpose.USER, replace(FINE, response=answer))
    home.pass_time(10 * SECOND)
    assert home.ledger.foreign_calls(home.now) > 900
    assert not home.send(Purpose.USER)
    home.pass_time(2 * MINUTE)
    assert home.send(Purpose.USER)
    home.pass_time(10 * SECOND)
    assert home.ledger.foreign_calls(home.now) == 0


@pytest.mark.parametrize("there", [5, 25, 29])
def test_slow_connections_do_not_crowd_a_minute(there: int) -> None:
    """Each call keeps its room until it can have arrived, and a minute after."""
    home = _home(at=MARCH + 10 * DAY)
    for second in range(600):
        slow = Outcome(there=there if second < 60 else 0.1)
        home.send(Purpose.USER, slow)
        home.pass_time(SECOND)
    assert not home.counted.overruns
    assert home.counted.own(home.time) > 50


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_a_kill_costs_one_call(plan: Plan) -> None:
    """29 kills after 28 calls or so cost 29 calls at the most."""
    home = _home(plan, at=MARCH + 10 * DAY)
    kills = 29
    for _ in range(kills):
        home.send(Purpose.USER)
        home.pass_time(75 * SECOND)
        home.kill(RIGHT)
    arrived = home.counted.own(home.time)
    assert arrived <= home.ledger.used(home.now) <= arrived + kills


def test_one_absurd_date_moves_no_month() -> None:
    """It takes two responses that agree, or one that agrees with the clock."""
    for date in (MARCH - 40 * DAY, APRIL + DAY, datetime(2099, 1, 1, tzinfo=UTC)):
        home = _home(at=MARCH + 10 * DAY)
        _spend(home, 300)
        home.send(Purpose.USER, Outcome(date=date))
        home.pass_time(MINUTE)
        assert home.ledger.period_end(home.now) == APRIL
        _spend(home, 1_000)
        assert not home.counted.overruns


def test_a_cloud_that_tells_no_time_is_counted_by_the_clock() -> None:
    """A clock that goes steadily will do."""
    home = Household(WATT, MARCH)
    for _ in range(70):
        _spend(home, 15, Outcome(dated=False))
        home.pass_time(DAY)
    assert not home.counted.overruns
    assert home.counted.own(MARCH) == 31 * 15
    assert home.ledger.period_end(home.now) > home.now


def test_a_record_of_the_first_version_is_read() -> None:
    """Nothing of it is lost, and a month of a clock ahead comes back."""
    months = [
        {
            "start": start.timestamp(),
            "end": end.timestamp(),
            "operations": {"summary": calls},
            "foreign": 0,
            "others": 0.0,
            "wasted": 3,
            "unexplained": 0,
            "ahead": calls,
        }
        for start, end, calls in (
            (MARCH, APRIL, 200),
            (APRIL, APRIL + 30 * DAY, 9),
        )
    ]
    at = MARCH + 10 * DAY
    stored = {
        "plan": [10, 1_000],
        "cloud_limit": None,
        "months": {"limit": 1_000, "begin": 0.0, "known": months},
        "recent": [(at + 35 * DAY).timestamp()] * 9,
        "block": {
            "period": "month",
            "since": at.timestamp(),
            "until": (at + 700 * DAY).timestamp(),
        },
        "refusals": 1,
        "charged": 209,
        "reserved": 1,
    }
    ledger = Ledger.restore(json.loads(json.dumps(stored)), WATT, now=at)
    assert ledger.used(at) == 210
    at += 75 * SECOND
    call = ledger.charge("summary", at, purpose=Purpose.USER)
    ledger.ended(call, at, served=True, date=at)
    assert ledger.used(at) == 211
    assert ledger.wasted(at) == 6
    assert ledger.left(APRIL) == 1_000
    at += 75 * SECOND
    assert ledger.refusal(at, purpose=Purpose.BACKGROUND) is None
