"""Drops energy beyond the power that a flow can carry, and learns that power."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from functools import partial
import logging

from ..api import EnergyIntervals
from ..energy.flows import (
    Dailies,
    Intervals,
    plate_power,
    readings_of_dailies,
    readings_of_week,
)
from ..energy.import_progress import Days, ImportProgress
from ..energy.importer import Change
from ..energy.parsing import skips_days
from ..energy.power_cap import PowerCap
from ..energy.readings import Readings
from ..measurements.catalog import Flow, Source
from .base import SystemContext

_LOGGER = logging.getLogger(__name__)


class PowerCaps:
    """The highest plausible power of each flow of a system."""

    def __init__(
        self, context: SystemContext, request_again: Callable[[Source, Change], None]
    ) -> None:
        """Continue from the stored caps.

        Calls `request_again` with the windows that lack energy once a cap rises.
        """
        self._request_again = request_again
        self._context = context

    def read_week(
        self, source: Source, intervals: Intervals, now: datetime
    ) -> dict[Flow, Readings]:
        """Return the readings of intervals, after learning caps from them."""
        for flow, document in intervals.items():
            self._learn(source, flow, document, now)
        return readings_of_week(intervals, self._limits(intervals), fetched_at=now)

    def read_dailies(self, dailies: Dailies, now: datetime) -> dict[Flow, Readings]:
        """Return the readings of days; skipped ones are requested once a cap rises."""
        limits = self._limits(dailies)
        for flow, daily in dailies.items():
            if skips_days(daily, limits[flow]):
                cap = replace(self._cap(flow), skips_days=True, skipped_at=now)
                self._remember(flow, cap, now)
        return readings_of_dailies(
            dailies, limits, fetched_at=now, time_zone=self._context.info.time_zone
        )

    def _learn(
        self, source: Source, flow: Flow, document: EnergyIntervals, now: datetime
    ) -> None:
        """Learn a cap; request skipped windows again if it rises."""
        known = self._cap(flow)
        cap = known.learn(document, plate=self._plate(flow), fetched_at=now)
        if cap.learnt == known.learnt:
            self._remember(flow, cap, now)
            return
        _LOGGER.info(
            "Up to %.1f kW of %s are accepted now: Enphase keeps reporting that much",
            cap.learnt / 1_000,
            flow,
        )
        self._request_again(source, partial(_with_left_out, cap, document, now))
        self._remember(flow, cap.requested_again(), now)

    def _limits(self, flows: Iterable[Flow]) -> dict[Flow, float]:
        return {flow: self._cap(flow).limit(self._plate(flow)) for flow in flows}

    def _cap(self, flow: Flow) -> PowerCap:
        return self._context.store.power_cap(flow)

    def _plate(self, flow: Flow) -> float:
        return plate_power(flow, self._context.board.newest())

    def _remember(self, flow: Flow, cap: PowerCap, now: datetime) -> None:
        known = self._cap(flow)
        if cap == known:
            return
        if cap.skipped_recently(now) and not known.skipped_recently(now):
            _LOGGER.warning(
                "Energy of %s beyond %.1f kW is skipped until Enphase confirms it",
                flow,
                cap.limit(self._plate(flow)) / 1_000,
            )
        self._context.store.set_power_cap(flow, cap)
        self._context.shared.budget.notify()


def _with_left_out(
    cap: PowerCap, document: EnergyIntervals, now: datetime, progress: ImportProgress
) -> ImportProgress:
    """Return the progress that requests again the windows that a cap skipped."""
    for start, end in cap.skipped_beside(document):
        progress = progress.request_hours(start, end, now=now, again=True)
    return progress.request_days(Days()) if cap.skips_days else progress
