"""Lets the integration's own importer ask a cloud that has its whims.

Here are only the cloud in place of the network, and a fixed number of calls a night in
place of a budget.
"""

from datetime import UTC, datetime, timedelta, tzinfo
import json
from typing import Final

from custom_components.enphase_cloud.coordinator.statistics import StatisticsImporter
from custom_components.enphase_cloud.energy.flows import ENERGY_SOURCES
from custom_components.enphase_cloud.energy.import_plan import ImportPlan, ImportRequest
from custom_components.enphase_cloud.energy.import_progress import Days, ImportProgress
from custom_components.enphase_cloud.energy.importer import Importer
from custom_components.enphase_cloud.measurements.samples import Source

from .cloud import Answers
from .mishaps import Luck, Mishap

FIRST_AT: Final = timedelta(hours=4, minutes=30)
"""How long after the system's midnight a night's calls are due."""

# An old week of each document.
_HISTORY_PER_NIGHT: Final = len(ENERGY_SOURCES)
_NEVER: Final = datetime.max.replace(tzinfo=UTC)


class Asking:
    """What is requested next; it outlives restarts."""

    def __init__(
        self,
        answers: Answers,
        luck: Luck,
        *,
        history_from: datetime,
        installed_at: datetime,
        time_zone: tzinfo,
    ) -> None:
        """Request the history since a moment, when the integration is installed."""
        self._answers = answers
        self._luck = luck
        self._agenda = ImportPlan(first_at=FIRST_AT, time_zone=time_zone)
        wish = (
            ImportProgress()
            .want_days(Days())
            .want_hours(history_from, installed_at, now=installed_at)
        )
        self._importer = self._new_importer(dict.fromkeys(ENERGY_SOURCES, wish))
        self.calls = 0

    def restart(self) -> None:
        """Keep what is stored, as JSON, and forget the rest."""
        stored = {
            source: json.dumps(progress.as_dict())
            for source, progress in self._importer.progress.items()
        }
        self._importer = self._new_importer(
            {
                source: ImportProgress.from_dict(json.loads(progress))
                for source, progress in stored.items()
            }
        )

    async def night(self, statistics: StatisticsImporter, now: datetime) -> None:
        """Make all calls that are due."""
        history_left = _HISTORY_PER_NIGHT
        while step := self._next_request(now, now if history_left else _NEVER):
            mishap = self._mishap(step)
            self.calls += 1
            history_left -= not (step.is_update or isinstance(step.window, Days))
            if mishap.fails:
                self._importer.failed(step, now, is_useless=False)
                # The rest of the night goes on.
                self._importer.pause(None, now)
            else:
                await self._take(statistics, step, mishap, now)

    def _new_importer(self, progress: dict[Source, ImportProgress]) -> Importer:
        importer = Importer(self._agenda, progress)
        importer.use(dict.fromkeys(ENERGY_SOURCES, 1))
        return importer

    def _next_request(
        self, now: datetime, next_history: datetime
    ) -> ImportRequest | None:
        step = self._importer.next_request(now, next_history=next_history)
        return step if step is not None and step.due <= now else None

    def _mishap(self, step: ImportRequest) -> Mishap:
        """Return what befalls a call; nothing distorts days."""
        if isinstance(step.window, Days):
            return Mishap()
        return self._luck.of_update() if step.is_update else self._luck.of_history()

    async def _take(
        self,
        statistics: StatisticsImporter,
        step: ImportRequest,
        mishap: Mishap,
        now: datetime,
    ) -> None:
        source, answers = step.source, self._answers
        if isinstance(step.window, Days):
            found = await answers.days(source, now)
        else:
            found = await answers.week(source, step.window.start, now, mishap.fault)
        changed = [
            (await statistics.async_import(flow, readings)).changed
            for flow, readings in found.items()
        ]
        self._importer.imported(
            step, found, changed=min(filter(None, changed), default=None), now=now
        )
