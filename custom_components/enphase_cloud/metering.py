"""Energies of a system: kept true in statistics and sensors, within the budget."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
import logging
from typing import Final, override

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator
from homeassistant.util import dt as dt_util

from .api import BatteryTelemetry, EnphaseCloudError, RequestWithheldError
from .budget.backlog import Demand
from .budget.failures import Failures
from .data import EnphaseCloudConfigEntry, EnphaseSystem
from .energy_documents import ENERGY_DOCUMENTS, confirmed_until, newest_told, told_until
from .error_policy import (
    REFUSALS,
    Consequence,
    Outage,
    UnforeseenError,
    error_policy,
    foreseen,
    refuse,
)
from .history import StatisticsImporter
from .options import EnergyOptions, History
from .power_caps import PowerCaps
from .site.agenda import Agenda, Item, Step
from .site.catalog import Measurement
from .site.energy import SETTLES_AFTER, Flow, Readings
from .site.intervals import battery_intervals, system_day
from .site.meters import samples_of_meter
from .site.progress import KEPT, Days, Progress, Window
from .site.samples import Sample, Samples, Source, advance, merge
from .timer import Timer

_LOGGER = logging.getLogger(__name__)

# When all of the day before is settled. Systems ask at different minutes.
_UPDATE_AT: Final = SETTLES_AFTER + timedelta(minutes=15)
_SPREAD: Final = timedelta(minutes=45)

_FIRST_PAUSE: Final = timedelta(minutes=1)
_PAUSE: Final = timedelta(seconds=3)
_LONGEST_PAUSE: Final = timedelta(minutes=15)
# So often an answer that cannot be used is asked for; then it is passed over.
_TRIES: Final = 3


class EnergyCoordinator(DataUpdateCoordinator[Samples]):
    """Ask for energies, a call at a time: each day's, and history's when wished for.

    It has no interval of its own; it wakes up when the next call is due.
    """

    config_entry: EnphaseCloudConfigEntry

    def __init__(
        self,
        hass: HomeAssistant,
        entry: EnphaseCloudConfigEntry,
        system: EnphaseSystem,
        options: EnergyOptions,
    ) -> None:
        """Begin with what is remembered."""
        super().__init__(
            hass, _LOGGER, config_entry=entry, name="Enphase Cloud energies"
        )
        self._system = system
        self._options = options
        self._account = entry.runtime_data.account
        self._memory = entry.runtime_data.memory
        self._agenda = Agenda(
            first_at=_UPDATE_AT + _SPREAD * (system.system_id * 7919 % 1000 / 1000),
            time_zone=system.time_zone,
        )
        self._importer = StatisticsImporter(
            hass,
            system_id=system.system_id,
            system_name=system.name,
            time_zone=system.time_zone,
        )
        self._importing = asyncio.Lock()
        self._caps = PowerCaps(self._memory, system, self._account.notify)
        self.data = merge(
            self._memory.samples(system.system_id, source)
            for source in ENERGY_DOCUMENTS
        )
        self._timer = Timer(hass, self._async_wake_up)
        self._asked_at: datetime | None = None
        self._rests_until: datetime | None = None
        # In a row: of each document's days and weeks, and of whatever was asked for.
        self._failures_of: defaultdict[tuple[Source, type[Window]], Failures]
        self._failures_of = defaultdict(Failures)
        self._failures = Failures()
        self._outages = {
            source: Outage(f"Energies of {source}") for source in ENERGY_DOCUMENTS
        }
        self._is_asking = False
        self._is_shut_down = False
        # Also where the set-up of the entry fails later on.
        entry.async_on_unload(self._shut_down)

    def calls_per_day(self, updates: int | None = None) -> int:
        """Return what the updates of a day cost, or would if there were so many."""
        if updates is None:
            updates = self._options.updates_per_day
        return sum(_updates(item.source, updates) for item in self._items)

    @property
    def has_foreign_statistics(self) -> bool:
        """Return whether rows in our statistics are no energy of ours."""
        return bool(self._importer.foreign)

    @property
    def calls_wanted(self) -> int:
        """Return how many calls of history are still to be made."""
        return sum(item.progress.calls_wanted for item in self._items)

    @property
    def share_done(self) -> float | None:
        """Return how much of the history asked for is there [%]; None without any."""
        asked = sum(item.progress.calls_asked for item in self._items)
        return 100 * (1 - self.calls_wanted / asked) if asked else None

    def next_update(self) -> datetime | None:
        """Return when energies are asked for next; None where they are not."""
        due = filter(None, map(self._agenda.next_update, self._items))
        earliest = min(due, default=None)
        return earliest and max(earliest, dt_util.utcnow())

    def earliest_hour(self) -> datetime:
        """Return from when on the cloud may have intervals of the system."""
        earliest = dt_util.utcnow() - KEPT
        since = self._system.samples.get(Measurement.OPERATIONAL_SINCE)
        if since is None:
            return earliest
        return max(earliest, dt_util.utc_from_timestamp(float(since.value)))

    @callback
    def async_begin(self) -> None:
        """Begin to ask for what is wanted, in a moment."""
        self._plan(_FIRST_PAUSE)

    def cost(self, change: Callable[[Progress], Progress]) -> int:
        """Return how many calls more a change of what is wanted would take."""
        return sum(
            change(item.progress).calls_wanted - item.progress.calls_wanted
            for item in self._items
        )

    def wishing(self, progress: Progress, history: History) -> Progress:
        """Return the progress of a document that wants the past as fine as wished."""
        if history is History.NONE:
            return progress.want_nothing()
        wanting = progress.want_days(Days())
        if history is History.DAY:
            return wanting
        now = dt_util.utcnow()
        return wanting.want_hours(self.earliest_hour(), now, now=now)

    def duration(self, calls: int) -> timedelta | None:
        """Return how long it takes until so many calls more can be spared.

        None where no call of the plan can be.
        """
        return self._account.duration_of_history(dt_util.utcnow(), more=calls)

    @callback
    def want(self, change: Callable[[Progress], Progress]) -> None:
        """Change what is wanted of each document, and get it in the background."""
        for item in self._items:
            self._remember(item.source, change(item.progress))
        self._plan(_PAUSE)
        self.async_update_listeners()

    @callback
    def take_battery(
        self, telemetry: BatteryTelemetry, *, fetched_at: datetime
    ) -> None:
        """Import what a poll of the batteries tells of today, at no cost."""
        if not self._options.updates_per_day:
            return
        self.config_entry.async_create_background_task(
            self.hass,
            self._async_take_battery(telemetry, fetched_at),
            "Enphase Cloud energies of batteries",
        )

    async def _async_take_battery(
        self, telemetry: BatteryTelemetry, fetched_at: datetime
    ) -> None:
        with suppress(UnforeseenError), foreseen():
            readings = self._caps.read_week(
                Source.BATTERY_INTERVALS, battery_intervals(telemetry), fetched_at
            )
            async with self._importing:
                await self._async_import(readings)
                self._read_meters(Source.BATTERY_INTERVALS, readings, fetched_at)

    @override
    async def async_shutdown(self) -> None:
        """Ask for nothing more."""
        await super().async_shutdown()
        self._shut_down()

    @property
    def _items(self) -> list[Item]:
        """Return the documents that the system has and the cloud tells."""
        return [
            Item(
                source=source,
                progress=self._progress(source),
                rests=self._rests(source),
                updates_per_day=_updates(source, self._options.updates_per_day),
            )
            for source, document in ENERGY_DOCUMENTS.items()
            if self._system.is_visible
            and document.is_wanted(self._system)
            and not self._memory.is_refused(self._system.system_id, source)
        ]

    def _rests(self, source: Source) -> dict[type[Window], datetime]:
        now = dt_util.utcnow()
        return {
            kind: failures.rests_until(now)
            for (failing, kind), failures in self._failures_of.items()
            if failing is source and failures.count
        }

    def _progress(self, source: Source) -> Progress:
        progress = self._memory.progress(self._system.system_id, source)
        return progress.as_of(dt_util.utcnow())

    def _remember(self, source: Source, progress: Progress) -> None:
        self._memory.remember_progress(self._system.system_id, source, progress)

    def _heed_wish(self) -> None:
        """Let what the user wished for be wanted once, of all documents."""
        wish = self._options.history
        for item in self._items:
            if item.progress.wish != wish:
                wanting = self.wishing(item.progress, wish)
                self._remember(item.source, replace(wanting, wish=wish))

    def _next_step(self, now: datetime) -> Step | None:
        backlog, means = self._account.backlog, self._account.means(now)
        return self._agenda.next_step(
            self._items, now=now, next_history=backlog.next_call(now, means)
        )

    @callback
    def _plan(self, pause: timedelta) -> None:
        """Wake up when the next call is due, but not before a pause."""
        self._timer.stop()
        if self._is_shut_down or self._is_asking or self.hass.is_stopping:
            return
        now = dt_util.utcnow()
        self._heed_wish()
        self._account.backlog.want(
            str(self._system.system_id),
            Demand(per_day=self.calls_per_day(), history=self.calls_wanted),
        )
        step = self._next_step(now)
        due = max(
            now + _LONGEST_PAUSE if step is None else step.due,
            self._rest_end(now),
        )
        self._timer.start(min(max(due - now, pause), _LONGEST_PAUSE))

    @callback
    def _async_wake_up(self) -> None:
        self.config_entry.async_create_background_task(
            self.hass, self._async_step(), "Enphase Cloud energies"
        )

    async def _async_step(self) -> None:
        """Make the next call if it is due, and plan the one after it."""
        self._is_asking = True
        try:
            now = dt_util.utcnow()
            step = self._next_step(now)
            if step is not None and max(step.due, self._rest_end(now)) <= now:
                await self._async_try(step, now)
        finally:
            self._is_asking = False
            self._plan(_PAUSE)

    def _rest_end(self, now: datetime) -> datetime:
        """Return when the next call may be made; a clock put right ends all rest."""
        if self._asked_at is None or self._rests_until is None or now < self._asked_at:
            return now
        return self._rests_until

    async def _async_try(self, step: Step, now: datetime) -> None:
        self._asked_at = now
        # Unless it is known better: where the recorder fails, calls are in vain.
        self._rests_until = now + _LONGEST_PAUSE
        try:
            with foreseen():
                await self._async_take(step, now)
        except RequestWithheldError as err:
            self._rests_until = err.until
        except EnphaseCloudError as err:
            self._handle_error(err, step, now)
        else:
            self._rests_until = None
            self._failures = self._failures_of[_kind(step)] = Failures()
            self._outages[step.source].end()

    async def _async_take(self, step: Step, now: datetime) -> None:
        """Ask for a window, and import what it tells."""
        client = self.config_entry.runtime_data.client
        document = ENERGY_DOCUMENTS[step.source]
        if isinstance(step.window, Days):
            dailies = await document.async_days(client, self._system, step.window)
            readings = self._caps.read_dailies(dailies, now)
        else:
            if not step.is_update:
                self._account.backlog.spent(now)
            intervals = await document.async_week(
                client, self._system, step.window.start
            )
            readings = self._caps.read_week(step.source, intervals, now)
        async with self._importing:
            changed = await self._async_import(readings)
            self._have(step, now, readings, changed=changed)
            if step.window == Days():
                self._take_totals(readings)
            self._read_meters(step.source, readings, now)
        # What is paid for must not be asked for again after a crash.
        await self._memory.async_save()

    async def _async_import(self, readings: Mapping[Flow, Readings]) -> datetime | None:
        """Import what is told, and return the first hour that changed."""
        changed = [
            await self._importer.async_import(flow, told)
            for flow, told in readings.items()
        ]
        return min(filter(None, changed), default=None)

    def _have(
        self,
        step: Step,
        now: datetime,
        readings: Mapping[Flow, Readings],
        *,
        changed: datetime | None = None,
    ) -> None:
        """Note that a window is done, what it told, and the first hour that changed."""
        progress = self._progress(step.source)
        if isinstance(step.window, Days):
            progress = progress.have_days(step.window)
        else:
            certain_until = confirmed_until(
                told_until(readings, step.window.start), changed=changed
            )
            if step.is_update:
                progress = progress.have_update(
                    step.window,
                    fetched_at=now,
                    certain_until=certain_until,
                    newest=newest_told(readings),
                )
            else:
                progress = progress.have_week(
                    step.window, fetched_at=now, certain_until=certain_until
                )
        self._remember(step.source, progress)

    def _take_totals(self, readings: Mapping[Flow, Readings]) -> None:
        for flow, told in readings.items():
            meter = self._memory.meter(self._system.system_id, flow)
            self._memory.remember_meter(
                self._system.system_id, flow, meter.take_days(told)
            )

    def _read_meters(
        self, source: Source, readings: Mapping[Flow, Readings], now: datetime
    ) -> None:
        """Let hours count for today and ever, and show what these come to."""
        system_id = self._system.system_id
        today = system_day(
            now.astimezone(self._system.time_zone).date(), self._system.time_zone
        )
        settled = self._progress(source).settled(now)
        arrived: dict[Measurement, Sample] = {}
        for flow, told in readings.items():
            meter = self._memory.meter(system_id, flow).take(told)
            meter = meter.fold(settled, keep_from=today.start)
            self._memory.remember_meter(system_id, flow, meter)
            arrived |= samples_of_meter(meter, flow, today=today, source=source)
        samples = advance(self._memory.samples(system_id, source), arrived, now=now)
        self._memory.remember_samples(system_id, source, samples)
        self.data = {**self.data, **samples}
        self.async_update_listeners()

    def _handle_error(self, err: EnphaseCloudError, step: Step, now: datetime) -> None:
        consequence = error_policy(err).consequence
        if consequence in REFUSALS:
            self._rests_until = None
            data = self.config_entry.runtime_data
            refuse(data, self._system.system_id, step.source, err)
        elif consequence is Consequence.WAIT_FOR_QUOTA:
            self._outages[step.source].begin(err)
            self._rests_until = self._account.withheld_until(now)
        else:
            self._heed_failure(err, step, now)

    def _heed_failure(self, err: EnphaseCloudError, step: Step, now: datetime) -> None:
        """Rest, longer from failure to failure; what fails holds up nothing else."""
        failures = self._failures_of[_kind(step)].another(now)
        self._failures_of[_kind(step)] = failures
        self._failures = self._failures.another(now)
        self._rests_until = self._failures.rest_until
        if (
            error_policy(err).consequence is Consequence.SKIP
            and failures.count >= _TRIES
        ):
            _LOGGER.warning("Energies of %s are passed over: %s", step.source, err)
            self._have(step, now, readings={})
            self._failures_of[_kind(step)] = Failures()
        else:
            self._outages[step.source].begin(err)

    @callback
    def _shut_down(self) -> None:
        self._is_shut_down = True
        self._account.backlog.forget(str(self._system.system_id))
        self._timer.stop()


def _kind(step: Step) -> tuple[Source, type[Window]]:
    return step.source, type(step.window)


def _updates(source: Source, updates: int) -> int:
    """Return how often a day a document is asked for news.

    Today's of the battery come with polls; what they leave open is asked for once.
    """
    return min(1, updates) if source is Source.BATTERY_INTERVALS else updates
