"""The cloud's side of the calls: it counts, refuses and answers."""

from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from .world import END, clock, seconds


@dataclass(frozen=True, slots=True)
class Refused:
    """The body of a 429."""

    period: str | None
    period_start: datetime | None
    period_end: datetime | None
    limit: int | None


@dataclass(frozen=True, slots=True)
class Trouble:
    """What makes life hard."""

    foreign_calls_per_month: int = 0
    storms_per_month: int = 0
    failure_rate: float = 0.0
    # The time zone that the cloud's months are in; nobody documents it.
    time_zone: str = "UTC"


@dataclass
class Cloud:
    """Counts calls by its own minutes and months."""

    calls_per_minute: int
    calls_per_month: int
    trouble: Trouble
    seed: int
    refusals: int = 0
    own: list[float] = field(default_factory=list)
    _minutes: Counter[int] = field(default_factory=Counter)
    _months: Counter[int] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        """Roll the dice for the year."""
        chance = np.random.default_rng(self.seed)
        zone = ZoneInfo(self.trouble.time_zone)
        self._begins = [
            seconds(datetime(2026 + month // 12, month % 12 + 1, 1, tzinfo=zone))
            for month in range(11, 27)
        ]
        foreign = 12 * self.trouble.foreign_calls_per_month
        self._foreign = np.sort(chance.uniform(0, END, foreign)).tolist()
        self._counted = 0
        begins = chance.uniform(0, END, 12 * self.trouble.storms_per_month)
        self._storms = [
            (begin, begin + length)
            for begin, length in zip(
                begins, chance.uniform(1200, 5400, begins.size), strict=True
            )
        ]
        self._chance = chance

    def month(self, moment: float) -> int:
        """Return which of the cloud's months a moment lies in."""
        return bisect_right(self._begins, moment) - 1

    def fails(self) -> bool:
        """Return whether the cloud has a bad moment."""
        return bool(self._chance.random() < self.trouble.failure_rate)

    def call(self, moment: float) -> Refused | None:
        """Count a call and refuse it if a limit is reached."""
        while (
            self._counted < len(self._foreign)
            and self._foreign[self._counted] <= moment
        ):
            self._months[self.month(self._foreign[self._counted])] += 1
            self._counted += 1
        self.own.append(moment)
        refused = self._refusal(moment)
        if refused is not None:
            self.refusals += 1
        return refused

    def _refusal(self, moment: float) -> Refused | None:
        minute, month = int(moment // 60), self.month(moment)
        self._minutes[minute] += 1
        self._months[month] += 1
        if self._months[month] > self.calls_per_month:
            begin, end = self._begins[month : month + 2]
            return Refused("month", clock(begin), clock(end), self.calls_per_month)
        if self._minutes[minute] > self.calls_per_minute:
            begin = minute * 60
            return Refused(
                "minute", clock(begin), clock(begin + 60), self.calls_per_minute
            )
        if any(begin <= moment < end for begin, end in self._storms):
            if minute % 2:
                return Refused(None, None, None, None)
            begin = minute * 60
            return Refused(
                "minute", clock(begin), clock(begin + 60), self.calls_per_minute
            )
        return None

    def worst_month(self) -> int:
        """Return the most calls of ours in one of the cloud's months."""
        return max(Counter(self.month(moment) for moment in self.own).values())

    def worst_minute(self) -> int:
        """Return the most calls of ours in any 60 seconds."""
        calls = np.array(self.own)
        return int(
            (
                np.searchsorted(calls, calls + 60, side="left") - np.arange(calls.size)
            ).max()
        )

    def over_limit(self) -> int:
        """Return how many calls of ours the plan did not allow."""
        by_month = Counter(self.month(moment) for moment in self.own)
        calls = np.array(self.own)
        before = np.arange(calls.size) - np.searchsorted(
            calls, calls - 60, side="right"
        )
        return sum(
            max(0, count - self.calls_per_month) for count in by_month.values()
        ) + int(np.count_nonzero(before >= self.calls_per_minute))
