"""Counts every call before it leaves; never under-counts, not even after a crash."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Self

from .limits import (
    Block,
    BudgetExhaustedError,
    Period,
    Purpose,
    Refusal,
    reserve,
    sign_in_reserve,
)
from .month import Month, month_around, month_begins
from .plans import Plan
from .stored import count, duration, moment, number

__all__ = [
    "ASSUMED",
    "LOST",
    "BudgetExhaustedError",
    "Ledger",
    "Period",
    "Purpose",
    "Refusal",
]

ASSUMED = "assumed"  # calls that a missing or damaged record may have held
LOST = "lost"  # calls that may have left unrecorded before a crash

_DAY = timedelta(days=1)
# The cloud's minute, and what requests may be late on their way to it.
_MINUTE = timedelta(seconds=70)
_MONTHS_KEPT = 4
# What another program took in a month is kept free in the next, a little less each
# time, for it may be gone.
_FOREIGN_FADES = 0.95
# The cloud may refuse calls by the minute for other reasons, but hardly often.
_SUSPICIOUS = 3
_FIRST_PAUSE = timedelta(minutes=1)
_LONGEST_PAUSE = timedelta(hours=6)


class Ledger:
    """The calls of one API key, whoever of us makes them.

    All moments are aware datetimes. Calls are counted in the month of the cloud: as a
    refusal told it, else the calendar month in UTC. The counts never fall within a
    month. A record that was never kept (a new key) or is lost is answered by assuming
    calls in proportion to the time that has passed of the month.
    """

    def __init__(self, plan: Plan, *, now: datetime) -> None:
        """Open the ledger of a key whose earlier use is unknown."""
        self._plan = plan
        self._cloud_limit: int | None = None
        self._month_begins = timedelta()
        self._months: list[Month] = []
        self._recent: list[datetime] = []
        self._block: Block | None = None
        self._refusals = 0
        self._foreign_pace = 0.0
        self._charged = 0
        self._covered = 0
        self._released = False
        self._open_first_month(now)

    @classmethod
    def restore(cls, data: object, plan: Plan, *, now: datetime) -> Self:
        """Open the ledger from what as_dict() returned earlier; never raises.

        None means that there is no record. A damaged record is treated the same, and
        the current minute is taken as spent, too.
        """
        ledger = cls(plan, now=now)
        if data is None:
            return ledger
        try:
            ledger._read(data, now)
        except AttributeError, KeyError, OverflowError, TypeError, ValueError:
            ledger = cls(plan, now=now)
            ledger._recent = [now] * plan.calls_per_minute
        return ledger

    def as_dict(self) -> dict[str, Any]:
        """Return the ledger as JSON, with the reservation for calls yet to come."""
        block = self._block
        return {
            "plan": _limits(self._plan),
            "cloud_limit": self._cloud_limit,
            "month_begins": self._month_begins.total_seconds(),
            "months": [month.as_dict() for month in self._months],
            "recent": [call.timestamp() for call in self._recent],
            "block": block
            and {
                "period": block.period,
                "since": block.since.timestamp(),
                "until": block.until.timestamp(),
            },
            "refusals": self._refusals,
            "foreign_pace": self._foreign_pace,
            "charged": self._charged,
            "reserved": 0 if self._released else self._reservation,
        }

    def saved(self, data: Mapping[str, Any]) -> None:
        """Note that what as_dict() returned is on the disk now.

        Until then every charge asks to be saved first.
        """
        self._covered = data["charged"] + data["reserved"]

    def release(self, now: datetime) -> None:
        """Give the reservation back before a clean shutdown; save as_dict() then."""
        self._month(now)
        self._released = True
        self._covered = self._charged

    def refusal(self, now: datetime, *, purpose: Purpose) -> Refusal | None:
        """Return why a call may not leave now; None if it may.

        A sign-in is never refused: without a token nothing works any more.
        """
        if purpose is Purpose.SIGN_IN:
            return None
        month = self._month(now)
        used = month.used
        if self._block is not None:
            if (refusal := self._block.refusal(now)) is not None:
                return refusal
            used = month.own
        if used >= self._limit(month, now, purpose):
            return Refusal(Period.MONTH, month.end)
        recent = self._recent_calls(now)
        spare = 2 if purpose is Purpose.BACKGROUND else 1
        allowed = max(1, self._plan.calls_per_minute - spare)
        if len(recent) >= allowed:
            return Refusal(Period.MINUTE, recent[-allowed] + _MINUTE)
        return None

    def charge(self, operation: str, now: datetime, *, purpose: Purpose) -> bool:
        """Count a call that is about to leave.

        Returns whether as_dict() must be on the disk before it does. Raises
        BudgetExhaustedError, and counts nothing, if it may not leave.
        """
        if (refusal := self.refusal(now, purpose=purpose)) is not None:
            raise BudgetExhaustedError(refusal)
        self._month(now)
        # If the clock went back, a later month may be the true one: count in both.
        for month in self._months:
            if month.end > now:
                month.operations[operation] += 1
        self._recent = [*self._recent_calls(now), now]
        if self._block is not None and purpose is not Purpose.SIGN_IN:
            self._block.probed = now
        self._charged += 1
        self._released = False
        return self._charged > self._covered

    def refused_by_cloud(
        self,
        now: datetime,
        *,
        period: Period | None = None,
        period_start: datetime | None = None,
        period_end: datetime | None = None,
        limit: int | None = None,
    ) -> None:
        """Believe a 429: correct the count upwards and block until the period ends.

        All that the cloud may leave out is optional. Refusals in a row lengthen the
        pause.
        """
        self._refusals = min(self._refusals + 1, 16)
        pause = min(_FIRST_PAUSE * 2.0 ** (self._refusals - 1), _LONGEST_PAUSE)
        if period is Period.MONTH:
            month = self._month_told(now, period_start, period_end)
            self._correct(month, now, limit)
            told = period_end if period_end == month.end else None
            until = told or min(month.end, now + _LONGEST_PAUSE)
        else:
            month = self._month(now)
            if len(self._recent_calls(now)) <= self._plan.calls_per_minute // 2:
                month.unexplained += 1
            until = now + pause
            if period_end is not None and period_end - now <= _MINUTE:
                until = max(until, period_end)
        self._block = Block(period or Period.MINUTE, now, until)

    def answered(self, now: datetime) -> None:
        """Note that the cloud answered an API call with anything but a refusal."""
        if self._block is None:
            self._refusals = 0
        elif self._block.probed is not None:
            self._refusals = 0
            self._block = None
            # The cloud has calls left, so what it had counted belongs to the past.
            self._month(now).foreign = 0

    def change_plan(self, plan: Plan, now: datetime) -> None:
        """Go by another plan from now on; what is spent stays spent.

        What was only assumed to be spent, for want of a record, is assumed anew.
        """
        if _limits(plan) != _limits(self._plan):
            self._assume_anew(self._plan.calls_per_month, plan.calls_per_month)
            self._cloud_limit = None
            if self._block is not None:
                self._block.until = min(self._block.until, now)
        self._plan = plan

    def record_wasted(self, now: datetime) -> None:
        """Count an answered call that brought nothing new."""
        self._month(now).wasted += 1

    # What sensors and the schedule read.

    @property
    def plan(self) -> Plan:
        """Return the plan that the user chose."""
        return self._plan

    @property
    def limit(self) -> int:
        """Return the calls a month: the plan's, or fewer if the cloud said so."""
        limit = self._plan.calls_per_month
        return limit if self._cloud_limit is None else min(limit, self._cloud_limit)

    def used(self, now: datetime) -> int:
        """Return the calls spent this month, other programs' known ones included."""
        return self._month(now).used

    def left(self, now: datetime) -> int:
        """Return the calls that the plan has left this month."""
        return max(0, self.limit - self.used(now))

    def spendable(self, now: datetime) -> int:
        """Return the calls that background work may still plan with this month.

        The reserve for user and sign-in is taken off, and what another program will
        take if it goes on as it did.
        """
        month = self._month(now)
        return max(0, self._limit(month, now, Purpose.BACKGROUND) - month.used)

    def period_end(self, now: datetime) -> datetime:
        """Return when the month ends."""
        return self._month(now).end

    def by_operation(self, now: datetime) -> Mapping[str, int]:
        """Return this month's own calls by operation."""
        return dict(self._month(now).operations)

    def wasted(self, now: datetime) -> int:
        """Return this month's calls that brought nothing new."""
        return self._month(now).wasted

    def expected_at_period_end(self, now: datetime) -> int:
        """Return the calls spent at the end of the month if all goes on as now."""
        month = self._month(now)
        passed = max(now - month.start, _DAY)
        return round(month.used * (1 + (month.end - now) / passed))

    def blocked_until(self, now: datetime) -> datetime | None:
        """Return until when the cloud's refusal holds; None if it does not."""
        refusal = self._block.refusal(now) if self._block is not None else None
        return None if refusal is None else refusal.until

    def foreign_calls(self, now: datetime) -> int:
        """Return this month's calls that the cloud counted and we did not."""
        return self._month(now).foreign

    def other_program_suspected(self, now: datetime) -> bool:
        """Return whether the cloud refused calls that we believed to have."""
        return self._month(now).unexplained >= _SUSPICIOUS

    # How it works.

    @property
    def _reservation(self) -> int:
        """Return how many calls what is saved runs ahead."""
        # A crash must cost neither much of the month nor much of a minute.
        plan = self._plan
        return min(plan.calls_per_month // 1_000, plan.calls_per_minute // 5)

    def _limit(self, month: Month, now: datetime, purpose: Purpose) -> int:
        """Return how many calls a purpose may bring this month to."""
        time_left = month.end - now
        if purpose is Purpose.USER:
            return self.limit - sign_in_reserve(self.limit, time_left)
        kept = reserve(self.limit, time_left, elapsed=month.elapsed(now))
        return self.limit - kept - round(self._foreign_pace)

    def _recent_calls(self, now: datetime) -> list[datetime]:
        """Return the calls of the last minute, none of them in the future."""
        calls = sorted(min(call, now) for call in self._recent)
        return [call for call in calls if now - call < _MINUTE]

    def _month(self, now: datetime) -> Month:
        """Return the month of a moment, opening it if need be."""
        # The newest first: a month as told by the cloud may overlap an older one.
        for month in reversed(self._months):
            if month.contains(now):
                return month
        start, end = month_around(now, self._month_begins)
        month = Month(start, end)
        if all(known.start > now for known in self._months):
            # A month before all that is remembered: the clock cannot be trusted.
            month.operations[ASSUMED] = self.limit
            return month
        self._foreign_pace *= _FOREIGN_FADES
        self._months = sorted([*self._months, month], key=lambda month: month.start)
        del self._months[:-_MONTHS_KEPT]
        return month

    def _open_first_month(self, now: datetime) -> None:
        start, end = month_around(now, self._month_begins)
        month = Month(start, end)
        # What passed of the month counts as spent, save for one day's calls.
        assumed = min(month.elapsed(now), 1 - _DAY / (end - start))
        month.operations[ASSUMED] = int(self.limit * assumed)
        self._months = [month]

    def _assume_anew(self, old_limit: int, limit: int) -> None:
        """Assume the same share of another limit to be spent.

        A plan that was named too large must not lock its correction out.
        """
        for month in self._months:
            assumed = month.operations[ASSUMED]
            month.operations[ASSUMED] = assumed * limit // max(1, old_limit)

    def _month_told(
        self, now: datetime, start: datetime | None, end: datetime | None
    ) -> Month:
        """Return the current month, moved to where the cloud says that it lies."""
        month = self._month(now)
        if start is None or end is None or not start <= now < end:
            return month
        if not timedelta(days=27) < end - start < timedelta(days=32):
            return month
        for other in self._months:
            overlap = min(end, other.end) - max(start, other.start)
            if other is not month and overlap > (other.end - other.start) / 2:
                month.absorb(other)
        month.start, month.end = start, end
        self._month_begins = month_begins(start)
        self._months = [
            known
            for known in self._months
            if known is month or not start <= known.start < end
        ]
        return month

    def _correct(self, month: Month, now: datetime, limit: int | None) -> None:
        """Raise the count to the limit that the cloud says is reached."""
        if limit is not None and limit > 0:
            self._cloud_limit = limit
        left = self._limit(month, now, Purpose.BACKGROUND) - month.used
        month.foreign = max(month.foreign, self.limit - month.own)
        if left > 0:
            month.unexplained += _SUSPICIOUS
            pace = month.foreign / max(0.1, month.elapsed(now))
            # However much another program takes, half of the calls are ours.
            self._foreign_pace = min(pace, self.limit / 2)

    def _read(self, data: Any, now: datetime) -> None:
        """Take over a record; raises if it is damaged."""
        same_plan = data["plan"] == _limits(self._plan)
        cloud_limit = data["cloud_limit"]
        if same_plan and cloud_limit is not None:
            self._cloud_limit = count(cloud_limit)
        self._month_begins = duration(data["month_begins"])
        months = [Month.from_dict(month) for month in data["months"]]
        self._months = sorted(months, key=lambda month: month.start)
        if not self._months:
            raise ValueError("A record holds a month")
        _, former_limit = data["plan"]
        self._assume_anew(count(former_limit), self._plan.calls_per_month)
        self._recent = [moment(call) for call in data["recent"]]
        if (block := data["block"]) is not None and same_plan:
            self._block = Block(
                Period(block["period"]), moment(block["since"]), moment(block["until"])
            )
        self._refusals = min(count(data["refusals"]), 16)
        self._foreign_pace = number(data["foreign_pace"])
        self._charged = count(data["charged"])
        self._count_lost(count(data["reserved"]), now)

    def _count_lost(self, calls: int, now: datetime) -> None:
        """Count the reservation of a ledger that was not released."""
        if not calls:
            return
        # They left in the month of the record, or in one that began since.
        newest, current = self._months[-1], self._month(now)
        newest.operations[LOST] += calls
        if current is not newest:
            current.operations[LOST] += calls
        self._recent += [now] * calls
        self._charged += calls


def _limits(plan: Plan) -> list[int]:
    return [plan.calls_per_minute, plan.calls_per_month]
