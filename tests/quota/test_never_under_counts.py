"""A kill -9 at any instant, with callers that wait for the disk, forgets no call."""

from collections import Counter
from datetime import UTC, datetime, timedelta
import json
from typing import Any

from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from custom_components.enphase_cloud.quota.ledger import (
    BudgetExhaustedError,
    Ledger,
    Purpose,
)
from custom_components.enphase_cloud.quota.plans import custom_plan
from custom_components.enphase_cloud.quota.reserve import Call

# Large enough for a reservation, so that not every call waits for the disk.
PLAN = custom_plan(calls_per_minute=20, calls_per_month=4_000, live_stream=False)
RESERVATION = 1
PATIENCE = timedelta(seconds=9)


class DiskMachine(RuleBasedStateMachine):
    """Callers charge and wait for the disk; power fails whenever it likes."""

    def __init__(self) -> None:
        """Begin at the end of a month, so that some runs see the next."""
        super().__init__()
        self.true_time = datetime(2026, 3, 30, tzinfo=UTC)
        self.clock_error = timedelta()
        self.clock_was_right = True
        self.ledger = Ledger(PLAN, now=self.now, monotonic=self._seconds)
        self.disk: str | None = None
        # The saves under way, in order: what is written, which call waits for it, and
        # since when.
        self.saving: list[tuple[dict[str, Any], Call | None, datetime]] = []
        self.left: Counter[tuple[int, int]] = Counter()
        self.left_at: list[datetime] = []
        self.signed_in_at = self.true_time - timedelta(days=1)

    @property
    def now(self) -> datetime:
        """Return what our clock says."""
        return self.true_time + self.clock_error

    @property
    def month(self) -> tuple[int, int]:
        """Return the true month."""
        return self.true_time.year, self.true_time.month

    def _pass(self, time: timedelta) -> None:
        """Let time pass; no disk takes as long as ten seconds."""
        while self.saving and self.true_time + time - self.saving[0][2] > PATIENCE:
            self.a_save_is_done()
        self.true_time += time
        if time > PATIENCE:
            # What may be lost without harm is saved after ten seconds.
            self.a_save_without_need_begins()
            self.a_save_is_done()

    def _seconds(self) -> float:
        return self.true_time.timestamp()

    def _restored(self) -> Ledger:
        assert self.disk is not None
        return Ledger.restore(
            json.loads(self.disk), PLAN, now=self.now, monotonic=self._seconds
        )

    def _leaves(self, call: Call) -> None:
        minute = self.true_time - timedelta(minutes=1)
        self.left_at = [at for at in self.left_at if at > minute]
        assert len(self.left_at) < PLAN.calls_per_minute
        self.left_at.append(self.true_time)
        self.left[self.month] += 1
        date = self.true_time.replace(microsecond=0)
        self.ledger.ended(call, self.now, served=True, date=date)

    @rule()
    def somebody_signs_in(self) -> None:
        """Never refused, therefore kept room for: one a minute."""
        if self.true_time - self.signed_in_at > timedelta(seconds=75):
            self.signed_in_at = self.true_time
            self.callers_arrive(1, Purpose.SIGN_IN)

    @rule(
        callers=st.integers(1, 8),
        purpose=st.sampled_from([Purpose.BACKGROUND, Purpose.USER]),
    )
    def callers_arrive(self, callers: int, purpose: Purpose) -> None:
        """Several callers charge before any save of theirs is done."""
        for _ in range(callers):
            try:
                call = self.ledger.charge("any", self.now, purpose=purpose)
            except BudgetExhaustedError:
                continue
            if call.must_be_saved:
                self.saving.append((self.ledger.as_dict(), call, self.true_time))
            else:
                self._leaves(call)
        self._pass(timedelta(seconds=3))

    @rule()
    def a_save_without_need_begins(self) -> None:
        """What may be lost without harm is saved now and then, too."""
        self.saving.append((self.ledger.as_dict(), None, self.true_time))

    @precondition(lambda self: self.saving)
    @rule()
    def a_save_is_done(self) -> None:
        """The disk has it, and the call that waited leaves."""
        data, call, _ = self.saving.pop(0)
        self.disk = json.dumps(data)
        self.ledger.saved(data)
        if call is not None:
            self._leaves(call)

    @rule()
    def power_fails(self) -> None:
        """Data that was not on the disk is lost; waiting calls were never sent.

        The clock is set before anything starts again.
        """
        self.saving.clear()
        self.clock_error = timedelta()
        if self.disk is None:
            return
        used = self.ledger.used(self.now)
        self.ledger = self._restored()
        if self.clock_was_right:
            assert self.ledger.used(self.now) <= used + RESERVATION

    @rule()
    def stops_and_starts(self) -> None:
        """A clean restart costs nothing."""
        while self.saving:
            self.a_save_is_done()
        self.ledger.release(self.now)
        self.disk = json.dumps(self.ledger.as_dict())
        used = self.ledger.used(self.now)
        self.ledger = self._restored()
        # Until a response has the time, the clock may show another month.
        if self.clock_was_right:
            assert self.ledger.used(self.now) == used

    @rule(passes=st.timedeltas(timedelta(seconds=1), timedelta(days=2)))
    def time_passes(self, passes: timedelta) -> None:
        """Seconds or days pass."""
        self._pass(passes)

    @precondition(lambda self: not self.clock_error)
    @rule(error=st.timedeltas(timedelta(days=-40), timedelta(days=40)))
    def the_clock_goes_wrong(self, error: timedelta) -> None:
        """Backwards or forwards, by a month if need be.

        A minute after the last call: a clock that jumps forwards looks the same as a
        minute that has passed.
        """
        self._pass(timedelta(seconds=75))
        self.clock_error = error
        self.clock_was_right = False

    @rule()
    def the_clock_is_set(self) -> None:
        """It is right again."""
        self._pass(timedelta(seconds=75))
        self.clock_error = timedelta()

    @invariant()
    def every_call_is_counted(self) -> None:
        """In memory, and on the disk if power failed now."""
        if self.clock_error:
            return
        assert self.ledger.used(self.now) >= self.left[self.month]
        if self.disk is not None:
            restored = self._restored()
            assert restored.used(self.now) >= self.left[self.month]


TestNeverUnderCounts = DiskMachine.TestCase
TestNeverUnderCounts.settings = settings(
    max_examples=80, stateful_step_count=40, deadline=None
)
