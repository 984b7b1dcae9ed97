"""What limits calls, and how far each purpose may go."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
import math

_DAY = timedelta(days=1)
_PROBE_TIMEOUT = timedelta(minutes=1)
_TRY = timedelta(minutes=1)
_CLOCK_TOLERANCE = timedelta(minutes=1)


class Period(StrEnum):
    """What a limit of the plan counts by."""

    MINUTE = "minute"
    MONTH = "month"


class Purpose(StrEnum):
    """Why a call is made; decides how far into the reserve it may reach."""

    BACKGROUND = "background"
    USER = "user"
    SIGN_IN = "sign_in"


@dataclass(frozen=True, slots=True)
class Refusal:
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


@dataclass(slots=True)
class Block:
    """A refusal by the cloud: nothing until its end, then one call to try.

    Once, the user may allow a call before: `tried` tells that they did, `try_until` how
    long that call may leave.
    """

    period: Period
    since: datetime
    until: datetime
    probed: datetime | None = None
    tried: bool = False
    try_until: datetime | None = None

    def allow_try(self, now: datetime) -> None:
        """Let one call leave within the next minute."""
        self.tried = True
        self.try_until = now + _TRY

    def probe(self, now: datetime) -> None:
        """Note that a call leaves to see whether the refusal still holds."""
        self.probed = now
        self.try_until = None

    def refusal(self, now: datetime) -> Refusal | None:
        """Return until when nothing may leave; None if a probe may."""
        if self.try_until is not None and now < self.try_until <= now + _TRY:
            return None
        # If the clock went back, the end may be far away: rather try.
        longest = self.until - self.since + _CLOCK_TOLERANCE
        if now < self.until and self.until - now <= longest:
            return Refusal(self.period, self.until)
        if self.probed is not None and self.probed <= now < (
            answer_due := self.probed + _PROBE_TIMEOUT
        ):
            # However long the block was, this takes a minute at most.
            return Refusal(Period.MINUTE, answer_due)
        return None
