"""Counts every call before it leaves; never under-counts, not even after a crash."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
import math
from typing import Any, Self

from .month import Month, month_around, month_begins
from .plans import Plan
from .stored import count, moment, number

ASSUMED = "assumed"  # calls that a missing or damaged record may have held
LOST = "lost"  # calls that may have left unrecorded before a crash

_DAY = timedelta(days=1)
# The cloud's minute, and what requests may be late on their way to it.
_MINUTE = timedelta(seconds=70)
_MONTHS_KEPT = 4
# What another program took in a month is kept free in the next, a little less each time.
_FOREIGN_FADES = 0.95
_FIRST_PAUSE = timedelta(minutes=1)
_LONGEST_PAUSE = timedelta(hours=6)
_PROBE_TIMEOUT = timedelta(minutes=1)
_CLOCK_TOLERANCE = timedelta(minutes=1)


class Period(StrEnum):
    """What a limit of the plan counts by."""

    MINUTE = "minute"
    MONTH = "month"


class Purpose(StrEnum):
    """Why a call is made; decides how far into the reserve it may reach."""

    BACKGROUND = "background"
    USER = "user"
    SIGN_IN = "sign_in"


@dataclass(frozen=True, slots=True)
class Refusal:
    """No call may leave for this limit until then."""

    period: Period
    until: datetime


def reserve(limit: int, time_left: timedelta, *, elapsed: float) -> int:
    """Return how many of the calls left background work may not touch.

    They are for sign-ins and, between 3 % of the month's calls at its beginning and
    1 % at its end, for the user. `elapsed` is the share of the month that has passed.
    """
    user = round(limit * (0.01 + 0.02 * (1 - elapsed)))
    return user + _sign_in_reserve(limit, time_left)


def _sign_in_reserve(limit: int, time_left: timedelta) -> int:
    # A token lives for a day.
    return min(math.ceil(time_left / _DAY), limit // 20)


class BudgetExhaustedError(Exception):
    """The plan allows no such call now."""

    def __init__(self, refusal: Refusal) -> None:
        """Say which limit is reached, and until when."""
        super().__init__(f"The calls of this {refusal.period} are spent")
        self.period = refusal.period
        self.until = refusal.until


@dataclass(slots=True)
class _Block:
    """A refusal by the cloud: nothing until its end, then one call to try."""

    period: Period
    since: datetime
    until: datetime
    probed: datetime | None = None

    def refusal(self, now: datetime) -> Refusal | None:
        """Return until when nothing may leave; None if a probe may."""
        # If the clock went back, the end may be far away: rather try.
        longest = self.until - self.since + _CLOCK_TOLERANCE
        if now < self.until and self.until - now <= longest:
            return Refusal(self.period, self.until)
        if self.probed is not None and self.probed <= now < (
            answer_due := self.probed + _PROBE_TIMEOUT
        ):
            return Refusal(self.period, answer_due)
        return None


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
        self._block: _Block | None = None
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
            "plan": [self._plan.calls_per_minute, self._plan.calls_per_month],
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
        self._block = _Block(period or Period.MINUTE, now, until)

    def answered(self, now: datetime) -> None:
        """Note that the cloud answered an API call with anything but a refusal."""
        self._refusals = 0
        if self._block is not None and self._block.probed is not None:
            self._block = None
            # The cloud has calls left, so what it had counted belongs to the past.
            self._month(now).foreign = 0

    def change_plan(self, plan: Plan, now: datetime) -> None:
        """Go by another plan from now on; what is spent stays spent.

        What was only assumed to be spent, for want of a record, is assumed anew.
        """
        self._assume_anew(self._plan.calls_per_month, plan.calls_per_month)
        if (plan.calls_per_minute, plan.calls_per_month) != (
            self._plan.calls_per_minute,
            self._plan.calls_per_month,
        ):
            self._cloud_limit = None
            if self._block is not None:
                self._block.until = min(self._block.until, now)
        self._plan = plan

    def _assume_anew(self, old_limit: int, new_limit: int) -> None:
        """Bring what is assumed of a share of one limit to the same share of another.

        A plan that was named too large must not lock its correction out.
        """
        if old_limit <= 0:
            return
        for month in self._months:
            if assumed := month.operations[ASSUMED]:
                month.operations[ASSUMED] = assumed * new_limit // old_limit

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
        return self._month(now).unexplained > 0

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
            return self.limit - _sign_in_reserve(self.limit, time_left)
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
            month.unexplained += 1
            self._foreign_pace = month.foreign / max(0.1, month.elapsed(now))

    def _read(self, data: Any, now: datetime) -> None:
        """Take over a record; raises if it is damaged."""
        same_plan = data["plan"] == [
            self._plan.calls_per_minute,
            self._plan.calls_per_month,
        ]
        cloud_limit = data["cloud_limit"]
        if same_plan and cloud_limit is not None:
            self._cloud_limit = count(cloud_limit)
        self._month_begins = timedelta(seconds=data["month_begins"])
        self._months = [Month.from_dict(month) for month in data["months"]]
        if not self._months:
            raise ValueError("A record holds a month")
        self._assume_anew(count(data["plan"][1]), self._plan.calls_per_month)
        self._recent = [moment(call) for call in data["recent"]]
        if (block := data["block"]) is not None and same_plan:
            self._block = _Block(
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
