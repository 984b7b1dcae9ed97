"""The API calls of each month, and which month is the present one."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any, Self

from ..json_values import count, moment, number

ASSUMED = "assumed"  # calls assumed in place of a missing or damaged record
LOST = "lost"  # calls that may have been sent before a crash without a record

_DAY = timedelta(days=1)
_LONGEST = timedelta(days=32)
_KEPT = 4
# Calls that another program used in a month are kept free in the next one; 5 % less
# each month, because it may not run any more.
_OTHERS_FADE = 0.95


@dataclass(slots=True)
class Month:
    """The calls of one month, as counted here and as corrected by the cloud."""

    start: datetime
    end: datetime
    # Calls by operation; each attempt of ours, with or without a response.
    operations: Counter[str] = field(default_factory=Counter)
    # Calls with a response, so the cloud has counted them.
    served: int = 0
    # Calls that the cloud counted and we did not.
    foreign: int = 0
    # Calls that another program is expected to take.
    others: float = 0.0
    wasted: int = 0
    # Refusals by the cloud while calls were left by our count.
    unexplained: int = 0

    @property
    def own(self) -> int:
        """Return our own calls."""
        return self.operations.total()

    @property
    def known(self) -> int:
        """Return our own calls without those that are only assumed."""
        return self.own - self.operations[ASSUMED]

    @property
    def used(self) -> int:
        """Return all known calls, with those of other programs."""
        return self.own + self.foreign

    def elapsed(self, now: datetime) -> float:
        """Return the share of the month that has passed, 0 to 1."""
        return min(1.0, max(0.0, (now - self.start) / (self.end - self.start)))

    def with_calls_of(self, other: Month) -> Month:
        """Return the month with the calls of another record of the same month."""
        calls = Counter(other.operations)
        del calls[ASSUMED]
        return replace(
            self,
            operations=self.operations + calls,
            served=self.served + other.served,
            wasted=self.wasted + other.wasted,
            unexplained=self.unexplained + other.unexplained,
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the month as JSON."""
        return {
            "start": self.start.timestamp(),
            "end": self.end.timestamp(),
            "operations": dict(self.operations),
            "served": self.served,
            "foreign": self.foreign,
            "others": self.others,
            "wasted": self.wasted,
            "unexplained": self.unexplained,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return a stored month; damaged data raises errors of various types."""
        start, end = moment(data["start"]), moment(data["end"])
        if start >= end:
            raise ValueError("A month ends after it begins")
        # Version 0.1.0 also knew months that began at other times.
        start, end = month_around(start + (end - start) / 2)
        return cls(
            start=start,
            end=end,
            operations=Counter(
                {str(name): count(calls) for name, calls in data["operations"].items()}
            ),
            served=count(data.get("served", 0)),
            foreign=count(data["foreign"]),
            others=number(data["others"]),
            wasted=count(data["wasted"]),
            unexplained=count(data["unexplained"]),
        )


class Months:
    """The recent calendar months in UTC, of which the last one is the present."""

    def __init__(self, limit: int, now: datetime) -> None:
        """Begin without a record; assumed calls are a share of the limit."""
        self._limit = limit
        # Until the time of the cloud is certain, the first month is a guess.
        self._is_guess = True
        # The user states that no other program has used the key.
        self._is_new_key = False
        self._known = [self._assumed(Month(*month_around(now)), now)]

    @property
    def present(self) -> Month:
        """Return the month in which calls are counted."""
        return self._known[-1]

    def at(self, time: datetime, unplaced: Mapping[str, int]) -> Month:
        """Return the month of a moment as it would be as the present one.

        `unplaced` are calls that may belong to it, but are counted in the present one.
        """
        return self._moved(time, unplaced)[-1]

    def move(self, time: datetime, unplaced: Mapping[str, int]) -> None:
        """Make the month of a moment the present one, once the time is certain."""
        self._known = self._moved(time, unplaced)[-_KEPT:]
        self._is_guess = False

    def change_limit(self, limit: int) -> None:
        """Assume the same share of another limit to be used.

        Otherwise calls assumed by too large a plan would use up the corrected one.
        """
        for month in self._known:
            if assumed := month.operations[ASSUMED]:
                month.operations[ASSUMED] = assumed * limit // max(1, self._limit)
        self._limit = limit

    def set_new_key(self, now: datetime, *, is_new: bool) -> None:
        """Assume no calls of a key that is new, or again those of one that is not."""
        if is_new:
            del self.present.operations[ASSUMED]
        elif self._is_new_key:
            self.present.operations += self._assumed(self.present, now).operations
        self._is_new_key = is_new

    def as_dict(self) -> dict[str, Any]:
        """Return the months as JSON."""
        return {
            "limit": self._limit,
            "is_guess": self._is_guess,
            "is_new_key": self._is_new_key,
            "known": [month.as_dict() for month in self._known],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return the stored months; damaged data raises errors of various types."""
        stored = sorted(
            (Month.from_dict(month) for month in data["known"]),
            key=lambda month: month.start,
        )
        months = cls(count(data["limit"]), stored[-1].start)
        months._is_guess = data.get("is_guess", False) is True
        months._is_new_key = data.get("is_new_key", False) is True
        months._known = []
        for _, same in groupby(stored, key=lambda month: month.start):
            month, *others = same
            for other in others:
                month = month.with_calls_of(other)
            months._known.append(month)
        return months

    def _moved(self, time: datetime, unplaced: Mapping[str, int]) -> list[Month]:
        start, end = month_around(time)
        if self.present.start == start:
            return self._known
        earlier = [month for month in self._known if month.start < start]
        later = [month for month in self._known if month.start > start]
        month = next((known for known in self._known if known.start == start), None)
        if month is None:
            month = Month(start, end)
            if earlier:
                month.others = earlier[-1].others * _OTHERS_FADE
            if not self._is_new_key and (self._is_guess or not earlier):
                month = self._assumed(month, time)
        if not later:
            month.operations.update(unplaced)
        for other in later:
            # A later month has not begun, so its calls belong to the present one.
            month = month.with_calls_of(other)
        return [*earlier, month]

    def _assumed(self, month: Month, now: datetime) -> Month:
        """Return a month with assumed calls for the time passed, but the last day."""
        assumed = int(self._limit * _share(month, now))
        return replace(month, operations=Counter({ASSUMED: assumed}))


def share_assumed(now: datetime) -> float:
    """Return the share of a month's calls assumed for a key without a record."""
    return _share(Month(*month_around(now)), now)


def _share(month: Month, now: datetime) -> float:
    return min(month.elapsed(now), 1 - _DAY / (month.end - month.start))


def month_around(now: datetime) -> tuple[datetime, datetime]:
    """Return start and end of the calendar month in UTC that contains a moment."""
    first = now.astimezone(UTC).replace(
        day=1, hour=0, minute=0, second=0, microsecond=0
    )
    return first, (first + _LONGEST).replace(day=1)
