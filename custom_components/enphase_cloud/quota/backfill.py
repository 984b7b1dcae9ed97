"""API calls for energy data beside polling: the updates of each day, and history."""

from datetime import datetime, timedelta
import math
from typing import Any, Final, NamedTuple, Self

from ..json_values import moment, optional, record
from .plans import Plan

_DAY: Final = timedelta(days=1)
_MINUTE: Final = timedelta(minutes=1)
# The share of the calls for history while there is no surplus.
_SHARE: Final = 0.25
# The greatest share of the calls for energy updates; the rest is for polls.
_MOST: Final = 0.5
_MONTH_DAYS: Final = 31
# The share of the calls of a minute for history.
_SHARE_OF_MINUTE: Final = 0.4


class ImportDemand(NamedTuple):
    """The API calls that a system requires: each day, and once for history."""

    per_day: int = 0
    history: int = 0


class BudgetLeft(NamedTuple):
    """The API calls available until the month ends.

    `calls_left` is for background work. `polls` is what polling would need to request
    all new data; calls beyond that are a surplus.
    """

    calls_left: int
    polls: float
    period_end: datetime
    calls_per_minute: int


def can_afford(plan: Plan, per_day: int) -> bool:
    """Return whether a plan has this number of daily calls for energy, beside polls."""
    return per_day * _MONTH_DAYS <= plan.calls_per_month * _MOST


class Backfill:
    """The demands of all systems on one API key."""

    def __init__(self, last: datetime | None = None) -> None:
        """Begin without demands; `last` is the time of the last request for history."""
        self._demands: dict[str, ImportDemand] = {}
        self._last = last

    @classmethod
    def restore(cls, data: object) -> Self:
        """Restore the result of as_dict(); raises ValueError where it is damaged."""
        return cls(optional(moment, record(data)["last"]))

    def as_dict(self) -> dict[str, Any]:
        """Return the state as JSON, without demands: systems set them at each start."""
        return {"last": self._last and self._last.timestamp()}

    def set_demand(self, system: str, demand: ImportDemand) -> None:
        """Replace the demand of a system."""
        self._demands[system] = demand

    def forget(self, system: str) -> None:
        """Remove the demand of a system."""
        self._demands.pop(system, None)

    @property
    def per_day(self) -> int:
        """Return the calls of each day."""
        return sum(demand.per_day for demand in self._demands.values())

    @property
    def history(self) -> int:
        """Return the calls of history that are still to be made."""
        return sum(demand.history for demand in self._demands.values())

    def claim(self, now: datetime, budget_left: BudgetLeft) -> int:
        """Return how many of the calls left are not for polling."""
        daily = min(int(budget_left.calls_left * _MOST), self._daily(now, budget_left))
        return daily + min(self.history, self._allowed(now, budget_left))

    def spent(self, now: datetime) -> None:
        """Note a request for history."""
        self._last = now

    def pause(self, now: datetime, budget_left: BudgetLeft) -> timedelta | None:
        """Return the pause between two calls for history; None where none is left."""
        if not self._allowed(now, budget_left):
            return None
        return self._pause(now, budget_left, self.history)

    def next_call(self, now: datetime, budget_left: BudgetLeft) -> datetime:
        """Return when the next call for history is allowed, now or later."""
        pause = self.pause(now, budget_left)
        if pause is None:
            return budget_left.period_end
        if self._last is None:
            return now
        # A last call in the future (a clock was set back) must not delay the next.
        self._last = min(self._last, now)
        return min(max(now, self._last + pause), max(now, budget_left.period_end))

    def duration(
        self,
        now: datetime,
        budget_left: BudgetLeft,
        month: BudgetLeft,
        *,
        more: int = 0,
    ) -> timedelta | None:
        """Return how long the import of history takes; None if no call is available.

        `more` calls are added to the demands. `month` is the budget of a whole month.
        """
        calls = self.history + more
        allowed = self._allowed(now, budget_left)
        if calls <= allowed:
            return calls * self._pause(now, budget_left, calls)
        start = budget_left.period_end
        if not (later := self._allowed(start, month)):
            return None
        rest = calls - allowed
        if rest <= later:
            return start - now + rest * self._pause(start, month, rest)
        return start - now + (month.period_end - start) * (rest / later)

    def _pause(self, now: datetime, budget_left: BudgetLeft, calls: int) -> timedelta:
        if self._surplus(now, budget_left) >= calls:
            return _MINUTE / max(
                1, int(budget_left.calls_per_minute * _SHARE_OF_MINUTE)
            )
        return max(budget_left.period_end - now, _MINUTE) / max(
            1, self._allowed(now, budget_left)
        )

    def _daily(self, now: datetime, budget_left: BudgetLeft) -> int:
        days = max(budget_left.period_end - now, timedelta()) / _DAY
        return math.ceil(self.per_day * days)

    def _surplus(self, now: datetime, budget_left: BudgetLeft) -> int:
        return int(
            budget_left.calls_left - self._daily(now, budget_left) - budget_left.polls
        )

    def _allowed(self, now: datetime, budget_left: BudgetLeft) -> int:
        """Return how many calls history may take until the month ends."""
        share = (budget_left.calls_left - self._daily(now, budget_left)) * _SHARE
        return max(int(share), self._surplus(now, budget_left), 0)
