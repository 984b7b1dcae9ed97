"""Energy of a system: kept true in statistics and sensors, within the budget."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
import logging
from typing import Final, override

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator
from homeassistant.util import dt as dt_util

from ..api import BatteryTelemetry, EnphaseCloudError, RequestWithheldError
from ..data import EnphaseCloudConfigEntry, EnphaseSystem
from ..energy.counters import samples_of_rows
from ..energy.import_plan import ImportPlan, ImportRequest
from ..energy.import_progress import KEPT, Days, ImportProgress
from ..energy.importer import Change, Importer
from ..energy.parsing import battery_intervals, system_day
from ..energy.readings import SETTLES_AFTER, Flow, Readings
from ..measurements.catalog import Measurement
from ..measurements.samples import Samples, Source, advance, merge
from ..quota.backfill import ImportDemand
from ..runtime.options import EnergyOptions, History
from .energy_documents import ENERGY_DOCUMENTS, updates_of
from .error_policy import (
    REFUSALS,
    Consequence,
    Outage,
    UnforeseenError,
    error_policy,
    foreseen,
    refuse,
)
from .power_caps import PowerCaps
from .statistics import Imported, StatisticsImporter
from .timer import Timer

_LOGGER = logging.getLogger(__name__)

# When all of the day before is settled. Systems make their requests at different
# minutes: a prime spreads neighbouring ids over the whole span.
_UPDATE_AT: Final = SETTLES_AFTER + timedelta(minutes=15)
_SPREAD: Final = timedelta(minutes=45)
_PRIME: Final = 7919

_FIRST_PAUSE: Final = timedelta(minutes=1)
_PAUSE: Final = timedelta(seconds=3)
_LONGEST_PAUSE: Final = timedelta(minutes=15)


class EnergyCoordinator(DataUpdateCoordinator[Samples]):
    """Import energy, an API call at a time: each day's, and requested history.

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
        """Continue from what is stored."""
        super().__init__(hass, _LOGGER, config_entry=entry, name="Enphase Cloud energy")
        self._system = system
        self._options = options
        self._account = entry.runtime_data.budget
        self._storage = entry.runtime_data.storage
        offset = _SPREAD * (system.system_id * _PRIME % 1000 / 1000)
        self.importer = Importer(
            ImportPlan(first_at=_UPDATE_AT + offset, time_zone=system.time_zone),
            {
                source: self._storage.progress(system.system_id, source)
                for source in ENERGY_DOCUMENTS
            },
        )
        self._statistics = StatisticsImporter(
            hass,
            system_id=system.system_id,
            system_name=system.name,
            time_zone=system.time_zone,
        )
        self._importing = asyncio.Lock()
        self._caps = PowerCaps(
            self._storage, system, self._account.notify, self._request_again
        )
        self.data = merge(
            self._storage.samples(system.system_id, source)
            for source in ENERGY_DOCUMENTS
        )
        self._timer = Timer(hass, self._async_wake_up)
        self._outages = {
            source: Outage(f"Energy data of {source}") for source in ENERGY_DOCUMENTS
        }
        self._is_requesting = False
        self._is_shut_down = False
        # Also where the set-up of the entry fails later on.
        entry.async_on_unload(self._shut_down)

    def calls_per_day(self, updates: int) -> int:
        """Return the API calls of a day with a number of updates."""
        return sum(self._updates(updates).values())

    @property
    def has_foreign_statistics(self) -> bool:
        """Return whether rows in our statistics are no energy of ours."""
        return bool(self._statistics.foreign)

    def earliest_hour(self) -> datetime:
        """Return from when on the cloud may have intervals of the system."""
        earliest = dt_util.utcnow() - KEPT
        since = self._system.samples.get(Measurement.OPERATIONAL_SINCE)
        if since is None:
            return earliest
        return max(earliest, dt_util.utc_from_timestamp(float(since.value)))

    def history(self, resolution: History) -> Change:
        """Return the change that requests all history at a resolution."""
        if resolution is History.NONE:
            return ImportProgress.want_nothing
        if resolution is History.DAY:
            return lambda progress: progress.want_days(Days())
        start, now = self.earliest_hour(), dt_util.utcnow()
        return lambda progress: progress.want_days(Days()).want_hours(
            start, now, now=now
        )

    def duration(self, calls: int) -> timedelta | None:
        """Return how long this number of further API calls takes.

        None where the plan can spare none.
        """
        return self._account.duration_of_history(dt_util.utcnow(), more=calls)

    @callback
    def async_begin(self) -> None:
        """Begin in a moment."""
        self._plan(_FIRST_PAUSE)

    @callback
    def async_change(self, change: Change) -> None:
        """Change what is requested of each source, and import it in the background."""
        self._use_sources()
        self.importer.change(change, dt_util.utcnow())
        self._plan(_PAUSE)
        self.async_update_listeners()

    @callback
    def take_battery(
        self, telemetry: BatteryTelemetry, *, fetched_at: datetime
    ) -> None:
        """Import what a poll of the batteries says of today, at no cost."""
        if not self._options.updates_per_day:
            return
        self.config_entry.async_create_background_task(
            self.hass,
            self._async_take_battery(telemetry, fetched_at),
            "Enphase Cloud energy of batteries",
        )

    async def _async_take_battery(
        self, telemetry: BatteryTelemetry, fetched_at: datetime
    ) -> None:
        with suppress(UnforeseenError), foreseen():
            readings = self._caps.read_week(
                Source.BATTERY_INTERVALS, battery_intervals(telemetry), fetched_at
            )
            async with self._importing:
                imported = await self._async_import(readings)
                self._show(Source.BATTERY_INTERVALS, imported, fetched_at)

    @override
    async def async_shutdown(self) -> None:
        """Make no further request."""
        await super().async_shutdown()
        self._shut_down()

    def _updates(self, updates_per_day: int) -> dict[Source, int]:
        """Return the sources that the system has, with the updates of each."""
        return {
            source: updates_of(source, updates_per_day)
            for source, document in ENERGY_DOCUMENTS.items()
            if self._system.is_visible
            and document.is_wanted(self._system)
            and not self._storage.is_refused(self._system.system_id, source)
        }

    def _use_sources(self) -> None:
        self.importer.use(self._updates(self._options.updates_per_day))

    def _next_request(self, now: datetime) -> ImportRequest | None:
        backfill, budget_left = self._account.backfill, self._account.budget_left(now)
        return self.importer.next_request(
            now, next_history=backfill.next_call(now, budget_left)
        )

    @callback
    def _plan(self, pause: timedelta) -> None:
        """Wake up when the next request is due, but not before a pause."""
        self._timer.stop()
        if self._is_shut_down or self._is_requesting or self.hass.is_stopping:
            return
        now = dt_util.utcnow()
        self._use_sources()
        wish = self._options.history
        self.importer.change_once(wish, self.history(wish), now)
        self._store_progress()
        self._account.backfill.want(
            str(self._system.system_id),
            ImportDemand(
                per_day=self.importer.calls_per_day,
                history=self.importer.calls_pending(now),
            ),
        )
        request = self._next_request(now)
        due = now + _LONGEST_PAUSE if request is None else request.due
        self._timer.start(min(max(due - now, pause), _LONGEST_PAUSE))

    @callback
    def _async_wake_up(self) -> None:
        self.config_entry.async_create_background_task(
            self.hass, self._async_step(), "Enphase Cloud energy"
        )

    async def _async_step(self) -> None:
        """Make the next request if it is due, and plan the one after it."""
        self._is_requesting = True
        try:
            now = dt_util.utcnow()
            self._use_sources()
            request = self._next_request(now)
            if request is not None and request.due <= now:
                await self._async_try(request, now)
        finally:
            self._is_requesting = False
            self._plan(_PAUSE)

    async def _async_try(self, request: ImportRequest, now: datetime) -> None:
        self.importer.begin(now)
        try:
            with foreseen():
                await self._async_take(request, now)
        except RequestWithheldError as err:
            self.importer.pause(err.until, now)
        except EnphaseCloudError as err:
            self._handle_error(err, request, now)
        else:
            self._outages[request.source].end()

    async def _async_take(self, request: ImportRequest, now: datetime) -> None:
        """Request a window, and import what the answer says."""
        readings = await self._async_request(request, now)
        async with self._importing:
            imported = await self._async_import(readings)
            changed = filter(None, (each.changed for each in imported.values()))
            self.importer.imported(
                request, readings, changed=min(changed, default=None), now=now
            )
            self._store_progress()
            self._show(request.source, imported, now, all_days=request.window == Days())
        # What is paid for is not requested again after a crash.
        await self._storage.async_save()

    async def _async_request(
        self, request: ImportRequest, now: datetime
    ) -> Mapping[Flow, Readings]:
        """Request a window, and return what the answer says."""
        client = self.config_entry.runtime_data.client
        document = ENERGY_DOCUMENTS[request.source]
        if isinstance(request.window, Days):
            dailies = await document.async_days(client, self._system, request.window)
            return self._caps.read_dailies(dailies, now)
        if not request.is_update:
            self._account.backfill.spent(now)
        intervals = await document.async_week(
            client, self._system, request.window.start
        )
        return self._caps.read_week(request.source, intervals, now)

    async def _async_import(
        self, readings: Mapping[Flow, Readings]
    ) -> dict[Flow, Imported]:
        return {
            flow: await self._statistics.async_import(flow, told)
            for flow, told in readings.items()
        }

    def _request_again(self, source: Source, change: Change) -> None:
        self.importer.change_source(source, change, dt_util.utcnow())
        self._store_progress()

    def _store_progress(self) -> None:
        system_id = self._system.system_id
        for source, progress in self.importer.progress.items():
            if progress != self._storage.progress(system_id, source):
                self._storage.set_progress(system_id, source, progress)

    def _show(
        self,
        source: Source,
        imported: Mapping[Flow, Imported],
        now: datetime,
        *,
        all_days: bool = False,
    ) -> None:
        """Show what the newest rows come to."""
        system_id, zone = self._system.system_id, self._system.time_zone
        known = self._storage.samples(system_id, source)
        arrived = samples_of_rows(
            {flow: each.rows for flow, each in imported.items()},
            today=system_day(now.astimezone(zone).date(), zone),
            source=source,
            known=known,
            all_days=all_days,
        )
        samples = advance(known, arrived, now=now)
        self._storage.set_samples(system_id, source, samples)
        self.data = {**self.data, **samples}
        self.async_update_listeners()

    def _handle_error(
        self, err: EnphaseCloudError, request: ImportRequest, now: datetime
    ) -> None:
        consequence = error_policy(err).consequence
        if consequence in REFUSALS:
            self.importer.pause(None, now)
            data = self.config_entry.runtime_data
            refuse(data, self._system.system_id, request.source, err)
        elif consequence is Consequence.WAIT_FOR_QUOTA:
            self._outages[request.source].begin(err)
            self.importer.pause(self._account.withheld_until(now), now)
        elif self.importer.failed(
            request, now, is_useless=consequence is Consequence.SKIP
        ):
            _LOGGER.warning("Skipping energy data of %s: %s", request.source, err)
        else:
            self._outages[request.source].begin(err)

    @callback
    def _shut_down(self) -> None:
        self._is_shut_down = True
        self._account.backfill.forget(str(self._system.system_id))
        self._timer.stop()
