"""What each month of the plan has seen, and which month it is."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from .stored import count, duration, moment, number

ASSUMED = "assumed"  # calls that a missing or damaged record may have held
LOST = "lost"  # calls that may have left unrecorded: a crash, or a wrong clock

_DAY = timedelta(days=1)
_SHORTEST = timedelta(days=27)
_LONGEST = timedelta(days=32)
_KEPT = 4
# What another program took in a month is kept free in the next, a little less each
# time, for it may be gone.
_OTHERS_FADE = 0.95


@dataclass(slots=True)
class Month:
    """The calls of one month, as counted here and as corrected by the cloud."""

    start: datetime
    end: datetime
    # Calls by operation; every attempt of ours, answered or not.
    operations: Counter[str] = field(default_factory=Counter)
    # Calls that the cloud counted and we did not.
    foreign: int = 0
    # Calls that another program is expected to take.
    others: float = 0.0
    wasted: int = 0
    # Refusals by the cloud while calls were left by our count.
    unexplained: int = 0
    # Calls made while the clock said that this is the month.
    ahead: int = 0

    @property
    def own(self) -> int:
        """Return the calls that left here."""
        return self.operations.total()

    @property
    def used(self) -> int:
        """Return all calls known to be spent."""
        return self.own + self.foreign

    def elapsed(self, now: datetime) -> float:
        """Return the share of the month that has passed, 0 to 1."""
        return min(1.0, max(0.0, (now - self.start) / (self.end - self.start)))

    def overlap(self, start: datetime, end: datetime) -> timedelta:
        """Return for how long the month and a period coincide."""
        return max(timedelta(), min(end, self.end) - max(start, self.start))

    def absorb(self, other: Month) -> None:
        """Take over the counts of a month that turned out to be the same one."""
        self.operations += other.operations
        self.wasted += other.wasted
        self.unexplained += other.unexplained
        self.ahead += other.ahead

    def as_dict(self) -> dict[str, Any]:
        """Return the month as JSON."""
        return {
            "start": self.start.timestamp(),
            "end": self.end.timestamp(),
            "operations": dict(self.operations),
            "foreign": self.foreign,
            "others": self.others,
            "wasted": self.wasted,
            "unexplained": self.unexplained,
            "ahead": self.ahead,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return a stored month; raises what damaged data comes to."""
        start, end = moment(data["start"]), moment(data["end"])
        if start >= end:
            raise ValueError("A month ends after it begins")
        return cls(
            start=start,
            end=end,
            operations=Counter(
                {str(name): count(calls) for name, calls in data["operations"].items()}
            ),
            foreign=count(data["foreign"]),
            others=number(data["others"]),
            wasted=count(data["wasted"]),
            unexplained=count(data["unexplained"]),
            ahead=count(data["ahead"]),
        )


class Months:
    """The recent months, opened as the clock reaches them.

    They are calendar months in UTC until the cloud tells where they begin.
    """

    def __init__(self, limit: int) -> None:
        """Begin without a record; the limit says what may have been spent."""
        self._limit = limit
        self._begin = timedelta()
        self._known: list[Month] = []

    def present(self, now: datetime) -> Month:
        """Return the month of a moment."""
        # The newest first: a month as told by the cloud may overlap an older one.
        for month in reversed(self._known):
            if month.start <= now < month.end:
                break
        else:
            month = self._opened(now)
        for later in self._later(now):
            # Its calls may have left in truth in the present one.
            month.operations[LOST] += later.ahead
            later.ahead = 0
        return month

    def from_present(self, now: datetime) -> list[Month]:
        """Return the present month and, if the clock went back, the later ones.

        Nobody knows which clock is right, so each call needs room in all of them.
        """
        return [self.present(now), *self._later(now)]

    def lose(self, calls: int, now: datetime) -> None:
        """Count calls that may have left between the record and now."""
        newest, present = self._known[-1], self.present(now)
        newest.operations[LOST] += calls
        if present is not newest:
            present.operations[LOST] += calls

    def tell(
        self, now: datetime, start: datetime | None, end: datetime | None
    ) -> Month:
        """Return the present month, moved to where the cloud says that it lies."""
        month = self.present(now)
        if start is None or end is None or not start <= now < end:
            return month
        if not _SHORTEST <= end - start <= _LONGEST:
            return month
        for other in self._known:
            if other is not month and other.overlap(start, end) > _DAY:
                month.absorb(other)
        month.start, month.end = start, end
        self._begin = start - _month_around(start)[0]
        self._known = [
            known
            for known in self._known
            if known is month or not start <= known.start < end
        ]
        return month

    def change_limit(self, limit: int) -> None:
        """Assume the same share of another limit to be spent.

        A plan that was named too large must not lock its correction out.
        """
        for month in self._known:
            if assumed := month.operations[ASSUMED]:
                month.operations[ASSUMED] = assumed * limit // max(1, self._limit)
        self._limit = limit

    def as_dict(self) -> dict[str, Any]:
        """Return the months as JSON."""
        return {
            "limit": self._limit,
            "begin": self._begin.total_seconds(),
            "known": [month.as_dict() for month in self._known],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return the stored months; raises what damaged data comes to."""
        months = cls(count(data["limit"]))
        months._begin = duration(data["begin"])
        known = [Month.from_dict(month) for month in data["known"]]
        months._known = sorted(known, key=lambda month: month.start)
        if not known:
            raise ValueError("A record holds a month")
        return months

    def _later(self, now: datetime) -> list[Month]:
        return [month for month in self._known if month.start > now]

    def _opened(self, now: datetime) -> Month:
        """Return a new month, empty if it follows one that is known."""
        start, end = (each + self._begin for each in _month_around(now - self._begin))
        earlier = [known for known in self._known if known.start <= now]
        if earlier and start < earlier[-1].end:
            # Months as told may be shorter than the calendar's; none is a few days.
            start = earlier[-1].end
            if end - start < _SHORTEST:
                end = _month_around(end - self._begin)[1] + self._begin
        month = Month(start, end)
        if earlier:
            month.others = earlier[-1].others * _OTHERS_FADE
            # Later ones were opened by a clock that was ahead of itself.
            month.operations[LOST] = sum(later.ahead for later in self._later(now))
            self._known = [*earlier, month][-_KEPT:]
        else:
            # What passed of the month counts as spent, save for one day's calls.
            share = min(month.elapsed(now), 1 - _DAY / (month.end - month.start))
            month.operations[ASSUMED] = int(self._limit * share)
            self._known = [month, *self._known]
        return month


def _month_around(now: datetime) -> tuple[datetime, datetime]:
    """Return start and end of the calendar month in UTC that contains a moment."""
    first = now.astimezone(UTC).replace(
        day=1, hour=0, minute=0, second=0, microsecond=0
    )
    return first, (first + _LONGEST).replace(day=1)
