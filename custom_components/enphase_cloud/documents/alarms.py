"""Alarms that have not been cleared (API operation `open_alarms`)."""

from typing import Final

from ..api.models import Alarms, Severity
from ..measurements.board import Board
from ..measurements.catalog import Measurement, Source
from ..measurements.samples import Sample
from ..measurements.system import SYSTEM
from ..measurements.system_events import from_alarms
from .base import Known, Report

# In order, the worst first.
_SEVERITIES: Final = tuple(Severity)


def read_open_alarms(alarms: Alarms, known: Known) -> Report:
    """Return how many alarms are open, and how severe the worst of them is."""
    opened = [alarm for alarm in alarms.alarms if not alarm.cleared]
    at = known.fetched_at
    samples = {Measurement.OPEN_ALARMS: Sample(len(opened), at, Source.ALARMS)}
    worst = min((each.severity for each in opened), key=_SEVERITIES.index, default=None)
    if worst not in (None, Severity.UNKNOWN):
        samples[Measurement.WORST_ALARM] = Sample(str(worst), at, Source.ALARMS)
    return {SYSTEM: samples}


def learn_open_alarms(alarms: Alarms, known: Known) -> None:
    """Update the open alarms of the board, which events follow from."""
    board = known.board
    listed = from_alarms(alarm for alarm in alarms.alarms if not alarm.cleared)
    board.open_alarms = board.open_alarms.with_response(listed)


def cue(board: Board) -> str:
    """Return the status of the system: a change makes a new request due."""
    status = board.newest().get(Measurement.SYSTEM_STATUS)
    return "" if status is None else str(status.value)
