"""Whether the gateway of a system reports on time; makes no API call."""

from datetime import datetime
from typing import Final

from .data import EnphaseCloudData, EnphaseSystem
from .measurements.catalog import Measurement

# A report arrives up to one period late, so the newest is up to two periods old.
MISSED_REPORTS: Final = 3


def reported_at(system: EnphaseSystem) -> datetime | None:
    """Return the time of the last report, as of the last poll."""
    report = system.board.newest().get(Measurement.LAST_REPORT)
    return None if report is None else report.observed_at


def is_reporting(data: EnphaseCloudData, system: EnphaseSystem) -> bool | None:
    """Return whether the gateway missed fewer than three reports at the last poll.

    A poll that failed does not count. None where that is not known.
    """
    schedule, polled = data.budget.schedule, system.documents[0].plan.polled
    report, requested_at = reported_at(system), schedule.requested_at(polled)
    if report is None or requested_at is None or not system.store.is_visible:
        return None
    period = schedule.period(polled)
    return requested_at - report <= (MISSED_REPORTS + 1) * period
