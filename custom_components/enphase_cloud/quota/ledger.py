"""Counts every call before it leaves; never under-counts, not even after a crash."""

from datetime import datetime, timedelta

from .clock import PATIENCE, Monotonic, Reading
from .month import ASSUMED, LOST, Month
from .plans import Plan
from .record import Record
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
from .told import RefusalReport
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
# That a refusal is over, or was a mistake, must not take an hour to be noticed.
_LONGEST_PAUSE = PATIENCE
# Calls of a minute that are kept for what matters more.
_SPARE = {Purpose.BACKGROUND: 2, Purpose.USER: 1, Purpose.SIGN_IN: 0}


class Ledger(Record):
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
        # The last call that was let out to find out what time it is.
        self._time_check: Call | None = None

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
        """Note that a call was answered or failed.

        `served` are the calls whose answer shows that the cloud had calls left; `date`
        is the cloud's time in the answer, whatever that is.
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
        """Heed a 429, and return whether what it tells is possible.

        Where the month is over, the count is corrected upwards and nothing leaves until
        it ends. Whatever is told otherwise, one call tries again after a pause, which
        refusals in a row lengthen.
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

    def _time_check_at(self, reading: Reading) -> timedelta | None:
        """Return when one call may find out whether the month is over [ticks].

        None where the time is certain, or where nothing says so and no call is left.
        """
        month = self._months.present
        is_claimed, has_room = reading.claims(month.end), month.known < self.limit
        # Where nothing claims it, a clock that goes on tells that the month does, too.
        is_doubtful = has_room and (is_claimed or not reading.was_confirmed)
        if reading.is_certain or not (is_doubtful or reading.allows(month.end)):
            return None
        is_likely = is_claimed and has_room
        check_at = reading.unsure_since + (timedelta() if is_likely else PATIENCE)
        if self._time_check is not None:
            # A second answer confirms what a first one has claimed.
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
