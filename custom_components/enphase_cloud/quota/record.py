"""The stored state of a ledger; with it, a crash loses no call."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Self

from ..json_values import count, duration, moment, optional, record
from .clock import CloudClock, Monotonic, Reading
from .month import LOST, Months
from .plans import Plan
from .refusal_report import least_limit
from .reserve import Block, Period
from .usage import Usage

# The greatest error of a clock [s].
_CENTURIES = 1e10


class Record(Usage):
    """The calls of one API key and the cloud's last refusal, as they are saved."""

    def __init__(
        self, plan: Plan, *, now: datetime, monotonic: Monotonic | None = None
    ) -> None:
        """Begin with a key whose earlier use is unknown."""
        super().__init__(plan, now=now, monotonic=monotonic)
        self._block: Block | None = None
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
        """Restore a ledger from the result of as_dict(); never raises.

        None means that there is no record. A damaged record is treated the same, and
        the current minute counts as used up, too.
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
        """Return the ledger as JSON, with calls reserved ahead for the next ones."""
        clock, block = self._clock, self._block
        seen, error, unconfirmed = clock.seen, clock.error, clock.unconfirmed
        ticks = clock.ticks
        left = timedelta() if block is None else max(block.until - ticks, timedelta())
        return {
            "plan": _limits(self._plan),
            "seen": None if seen is None else seen.timestamp(),
            "clock_error": None if error is None else error.total_seconds(),
            "clock_told": None if unconfirmed is None else unconfirmed.timestamp(),
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
        """Note that a result of as_dict() is on the disk now.

        Until then, each new call `must_be_saved` before it is sent.
        """
        self._covered = data["charged"] + data["reserved"]

    def release(self, now: datetime) -> None:
        """Cancel the reservation before a clean shutdown; save as_dict() afterwards."""
        self._observe(now)
        self._released = True
        self._covered = self._charged

    def change_plan(self, plan: Plan, now: datetime) -> None:
        """Use another plan from now on, and keep the counted calls.

        Calls assumed because no record existed are estimated again.
        """
        if _limits(plan) != _limits(self._plan):
            self._months.change_limit(plan.calls_per_month)
            self._cloud_limit = None
            if self._block is not None:
                ticks = self._observe(now).ticks
                self._block.until = min(self._block.until, ticks)
        self._plan = plan

    def set_new_key(self, now: datetime, *, is_new: bool) -> None:
        """Set whether, by the user, no other program has used the key this month.

        Counted calls stay. A key that is not new any more gets the assumed calls of one
        without a record.
        """
        self._observe(now)
        self._months.set_new_key(now, is_new=is_new)

    def record_wasted(self, now: datetime) -> None:
        """Count a call whose response had no new data."""
        self._observe(now)
        self._months.present.wasted += 1

    def _observe(self, now: datetime) -> Reading:
        """Read the clocks, and move to the present month once that is certain."""
        reading = self._clock.observe(now)
        month = self._months.present
        time = reading.time if reading.is_certain else reading.at_least
        if time is not None and (reading.is_certain or time >= month.end):
            self._months.move(time, self._calls.unplaced)
            if self._block is not None and self._months.present.start != month.start:
                self._block.until = min(self._block.until, reading.ticks)
        return reading

    @property
    def _reservation(self) -> int:
        """Return how many calls are saved ahead: a crash costs this number."""
        plan = self._plan
        return min(1, plan.calls_per_month // 1_000, plan.calls_per_minute // 5)

    def _read(self, data: object, now: datetime, monotonic: Monotonic | None) -> None:
        """Take over a record; raises if it is damaged."""
        plan, stored = self._plan, record(data)
        self._clock = CloudClock(
            now,
            seen=optional(moment, stored.get("seen")),
            error=optional(_error, stored.get("clock_error")),
            unconfirmed=optional(moment, stored.get("clock_told")),
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
                # Version 0.1.0 stored only the end, which may be wrong: try at once.
                left = duration(block.get("left", 0))
                ends_at = moment(block.get("ends_at", 0))
                until_end = max(ends_at - self._clock.read(now).time, timedelta())
                self._block = Block(
                    Period(block["period"]),
                    min(left, until_end),
                    tried=block.get("tried") is True,
                )
        else:
            self._months.change_limit(plan.calls_per_month)
        unplaced = {
            str(operation): count(calls)
            for operation, calls in record(stored.get("unplaced", {})).items()
        }
        # Version 0.1.0 stored the times of recent calls.
        recent, lost = stored["recent"], count(stored["reserved"])
        held = len(recent) if isinstance(recent, list) else count(recent)
        if lost:
            self._months.present.operations[LOST] += lost
            unplaced[LOST] = unplaced.get(LOST, 0) + lost
            self._charged += lost
        self._calls.restore(min(held + lost, plan.calls_per_minute), unplaced)


def _error(value: object) -> timedelta:
    """Return by how much a clock was ahead; raises ValueError for damaged data."""
    if not isinstance(value, int | float) or not -_CENTURIES <= value <= _CENTURIES:
        raise ValueError("Not an error of a clock")
    return timedelta(seconds=value)


def _limits(plan: Plan) -> list[int]:
    return [plan.calls_per_minute, plan.calls_per_month]
