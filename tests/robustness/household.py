"""A household that spends calls despite wrong clocks, crashes and absurd responses.

The cloud has its own count: in true time, by calendar months in UTC, and by any 60
seconds, with each call at the time of its arrival. It uses nothing of our count.
"""

from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from heapq import heapify, heappop, heappush
from itertools import count
import json
from typing import Any, Literal

from custom_components.enphase_cloud.quota.ledger import (
    BudgetExhaustedError,
    Ledger,
    Period,
    Purpose,
)
from custom_components.enphase_cloud.quota.plans import Plan
from custom_components.enphase_cloud.quota.reserve import Call

type Response = Literal["served", "error", "refused", "nothing"]

_SECOND = timedelta(seconds=1)
_MINUTE = timedelta(minutes=1)
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
# Changes that may be lost are saved after this delay.
_DELAY = timedelta(seconds=10)
# The number of responses with a true date after which the time is certain.
_ENOUGH_DATES = 2
# A call that left before the machine died arrives within this time.
_ON_ITS_WAY = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Refused:
    """The contents of a 429, true or not."""

    period: Period | None = None
    start: datetime | None = None
    end: datetime | None = None
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """A call's travel times [s], its response, and the `Date` in that.

    `date` replaces the true date; `dated` tells whether there is one at all.
    """

    there: float = 0.1
    back: float = 0.1
    response: Response = "served"
    refused: Refused = Refused()
    dated: bool = True
    date: datetime | None = None


FINE = Outcome()


class Counted:
    """The cloud's own count of a key's calls."""

    def __init__(self, plan: Plan) -> None:
        """Begin with no calls."""
        self._plan = plan
        self._arrivals: list[datetime] = []
        self._own: Counter[tuple[int, int]] = Counter()
        self._foreign: Counter[tuple[int, int]] = Counter()
        self.overruns: list[str] = []

    def arrive(self, at: datetime) -> bool:
        """Count a call of ours; return whether the month had one left for it."""
        month = at.year, at.month
        self._own[month] += 1
        self._arrivals.append(at)
        of_minute = len(self._arrivals) - bisect_right(self._arrivals, at - _MINUTE)
        if of_minute > self._plan.calls_per_minute:
            self.overruns.append(f"{of_minute} calls in the minute before {at}")
        if self._own[month] > self._plan.calls_per_month:
            self.overruns.append(f"{self._own[month]} calls in the month of {at}")
        return self.left(at) >= 0

    def spend_elsewhere(self, at: datetime, calls: int) -> None:
        """Count calls of another program, up to the plan's limit."""
        self._foreign[at.year, at.month] += min(calls, max(0, self.left(at)))

    def change_plan(self, plan: Plan) -> None:
        """Change the limits to another plan's."""
        self._plan = plan

    def left(self, at: datetime) -> int:
        """Return the number of calls that the month has left."""
        month = at.year, at.month
        spent = self._own[month] + self._foreign[month]
        return self._plan.calls_per_month - spent

    def own(self, at: datetime) -> int:
        """Return the number of our calls in the month."""
        return self._own[at.year, at.month]


@dataclass(slots=True)
class _Transit:
    """A call under way, and the process that waits for its response."""

    call: Call
    process: int
    outcome: Outcome
    has_arrived: bool = False
    is_refused: bool = False
    date: datetime | None = None


@dataclass(slots=True)
class Household:
    """One key, its ledger and its disk, in true time."""

    plan: Plan
    time: datetime
    clock_error: timedelta = timedelta()
    # Whether the clock was wrong when the key was new.
    is_new: bool = field(init=False)
    # Calls whose arrival, or its time, the ledger cannot know.
    uncertain: int = 0
    counted: Counted = field(init=False)
    ledger: Ledger = field(init=False)
    disk: str = "null"
    _unsaved_since: datetime | None = None
    _process: int = 0
    _asleep: timedelta = timedelta()
    _true_dates: int = 0
    _signed_in: datetime = field(init=False)
    _transits: list[tuple[datetime, int, _Transit]] = field(default_factory=list)
    _number: count[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        """Start the first process."""
        self.counted = Counted(self.plan)
        self._signed_in = self.time
        self.is_new = bool(self.clock_error)
        self._start()

    @property
    def now(self) -> datetime:
        """Return the time of the machine's clock."""
        return self.time + self.clock_error

    @property
    def is_settled(self) -> bool:
        """Return whether the ledger has enough true dates to know the time."""
        return self._true_dates > _ENOUGH_DATES and not self._transits

    def send(self, purpose: Purpose, outcome: Outcome = FINE) -> bool:
        """Send a call if the ledger allows it; return whether it did."""
        try:
            call = self.ledger.charge("any", self.now, purpose=purpose)
        except BudgetExhaustedError:
            return False
        if call.must_be_saved:
            self._save()
        has_true_date = (
            outcome.response != "nothing" and outcome.dated and outcome.date is None
        )
        if self._true_dates < _ENOUGH_DATES or not has_true_date:
            self.uncertain += 1
        transit = _Transit(call, self._process, outcome)
        self._queue(self.time + timedelta(seconds=outcome.there), transit)
        return True

    def sign_in(self) -> None:
        """Renew the token once a day, before a call that is allowed."""
        refusal = self.ledger.refusal(self.now, purpose=Purpose.USER)
        if refusal is None and self.time - self._signed_in >= _DAY:
            self._signed_in = self.time
            self.send(Purpose.SIGN_IN)

    def pass_time(self, passes: timedelta) -> None:
        """Advance time; let calls and responses arrive."""
        until = self.time + passes
        while self._transits and self._transits[0][0] <= until:
            self.time, _, transit = heappop(self._transits)
            if transit.has_arrived:
                self._responded(transit)
            else:
                self._arrived(transit)
        self.time = until
        if self._unsaved_since is not None and until - self._unsaved_since >= _DELAY:
            self._write()

    def set_clock(self, error: timedelta) -> None:
        """Set the error of the machine's clock."""
        self.clock_error = error
        self._true_dates = 0

    def suspend(self, passes: timedelta) -> None:
        """Let time pass while the machine sleeps; its monotonic clock stands still."""
        self.time += passes
        self._asleep += passes
        self._true_dates = 0

    def kill(self, error: timedelta) -> None:
        """Cut the power; afterwards the clock may have another error."""
        self.uncertain += 1 + len(self._transits)
        self.clock_error = error
        self._start()

    def restart(self, error: timedelta) -> None:
        """Stop and start in an orderly way."""
        self.uncertain += len(self._transits)
        for _, _, transit in self._transits:
            if transit.process == self._process:
                self.ledger.ended(transit.call, self.now)
        self.ledger.release(self.now)
        self._save()
        self.clock_error = error
        self._start()

    def buy(self, plan: Plan) -> None:
        """Change to a larger plan."""
        self.plan = plan
        self.counted.change_plan(plan)
        self.ledger.change_plan(plan, self.now)

    def another_program(self, calls: int) -> None:
        """Spend calls of the key by another program."""
        self.counted.spend_elsewhere(self.time, calls)

    def is_deadlocked(self) -> bool:
        """Return whether no call leaves for an hour though some should be left.

        Not counted as left: the reserve for sign-ins, and calls that only the cloud can
        know of.
        """
        kept = max(8, self.plan.calls_per_month // 20) + self.uncertain
        if self.is_new:
            # With an uncertain time, another program may have used the key before.
            kept += self.plan.calls_per_month * (self.time.day + 1) // 28
        if self.counted.left(self.time) <= kept:
            return False
        end = self.time + _HOUR
        while self.time < end:
            if self.send(Purpose.USER):
                return False
            self.pass_time(timedelta(seconds=30))
        return True

    def _queue(self, at: datetime, transit: _Transit) -> None:
        heappush(self._transits, (at, next(self._number), transit))

    def _arrived(self, transit: _Transit) -> None:
        outcome = transit.outcome
        transit.has_arrived = True
        transit.is_refused = not self.counted.arrive(self.time)
        transit.date = None
        if outcome.dated:
            transit.date = outcome.date or self.time.replace(microsecond=0)
        self._queue(self.time + timedelta(seconds=outcome.back), transit)

    def _responded(self, transit: _Transit) -> None:
        if transit.process != self._process:
            return
        self._unsaved_since = self._unsaved_since or self.time
        outcome, call = transit.outcome, transit.call
        if outcome.response == "nothing":
            self.ledger.ended(call, self.now)
            return
        self._true_dates += outcome.dated and outcome.date is None
        is_served = outcome.response == "served" and not transit.is_refused
        self.ledger.ended(call, self.now, served=is_served, date=transit.date)
        if transit.is_refused:
            self._refused(self._true_refusal())
        elif outcome.response == "refused":
            self._refused(outcome.refused)

    def _refused(self, refusal: Refused) -> None:
        self.ledger.refused_by_cloud(
            self.now,
            period=refusal.period,
            period_start=refusal.start,
            period_end=refusal.end,
            limit=refusal.limit,
        )
        self._save()

    def _true_refusal(self) -> Refused:
        start = datetime(self.time.year, self.time.month, 1, tzinfo=UTC)
        end = (start + timedelta(days=32)).replace(day=1)
        return Refused(Period.MONTH, start, end, self.plan.calls_per_month)

    def _save(self) -> None:
        self.ledger.saved(self._write())

    def _write(self) -> dict[str, Any]:
        data = self.ledger.as_dict()
        self.disk = json.dumps(data)
        self._unsaved_since = None
        return data

    def _start(self) -> None:
        # Calls and responses on their way still arrive, but there are no new ones.
        self._transits = [
            each
            for each in self._transits
            if each[2].has_arrived or each[0] - self.time <= _ON_ITS_WAY
        ]
        heapify(self._transits)
        self._process += 1
        self._true_dates = 0
        self._unsaved_since = None
        booted, self._asleep = self.time, timedelta()
        self.ledger = Ledger.restore(
            json.loads(self.disk),
            self.plan,
            now=self.now,
            monotonic=lambda: (self.time - booted - self._asleep) / _SECOND,
        )
