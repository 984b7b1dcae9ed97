"""Which data of a refusal (429) by the cloud are plausible."""

from datetime import datetime, timedelta
from typing import NamedTuple

from .month import Month, month_around
from .plans import Plan
from .reserve import Period

_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)
_SEASON = timedelta(days=90)
# The smallest plan of the portal has as many calls a month.
_SMALLEST_LIMIT = 1_000


class RefusalReport(NamedTuple):
    """The data of a 429, each of which may be missing."""

    period: Period | None
    start: datetime | None
    end: datetime | None
    limit: int | None

    def is_absurd(self, time: datetime, month: Month, plan: Plan) -> bool:
        """Return whether no plan can have this period and limit.

        A period of the month is a calendar month, with a day of tolerance at either
        end. A limit may be that of a smaller plan than the user chose, but not less
        than the number of calls served already.
        """
        if self.period is not Period.MONTH:
            # A minute needs no start.
            return self.end is not None and abs(self.end - time) > _HOUR
        return not (self._is_month(time) and self._is_limit(month, plan))

    def is_of(self, month: Month) -> bool:
        """Return whether the period is this month, within a day."""
        return self.start is None or abs(self.start - month.start) <= _DAY

    def _is_month(self, time: datetime) -> bool:
        if self.start is None and self.end is None:
            return True
        if self.start is None or self.end is None:
            return False
        if not self.start <= time < self.end or self.end - self.start > _SEASON:
            return False
        first, last = month_around(self.start + (self.end - self.start) / 2)
        return abs(self.start - first) <= _DAY and abs(self.end - last) <= _DAY

    def _is_limit(self, month: Month, plan: Plan) -> bool:
        if self.limit is None:
            return True
        return self.limit >= max(month.served, least_limit(plan))


def least_limit(plan: Plan) -> int:
    """Return the least limit a month that is plausible for the user's plan."""
    return min(plan.calls_per_month // 2, _SMALLEST_LIMIT)
