"""What limits calls, and how far each purpose may go."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
import math
from typing import NamedTuple

from .clock import PATIENCE

_DAY = timedelta(days=1)
# How long after a call its answer is waited for before the next one may try.
PROBE_TIMEOUT = timedelta(minutes=1)
# The calls of every 60 seconds are limited; ten more are for the way to the cloud.
MINUTE = timedelta(seconds=70)
# No call is under way for longer.
_LONGEST_WAY = timedelta(minutes=10)


class Period(StrEnum):
    """What a limit of the plan counts by."""

    MINUTE = "minute"
    MONTH = "month"


class Purpose(StrEnum):
    """Why a call is made; decides how far into the reserve it may reach."""

    BACKGROUND = "background"
    USER = "user"
    SIGN_IN = "sign_in"


class Refusal(NamedTuple):
    """No call may leave for this limit until then."""

    period: Period
    until: datetime


def reserve(limit: int, time_left: timedelta, *, elapsed: float) -> int:
    """Return how many of the calls left background work may not touch.

    They are for sign-ins and, between 3 % of the month's calls at its beginning and
    1 % at its end, for the user. `elapsed` is the share of the month that has passed.
    """
    user = round(limit * (0.01 + 0.02 * (1 - elapsed)))
    return user + sign_in_reserve(limit, time_left)


def user_limit(limit: int, time_left: timedelta) -> int:
    """Return how many calls of a month the user may bring it to.

    Besides those for sign-ins, a few are kept to find out what time it is.
    """
    return limit - max(sign_in_reserve(limit, time_left), min(8, limit // 10))


def sign_in_reserve(limit: int, time_left: timedelta) -> int:
    """Return how many of the calls left are kept for sign-ins."""
    # A token lives for a day.
    return min(math.ceil(time_left / _DAY), limit // 20)


class BudgetExhaustedError(Exception):
    """The plan allows no such call now."""

    def __init__(self, refusal: Refusal) -> None:
        """Say which limit is reached, and until when."""
        super().__init__(f"The calls of this {refusal.period} are spent")
        self.period = refusal.period
        self.until = refusal.until


@dataclass(slots=True, eq=False)
class Call:
    """A call from when it was counted until its outcome is known [ticks].

    It may reach the cloud at any moment in between. It is placed once it is certain in
    which month that was.
    """

    operation: str
    started: timedelta
    ended: timedelta | None = None
    is_placed: bool = False
    must_be_saved: bool = False

    def frees_at(self, ticks: timedelta) -> timedelta:
        """Return when it no longer counts in the minute, if it has ended by now."""
        return (ticks if self.ended is None else self.ended) + MINUTE


class Calls:
    """The calls of the last minute, and those whose month is not certain yet."""

    def __init__(self) -> None:
        """Begin without any."""
        self._calls: list[Call] = []
        # Those of earlier processes, by operation.
        self._unplaced: Counter[str] = Counter()

    @property
    def unplaced(self) -> Mapping[str, int]:
        """Return the calls by operation whose month is not certain."""
        recent = Counter(call.operation for call in self._calls if not call.is_placed)
        return self._unplaced + recent

    def restore(self, held: int, unplaced: Mapping[str, int]) -> None:
        """Take over what may have reached the cloud just before this process began."""
        start = timedelta()
        self._calls += [Call("", start, start, is_placed=True) for _ in range(held)]
        self._unplaced.update(unplaced)

    def begin(self, operation: str, ticks: timedelta) -> Call:
        """Hold room in the minute for a call that is about to leave."""
        call = Call(operation, ticks)
        self._calls = [
            each
            for each in self._calls
            if not each.is_placed or each.frees_at(ticks) > ticks
        ]
        self._calls.append(call)
        return call

    def held(self, ticks: timedelta) -> list[timedelta]:
        """Return when the room of each call of the minute becomes free, in order."""
        for call in self._calls:
            if call.ended is None and ticks - call.started > _LONGEST_WAY:
                call.ended = ticks
        return sorted(
            frees for call in self._calls if (frees := call.frees_at(ticks)) > ticks
        )

    def __len__(self) -> int:
        """Return how many calls may have room in the minute, at most."""
        return len(self._calls)

    def place(self, *, before: timedelta) -> None:
        """Note that the month is certain of what had ended before a moment."""
        self._unplaced.clear()
        for call in self._calls:
            if call.ended is not None and call.ended <= before:
                call.is_placed = True


@dataclass(slots=True)
class Block:
    """A refusal by the cloud: nothing until its end [ticks], then one call to try.

    Once, the user may allow a call before: `tried` tells that they did, `try_until` how
    long that call may leave [ticks].
    """

    period: Period
    until: timedelta
    probe: Call | None = None
    tried: bool = False
    try_until: timedelta | None = None

    def allow_try(self, ticks: timedelta) -> None:
        """Let one call leave within the next minute."""
        self.tried = True
        self.try_until = ticks + PROBE_TIMEOUT

    def begin_probe(self, probe: Call) -> None:
        """Note that a call leaves to see whether the refusal still holds."""
        self.probe = probe
        self.try_until = None

    def ends_soon(self, ticks: timedelta) -> bool:
        """Return whether it is over soon."""
        return timedelta() < self.until - ticks <= PATIENCE

    def holds_until(self, ticks: timedelta) -> timedelta | None:
        """Return until when nothing may leave; None if a probe may."""
        if self.try_until is not None and ticks < self.try_until:
            return None
        if ticks < self.until:
            return self.until
        if self.probe is not None:
            answer_due = self.probe.started + PROBE_TIMEOUT
            return answer_due if ticks < answer_due else None
        return None
