"""How many API calls of a month are used, and how many are left."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from .clock import CloudClock, Monotonic
from .month import ASSUMED, Month, Months
from .plans import Plan
from .reserve import Calls, Purpose, reserve, user_limit

_DAY = timedelta(days=1)
# Unexplained refusals by which another program is suspected; single ones are chance.
SUSPICIOUS = 3


class Usage:
    """The calls of the present month of one API key, by the cloud's time."""

    def __init__(
        self, plan: Plan, *, now: datetime, monotonic: Monotonic | None = None
    ) -> None:
        """Begin with a key whose earlier use is unknown."""
        self._plan = plan
        self._clock = CloudClock(now, monotonic=monotonic)
        self._months = Months(plan.calls_per_month, now)
        self._calls = Calls()
        self._cloud_limit: int | None = None

    @property
    def plan(self) -> Plan:
        """Return the plan that the user chose."""
        return self._plan

    @property
    def limit(self) -> int:
        """Return the calls a month: the plan's, or fewer if the cloud reported so."""
        limit = self._plan.calls_per_month
        return limit if self._cloud_limit is None else min(limit, self._cloud_limit)

    def used(self, now: datetime) -> int:
        """Return the calls used this month, with known ones of other programs."""
        return self._month(now).used

    def left(self, now: datetime) -> int:
        """Return the calls that the plan has left this month."""
        return max(0, self.limit - self.used(now))

    def spendable(self, now: datetime) -> int:
        """Return the calls that background work may still use this month.

        The reserve for the user and sign-ins is deducted, and the expected calls of
        another program.
        """
        month, time = self._month(now), self._clock.read(now).time
        return max(0, self._limit(month, time, Purpose.BACKGROUND) - month.used)

    def period_end(self, now: datetime) -> datetime:
        """Return when the month ends."""
        reading = self._clock.read(now)
        return reading.wall + (self._month(now).end - reading.time)

    def by_operation(self, now: datetime) -> Mapping[str, int]:
        """Return this month's own calls by operation."""
        return dict(self._month(now).operations)

    def wasted(self, now: datetime) -> int:
        """Return this month's calls whose response had no new data."""
        return self._month(now).wasted

    def expected_at_period_end(self, now: datetime) -> int:
        """Return the calls used by the end of the month at the present pace.

        Calls that are only assumed do not count for the pace.
        """
        month, time = self._month(now), self._clock.read(now).time
        assumed = month.operations[ASSUMED]
        begun = month.start + (month.end - month.start) * (assumed / self.limit)
        passed = max(time - begun, _DAY)
        lengths_to_come = (month.end - time) / passed
        expected = round(month.used + (month.used - assumed) * lengths_to_come)
        # We send no call beyond the limit, but other programs may have.
        return min(expected, max(self.limit, month.used))

    def foreign_calls(self, now: datetime) -> int:
        """Return this month's calls that only the cloud counted."""
        return self._month(now).foreign

    def other_program_suspected(self, now: datetime) -> bool:
        """Return whether the cloud refused calls that were left by our count."""
        return self._month(now).unexplained >= SUSPICIOUS

    def _month(self, now: datetime) -> Month:
        """Return the month of the estimated time."""
        return self._months.at(self._clock.read(now).time, self._calls.unplaced)

    def _limit(
        self, month: Month, time: datetime, purpose: Purpose, *, is_probe: bool = False
    ) -> int:
        """Return the count of calls in a month up to which a purpose's are allowed.

        Expected calls of another program do not prevent a probe.
        """
        if purpose is Purpose.SIGN_IN:
            return self._plan.calls_per_month
        time_left = max(month.end - time, timedelta())
        most = user_limit(self.limit, time_left)
        if purpose is Purpose.USER:
            return most
        kept = reserve(self.limit, time_left, elapsed=month.elapsed(time))
        others = 0 if is_probe else round(month.others)
        return min(most, self.limit - kept - others)
