"""The cloud's view of the calls: it counts them, refuses some and fails at some."""

from bisect import bisect_right
from collections import Counter
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from custom_components.enphase_cloud.quota.ledger import Period
from tests.robustness.household import Refused

from .scenarios import Scenario
from .world import END, clock, seconds

MINUTE = 60.0


class Cloud:
    """Counts calls by its own minutes and months."""

    def __init__(self, scenario: Scenario, *, seed: int) -> None:
        """Draw the year's failures and foreign calls at random."""
        self.calls: list[float] = []
        self.refusals = 0
        self._plan = scenario.plan
        self._failure_rate = scenario.failure_rate
        self._chance = np.random.default_rng(seed)
        zone = ZoneInfo(scenario.time_zone)
        self._begins = [
            seconds(datetime(2026 + month // 12, month % 12 + 1, 1, tzinfo=zone))
            for month in range(11, 27)
        ]
        foreign = 12 * scenario.foreign_calls_per_month
        self._foreign = np.sort(self._chance.uniform(0, END, foreign)).tolist()
        storms = self._chance.uniform(0, END, 12 * scenario.storms_per_month)
        lengths = self._chance.uniform(20 * MINUTE, 90 * MINUTE, storms.size)
        self._storms = list(zip(storms, storms + lengths, strict=True))
        self._minutes: Counter[int] = Counter()
        self._months: Counter[int] = Counter()

    def call(self, moment: float) -> Refused | None:
        """Count a call, and refuse it if a limit is reached."""
        while self._foreign and self._foreign[0] <= moment:
            self._months[self._month(self._foreign.pop(0))] += 1
        self.calls.append(moment)
        refused = self._refusal(moment)
        self.refusals += refused is not None
        return refused

    def fails(self) -> bool:
        """Return whether the cloud fails at this call."""
        return bool(self._chance.random() < self._failure_rate)

    def _refusal(self, moment: float) -> Refused | None:
        minute, month = int(moment // MINUTE), self._month(moment)
        self._minutes[minute] += 1
        self._months[month] += 1
        plan = self._plan
        if self._months[month] > plan.calls_per_month:
            begin, end = map(clock, self._begins[month : month + 2])
            return Refused(Period.MONTH, begin, end, plan.calls_per_month)
        is_stormy = any(begin <= moment < end for begin, end in self._storms)
        if is_stormy and minute % 2:
            return Refused()
        if is_stormy or self._minutes[minute] > plan.calls_per_minute:
            begin, end = map(clock, (minute * MINUTE, (minute + 1) * MINUTE))
            return Refused(Period.MINUTE, begin, end, plan.calls_per_minute)
        return None

    def _month(self, moment: float) -> int:
        return bisect_right(self._begins, moment) - 1

    def worst_month(self) -> int:
        """Return the most calls of ours in one of the cloud's months."""
        return max(Counter(map(self._month, self.calls)).values())

    def worst_minute(self) -> int:
        """Return the most calls of ours in any 60 seconds."""
        return int(self._within_a_minute().max())

    def over_limit(self) -> int:
        """Return how many calls of ours exceeded the plan."""
        months = Counter(map(self._month, self.calls)).values()
        over_month = sum(max(0, count - self._plan.calls_per_month) for count in months)
        over_minute = self._within_a_minute() > self._plan.calls_per_minute
        return over_month + int(np.count_nonzero(over_minute))

    def _within_a_minute(self) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        """Return for each call how many left in the 60 s that end with it."""
        calls = np.array(self.calls)
        earlier = calls.searchsorted(calls - MINUTE, side="right")
        return np.arange(1, calls.size + 1) - earlier
