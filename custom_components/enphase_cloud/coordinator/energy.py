"""Keeps the energy of a system up to date in statistics, within the budget."""

from contextlib import suppress
from datetime import datetime, timedelta
import logging
from typing import Final, override

from homeassistant.core import CALLBACK_TYPE, callback
from homeassistant.util import dt as dt_util

from ..api import BatteryTelemetry, EnphaseCloudError, RequestWithheldError
from ..documents.base import Known
from ..energy.flows import ENERGY_SOURCES, updates_of
from ..energy.import_plan import ImportPlan, ImportRequest
from ..energy.import_progress import KEPT, Days, ImportProgress
from ..energy.importer import Change, Importer
from ..energy.readings import SETTLES_AFTER, Span
from ..measurements.catalog import Measurement, Source
from ..quota.backfill import ImportDemand
from ..runtime.options import EnergyOptions, History
from ..scheduling.periodic import spread
from .base import SystemContext
from .energy_responses import BatteryListener, EnergyResponses, ImportListener
from .error_policy import (
    REFUSALS,
    Consequence,
    Outage,
    UnforeseenError,
    error_policy,
    foreseen,
    refuse,
)
from .listeners import EnphaseCloudCoordinator
from .statistics import StatisticsImporter
from .timer import Timer

_LOGGER = logging.getLogger(__name__)

# After midnight, once all of the day before is settled; spread over the systems.
_UPDATE_AT: Final = SETTLES_AFTER + timedelta(minutes=15)
_SPREAD: Final = timedelta(minutes=45)

_FIRST_PAUSE: Final = timedelta(minutes=1)
_PAUSE: Final = timedelta(seconds=3)
_LONGEST_PAUSE: Final = timedelta(minutes=15)


class EnergyCoordinator(EnphaseCloudCoordinator):
    """Imports the energy of each day and requested history, one API call at a time.

    It has no update interval; it wakes up when the next call is due.
    """

    def __init__(self, context: SystemContext, options: EnergyOptions) -> None:
        """Continue from the stored progress."""
        shared, self._info = context.shared, context.info
        super().__init__(
            shared.hass, _LOGGER, config_entry=shared.entry, name="Enphase Cloud energy"
        )
        self._context = context
        self._store = context.store
        self._board = context.board
        self._options = options
        self._budget = shared.budget
        offset = _SPREAD * spread(self._info.system_id)
        self.importer = Importer(
            ImportPlan(first_at=_UPDATE_AT + offset, time_zone=self._info.time_zone),
            {source: self._store.progress(source) for source in ENERGY_SOURCES},
        )
        self._statistics = StatisticsImporter(shared.hass, self._info)
        self._responses = EnergyResponses(
            context, self.importer, self._statistics, self.async_update_listeners
        )
        self._timer = Timer(shared.hass, self._async_wake_up)
        self._outages = {
            source: Outage(f"Energy data of {source}") for source in ENERGY_SOURCES
        }
        self._is_requesting = False
        self._is_shut_down = False
        # Home Assistant calls this also if the set-up of the entry fails later.
        shared.entry.async_on_unload(self._shut_down)

    def calls_per_day(self, updates: int) -> int:
        """Return the API calls of a day with a number of updates."""
        return sum(self._updates(updates).values())

    @property
    def is_wanted(self) -> bool:
        """Return whether the user wants statistics of energy."""
        return self._options.updates_per_day > 0

    @property
    def has_foreign_statistics(self) -> bool:
        """Return whether one of our statistic ids has rows of something else."""
        return bool(self._statistics.foreign)

    def earliest_hour(self) -> datetime:
        """Return the earliest moment at which the cloud may have intervals."""
        earliest = dt_util.utcnow() - KEPT
        since = self._board.newest().get(Measurement.OPERATIONAL_SINCE)
        if since is None:
            return earliest
        return max(earliest, dt_util.utc_from_timestamp(float(since.value)))

    def is_complete(self, day: Span) -> bool:
        """Return whether all energy of a past day is imported."""
        self._use_sources()
        last = self._board.newest().get(Measurement.LAST_REPORT)
        return self.importer.is_complete(
            day.end, reported_at=None if last is None else last.observed_at
        )

    def history(self, resolution: History) -> Change:
        """Return the change that requests all history at a resolution."""
        if resolution is History.NONE:
            return ImportProgress.cancel_requests
        if resolution is History.DAY:
            return lambda progress: progress.request_days(Days())
        start, now = self.earliest_hour(), dt_util.utcnow()
        return lambda progress: progress.request_days(Days()).request_hours(
            start, now, now=now
        )

    def duration(self, calls: int) -> timedelta | None:
        """Return how long further API calls take, None if the plan can spare none."""
        return self._budget.duration_of_history(dt_util.utcnow(), more=calls)

    @callback
    def async_on_imported(self, listener: ImportListener) -> CALLBACK_TYPE:
        """Call a listener after each import, also of polls; return its removal."""
        listeners = self._responses.listeners
        listeners.append(listener)
        return lambda: listeners.remove(listener)

    @callback
    def async_on_batteries(self, listener: BatteryListener) -> None:
        """Call a listener with each response that has intervals of batteries."""
        self._responses.battery_listeners.append(listener)

    @callback
    def async_begin(self) -> None:
        """Begin after a short pause."""
        self._plan(_FIRST_PAUSE)

    @callback
    def async_change(self, change: Change) -> None:
        """Change what is requested of each source, and import it in the background."""
        self._use_sources()
        self.importer.change(change, dt_util.utcnow())
        self._plan(_PAUSE)
        self.async_update_listeners()

    @callback
    def take_battery(self, telemetry: BatteryTelemetry, known: Known) -> None:
        """Import the energy in a poll of the batteries, which costs no extra call."""
        if not self.is_wanted:
            return
        self._context.shared.entry.async_create_background_task(
            self.hass,
            self._async_take_battery(telemetry, known.fetched_at),
            "Enphase Cloud energy of batteries",
        )

    async def _async_take_battery(
        self, telemetry: BatteryTelemetry, fetched_at: datetime
    ) -> None:
        with suppress(UnforeseenError), foreseen():
            await self._responses.async_take_battery(telemetry, fetched_at)

    @override
    async def async_shutdown(self) -> None:
        """Make no further request."""
        await super().async_shutdown()
        self._shut_down()

    def _updates(self, updates_per_day: int) -> dict[Source, int]:
        """Return the sources that the system has, with the updates of each."""
        now = dt_util.utcnow()
        return {
            source: updates_of(source, updates_per_day)
            for source, row in ENERGY_SOURCES.items()
            if self._store.is_visible
            and row.is_wanted(self._board, now)
            and source not in self._store.refusals
        }

    def _use_sources(self) -> None:
        self.importer.use(self._updates(self._options.updates_per_day))

    def _next_request(self, now: datetime) -> ImportRequest | None:
        backfill, budget_left = self._budget.backfill, self._budget.budget_left(now)
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
        resolution = self._options.history
        self.importer.change_once(resolution, self.history(resolution), now)
        self._responses.store_progress()
        self._budget.backfill.set_demand(
            str(self._info.system_id),
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
        self._context.shared.entry.async_create_background_task(
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
                await self._responses.async_request(request, now)
        except RequestWithheldError as err:
            self.importer.pause(err.until, now)
        except EnphaseCloudError as err:
            self._handle_error(err, request, now)
        else:
            self._outages[request.source].end()

    def _handle_error(
        self, err: EnphaseCloudError, request: ImportRequest, now: datetime
    ) -> None:
        consequence = error_policy(err).consequence
        if consequence in REFUSALS:
            self.importer.pause(None, now)
            refuse(self._context, request.source, err)
        elif consequence is Consequence.WAIT_FOR_QUOTA:
            self._outages[request.source].begin(err)
            self.importer.pause(self._budget.withheld_until(now), now)
        elif self.importer.failed(
            request, now, is_useless=consequence is Consequence.SKIP
        ):
            _LOGGER.warning("Skipping energy data of %s: %s", request.source, err)
        else:
            self._outages[request.source].begin(err)

    @callback
    def _shut_down(self) -> None:
        self._is_shut_down = True
        self._budget.backfill.forget(str(self._info.system_id))
        self._timer.stop()
