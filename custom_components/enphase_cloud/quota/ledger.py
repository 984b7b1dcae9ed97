"""Counts every call before it leaves; never under-counts, not even after a crash."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Self

from ..json_values import count, duration, moment, optional, record
from .clock import PATIENCE, CloudClock, Monotonic, Reading
from .month import ASSUMED, LOST, Month, Months
from .plans import Plan
from .reserve import (
    MINUTE,
    PROBE_TIMEOUT,
    Block,
    BudgetExhaustedError,
    Call,
    Period,
    Purpose,
    Refusal,
)
from .told import Told, least_limit
from .usage import SUSPICIOUS, Usage

__all__ = [
    "ASSUMED",
    "LOST",
    "BudgetExhaustedError",
    "Ledger",
    "Period",
    "Purpose",
    "Refusal",
]

# What a clock may be wrong by [s].
_CENTURIES = 1e10
_FIRST_PAUSE = timedelta(minutes=1)
# That a refusal is over, or was a mistake, must not take an hour to be noticed.
_LONGEST_PAUSE = PATIENCE
# Calls of a minute that are kept for what matters more.
_SPARE = {Purpose.BACKGROUND: 2, Purpose.USER: 1, Purpose.SIGN_IN: 0}


class Ledger(Usage):
    """The calls of one API key, whoever of us makes them.

    All moments are aware datetimes of this machine's clock, which may be wrong and may
    be set. Calls are counted in calendar months in UTC, by the cloud's time as its
    answers tell it. Until that is certain, calls need room in the last month that was,
    save one at a time that finds out, and count in the month that is found out, too. A
    record that was never kept (a new key) or is lost is answered by assuming calls in
    proportion to the time that has passed of the month.
    """

    def __init__(
        self, plan: Plan, *, now: datetime, monotonic: Monotonic | None = None
    ) -> None:
        """Open the ledger of a key whose earlier use is unknown.

        `monotonic` returns the seconds that have passed, however the clock is set.
        """
        super().__init__(plan, now=now, monotonic=monotonic)
        self._block: Block | None = None
        # The last call that was let out to find out what time it is.
        self._asking: Call | None = None
        self._refusals = 0
        self._charged = 0
        self._covered = 0
        self._released = False
        self.was_damaged = False

    @classmethod
    def restore(
        cls,
        data: object,
        plan: Plan,
        *,
        now: datetime,
        monotonic: Monotonic | None = None,
    ) -> Self:
        """Open the ledger from what as_dict() returned earlier; never raises.

        None means that there is no record. A damaged record is treated the same, and
        the current minute is taken as spent, too.
        """
        ledger = cls(plan, now=now, monotonic=monotonic)
        if data is None:
            return ledger
        try:
            ledger._read(data, now, monotonic)
        except AttributeError, LookupError, OverflowError, TypeError, ValueError:
            ledger = cls(plan, now=now, monotonic=monotonic)
            ledger._calls.restore(plan.calls_per_minute, {})
            ledger.was_damaged = True
        return ledger

    def as_dict(self) -> dict[str, Any]:
        """Return the ledger as JSON, with the reservation for calls yet to come."""
        seen, error = self._clock.seen, self._clock.error
        ticks, block = self._clock.ticks, self._block
        left = timedelta() if block is None else max(block.until - ticks, timedelta())
        return {
            "plan": _limits(self._plan),
            "seen": None if seen is None else seen.timestamp(),
            "clock_error": None if error is None else error.total_seconds(),
            "cloud_limit": self._cloud_limit,
            "months": self._months.as_dict(),
            "recent": len(self._calls.held(ticks)),
            "unplaced": dict(self._calls.unplaced),
            "block": block
            and {
                "period": block.period,
                "left": left.total_seconds(),
                "ends_at": (self._clock.last + left).timestamp(),
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
        self._observe(now)
        self._released = True
        self._covered = self._charged

    def refusal(self, now: datetime, *, purpose: Purpose) -> Refusal | None:
        """Return why a call may not leave now; None if it may.

        A sign-in is refused only where the plan's calls of the minute or the month are
        spent by ourselves: without a token nothing works any more.
        """
        reading = self._observe(now)
        return self._withheld(reading, purpose) or self._crowded(reading, purpose)

    def charge(self, operation: str, now: datetime, *, purpose: Purpose) -> Call:
        """Count a call that is about to leave, to be handed to ended() in any case.

        It tells whether as_dict() must be on the disk before it leaves. Raises
        BudgetExhaustedError, and counts nothing, if it may not leave.
        """
        if (refusal := self.refusal(now, purpose=purpose)) is not None:
            raise BudgetExhaustedError(refusal)
        reading = self._observe(now)
        call = self._calls.begin(operation, reading.ticks)
        if self._exhausted(reading, purpose) is not None:
            self._asking = call
        if self._block is not None and purpose is not Purpose.SIGN_IN:
            self._block.leaves(call)
        self._months.present.operations[operation] += 1
        self._charged += 1
        self._released = False
        call.must_be_saved = self._charged > self._covered
        return call

    def ended(
        self,
        call: Call,
        now: datetime,
        *,
        served: bool = False,
        date: datetime | None = None,
    ) -> None:
        """Note that a call was answered or failed.

        `served` are the calls whose answer shows that the cloud had calls left; `date`
        is the cloud's time in the answer, whatever that is.
        """
        if served or date is not None:
            self._clock.hear(date, now)
        reading = self._observe(now)
        call.ended = reading.ticks
        if reading.is_certain:
            self._calls.place(before=call.started)
            call.is_placed = True
        if served:
            self._served(call)

    def refused_by_cloud(
        self,
        now: datetime,
        *,
        period: Period | None = None,
        period_start: datetime | None = None,
        period_end: datetime | None = None,
        limit: int | None = None,
    ) -> bool:
        """Heed a 429, and return whether what it tells is possible.

        Where the month is over, the count is corrected upwards and nothing leaves until
        it ends. Whatever is told otherwise, one call tries again after a pause, which
        refusals in a row lengthen.
        """
        reading = self._observe(now)
        month = self._months.present
        told = Told(period, period_start, period_end, limit)
        is_possible = not told.is_absurd(reading.time, month, self._plan)
        self._refusals = min(self._refusals + 1, 16)
        pause = min(_FIRST_PAUSE * 2.0 ** (self._refusals - 1), _LONGEST_PAUSE)
        if period is Period.MONTH:
            if is_possible and told.is_of(month):
                self._correct(month, reading.time, limit)
                pause = _LONGEST_PAUSE
                if period_end is not None:
                    pause = min(period_end, month.end) - reading.time
        else:
            if len(self._calls.held(reading.ticks)) <= self._plan.calls_per_minute // 2:
                month.unexplained += 1
            if period_end is not None and period_end - reading.time <= MINUTE:
                pause = max(pause, period_end - reading.time)
        self._block = Block(
            period or Period.MINUTE,
            reading.ticks + pause,
            tried=self._block is not None and self._block.tried,
        )
        return is_possible

    def may_try(self, now: datetime) -> bool:
        """Return whether the user may let one call leave although the month is refused.

        They may once, until the cloud serves a call again, and within the plan.
        """
        block, reading = self._block, self._clock.read(now)
        if block is None or block.period is not Period.MONTH or block.tried:
            return False
        month = self._months.present
        has_room = month.own < self._limit(month, reading.time, Purpose.USER)
        return has_room and block.holds_until(reading.ticks) is not None

    def allow_try(self, now: datetime) -> None:
        """Let one call leave within a minute, if `may_try` says so."""
        if self._block is not None and self.may_try(now):
            self._block.allow_try(self._observe(now).ticks)

    def change_plan(self, plan: Plan, now: datetime) -> None:
        """Go by another plan from now on; what is spent stays spent.

        What was only assumed to be spent, for want of a record, is assumed anew.
        """
        if _limits(plan) != _limits(self._plan):
            self._months.change_limit(plan.calls_per_month)
            self._cloud_limit = None
            if self._block is not None:
                ticks = self._observe(now).ticks
                self._block.until = min(self._block.until, ticks)
        self._plan = plan

    def record_wasted(self, now: datetime) -> None:
        """Count an answered call that brought nothing new."""
        self._observe(now)
        self._months.present.wasted += 1

    # What sensors and the schedule read, beside the usage.

    def blocked_until(self, now: datetime) -> datetime | None:
        """Return until when the cloud's refusal holds; None if it does not."""
        refusal = self._blocked(self._clock.read(now))
        return None if refusal is None else refusal.until

    def probe_at(self, now: datetime) -> datetime | None:
        """Return when a call may try whether the month is still spent.

        None where the cloud has not refused it, nor the time is in doubt.
        """
        reading = self._clock.read(now)
        refusal = self._withheld(reading, Purpose.BACKGROUND)
        if self._block is None and (
            reading.is_certain or self._exhausted(reading, Purpose.BACKGROUND) is None
        ):
            return None
        return now if refusal is None else refusal.until

    # How it works.

    @property
    def _reservation(self) -> int:
        """Return how many calls what is saved runs ahead; as many a crash costs."""
        plan = self._plan
        return min(1, plan.calls_per_month // 1_000, plan.calls_per_minute // 5)

    def _observe(self, now: datetime) -> Reading:
        """Read the clocks, and go on to the month in which it certainly is."""
        reading = self._clock.observe(now)
        month = self._months.present
        time = reading.time if reading.is_certain else reading.at_least
        if time is not None and (reading.is_certain or time >= month.end):
            self._months.move(time, self._calls.unplaced)
            if self._block is not None and self._months.present.start != month.start:
                self._block.until = min(self._block.until, reading.ticks)
        return reading

    def _withheld(self, reading: Reading, purpose: Purpose) -> Refusal | None:
        """Return why the month or the cloud allows no call; None if they do."""
        refusal = self._exhausted(reading, purpose)
        if refusal is None or (asks_at := self._asks_at(reading)) is None:
            return refusal
        if self._block is not None and self._block.pauses(reading.ticks):
            return refusal
        if asks_at <= reading.ticks:
            return None
        return Refusal(Period.MONTH, min(refusal.until, reading.on_the_wall(asks_at)))

    def _exhausted(self, reading: Reading, purpose: Purpose) -> Refusal | None:
        """Return why no call may leave if the time is what it seems."""
        month = self._months.present
        if purpose is Purpose.SIGN_IN:
            used = month.known
        elif (refusal := self._blocked(reading)) is not None:
            return refusal
        else:
            # To try whether the cloud still refuses takes room of ours only.
            used = month.used if self._block is None else month.own
        # The reserve is smallest at the end of the month, so that must be certain.
        time = reading.time if reading.is_certain else reading.at_least or month.start
        if used < self._limit(month, time, purpose):
            return None
        until = reading.wall + max(month.end - reading.time, PROBE_TIMEOUT)
        return Refusal(Period.MONTH, until)

    def _blocked(self, reading: Reading) -> Refusal | None:
        if self._block is None:
            return None
        until = self._block.holds_until(reading.ticks)
        if until is None:
            return None
        # However long the block was, the answer to a probe takes a minute at most.
        is_over = reading.ticks >= self._block.until
        period = Period.MINUTE if is_over else self._block.period
        return Refusal(period, reading.on_the_wall(until))

    def _asks_at(self, reading: Reading) -> timedelta | None:
        """Return when one call may find out whether the month is over [ticks].

        None where the time is certain, or where nothing says so and no call is left.
        """
        month = self._months.present
        is_claimed, has_room = reading.claims(month.end), month.known < self.limit
        # Where nothing claims it, a clock that goes on tells that the month does, too.
        is_doubtful = has_room and (is_claimed or not reading.goes_on)
        if reading.is_certain or not (is_doubtful or reading.allows(month.end)):
            return None
        is_likely = is_claimed and has_room
        asks_at = reading.unsure_since + (timedelta() if is_likely else PATIENCE)
        if self._asking is not None:
            # A second answer confirms what a first one has claimed.
            is_hot = is_likely and reading.rumour is not None
            pause = PROBE_TIMEOUT if is_hot else PATIENCE
            asks_at = max(asks_at, self._asking.started + pause)
        return asks_at

    def _crowded(self, reading: Reading, purpose: Purpose) -> Refusal | None:
        """Return whether too many calls may arrive within a minute."""
        held = self._calls.held(reading.ticks)
        allowed = max(1, self._plan.calls_per_minute - _SPARE[purpose])
        if len(held) < allowed:
            return None
        return Refusal(Period.MINUTE, reading.on_the_wall(held[-allowed]))

    def _served(self, call: Call) -> None:
        month = self._months.present
        month.served += 1
        if self._cloud_limit is not None and month.served > self._cloud_limit:
            self._cloud_limit = None
        if self._block is None:
            self._refusals = 0
        elif self._block.probe is call:
            self._refusals = 0
            self._block = None
            # The cloud has calls left, so what it had counted belongs to the past.
            month.foreign = 0

    def _correct(self, month: Month, time: datetime, limit: int | None) -> None:
        """Raise the count to the limit that the cloud says is reached."""
        if limit is not None:
            self._cloud_limit = limit
        left = self._limit(month, time, Purpose.BACKGROUND) - month.used
        month.foreign = max(month.foreign, self.limit - month.own)
        if left > 0:
            month.unexplained += SUSPICIOUS
            pace = month.foreign / max(0.1, month.elapsed(time))
            # However much another program takes, half of the calls are ours.
            month.others = min(pace, self.limit / 2)

    def _read(self, data: object, now: datetime, monotonic: Monotonic | None) -> None:
        """Take over a record; raises if it is damaged."""
        plan, stored = self._plan, record(data)
        self._clock = CloudClock(
            now,
            seen=optional(moment, stored.get("seen")),
            error=optional(_error, stored.get("clock_error")),
            monotonic=monotonic,
        )
        self._months = Months.from_dict(stored["months"])
        self._charged = count(stored["charged"])
        self._refusals = min(count(stored["refusals"]), 16)
        limit, block = stored["cloud_limit"], optional(record, stored["block"])
        if stored["plan"] == _limits(plan):
            if limit is not None and count(limit) >= least_limit(plan):
                self._cloud_limit = limit
            if block is not None:
                # Version 0.1.0 stored a moment, which may never come: rather try.
                left = duration(block.get("left", 0))
                ends_at = moment(block.get("ends_at", 0))
                told = max(ends_at - self._clock.read(now).time, timedelta())
                self._block = Block(
                    Period(block["period"]),
                    min(left, told),
                    tried=block.get("tried") is True,
                )
        else:
            self._months.change_limit(plan.calls_per_month)
        unplaced = {
            str(operation): count(calls)
            for operation, calls in record(stored.get("unplaced", {})).items()
        }
        # Version 0.1.0 stored the moments of recent calls.
        recent, lost = stored["recent"], count(stored["reserved"])
        held = len(recent) if isinstance(recent, list) else count(recent)
        if lost:
            self._months.present.operations[LOST] += lost
            unplaced[LOST] = unplaced.get(LOST, 0) + lost
            self._charged += lost
        self._calls.restore(min(held + lost, plan.calls_per_minute), unplaced)


def _error(value: object) -> timedelta:
    """Return by how much a clock was ahead; raises ValueError where it is damaged."""
    if not isinstance(value, int | float) or not -_CENTURIES <= value <= _CENTURIES:
        raise ValueError("Not an error of a clock")
    return timedelta(seconds=value)


def _limits(plan: Plan) -> list[int]:
    return [plan.calls_per_minute, plan.calls_per_month]
