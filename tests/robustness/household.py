"""A household that spends calls under clocks, crashes and answers that are absurd.

The cloud counts by itself: true time, calendar months in UTC, and every 60 seconds,
each call at the moment when it arrives. It knows nothing of how we count.
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

type Answer = Literal["served", "error", "refused", "nothing"]

_SECOND = timedelta(seconds=1)
_MINUTE = timedelta(minutes=1)
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
# What may be lost without harm is saved so long after it has changed.
_DELAY = timedelta(seconds=10)
# So many answers with a true date settle what time it is.
_ENOUGH = 2
# What has left a machine that dies arrives no later.
_ON_ITS_WAY = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Refused:
    """What a 429 tells, true or not."""

    period: Period | None = None
    start: datetime | None = None
    end: datetime | None = None
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of a call: its ways [s], its answer, and the clock in that.

    A `date` stands in for the true one; `dated` tells whether there is any.
    """

    there: float = 0.1
    back: float = 0.1
    answer: Answer = "served"
    refused: Refused = Refused()
    dated: bool = True
    date: datetime | None = None


FINE = Fate()


class Counted:
    """The cloud's own count of a key's calls."""

    def __init__(self, plan: Plan) -> None:
        """Begin without any."""
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
        """Count calls of another program, as far as they are served."""
        self._foreign[at.year, at.month] += min(calls, max(0, self.left(at)))

    def change_plan(self, plan: Plan) -> None:
        """Allow what another plan allows."""
        self._plan = plan

    def left(self, at: datetime) -> int:
        """Return how many calls the month has left."""
        month = at.year, at.month
        spent = self._own[month] + self._foreign[month]
        return self._plan.calls_per_month - spent

    def own(self, at: datetime) -> int:
        """Return how many calls of ours the month has seen."""
        return self._own[at.year, at.month]


@dataclass(slots=True)
class _Traveller:
    """A call under way, and the process that waits for it."""

    call: Call
    process: int
    fate: Fate
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
    # Calls of which the ledger cannot know when, or whether, they arrived.
    obscure: int = 0
    counted: Counted = field(init=False)
    ledger: Ledger = field(init=False)
    disk: str = "null"
    _unsaved_since: datetime | None = None
    _process: int = 0
    _witnesses: int = 0
    _signed_in: datetime = field(init=False)
    _travellers: list[tuple[datetime, int, _Traveller]] = field(default_factory=list)
    _number: count[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        """Install everything."""
        self.counted = Counted(self.plan)
        self._signed_in = self.time
        self.is_new = bool(self.clock_error)
        self._start()

    @property
    def now(self) -> datetime:
        """Return what the clock of the machine shows."""
        return self.time + self.clock_error

    @property
    def is_settled(self) -> bool:
        """Return whether the ledger has had what it takes to know the time."""
        return self._witnesses > _ENOUGH and not self._travellers

    def send(self, purpose: Purpose, fate: Fate = FINE) -> bool:
        """Let a call leave if the ledger allows it; return whether it did."""
        try:
            call = self.ledger.charge("any", self.now, purpose=purpose)
        except BudgetExhaustedError:
            return False
        if call.must_be_saved:
            self._save()
        tells_time = fate.answer != "nothing" and fate.dated and fate.date is None
        if self._witnesses < _ENOUGH or not tells_time:
            self.obscure += 1
        traveller = _Traveller(call, self._process, fate)
        self._expect(self.time + timedelta(seconds=fate.there), traveller)
        return True

    def sign_in(self) -> None:
        """Renew the token once a day, before a call that may leave."""
        refusal = self.ledger.refusal(self.now, purpose=Purpose.USER)
        if refusal is None and self.time - self._signed_in >= _DAY:
            self._signed_in = self.time
            self.send(Purpose.SIGN_IN)

    def pass_time(self, passes: timedelta) -> None:
        """Let calls arrive, and answers."""
        until = self.time + passes
        while self._travellers and self._travellers[0][0] <= until:
            self.time, _, traveller = heappop(self._travellers)
            if traveller.has_arrived:
                self._answered(traveller)
            else:
                self._arrived(traveller)
        self.time = until
        if self._unsaved_since is not None and until - self._unsaved_since >= _DELAY:
            self._write()

    def set_clock(self, error: timedelta) -> None:
        """Set the clock of the machine, rightly or not."""
        self.clock_error = error
        self._witnesses = 0

    def kill(self, error: timedelta) -> None:
        """Cut the power; the clock may be another when it is back."""
        self.obscure += 1 + len(self._travellers)
        self.clock_error = error
        self._start()

    def restart(self, error: timedelta) -> None:
        """Stop and start as intended."""
        self.obscure += len(self._travellers)
        for _, _, traveller in self._travellers:
            if traveller.process == self._process:
                self.ledger.ended(traveller.call, self.now)
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
        """Let somebody else spend calls of the key."""
        self.counted.spend_elsewhere(self.time, calls)

    def is_deadlocked(self) -> bool:
        """Return whether no call leaves for an hour though there should be some left.

        What is kept for sign-ins and what nobody but the cloud can know is taken off.
        """
        kept = max(8, self.plan.calls_per_month // 20) + self.obscure
        if self.is_new:
            # Somebody may have used it before, for all that is known of the time.
            kept += self.plan.calls_per_month * (self.time.day + 1) // 28
        if self.counted.left(self.time) <= kept:
            return False
        end = self.time + _HOUR
        while self.time < end:
            if self.send(Purpose.USER):
                return False
            self.pass_time(timedelta(seconds=30))
        return True

    def _expect(self, at: datetime, traveller: _Traveller) -> None:
        heappush(self._travellers, (at, next(self._number), traveller))

    def _arrived(self, traveller: _Traveller) -> None:
        fate = traveller.fate
        traveller.has_arrived = True
        traveller.is_refused = not self.counted.arrive(self.time)
        traveller.date = None
        if fate.dated:
            traveller.date = fate.date or self.time.replace(microsecond=0)
        self._expect(self.time + timedelta(seconds=fate.back), traveller)

    def _answered(self, traveller: _Traveller) -> None:
        if traveller.process != self._process:
            return
        self._unsaved_since = self._unsaved_since or self.time
        fate, call = traveller.fate, traveller.call
        if fate.answer == "nothing":
            self.ledger.ended(call, self.now)
            return
        self._witnesses += fate.dated and fate.date is None
        is_served = fate.answer == "served" and not traveller.is_refused
        self.ledger.ended(call, self.now, served=is_served, date=traveller.date)
        if traveller.is_refused:
            self._refused(self._true_refusal())
        elif fate.answer == "refused":
            self._refused(fate.refused)

    def _refused(self, told: Refused) -> None:
        self.ledger.refused_by_cloud(
            self.now,
            period=told.period,
            period_start=told.start,
            period_end=told.end,
            limit=told.limit,
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
        # Nobody opens a connection any more, but what is on its way arrives.
        self._travellers = [
            each
            for each in self._travellers
            if each[2].has_arrived or each[0] - self.time <= _ON_ITS_WAY
        ]
        heapify(self._travellers)
        self._process += 1
        self._witnesses = 0
        self._unsaved_since = None
        booted = self.time
        self.ledger = Ledger.restore(
            json.loads(self.disk),
            self.plan,
            now=self.now,
            monotonic=lambda: (self.time - booted) / _SECOND,
        )
