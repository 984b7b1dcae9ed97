"""The plausible power of a flow: the rated power, until data proves that wrong."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil
from typing import Any, Final, Self

from ..api.models import EnergyIntervals
from ..json_values import moment, number, optional, record, rows
from .readings import HOUR
from .time_ranges import Ranges, union, without

# This much of a response above the cap is not a fault of single intervals.
_ENOUGH: Final = HOUR
# Faults of the cloud last for hours.
_CONFIRMED_AFTER: Final = timedelta(hours=12)
# Power above this is never accepted, however often it is reported.
_MOST_TIMES: Final = 10
_MOST_W: Final = 100_000
# The next sunny day may yield more than the days that proved the rated power wrong.
_TOLERANCE: Final = 1.3
_REPORTED_FOR: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerCap:
    """The power [W] above which a flow's intervals are skipped.

    `learnt` is the power proved by data, and `reported_at` when a response first had
    more than the cap for long enough to be plausible. `skipped` are the windows of
    responses with skipped intervals, and `skipped_at` is when that happened last.
    `skips_days` says whether days were skipped, too.
    """

    learnt: float = 0
    reported_at: datetime | None = None
    skipped: Ranges = ()
    skipped_at: datetime | None = None
    skips_days: bool = False

    def limit(self, plate: float) -> float:
        """Return the cap [W]; `plate` is the rated power [W]."""
        return max(plate, self.learnt)

    def skipped_recently(self, now: datetime) -> bool:
        """Return whether intervals or days were skipped within the last week."""
        return (
            self.skipped_at is not None
            and timedelta() <= now - self.skipped_at < _REPORTED_FOR
        )

    def learn(
        self, document: EnergyIntervals, *, plate: float, fetched_at: datetime
    ) -> Self:
        """Return the cap after a response, which is to be read with the new cap.

        Power that is reported again, half a day after the first time, raises the cap.
        Then no interval is skipped any more; the caller requests `skipped` ones again.
        """
        hours = document.length / HOUR
        powers = sorted(
            interval.energy / hours
            for interval in document.intervals
            if interval.energy is not None and interval.end_at <= fetched_at
        )
        limit = self.limit(plate)
        if not powers or powers[-1] <= limit:
            return self
        most = max(_MOST_TIMES * plate, _MOST_W)
        beyond = [power for power in powers if limit < power <= most]
        enough = ceil(_ENOUGH / document.length)
        reported_at = self.reported_at
        if reported_at is not None and reported_at > fetched_at:
            reported_at = None
        if len(beyond) >= enough:
            reported_at = reported_at or fetched_at
            if fetched_at - reported_at >= _CONFIRMED_AFTER:
                learnt = min(beyond[-(enough // 2)] * _TOLERANCE, most)
                return replace(self, learnt=learnt, reported_at=None, skipped_at=None)
        begins = document.intervals[0].end_at - document.length
        window = begins, document.intervals[-1].end_at
        return replace(
            self,
            reported_at=reported_at,
            skipped=union([*self.skipped, window]),
            skipped_at=fetched_at,
        )

    def requested_again(self) -> Self:
        """Return the cap after the request for skipped windows and days."""
        return replace(self, skipped=(), skips_days=False)

    def skipped_beside(self, document: EnergyIntervals) -> Ranges:
        """Return the skipped windows of other responses than a document."""
        if not document.intervals:
            return self.skipped
        begins = document.intervals[0].end_at - document.length
        return without(self.skipped, [(begins, document.intervals[-1].end_at)])

    def as_dict(self) -> dict[str, Any]:
        """Return the cap as JSON."""
        return {
            "learnt": self.learnt,
            "told_at": self.reported_at and self.reported_at.timestamp(),
            "left_out": [
                [start.timestamp(), end.timestamp()] for start, end in self.skipped
            ],
            "left_out_at": self.skipped_at and self.skipped_at.timestamp(),
            "leaves_out_days": self.skips_days,
        }

    @classmethod
    def from_dict(cls, data: object) -> Self:
        """Restore the result of as_dict(); raises ValueError where it is damaged."""
        stored = record(data)
        return cls(
            learnt=number(stored["learnt"]),
            reported_at=optional(moment, stored["told_at"]),
            skipped=union(
                (moment(start), moment(end))
                for start, end in rows(stored["left_out"], width=2)
            ),
            skipped_at=optional(moment, stored["left_out_at"]),
            skips_days=stored["leaves_out_days"] is True,
        )
