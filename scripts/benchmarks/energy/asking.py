"""Asks the cloud as the integration does, without a budget to keep.

Every night brings one call for each document's newest hours, and one for an old week.
"""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from custom_components.enphase_cloud.history import StatisticsImporter
from custom_components.enphase_cloud.site.energy import (
    HOUR,
    SETTLES_AFTER,
    Readings,
    hourly,
    top_of_hour,
)

from .cloud import Answers, Telemetry
from .mishaps import Luck

WEEK: Final = timedelta(days=7)
# Energy that is all zero for so long is zero.
_DOUBTED: Final = timedelta(days=6)
_ATTEMPTS: Final = 4


@dataclass(slots=True)
class _Week:
    """An old week that is still to be asked for."""

    start: datetime
    attempts: int = 0


@dataclass(slots=True)
class _Known:
    """How far a document is settled, and what is missing before."""

    settled: datetime
    missing: deque[_Week] = field(default_factory=deque)


class Asking:
    """What is asked for next; it outlives restarts."""

    def __init__(
        self, answers: Answers, luck: Luck, *, installed_at: datetime, weeks: int
    ) -> None:
        """Begin when the integration is installed, with weeks of history to import."""
        self._answers = answers
        self._luck = luck
        newest = top_of_hour(installed_at - WEEK) + HOUR
        self._known = {
            asked: _Known(
                newest,
                deque(_Week(newest - number * WEEK) for number in range(weeks, 0, -1)),
            )
            for asked in Telemetry
        }
        self.calls = 0

    async def days(self, importer: StatisticsImporter, now: datetime) -> None:
        """Ask for all days."""
        for asked in Telemetry:
            document = self._answers.days(asked, now)
            self.calls += 1
            found = self._answers.read_days(asked, document, now)
            for flow, readings in found.items():
                await importer.async_import(flow, readings)

    async def night(self, importer: StatisticsImporter, now: datetime) -> None:
        """Ask for what is new, and for a week that is old."""
        for asked, known in self._known.items():
            await self._update(importer, asked, known, now)
            if known.missing:
                await self._old_week(importer, asked, known, now)

    async def _update(
        self,
        importer: StatisticsImporter,
        asked: Telemetry,
        known: _Known,
        now: datetime,
    ) -> None:
        """Ask for all hours that are not settled.

        An hour is settled once the cloud said twice the same of it, as a transient
        fault is not to be told from a correction by one answer.
        """
        start = max(known.settled, top_of_hour(now - WEEK) + HOUR)
        if known.settled < start:
            known.missing.append(_Week(known.settled))
            known.settled = start
        mishap = self._luck.of_update()
        self.calls += 1
        if mishap.fails:
            return
        document = self._answers.week(asked, start, now, mishap.fault)
        found = self._answers.read_week(asked, document, now)
        known.settled = min(
            [
                _settled(
                    readings,
                    start=start,
                    now=now,
                    changed=await importer.async_import(flow, readings),
                )
                for flow, readings in found.items()
            ]
        )

    async def _old_week(
        self,
        importer: StatisticsImporter,
        asked: Telemetry,
        known: _Known,
        now: datetime,
    ) -> None:
        """Ask for a week; again on other nights where the answer lacks hours."""
        mishap = self._luck.of_history()
        self.calls += 1
        if mishap.fails:
            return
        week = known.missing.popleft()
        document = self._answers.week(asked, week.start, now, mishap.fault)
        found = self._answers.read_week(asked, document, now)
        for flow, readings in found.items():
            await importer.async_import(flow, readings)
        week.attempts += 1
        if week.attempts < _ATTEMPTS and not all(map(_is_whole, found.values())):
            known.missing.append(week)


def _settled(
    readings: Readings, *, start: datetime, now: datetime, changed: datetime | None
) -> datetime:
    """Return up to when all hours from `start` on are settled.

    What a gateway reported last before it fell silent, it may still correct.
    """
    hours = hourly(readings)
    newest = max((span.start + span.length for span in readings), default=start)
    until = min(newest - SETTLES_AFTER, changed or now)
    if not _is_certain(readings):
        until = min(until, now - _DOUBTED)
    while start in hours and start + HOUR <= until:
        start += HOUR
    return start


def _is_whole(readings: Readings) -> bool:
    return len(hourly(readings)) == WEEK // HOUR and _is_certain(readings)


def _is_certain(readings: Readings) -> bool:
    return any(reading.is_certain for reading in readings.values())
