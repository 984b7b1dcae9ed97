"""What one month of the plan has seen."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from .stored import count, moment


@dataclass(slots=True)
class Month:
    """The calls of one month, as counted here and as corrected by the cloud."""

    start: datetime
    end: datetime
    # Calls by operation; every attempt of ours, answered or not.
    operations: Counter[str] = field(default_factory=Counter)
    # Calls that the cloud counted and we did not.
    foreign: int = 0
    wasted: int = 0
    # Refusals by the cloud while calls were left by our count.
    unexplained: int = 0

    @property
    def own(self) -> int:
        """Return the calls that left here."""
        return self.operations.total()

    @property
    def used(self) -> int:
        """Return all calls known to be spent."""
        return self.own + self.foreign

    def contains(self, moment: datetime) -> bool:
        """Return whether the moment lies in this month."""
        return self.start <= moment < self.end

    def elapsed(self, now: datetime) -> float:
        """Return the share of the month that has passed, 0 to 1."""
        return min(1.0, max(0.0, (now - self.start) / (self.end - self.start)))

    def absorb(self, other: Self) -> None:
        """Take over the counts of a month that turned out to be the same one."""
        self.operations += other.operations
        self.wasted += other.wasted
        self.unexplained += other.unexplained

    def as_dict(self) -> dict[str, Any]:
        """Return the month as JSON."""
        return {
            "start": self.start.timestamp(),
            "end": self.end.timestamp(),
            "operations": dict(self.operations),
            "foreign": self.foreign,
            "wasted": self.wasted,
            "unexplained": self.unexplained,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return a stored month; raises ValueError, KeyError or TypeError."""
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
            wasted=count(data["wasted"]),
            unexplained=count(data["unexplained"]),
        )


def month_around(now: datetime, begins: timedelta) -> tuple[datetime, datetime]:
    """Return start and end of the month that contains a moment.

    Months begin so much after the first instant of a calendar month in UTC.
    """
    shifted = (now - begins).astimezone(UTC)
    first = shifted.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    following = (first + timedelta(days=32)).replace(day=1)
    return first + begins, following + begins


def month_begins(moment: datetime) -> timedelta:
    """Return how long after the first instant of its calendar month a moment is."""
    return moment - month_around(moment, timedelta())[0]
