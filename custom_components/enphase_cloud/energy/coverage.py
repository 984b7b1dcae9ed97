"""How far a response covers the time that was requested."""

from collections.abc import Mapping
from datetime import datetime

from ..measurements.catalog import Flow
from .readings import SETTLES_AFTER, Readings


def newest_end(readings: Mapping[Flow, Readings]) -> datetime | None:
    """Return the end of the newest interval of any flow, None where there is none."""
    ends = (span.end for of_flow in readings.values() for span in of_flow)
    return max(ends, default=None)


def covered_until(
    readings: Mapping[Flow, Readings], start: datetime
) -> datetime | None:
    """Return until when all flows are certain from a start on, without a gap.

    None where one of them is not certain at all.
    """
    ends = [_unbroken(of_flow, start) for of_flow in readings.values()]
    end = min(ends, default=start)
    return end if end > start else None


def confirmed_until(
    covered: datetime | None, *, changed: datetime | None
) -> datetime | None:
    """Return until when a response confirms earlier ones.

    A temporary fault looks like a correction. So the hours from the first changed one
    on count as settled only once a later response has the same values.
    """
    if covered is None or changed is None:
        return covered
    return min(covered, changed + SETTLES_AFTER)


def _unbroken(readings: Readings, start: datetime) -> datetime:
    """Return the end of what is certain from a start on."""
    end = start
    for span in sorted(readings):
        if span.start > end or not readings[span].is_certain:
            break
        end = max(end, span.start + span.length)
    return end
