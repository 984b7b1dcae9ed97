"""Law 1: no more requests leave than the plan allows, whatever happens."""

from collections import Counter
from datetime import UTC, datetime, timedelta
import json
from typing import Any

from hypothesis import settings, strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from custom_components.enphase_cloud.budget.ledger import (
    ASSUMED,
    BudgetExhaustedError,
    Ledger,
    Period,
    Purpose,
)
from custom_components.enphase_cloud.budget.plans import Plan, custom_plan
from custom_components.enphase_cloud.budget.schedule import Document, Feed, Schedule

SMALL = custom_plan(calls_per_minute=5, calls_per_month=60, live_stream=False)
LARGE = custom_plan(calls_per_minute=12, calls_per_month=200, live_stream=True)
MINUTE = timedelta(minutes=1)


class BudgetMachine(RuleBasedStateMachine):
    """A household on one key: calls, kills, restarts, plans, clocks and refusals."""

    def __init__(self) -> None:
        """Begin at the start of a month, with a key that nobody has used."""
        super().__init__()
        self.true_time = datetime(2026, 3, 1, tzinfo=UTC)
        self.clock_error = timedelta()
        self.plan: Plan = SMALL
        self.ledger = Ledger(SMALL, now=self.now)
        self.schedule = Schedule()
        self.stored: dict[str, Any] | None = None
        self.left_at: list[datetime] = []
        self.by_month: Counter[tuple[int, int]] = Counter()
        self.foreign: Counter[tuple[int, int]] = Counter()
        self.signed_in_on = self.true_time.date()

    @property
    def now(self) -> datetime:
        """Return what our clock says."""
        return self.true_time + self.clock_error

    @property
    def month(self) -> tuple[int, int]:
        """Return the cloud's month."""
        return self.true_time.year, self.true_time.month

    @initialize()
    def feed(self) -> None:
        """Poll one document."""
        self.schedule.add(Feed("home", Document.LATEST))

    def _send(self, purpose: Purpose) -> None:
        """Let a call leave if the ledger allows it, and see what the cloud says."""
        try:
            must_save = self.ledger.charge("latest", self.now, purpose=purpose)
        except BudgetExhaustedError:
            return
        if must_save:
            self._save()
        self._arrives()

    def _save(self) -> None:
        data = self.ledger.as_dict()
        self.stored = json.loads(json.dumps(data))
        self.ledger.saved(data)

    def _arrives(self) -> None:
        recent = [at for at in self.left_at if self.true_time - at < MINUTE]
        assert len(recent) < self.plan.calls_per_minute, "over the sliding minute"
        calendar = self.true_time.replace(second=0, microsecond=0)
        in_minute = [at for at in recent if at >= calendar]
        assert len(in_minute) < self.plan.calls_per_minute, "over the minute"
        limit = self.plan.calls_per_month
        if self.by_month[self.month] + self.foreign[self.month] >= limit:
            assert self.foreign[self.month], "over the month, all of them ours"
            self._refuse()
            return
        self.left_at = [*recent, self.true_time]
        self.by_month[self.month] += 1
        self.ledger.answered(self.now)

    def _refuse(self) -> None:
        start = datetime(self.true_time.year, self.true_time.month, 1, tzinfo=UTC)
        end = (start + timedelta(days=32)).replace(day=1)
        self.ledger.refused_by_cloud(
            self.now,
            period=Period.MONTH,
            period_start=start,
            period_end=end,
            limit=self.plan.calls_per_month,
        )
        self._save()

    @rule(
        purpose=st.sampled_from([Purpose.BACKGROUND, Purpose.USER]),
        calls=st.integers(1, 15),
    )
    def calls(self, purpose: Purpose, calls: int) -> None:
        """Several callers want to send at the same moment."""
        for _ in range(calls):
            self._send(purpose)

    @rule()
    def polls_when_due(self) -> None:
        """The schedule says when, and the ledger whether."""
        feed = Feed("home", Document.LATEST)
        due = self.schedule.next_poll(
            feed,
            now=self.now,
            calls_left=self.ledger.spendable(self.now),
            period_end=self.ledger.period_end(self.now),
        )
        assert due >= self.now
        if due - self.now < timedelta(days=2):
            self.true_time += due - self.now
            self._send(Purpose.BACKGROUND)
            self.schedule.observe(
                feed, now=self.now, data_at=self.now, changed=True, producing=True
            )

    @rule()
    def signs_in(self) -> None:
        """A sign-in is never refused, but there is at most one a day."""
        if self.true_time.date() != self.signed_in_on:
            self.signed_in_on = self.true_time.date()
            before = self.ledger.used(self.now)
            self.ledger.charge("token", self.now, purpose=Purpose.SIGN_IN)
            if not self.clock_error:
                assert self.ledger.used(self.now) == before + 1
            self._save()

    @rule(seconds=st.integers(1, 90) | st.integers(3_600, 4 * 86_400))
    def time_passes(self, seconds: int) -> None:
        """Seconds or days pass."""
        self.true_time += timedelta(seconds=seconds)

    @precondition(lambda self: self.stored is not None)
    @rule()
    def kill(self) -> None:
        """A kill -9 leaves what was last on the disk."""
        self.ledger = Ledger.restore(self.stored, self.plan, now=self.now)
        self.schedule = Schedule.restore(self.schedule.as_dict())
        self.schedule.add(Feed("home", Document.LATEST))

    @rule()
    def clean_restart(self) -> None:
        """A clean shutdown gives the reservation back."""
        before = self.ledger.used(self.now)
        self.ledger.release(self.now)
        self._save()
        self.ledger = Ledger.restore(self.stored, self.plan, now=self.now)
        assert self.ledger.used(self.now) == before

    @rule(minutes=st.integers(1, 2_000))
    def clock_falls_back(self, minutes: int) -> None:
        """The clock falls back; it never runs ahead of the cloud's here."""
        self.clock_error -= timedelta(minutes=minutes)

    @rule()
    def clock_is_set(self) -> None:
        """The clock is right again; at the earliest a minute after the last call.

        Within the minute nobody could tell it from time that has passed.
        """
        self.true_time += timedelta(seconds=75)
        self.clock_error = timedelta()

    @rule(plan=st.sampled_from([SMALL, LARGE]))
    def plan_changes(self, plan: Plan) -> None:
        """The user buys another plan, in mid-month."""
        # The cloud's limit counts what is spent; a smaller plan may be overspent then.
        if self.by_month[self.month] + 5 < plan.calls_per_month:
            self.plan = plan
            self.ledger.change_plan(plan, self.now)

    @rule(calls=st.integers(1, 30))
    def another_program_calls(self, calls: int) -> None:
        """Somebody else spends calls of the key."""
        self.foreign[self.month] += calls

    @invariant()
    def never_under_counts(self) -> None:
        """What we know to have spent is at least what left."""
        if not self.clock_error:
            assert self.ledger.used(self.now) >= self.by_month[self.month]

    @invariant()
    def what_is_on_the_disk_is_enough(self) -> None:
        """Killed at this very moment, nothing would be forgotten."""
        if self.stored is not None and not self.clock_error:
            restored = Ledger.restore(self.stored, self.plan, now=self.now)
            assert restored.used(self.now) >= self.by_month[self.month]

    @invariant()
    def figures_agree(self) -> None:
        """What sensors show fits together."""
        used = self.ledger.used(self.now)
        assert self.ledger.left(self.now) == max(0, self.ledger.limit - used)
        assert 0 <= self.ledger.spendable(self.now) <= self.ledger.left(self.now)
        assert self.ledger.expected_at_period_end(self.now) >= used
        assert self.ledger.by_operation(self.now).get(ASSUMED, 0) <= used


TestLawOfTheBudget = BudgetMachine.TestCase
TestLawOfTheBudget.settings = settings(
    max_examples=60, stateful_step_count=50, deadline=None
)
