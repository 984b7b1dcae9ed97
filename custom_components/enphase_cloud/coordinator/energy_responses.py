"""Requests energy, imports it, and puts the totals on the board."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
import logging

from homeassistant.core import CALLBACK_TYPE
from homeassistant.util import dt as dt_util

from ..api import BatteryTelemetry, day_query, interval_query
from ..energy.counters import samples_of_rows
from ..energy.flows import ENERGY_SOURCES
from ..energy.import_plan import ImportRequest
from ..energy.import_progress import Days
from ..energy.importer import Change, Importer
from ..energy.parsing import battery_intervals, system_day
from ..energy.readings import Readings
from ..measurements.catalog import Flow, Source
from ..measurements.samples import advance
from .base import SystemContext
from .power_caps import PowerCaps
from .statistics import Imported, StatisticsImporter

_LOGGER = logging.getLogger(__name__)

type ImportListener = Callable[[Mapping[Flow, Readings], Mapping[Flow, Imported]], None]
"""Takes the readings of each flow in a response, and the rows that they changed."""
type BatteryListener = Callable[[BatteryTelemetry, datetime], None]
"""Takes the telemetry of batteries, and when it was fetched."""


class EnergyResponses:
    """Updates statistics, progress and samples of a system from responses."""

    def __init__(
        self,
        context: SystemContext,
        importer: Importer,
        statistics: StatisticsImporter,
        on_shown: CALLBACK_TYPE,
    ) -> None:
        """Begin; calls `on_shown` when samples have changed."""
        self._context = context
        self._info = context.info
        self._store = context.store
        self._board = context.board
        self._importer = importer
        self._statistics = statistics
        self._on_shown = on_shown
        self.listeners: list[ImportListener] = []
        self.battery_listeners: list[BatteryListener] = []
        self._importing = asyncio.Lock()
        self._caps = PowerCaps(context, self._request_again)

    async def async_request(self, request: ImportRequest, now: datetime) -> None:
        """Request a window of energy, and import the response."""
        readings = await self._async_read(request, now)
        async with self._importing:
            imported = await self._async_import(readings)
            changed = filter(None, (each.changed for each in imported.values()))
            self._importer.imported(
                request, readings, changed=min(changed, default=None), now=now
            )
            self.store_progress()
            self._show(request.source, imported, now, all_days=request.window == Days())
        _notify(self.listeners, readings, imported)
        # Saved at once, so that a crash does not repeat the API call.
        await self._context.shared.storage.async_save()

    async def async_take_battery(
        self, telemetry: BatteryTelemetry, fetched_at: datetime
    ) -> None:
        """Import the energy of today from a poll of the batteries."""
        _notify(self.battery_listeners, telemetry, fetched_at)
        readings = self._caps.read_week(
            Source.BATTERY_INTERVALS, battery_intervals(telemetry), fetched_at
        )
        async with self._importing:
            imported = await self._async_import(readings)
            self._show(Source.BATTERY_INTERVALS, imported, fetched_at)
        _notify(self.listeners, readings, imported)

    def store_progress(self) -> None:
        """Store which windows are imported, and which are still requested."""
        for source, progress in self._importer.progress.items():
            self._store.set_progress(source, progress)

    async def _async_read(
        self, request: ImportRequest, now: datetime
    ) -> Mapping[Flow, Readings]:
        """Request a window, and return the readings of each flow."""
        row, system_id = ENERGY_SOURCES[request.source], self._info.system_id
        shared, window = self._context.shared, request.window
        if isinstance(window, Days):
            query = day_query(window.first, window.last)
            days = await shared.client.get(row.days, query=query, system_id=system_id)
            return self._caps.read_dailies(row.read_days(days), now)
        if not request.is_update:
            shared.budget.backfill.spent(now)
        week = await shared.client.get(
            row.intervals(self._board),
            query=interval_query(window.start, week=True),
            system_id=system_id,
        )
        if isinstance(week, BatteryTelemetry):
            _notify(self.battery_listeners, week, now)
        return self._caps.read_week(request.source, row.read_intervals(week), now)

    async def _async_import(
        self, readings: Mapping[Flow, Readings]
    ) -> dict[Flow, Imported]:
        return {
            flow: await self._statistics.async_import(flow, each)
            for flow, each in readings.items()
        }

    def _request_again(self, source: Source, change: Change) -> None:
        self._importer.change_source(source, change, dt_util.utcnow())
        self.store_progress()

    def _show(
        self,
        source: Source,
        imported: Mapping[Flow, Imported],
        now: datetime,
        *,
        all_days: bool = False,
    ) -> None:
        """Put the totals of the imported rows on the board."""
        zone = self._info.time_zone
        known = self._board.samples(source)
        arrived = samples_of_rows(
            {flow: each.rows for flow, each in imported.items()},
            today=system_day(now.astimezone(zone).date(), zone),
            source=source,
            known=known,
            all_days=all_days,
        )
        self._board.put(source, advance(known, arrived, now=now))
        self._store.save_soon()
        self._on_shown()


def _notify[*ArgumentsT](
    listeners: Iterable[Callable[[*ArgumentsT], None]], *arguments: *ArgumentsT
) -> None:
    for listener in tuple(listeners):
        try:
            listener(*arguments)
        except Exception:
            _LOGGER.exception("A listener of imports failed")
