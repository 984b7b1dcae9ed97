"""No more requests leave than the plan allows, whatever happens.

The cloud counts by itself, in true time; see `tests.robustness.household`.
"""

from datetime import UTC, datetime, timedelta
import json
from random import Random
from typing import Any, override

from hypothesis import settings, strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
import pytest

from custom_components.enphase_cloud.measurements.catalog import Source
from custom_components.enphase_cloud.quota.ledger import ASSUMED, Ledger, Purpose
from custom_components.enphase_cloud.quota.plans import custom_plan
from custom_components.enphase_cloud.scheduling.poll_schedule import Schedule
from custom_components.enphase_cloud.scheduling.weights import PolledDocument
from tests.robustness.household import Household, Outcome
from tests.robustness.sequences import absurd_date, absurd_refusal, numbers, run

SMALL = custom_plan(calls_per_minute=5, calls_per_month=100, live_stream=False)
LARGE = custom_plan(calls_per_minute=12, calls_per_month=200, live_stream=True)
FEED = PolledDocument("home", Source.LATEST)
RIGHT = timedelta()

purposes = st.sampled_from([Purpose.BACKGROUND, Purpose.USER])
errors = st.one_of(
    st.just(RIGHT),
    st.integers(2, 3_000_000).map(lambda minutes: timedelta(minutes=minutes)),
    st.integers(2, 25_000_000).map(lambda minutes: -timedelta(minutes=minutes)),
)


class BudgetMachine(RuleBasedStateMachine):
    """A household on one key: calls, kills, restarts, plans, clocks and refusals."""

    def __init__(self) -> None:
        """Begin at the start of a month, with a key that nobody has used."""
        super().__init__()
        self.home = Household(SMALL, datetime(2026, 3, 1, tzinfo=UTC))
        self.schedule = Schedule()
        self.schedule.add(FEED)
        self.is_dated = True

    @initialize()
    def installs(self) -> None:
        """The clock is right when the key is first used."""
        self.home.send(Purpose.USER)
        self.home.pass_time(timedelta(minutes=2))

    @rule(
        purpose=purposes,
        calls=st.integers(1, 15),
        there=st.sampled_from([0.1, 2, 25]),
        answer=st.sampled_from(["served", "served", "served", "error", "nothing"]),
        gap=st.sampled_from([0, 1, 5]),
    )
    def calls(
        self, purpose: Purpose, calls: int, there: float, answer: Any, gap: int
    ) -> None:
        """Several callers want to send, some on slow connections."""
        for _ in range(calls):
            self.home.send(purpose, Outcome(there=there, response=answer))
            self.home.pass_time(timedelta(seconds=gap))

    @rule(calls=st.integers(20, 60))
    def calls_all_day(self, calls: int) -> None:
        """Somebody spends what there is."""
        for _ in range(calls):
            self.home.send(Purpose.USER)
            self.home.pass_time(timedelta(seconds=20))

    @rule(seed=st.integers(0, 1_000))
    def the_cloud_refuses_absurdly(self, seed: int) -> None:
        """No plan has this period and limit."""
        home = self.home
        limit = home.plan.calls_per_month
        refused = absurd_refusal(Random(seed), home.time, limit)
        home.send(Purpose.USER, Outcome(response="refused", refused=refused))
        home.pass_time(timedelta(seconds=5))

    @precondition(lambda self: self.is_dated)
    @rule(seed=st.integers(0, 1_000))
    def the_cloud_tells_a_wrong_time(self, seed: int) -> None:
        """Once."""
        home = self.home
        home.send(Purpose.USER, Outcome(date=absurd_date(Random(seed), home.time)))
        self.is_dated = False

    @rule()
    def polls_when_due(self) -> None:
        """The schedule says when, and the ledger whether."""
        home, ledger = self.home, self.home.ledger
        due = self.schedule.next_poll(
            FEED,
            now=home.now,
            calls_left=ledger.spendable(home.now),
            period_end=ledger.period_end(home.now),
        )
        assert due >= home.now
        if due - home.now < timedelta(days=2):
            home.pass_time(due - home.now)
            home.send(Purpose.BACKGROUND)
            self.schedule.observe(
                FEED, now=home.now, data_at=home.now, changed=True, producing=True
            )

    @rule()
    def signs_in(self) -> None:
        """There is at most one a day."""
        self.home.sign_in()

    @rule(
        passes=st.timedeltas(timedelta(seconds=1), timedelta(minutes=90))
        | st.timedeltas(timedelta(hours=1), timedelta(days=40))
    )
    def time_passes(self, passes: timedelta) -> None:
        """Seconds, or weeks."""
        self.home.pass_time(passes)

    @rule(error=errors)
    def the_clock_is_set(self, error: timedelta) -> None:
        """Rightly or not."""
        self.home.set_clock(error)

    @rule(error=errors | st.none())
    def kill(self, error: timedelta | None) -> None:
        """A kill -9 leaves what was last on the disk."""
        self.home.kill(self.home.clock_error if error is None else error)

    @rule(error=errors | st.none())
    def clean_restart(self, error: timedelta | None) -> None:
        """A clean shutdown gives the reservation back."""
        self.home.restart(self.home.clock_error if error is None else error)

    @rule(calls=st.integers(1, 30))
    def another_program_calls(self, calls: int) -> None:
        """Somebody else spends calls of the key."""
        self.home.another_program(calls)

    @rule()
    def plan_grows(self) -> None:
        """The user buys another plan, in mid-month."""
        self.home.buy(LARGE)

    @invariant()
    def keeps_the_limits(self) -> None:
        """By the cloud's own count."""
        assert not self.home.counted.overruns

    @invariant()
    def never_under_counts(self) -> None:
        """Once the time is certain; also if power failed now."""
        home = self.home
        if home.is_settled:
            own = home.counted.own(home.time)
            assert home.ledger.used(home.now) >= own
            restored = Ledger.restore(json.loads(home.disk), home.plan, now=home.now)
            assert home.clock_error or restored.used(home.now) >= own

    @invariant()
    def figures_agree(self) -> None:
        """What sensors show fits together."""
        ledger, now = self.home.ledger, self.home.now
        used = ledger.used(now)
        assert ledger.left(now) == max(0, ledger.limit - used)
        assert 0 <= ledger.spendable(now) <= ledger.left(now)
        assert ledger.expected_at_period_end(now) >= used
        assert ledger.by_operation(now).get(ASSUMED, 0) <= used

    @override
    def teardown(self) -> None:
        """Calls continue within the hour while some are left, in any case."""
        self.home.pass_time(timedelta(minutes=2))
        assert not self.home.is_deadlocked()


TestBudgetInvariants = BudgetMachine.TestCase
TestBudgetInvariants.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None
)


@pytest.mark.parametrize("seed", range(3))
def test_random_sequences_break_no_law(seed: int) -> None:
    """A few of those that `scripts/bench robustness` draws by the thousand."""
    outcome = run(numbers(40, seed=seed))
    assert (outcome.overruns, outcome.deadlocks) == (0, 0)
