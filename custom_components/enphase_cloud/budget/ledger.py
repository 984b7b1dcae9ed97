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
from .month import ASSUMED, LOST, Month, Months
from .plans import Plan
from .stored import count, moment

__all__ = [
    "ASSUMED",
    "LOST",
    "BudgetExhaustedError",
    "Ledger",
    "Period",
    "Purpose",
    "Refusal",
]

_DAY = timedelta(days=1)
# How long a call may wait for the disk and travel before the cloud counts it.
_WAY = timedelta(seconds=10)
_MINUTE = timedelta(minutes=1) + _WAY
# The cloud may refuse calls by the minute for other reasons, but hardly often.
_SUSPICIOUS = 3
_FIRST_PAUSE = timedelta(minutes=1)
_LONGEST_PAUSE = timedelta(hours=6)
# Calls of a minute that are kept for what matters more.
_SPARE = {Purpose.BACKGROUND: 2, Purpose.USER: 1, Purpose.SIGN_IN: 0}


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
        self._months = Months(plan.calls_per_month)
        self._recent: list[datetime] = []
        self._block: Block | None = None
        self._refusals = 0
        self._charged = 0
        self._covered = 0
        self._released = False
        self.was_damaged = False
        self._months.present(now)

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
        except AttributeError, LookupError, OverflowError, TypeError, ValueError:
            ledger = cls(plan, now=now)
            ledger._recent = [now] * plan.calls_per_minute
            ledger.was_damaged = True
        return ledger

    def as_dict(self) -> dict[str, Any]:
        """Return the ledger as JSON, with the reservation for calls yet to come."""
        block = self._block
        return {
            "plan": _limits(self._plan),
            "cloud_limit": self._cloud_limit,
            "months": self._months.as_dict(),
            "recent": [call.timestamp() for call in self._recent],
            "block": block
            and {
                "period": block.period,
                "since": block.since.timestamp(),
                "until": block.until.timestamp(),
                "tried": block.tried,
            },
            "refusals": self._refusals,
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
        self._months.present(now)
        self._released = True
        self._covered = self._charged

    def refusal(self, now: datetime, *, purpose: Purpose) -> Refusal | None:
        """Return why a call may not leave now; None if it may.

        A sign-in is refused only where the plan's calls of the minute or the month are
        spent by ourselves: without a token nothing works any more.
        """
        months = self._months.from_present(now)
        if purpose is Purpose.SIGN_IN:
            used = max(month.own - month.operations[ASSUMED] for month in months)
        elif self._block is None:
            used = max(month.used for month in months)
        elif (refusal := self._block.refusal(now)) is not None:
            return refusal
        else:
            used = max(month.own for month in months)
        if used >= self._limit(months[0], now, purpose):
            return Refusal(Period.MONTH, months[0].end)
        recent = self._recent_calls(now)
        allowed = max(1, self._plan.calls_per_minute - _SPARE[purpose])
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
        # At the end of a month, the call may reach the next one.
        self._months.present(now + _WAY)
        for month in self._months.from_present(now):
            month.operations[operation] += 1
        self._months.present(now).ahead += 1
        self._recent = [*self._recent_calls(now), now]
        if self._block is not None and purpose is not Purpose.SIGN_IN:
            self._block.probe(now)
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
            month = self._months.tell(now, period_start, period_end)
            self._correct(month, now, limit)
            told = period_end if period_end == month.end else None
            until = told or min(month.end, now + _LONGEST_PAUSE)
        else:
            month = self._months.present(now)
            if len(self._recent_calls(now)) <= self._plan.calls_per_minute // 2:
                month.unexplained += 1
            until = now + pause
            if period_end is not None and period_end - now <= _MINUTE:
                until = max(until, period_end)
        tried = self._block is not None and self._block.tried
        self._block = Block(period or Period.MINUTE, now, until, tried=tried)

    def may_try(self, now: datetime) -> bool:
        """Return whether the user may let one call leave although the month is refused.

        They may once, until the cloud serves a call again, and within the plan.
        """
        block = self._block
        if block is None or block.period is not Period.MONTH or block.tried:
            return False
        months = self._months.from_present(now)
        own = max(month.own for month in months)
        return block.refusal(now) is not None and own < self._limit(
            months[0], now, Purpose.USER
        )

    def allow_try(self, now: datetime) -> None:
        """Let one call leave within a minute, if `may_try` says so."""
        if self._block is not None and self.may_try(now):
            self._block.allow_try(now)

    def answered(self, now: datetime) -> None:
        """Note that the cloud answered an API call with anything but a refusal."""
        if self._block is None:
            self._refusals = 0
        elif self._block.probed is not None:
            self._refusals = 0
            self._block = None
            # The cloud has calls left, so what it had counted belongs to the past.
            self._months.present(now).foreign = 0

    def change_plan(self, plan: Plan, now: datetime) -> None:
        """Go by another plan from now on; what is spent stays spent.

        What was only assumed to be spent, for want of a record, is assumed anew.
        """
        if _limits(plan) != _limits(self._plan):
            self._months.change_limit(plan.calls_per_month)
            self._cloud_limit = None
            if self._block is not None:
                self._block.until = min(self._block.until, now)
        self._plan = plan

    def record_wasted(self, now: datetime) -> None:
        """Count an answered call that brought nothing new."""
        self._months.present(now).wasted += 1

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
        return self._months.present(now).used

    def left(self, now: datetime) -> int:
        """Return the calls that the plan has left this month."""
        return max(0, self.limit - self.used(now))

    def spendable(self, now: datetime) -> int:
        """Return the calls that background work may still plan with this month.

        The reserve for user and sign-in is taken off, and what another program will
        take if it goes on as it did.
        """
        months = self._months.from_present(now)
        limit = self._limit(months[0], now, Purpose.BACKGROUND)
        return max(0, limit - max(month.used for month in months))

    def period_end(self, now: datetime) -> datetime:
        """Return when the month ends."""
        return self._months.present(now).end

    def by_operation(self, now: datetime) -> Mapping[str, int]:
        """Return this month's own calls by operation."""
        return dict(self._months.present(now).operations)

    def wasted(self, now: datetime) -> int:
        """Return this month's calls that brought nothing new."""
        return self._months.present(now).wasted

    def expected_at_period_end(self, now: datetime) -> int:
        """Return the calls spent at the end of the month if all goes on as now.

        What was assumed of the time before this ledger began tells no pace.
        """
        month = self._months.present(now)
        assumed = month.operations[ASSUMED]
        begun = month.start + (month.end - month.start) * (assumed / self.limit)
        passed = max(now - begun, _DAY)
        lengths_to_come = (month.end - now) / passed
        expected = round(month.used + (month.used - assumed) * lengths_to_come)
        # Nothing leaves beyond the limit, but other programs may have gone there.
        return min(expected, max(self.limit, month.used))

    def blocked_until(self, now: datetime) -> datetime | None:
        """Return until when the cloud's refusal holds; None if it does not."""
        refusal = self._block.refusal(now) if self._block is not None else None
        return None if refusal is None else refusal.until

    def probe_at(self, now: datetime) -> datetime | None:
        """Return when to try whether the cloud still refuses; None if it does not."""
        if self._block is None:
            return None
        refusal = self._block.refusal(now)
        return now if refusal is None else refusal.until

    def foreign_calls(self, now: datetime) -> int:
        """Return this month's calls that the cloud counted and we did not."""
        return self._months.present(now).foreign

    def other_program_suspected(self, now: datetime) -> bool:
        """Return whether the cloud refused calls that we believed to have."""
        return self._months.present(now).unexplained >= _SUSPICIOUS

    # How it works.

    @property
    def _reservation(self) -> int:
        """Return how many calls what is saved runs ahead; as many a crash costs."""
        plan = self._plan
        return min(1, plan.calls_per_month // 1_000, plan.calls_per_minute // 5)

    def _limit(self, month: Month, now: datetime, purpose: Purpose) -> int:
        """Return how many calls a purpose may bring this month to."""
        time_left = month.end - now
        if purpose is Purpose.SIGN_IN:
            return self._plan.calls_per_month
        if purpose is Purpose.USER:
            return self.limit - sign_in_reserve(self.limit, time_left)
        kept = reserve(self.limit, time_left, elapsed=month.elapsed(now))
        return self.limit - kept - round(month.others)

    def _recent_calls(self, now: datetime) -> list[datetime]:
        """Return the calls of the last minute, none of them in the future."""
        calls = sorted(min(call, now) for call in self._recent)
        return [call for call in calls if now - call < _MINUTE]

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
            month.others = min(pace, self.limit / 2)

    def _read(self, data: Any, now: datetime) -> None:
        """Take over a record; raises if it is damaged."""
        self._months = Months.from_dict(data["months"])
        self._recent = [moment(call) for call in data["recent"]]
        self._charged = count(data["charged"])
        self._refusals = min(count(data["refusals"]), 16)
        block, cloud_limit = data["block"], data["cloud_limit"]
        if data["plan"] == _limits(self._plan):
            self._cloud_limit = None if cloud_limit is None else count(cloud_limit)
            self._block = block and Block(
                Period(block["period"]),
                moment(block["since"]),
                moment(block["until"]),
                tried=block.get("tried") is True,
            )
        else:
            self._months.change_limit(self._plan.calls_per_month)
        if lost := count(data["reserved"]):
            self._months.lose(lost, now)
            self._recent += [now] * lost
            self._charged += lost


def _limits(plan: Plan) -> list[int]:
    return [plan.calls_per_minute, plan.calls_per_month]
