"""Limits of API calls, and how many calls each purpose may use."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
import math
from typing import NamedTuple

from .clock import PATIENCE

_DAY = timedelta(days=1)
# How long to wait for the response to a probe before the next one is allowed.
PROBE_TIMEOUT = timedelta(minutes=1)
# Limits count 60 seconds; ten more allow for different delays on the way to the cloud.
MINUTE = timedelta(seconds=70)
# No call takes longer.
_LONGEST_WAY = timedelta(minutes=10)


class Period(StrEnum):
    """The period of a limit of the plan."""

    MINUTE = "minute"
    MONTH = "month"


class Purpose(StrEnum):
    """Why a call is made; decides how much of the reserve it may use."""

    BACKGROUND = "background"
    USER = "user"
    SIGN_IN = "sign_in"


class Refusal(NamedTuple):
    """The limit that prevents a call, and until when."""

    period: Period
    until: datetime


def reserve(limit: int, time_left: timedelta, *, elapsed: float) -> int:
    """Return how many of the calls left background work may not use.

    They are for sign-ins and for the user: 3 % of the month's calls at its beginning,
    1 % at its end. `elapsed` is the share of the month that has passed, 0 to 1.
    """
    user = round(limit * (0.01 + 0.02 * (1 - elapsed)))
    return user + sign_in_reserve(limit, time_left)


def user_limit(limit: int, time_left: timedelta) -> int:
    """Return the count of calls in a month up to which the user's are allowed.

    Besides those for sign-ins, a few are kept to check the time.
    """
    return limit - max(sign_in_reserve(limit, time_left), min(8, limit // 10))


def sign_in_reserve(limit: int, time_left: timedelta) -> int:
    """Return how many of the calls left are kept for sign-ins."""
    # A token lives for a day.
    return min(math.ceil(time_left / _DAY), limit // 20)


class BudgetExhaustedError(Exception):
    """The plan allows no such call now."""

    def __init__(self, refusal: Refusal) -> None:
        """Take the limit that is reached, and until when."""
        super().__init__(f"The calls of this {refusal.period} are spent")
        self.period = refusal.period
        self.until = refusal.until


@dataclass(slots=True, eq=False)
class Call:
    """A call, from the count before it is sent until its outcome is known [ticks].

    It may reach the cloud at any time in between. It `is_placed` once its month is
    certain.
    """

    operation: str
    started: timedelta
    ended: timedelta | None = None
    is_placed: bool = False
    must_be_saved: bool = False

    def frees_at(self, ticks: timedelta) -> timedelta:
        """Return when it stops counting in the minute, if it has ended by now."""
        return (ticks if self.ended is None else self.ended) + MINUTE


class Calls:
    """The calls of the last minute, and those whose month is not certain yet."""

    def __init__(self) -> None:
        """Begin without any."""
        self._calls: list[Call] = []
        # Calls of earlier processes by operation, whose month is not certain.
        self._unplaced: Counter[str] = Counter()

    @property
    def unplaced(self) -> Mapping[str, int]:
        """Return the calls by operation whose month is not certain."""
        recent = Counter(call.operation for call in self._calls if not call.is_placed)
        return self._unplaced + recent

    def restore(self, held: int, unplaced: Mapping[str, int]) -> None:
        """Add calls that may have reached the cloud just before this process began."""
        start = timedelta()
        self._calls += [Call("", start, start, is_placed=True) for _ in range(held)]
        self._unplaced.update(unplaced)

    def begin(self, operation: str, ticks: timedelta) -> Call:
        """Add a call that is about to be sent."""
        call = Call(operation, ticks)
        self._calls = [
            each
            for each in self._calls
            if not each.is_placed or each.frees_at(ticks) > ticks
        ]
        self._calls.append(call)
        return call

    def held(self, ticks: timedelta) -> list[timedelta]:
        """Return when each call of the minute stops counting in it, in order."""
        for call in self._calls:
            if call.ended is None and ticks - call.started > _LONGEST_WAY:
                call.ended = ticks
        return sorted(
            frees for call in self._calls if (frees := call.frees_at(ticks)) > ticks
        )

    def __len__(self) -> int:
        """Return an upper bound of the calls that count in the minute."""
        return len(self._calls)

    def place(self, *, before: timedelta) -> None:
        """Note that the month is certain of calls that ended before some ticks."""
        self._unplaced.clear()
        for call in self._calls:
            if call.ended is not None and call.ended <= before:
                call.is_placed = True


@dataclass(slots=True)
class Block:
    """A refusal by the cloud: no call until its end [ticks], then one call as a probe.

    The user may allow one call before, once: `tried` says whether they did, `try_until`
    until when that call may be sent [ticks].
    """

    period: Period
    until: timedelta
    probe: Call | None = None
    tried: bool = False
    try_until: timedelta | None = None

    def allow_try(self, ticks: timedelta) -> None:
        """Allow one call within the next minute."""
        self.tried = True
        self.try_until = ticks + PROBE_TIMEOUT

    def begin_probe(self, probe: Call) -> None:
        """Note a call that tests whether the refusal still holds."""
        self.probe = probe
        self.try_until = None

    def ends_soon(self, ticks: timedelta) -> bool:
        """Return whether it ends within `PATIENCE`."""
        return timedelta() < self.until - ticks <= PATIENCE

    def holds_until(self, ticks: timedelta) -> timedelta | None:
        """Return until when no call is allowed; None if a probe is."""
        if self.try_until is not None and ticks < self.try_until:
            return None
        if ticks < self.until:
            return self.until
        if self.probe is not None:
            response_due = self.probe.started + PROBE_TIMEOUT
            return response_due if ticks < response_due else None
        return None
