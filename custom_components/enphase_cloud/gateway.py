"""Whether the gateway of a system reports on time; makes no API call."""

from datetime import datetime
from typing import Final

from .data import EnphaseCloudData, EnphaseSystem
from .measurements.catalog import Measurement, Source

# A report arrives up to one period late, so the newest is up to two periods old.
MISSED_REPORTS: Final = 3


def reported_at(system: EnphaseSystem) -> datetime | None:
    """Return the time of the last report, as of the last poll."""
    report = system.board.newest().get(Measurement.LAST_REPORT)
    return None if report is None else report.observed_at


def is_reporting(data: EnphaseCloudData, system: EnphaseSystem) -> bool | None:
    """Return whether the gateway missed fewer than three reports at the last poll.

    None where that is not known.
    """
    summary = system.documents[0]
    report = reported_at(system)
    requested_at = system.board.evidence_of(Source.SUMMARY).requested_at
    if report is None or requested_at is None or not system.store.is_visible:
        return None
    period = data.budget.schedule.period(summary.plan.polled)
    return requested_at - report <= (MISSED_REPORTS + 1) * period
