"""Costs of a system: decides when to price which hours, and sums the results."""

import asyncio
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from copy import replace
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from homeassistant.const import EVENT_CORE_CONFIG_UPDATE
from homeassistant.core import Event, callback
from homeassistant.util import dt as dt_util

from ..energy.parsing import system_day
from ..energy.readings import HOUR, Readings
from ..measurements.catalog import Flow
from ..money.costs import Costs, Priced, first_difference
from ..money.figures import Figures, Period, figures
from ..money.tariff import Direction, Tariff
from .base import SystemContext
from .cost_statistics import CostStatistics
from .energy import EnergyCoordinator
from .error_policy import UnforeseenError, foreseen
from .statistics import Imported
from .timer import Timer

# How far back to look for prices that arrive later than the energy.
_LOOK_BACK: Final = timedelta(days=35)
# Older hours are history. A week of it may change the sums of years, so it is priced in
# batches that take at most this share of the time.
_RECENT: Final = timedelta(days=10)
_SHARE_OF_HISTORY: Final = 0.02
_SHORTEST_PAUSE: Final = 60.0
# When to compute the figures again after the database failed.
_RETRY_AFTER: Final = timedelta(minutes=5)


@dataclass(slots=True)
class _Work:
    """Hours to price, from `start` to `until` or the newest."""

    start: datetime
    until: datetime | None = None

    def add(self, start: datetime, until: datetime | None) -> None:
        """Extend the range to cover another one."""
        self.start = min(self.start, start)
        if self.until is not None:
            self.until = None if until is None else max(self.until, until)


class SystemCosts:
    """Writes the costs of a system's energy, and computes the figures of money."""

    def __init__(
        self,
        context: SystemContext,
        energy: EnergyCoordinator,
        tariffs: Mapping[Direction, Tariff],
    ) -> None:
        """Price all energy that is imported from now on."""
        self._hass = context.shared.hass
        self._context = context
        self._info = context.info
        self._store = context.store
        self._energy = energy
        self.tariffs = tariffs
        self._statistics = {
            direction: CostStatistics(self._hass, self._info, tariff)
            for direction, tariff in tariffs.items()
        }
        self._figures: Figures = {}
        self._day: date | None = None
        self._work: dict[Direction, _Work] = {}
        self._history: dict[Direction, _Work] = {}
        self._took = 0.0
        self._pricing = asyncio.Lock()
        self._later = Timer(self._hass, self._price_history)
        self._timer = Timer(self._hass, self._show_soon)
        entry = context.shared.entry
        entry.async_on_unload(energy.async_on_imported(self._take))
        entry.async_on_unload(self._timer.stop)
        entry.async_on_unload(self._later.stop)
        self._store.keep_priced(tariffs)

    def figures(self, today: date) -> Figures:
        """Return the amounts relative to a day; none before they are computed."""
        return self._figures if today == self._day else {}

    @callback
    def async_begin(self) -> None:
        """Price what a changed tariff requires or a restart left unfinished."""
        entry = self._context.shared.entry
        entry.async_on_unload(
            self._hass.bus.async_listen(EVENT_CORE_CONFIG_UPDATE, self._config_changed)
        )
        self._in_background(self._async_begin())

    @callback
    def _config_changed(self, _event: Event[Any]) -> None:
        if any(
            priced.currency != self._hass.config.currency
            for priced in self._store.priced.values()
        ):
            self._in_background(self._async_begin())

    @callback
    def _take(
        self, _readings: Mapping[Flow, Readings], imported: Mapping[Flow, Imported]
    ) -> None:
        """Price the hours that an import read or wrote, and those without a price."""
        now = dt_util.utcnow()
        for direction, tariff in self.tariffs.items():
            if direction.flow in imported and (rows := imported[direction.flow].rows):
                is_old = rows[0].start < now - _RECENT
                self._plan(
                    direction, rows[0].start, rows[-1].start + HOUR, is_history=is_old
                )
                if tariff.entities:
                    self._plan(direction, now - _LOOK_BACK, now)
        if imported.keys() & {Flow.GRID_IMPORT, Flow.GRID_EXPORT, Flow.CONSUMPTION}:
            self._in_background(self._async_work())

    def _price_history(self) -> None:
        self._in_background(self._async_price_history())

    async def _async_price_history(self) -> None:
        began = self._hass.loop.time()
        for direction, work in self._history.items():
            self._plan(direction, work.start, work.until)
        self._history.clear()
        await self._async_work()
        self._took = self._hass.loop.time() - began

    def _show_soon(self) -> None:
        self._in_background(self._async_show())

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        self._context.shared.entry.async_create_background_task(
            self._hass, _async_foreseen(work), "Enphase Cloud costs"
        )

    def _plan(
        self,
        direction: Direction,
        start: datetime,
        until: datetime | None,
        *,
        is_history: bool = False,
    ) -> None:
        """Queue hours to price; the start is stored until they are priced."""
        if is_history and not self._history:
            pause = max(_SHORTEST_PAUSE, self._took / _SHARE_OF_HISTORY)
            self._later.start(timedelta(seconds=pause))
        planned = self._history if is_history else self._work
        if direction in planned:
            planned[direction].add(start, until)
        else:
            planned[direction] = _Work(start, until)
        if (priced := self._store.priced.get(direction)) is not None:
            due = min(start, priced.due or start)
            self._store.set_priced(direction, replace(priced, due=due))

    async def _async_begin(self) -> None:
        async with self._pricing:
            for direction, tariff in self.tariffs.items():
                start = await self._async_take_over(direction, tariff)
                self._plan(direction, start, None)
        await self._async_work()

    async def _async_take_over(self, direction: Direction, tariff: Tariff) -> datetime:
        """Store the tariff in use; return the first hour whose row may be wrong."""
        priced = self._store.priced.get(direction)
        now = Priced(
            tariff=tariff,
            currency=self._hass.config.currency,
            zone=str(self._info.time_zone),
        )
        statistics = self._statistics[direction]
        last = await statistics.async_last()
        day: date | None = date.min
        if priced is not None and priced.zone == now.zone and last is not None:
            day = first_difference(priced.tariff, tariff)
        start = dt_util.utcnow() - _LOOK_BACK
        if day is not None:
            start = await statistics.async_first(day)
        if priced is not None and priced.due is not None:
            start = min(start, priced.due)
        is_repriced = day is not None or (priced is not None and priced.is_repriced)
        self._store.set_priced(
            direction, replace(now, is_repriced=is_repriced, due=start)
        )
        if last is not None and (priced is None or priced.currency != now.currency):
            await statistics.async_write([last])
        return start

    async def _async_work(self) -> None:
        """Price all queued hours, and show the new figures."""
        async with self._pricing:
            for direction in tuple(self._work):
                work = self._work.pop(direction)
                try:
                    await self._async_price(direction, work)
                except Exception:
                    # The next import tries again.
                    self._plan(direction, work.start, None)
                    raise
            await self._async_show()

    async def _async_price(self, direction: Direction, work: _Work) -> None:
        is_repriced = self._store.priced[direction].is_repriced
        await self._statistics[direction].async_price(
            work.start, work.until, is_repriced=is_repriced
        )
        if direction not in self._work | self._history:
            priced = self._store.priced[direction]
            done = replace(priced, due=None, is_repriced=False)
            self._store.set_priced(direction, done)

    async def _async_show(self) -> None:
        """Compute the figures of today, this month and the month before."""
        zone, now = self._info.time_zone, dt_util.utcnow()
        today = now.astimezone(zone).date()
        tomorrow = system_day(today, zone).end
        self._timer.start(_RETRY_AFTER)
        start = Period.LAST_MONTH.span(today, zone).start
        costs: dict[Direction, Costs] = {
            direction: {
                hour: row.cost
                for hour, row in (await statistics.async_costs(start)).items()
            }
            for direction, statistics in self._statistics.items()
        }
        without_solar: Costs = {}
        if (paid := self._statistics.get(Direction.IMPORT)) is not None:
            without_solar = await paid.async_priced(Flow.CONSUMPTION, start, tomorrow)
        self._figures = figures(
            cost=costs.get(Direction.IMPORT),
            compensation=costs.get(Direction.EXPORT),
            without_solar=without_solar,
            today=today,
            zone=zone,
        )
        self._day = today
        self._timer.start(tomorrow - now + timedelta(seconds=1))
        self._energy.async_update_listeners()


async def _async_foreseen(work: Coroutine[Any, Any, None]) -> None:
    """Await some work; log any failure."""
    with suppress(UnforeseenError), foreseen():
        await work
