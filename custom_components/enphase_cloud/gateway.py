"""Whether the gateway of a system reports in its rhythm; no call is made for it."""

from datetime import datetime
from typing import Final

from .data import EnphaseCloudData, EnphaseSystem
from .measurements.catalog import Measurement, Source

# Reports are as late as a period, so the age of one that is there is up to two.
MISSED_REPORTS: Final = 3


def reported_at(system: EnphaseSystem) -> datetime | None:
    """Return when the gateway reported last, as of the last poll."""
    report = system.board.newest().get(Measurement.LAST_REPORT)
    return None if report is None else report.observed_at


def is_reporting(data: EnphaseCloudData, system: EnphaseSystem) -> bool | None:
    """Return whether fewer than three reports were missing at the last poll.

    None where that is not known.
    """
    summary = system.documents[0]
    report = reported_at(system)
    requested_at = system.board.evidence_of(Source.SUMMARY).requested_at
    if report is None or requested_at is None or not system.store.is_visible:
        return None
    period = data.budget.schedule.period(summary.plan.polled)
    return requested_at - report <= (MISSED_REPORTS + 1) * period
