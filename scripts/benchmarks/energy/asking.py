"""Asks the cloud for what the integration would ask for, and notes what it tells.

What is asked for, when it is settled and what is written are the integration's own
rules. Here are only the cloud and its whims in place of the network, and a fixed
number of calls a night in place of a budget.
"""

from datetime import UTC, datetime, timedelta, tzinfo
import json
from typing import Final

from custom_components.enphase_cloud.budget.failures import Failures
from custom_components.enphase_cloud.energy_documents import (
    ENERGY_DOCUMENTS,
    confirmed_until,
    newest_told,
    told_until,
)
from custom_components.enphase_cloud.history import StatisticsImporter
from custom_components.enphase_cloud.site.agenda import Agenda, Item, Step
from custom_components.enphase_cloud.site.progress import Days, Progress, Week
from custom_components.enphase_cloud.site.samples import Source

from .cloud import Answers
from .mishaps import Luck

FIRST_AT: Final = timedelta(hours=4, minutes=30)
"""How long after the system's midnight a night's calls are due."""

# An old week of each document.
_HISTORY_PER_NIGHT: Final = len(ENERGY_DOCUMENTS)
_NEVER: Final = datetime.max.replace(tzinfo=UTC)


class Asking:
    """What is asked for next; it outlives restarts."""

    def __init__(
        self,
        answers: Answers,
        luck: Luck,
        *,
        history_from: datetime,
        installed_at: datetime,
        time_zone: tzinfo,
    ) -> None:
        """Wish for the history since a moment, when the integration is installed."""
        self._answers = answers
        self._luck = luck
        self._agenda = Agenda(first_at=FIRST_AT, time_zone=time_zone)
        wish = (
            Progress()
            .want_days(Days())
            .want_hours(history_from, installed_at, now=installed_at)
        )
        self._progress = dict.fromkeys(ENERGY_DOCUMENTS, wish)
        self._failures = dict.fromkeys(ENERGY_DOCUMENTS, Failures())
        self.calls = 0

    def restart(self) -> None:
        """Keep what is stored, as JSON, and forget the rest."""
        for source, progress in self._progress.items():
            stored = json.dumps(progress.as_dict())
            self._progress[source] = Progress.from_dict(json.loads(stored))
            self._failures[source] = Failures()

    async def night(self, importer: StatisticsImporter, now: datetime) -> None:
        """Make all calls that are due."""
        history_left = _HISTORY_PER_NIGHT
        for source, progress in self._progress.items():
            self._progress[source] = progress.as_of(now)
        while (step := self._next_step(now, now if history_left else _NEVER)) and (
            step.due <= now
        ):
            if isinstance(step.window, Days):
                await self._take_days(importer, step.source, step.window, now)
            else:
                await self._take_week(importer, step, step.window, now)
                history_left -= not step.is_update

    def _next_step(self, now: datetime, next_history: datetime) -> Step | None:
        items = [
            Item(
                source=source,
                progress=progress,
                updates_per_day=1,
                rests={Week: rest} if (rest := self._rest(source)) else {},
            )
            for source, progress in self._progress.items()
        ]
        return self._agenda.next_step(items, now=now, next_history=next_history)

    def _rest(self, source: Source) -> datetime | None:
        return self._failures[source].rest_until

    async def _take_days(
        self, importer: StatisticsImporter, source: Source, days: Days, now: datetime
    ) -> None:
        """Import days, which nothing distorts."""
        self.calls += 1
        document = self._answers.days(source, now)
        found = self._answers.read_days(source, document, now)
        for flow, readings in found.items():
            await importer.async_import(flow, readings)
        self._progress[source] = self._progress[source].have_days(days)

    async def _take_week(
        self, importer: StatisticsImporter, step: Step, week: Week, now: datetime
    ) -> None:
        """Import a week; one that fails is left for another night."""
        source, luck = step.source, self._luck
        mishap = luck.of_update() if step.is_update else luck.of_history()
        self.calls += 1
        if mishap.fails:
            self._failures[source] = self._failures[source].another(now)
            return
        self._failures[source] = Failures()
        document = self._answers.week(source, week.start, now, mishap.fault)
        found = self._answers.read_week(source, document, now)
        changed = [
            await importer.async_import(flow, readings)
            for flow, readings in found.items()
        ]
        certain_until = confirmed_until(
            told_until(found, week.start),
            changed=min(filter(None, changed), default=None),
        )
        progress = self._progress[source]
        if step.is_update:
            progress = progress.have_update(
                week,
                fetched_at=now,
                certain_until=certain_until,
                newest=newest_told(found),
            )
        else:
            progress = progress.have_week(
                week, fetched_at=now, certain_until=certain_until
            )
        self._progress[source] = progress
