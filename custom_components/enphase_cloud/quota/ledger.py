"""Counts each API call before it is sent; never counts too few, even after a crash."""

from datetime import datetime, timedelta

from .clock import PATIENCE, Monotonic, Reading
from .month import ASSUMED, LOST, Month
from .plans import Plan
from .record import Record
from .refusal_report import RefusalReport
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
from .usage import SUSPICIOUS

__all__ = [
    "ASSUMED",
    "LOST",
    "BudgetExhaustedError",
    "Ledger",
    "Period",
    "Purpose",
    "Refusal",
]

_FIRST_PAUSE = timedelta(minutes=1)
# A refusal that is over or was a mistake must be noticed in less than an hour.
_LONGEST_PAUSE = PATIENCE
# Calls of a minute that each purpose leaves to more important ones.
_SPARE = {Purpose.BACKGROUND: 2, Purpose.USER: 1, Purpose.SIGN_IN: 0}


class Ledger(Record):
    """The calls of one API key, by all config entries that use it.

    All moments are aware datetimes of this machine's clock, which may be wrong and may
    be set. Calls are counted in calendar months in UTC, by the `Date` of the cloud's
    responses. Until that time is certain, calls need room in the last known month, but
    for one at a time that checks the time; they are counted in the month found then,
    too. Without a record (a new key, or a lost file), calls are assumed in proportion
    to the part of the month that has passed.
    """

    def __init__(
        self, plan: Plan, *, now: datetime, monotonic: Monotonic | None = None
    ) -> None:
        """Open the ledger of a key whose earlier use is unknown.

        `monotonic` returns a time in seconds that setting the clock does not change.
        """
        super().__init__(plan, now=now, monotonic=monotonic)
        # The last call that was allowed to check the time.
        self._time_check: Call | None = None

    def refusal(self, now: datetime, *, purpose: Purpose) -> Refusal | None:
        """Return why a call is not allowed now; None if it is.

        A sign-in is refused only if our own calls have used up the minute or the month
        of the plan: without a token nothing works.
        """
        reading = self._observe(now)
        return self._withheld(reading, purpose) or self._crowded(reading, purpose)

    def charge(self, operation: str, now: datetime, *, purpose: Purpose) -> Call:
        """Count a call before it is sent; the caller must pass it to ended().

        Its `must_be_saved` says whether as_dict() must be on the disk before it is
        sent. Raises BudgetExhaustedError, and counts nothing, if it is not allowed.
        """
        if (refusal := self.refusal(now, purpose=purpose)) is not None:
            raise BudgetExhaustedError(refusal)
        reading = self._observe(now)
        call = self._calls.begin(operation, reading.ticks)
        if self._exhausted(reading, purpose) is not None:
            self._time_check = call
        if self._block is not None and purpose is not Purpose.SIGN_IN:
            self._block.begin_probe(call)
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
        """Note that a call got a response or failed.

        `served`: the response shows that the cloud had calls left. `date` is the `Date`
        of the response, even of one that refuses the call.
        """
        if served or date is not None:
            self._clock.learn_date(date, now)
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
        """Process a 429; return whether its period and limit are plausible.

        If the calls of the month are used up, the count is corrected upwards, and no
        call is sent until the month ends. In all other cases one call tries again after
        a pause that grows with refusals in a row.
        """
        reading = self._observe(now)
        month = self._months.present
        report = RefusalReport(period, period_start, period_end, limit)
        is_possible = not report.is_absurd(reading.time, month, self._plan)
        self._refusals = min(self._refusals + 1, 16)
        pause = min(_FIRST_PAUSE * 2.0 ** (self._refusals - 1), _LONGEST_PAUSE)
        if period is Period.MONTH:
            if is_possible and report.is_of(month):
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
        """Return whether the user may send one call although the month is refused.

        It is allowed once until the cloud serves a call again, within the plan.
        """
        block, reading = self._block, self._clock.read(now)
        if block is None or block.period is not Period.MONTH or block.tried:
            return False
        month = self._months.present
        has_room = month.own < self._limit(month, reading.time, Purpose.USER)
        return has_room and block.holds_until(reading.ticks) is not None

    def allow_try(self, now: datetime) -> None:
        """Allow one call within the next minute, if `may_try` does."""
        if self._block is not None and self.may_try(now):
            self._block.allow_try(self._observe(now).ticks)

    # For sensors and the schedule, beside Usage.

    def blocked_until(self, now: datetime) -> datetime | None:
        """Return until when the cloud's refusal holds; None if it does not."""
        refusal = self._blocked(self._clock.read(now))
        return None if refusal is None else refusal.until

    def probe_at(self, now: datetime) -> datetime | None:
        """Return when a call may test whether the month is still used up.

        None if neither the cloud has refused it nor the time is uncertain.
        """
        reading = self._clock.read(now)
        refusal = self._withheld(reading, Purpose.BACKGROUND)
        if self._block is None and (
            reading.is_certain or self._exhausted(reading, Purpose.BACKGROUND) is None
        ):
            return None
        return now if refusal is None else refusal.until

    def _withheld(self, reading: Reading, purpose: Purpose) -> Refusal | None:
        """Return why the month or the cloud allows no call; None if they do."""
        refusal = self._exhausted(reading, purpose)
        if refusal is None or (check_at := self._time_check_at(reading)) is None:
            return refusal
        if self._block is not None and self._block.ends_soon(reading.ticks):
            return refusal
        if check_at <= reading.ticks:
            return None
        return Refusal(Period.MONTH, min(refusal.until, reading.on_the_wall(check_at)))

    def _exhausted(self, reading: Reading, purpose: Purpose) -> Refusal | None:
        """Return why no call is allowed if the estimated time is right."""
        month, is_probe = self._months.present, False
        if purpose is Purpose.SIGN_IN:
            used = month.known
        elif (refusal := self._blocked(reading)) is not None:
            return refusal
        else:
            # A call that tests a refusal counts against our own calls only.
            is_probe = self._block is not None
            used = month.own if is_probe else month.used
        # The reserve is smallest at the end of the month, so that must be certain.
        time = reading.time if reading.is_certain else reading.at_least or month.start
        if used < self._limit(month, time, purpose, is_probe=is_probe):
            return None
        until = reading.wall + max(month.end - reading.time, PROBE_TIMEOUT)
        return Refusal(Period.MONTH, until)

    def _blocked(self, reading: Reading) -> Refusal | None:
        if self._block is None:
            return None
        until = self._block.holds_until(reading.ticks)
        if until is None:
            return None
        # After the block, only the response to a probe is awaited: a minute at most.
        is_over = reading.ticks >= self._block.until
        period = Period.MINUTE if is_over else self._block.period
        return Refusal(period, reading.on_the_wall(until))

    def _time_check_at(self, reading: Reading) -> timedelta | None:
        """Return when one call may check whether the month is over [ticks].

        None if the time is certain, or if no clock says so and no call is left.
        """
        month = self._months.present
        is_claimed, has_room = reading.claims(month.end), month.known < self.limit
        # A month with a confirmed time continues until another clock says otherwise.
        is_doubtful = has_room and (is_claimed or not reading.was_confirmed)
        if reading.is_certain or not (is_doubtful or reading.allows(month.end)):
            return None
        is_likely = is_claimed and has_room
        check_at = reading.unsure_since + (timedelta() if is_likely else PATIENCE)
        if self._time_check is not None:
            # A second response may confirm the first one.
            is_hot = is_likely and reading.unconfirmed is not None
            pause = PROBE_TIMEOUT if is_hot else PATIENCE
            check_at = max(check_at, self._time_check.started + pause)
        return check_at

    def _crowded(self, reading: Reading, purpose: Purpose) -> Refusal | None:
        """Return whether too many calls may arrive within a minute."""
        allowed = max(1, self._plan.calls_per_minute - _SPARE[purpose])
        if len(self._calls) < allowed:
            return None
        held = self._calls.held(reading.ticks)
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
            if month.foreign:
                # The cloud has calls left, so its count of this month was wrong.
                month.foreign, month.others = 0, 0.0

    def _correct(self, month: Month, time: datetime, limit: int | None) -> None:
        """Raise the count to the limit that is reached by the cloud's count."""
        if limit is not None:
            self._cloud_limit = limit
        left = self._limit(month, time, Purpose.BACKGROUND) - month.used
        month.foreign = max(month.foreign, self.limit - month.own)
        if left > 0:
            month.unexplained += SUSPICIOUS
            pace = month.foreign / max(0.1, month.elapsed(time))
            # Half of the calls are kept for us, whatever another program used.
            month.others = min(pace, self.limit / 2)
