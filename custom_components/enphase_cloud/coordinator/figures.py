"""Computes the figures of a system from imported energy and the recorder."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta, tzinfo
from typing import Final

from homeassistant.components.recorder.statistics import StatisticsRow
from homeassistant.core import callback
from homeassistant.util import dt as dt_util

from ..api import BatteryTelemetry
from ..energy.flows import plate_power
from ..energy.parsing import system_day
from ..energy.readings import NO_READINGS, EnergyByHour, HourlyEnergy, Readings
from ..figures.periods import month_of
from ..figures.table import FIGURES, UNKNOWN, Figure, Known
from ..figures.years import Days, days_of
from ..measurements.catalog import Flow, Measurement
from .base import SystemContext
from .energy import EnergyCoordinator
from .error_policy import UnforeseenError, foreseen
from .recorded import async_recorded_hours, energy_row, statistic_id
from .statistics import Imported
from .timer import Timer

_LONG_AGO: Final = dt_util.utc_from_timestamp(0)
_DAY: Final = timedelta(days=1)
# Several imports in a row cause one refresh.
_SOON: Final = timedelta(seconds=10)
# How often to check whether a new day has begun, or a refresh has failed.
_WAKES_UP: Final = timedelta(minutes=5)


class SystemFigures:
    """Keeps the figures of a system; it makes no API call."""

    def __init__(self, context: SystemContext, energy: EnergyCoordinator) -> None:
        """Use what `energy` imports; notify its listeners of new figures."""
        self._context = context
        self._info = context.info
        self._energy = energy
        self._known: Mapping[str, Figure] = {}
        self._known_at = _LONG_AGO
        self._day: date | None = None
        self._production: Days = {}
        self._is_stale = True
        self._is_refreshing = False
        self._timer = Timer(context.shared.hass, self._async_wake_up)
        energy.async_on_imported(self._take_readings)
        energy.async_on_batteries(self._take_batteries)
        context.shared.entry.async_on_unload(self._timer.stop)

    @callback
    def async_begin(self) -> None:
        """Compute all figures after a short pause."""
        self._timer.start(_SOON)

    def is_there(self, key: str, now: datetime) -> bool:
        """Return whether the system has a figure, by the key of its sensor."""
        board = self._context.board
        return self._energy.is_wanted and FIGURES[key].is_there(board, now)

    def figure(self, key: str, now: datetime) -> Figure:
        """Return a figure by the key of its sensor; UNKNOWN where it is stale."""
        figure = self._known.get(key, UNKNOWN)
        # The system clock was ahead when the figure was computed.
        is_of_future = now < self._known_at
        is_stale = figure.stale_at and (is_of_future or now >= figure.stale_at)
        return figure if self.is_there(key, now) and not is_stale else UNKNOWN

    @callback
    def _take_readings(
        self, readings: Mapping[Flow, Readings], _imported: Mapping[Flow, Imported]
    ) -> None:
        store = self._context.store
        store.peaks = store.peaks.with_readings(
            readings.get(Flow.GRID_IMPORT, NO_READINGS), self._info.time_zone
        )
        store.save_soon()
        self._refresh_soon()

    @callback
    def _take_batteries(
        self, telemetry: BatteryTelemetry, fetched_at: datetime
    ) -> None:
        board, store = self._context.board, self._context.store
        limits = [
            store.power_cap(flow).limit(plate_power(flow, board.newest()))
            for flow in (Flow.BATTERY_CHARGE, Flow.BATTERY_DISCHARGE)
        ]
        store.battery_history.take(
            telemetry,
            fetched_at=fetched_at,
            limit=max(limits),
            plate=self._number(Measurement.BATTERY_CAPACITY),
            zone=self._info.time_zone,
        )
        store.save_soon()

    def _refresh_soon(self) -> None:
        if not self._is_stale:
            self._is_stale = True
            self._timer.start(_SOON)

    @callback
    def _async_wake_up(self) -> None:
        self._timer.start(_WAKES_UP)
        today = dt_util.utcnow().astimezone(self._info.time_zone).date()
        is_due = self._is_stale or today != self._day
        # Years of hours may take longer than the pause.
        if is_due and not self._is_refreshing:
            self._is_refreshing = True
            shared = self._context.shared
            shared.entry.async_create_background_task(
                shared.hass, self._async_refresh(), "Enphase Cloud figures"
            )

    async def _async_refresh(self) -> None:
        self._is_stale = False
        try:
            with foreseen():
                await self._async_compute(dt_util.utcnow())
        except UnforeseenError:
            # Repeated when the timer wakes up next.
            self._is_stale = True
        finally:
            self._is_refreshing = False

    async def _async_compute(self, now: datetime) -> None:
        today = now.astimezone(self._info.time_zone).date()
        if today != self._day or not self._production:
            self._production = await self._async_production()
            self._day = today
        hours = await self._async_hours(list(Flow), self._first_hour(now))
        known = self._put_together(hours, now)
        hass = self._context.shared.hass
        self._known = await hass.async_add_executor_job(_figures, known)
        self._known_at = now
        self._energy.async_update_listeners()

    async def _async_production(self) -> Days:
        """Return the production of all days; slow, so it is called once a day."""
        shared = self._context.shared
        async with shared.reading_years:
            found = await self._async_hours([Flow.PRODUCTION], _LONG_AGO)
            return await shared.hass.async_add_executor_job(
                days_of, found[Flow.PRODUCTION], self._info.time_zone
            )

    async def _async_hours(
        self, flows: Iterable[Flow], start: datetime
    ) -> Mapping[Flow, EnergyByHour]:
        ids = {flow: statistic_id(self._info.system_id, flow) for flow in flows}
        hass = self._context.shared.hass
        found = await async_recorded_hours(
            hass, set(ids.values()), start, columns=("change", "last_reset")
        )
        rows = {flow: found[each] for flow, each in ids.items()}
        return await hass.async_add_executor_job(_hours, rows, self._info.time_zone)

    def _first_hour(self, now: datetime) -> datetime:
        """Return the start of yesterday or of this month, whichever is earlier."""
        zone = self._info.time_zone
        yesterday = now.astimezone(zone).date() - _DAY
        return system_day(min(yesterday, month_of(now, zone)), zone).start

    def _put_together(self, hours: Mapping[Flow, EnergyByHour], now: datetime) -> Known:
        zone, store = self._info.time_zone, self._context.store
        since = self._number(Measurement.OPERATIONAL_SINCE)
        discharged = self._number(Measurement.ENERGY_DISCHARGED_LIFETIME)
        capacity = self._number(Measurement.BATTERY_CAPACITY)
        return Known(
            now=now,
            zone=zone,
            cellular=self._info.is_cellular,
            since=None
            if since is None
            else dt_util.utc_from_timestamp(since).astimezone(zone).date(),
            hours=hours,
            production={**self._production, **days_of(hours[Flow.PRODUCTION], zone)},
            peaks=store.peaks.by_day(zone),
            efficiency=store.battery_history.efficiency(),
            capacity=store.battery_history.capacity(),
            cycles=discharged / capacity if discharged and capacity else None,
        )

    def _number(self, measurement: Measurement) -> float | None:
        sample = self._context.board.newest().get(measurement)
        return None if sample is None else float(sample.value)


def _hours(
    rows: Mapping[Flow, Iterable[StatisticsRow]], zone: tzinfo
) -> Mapping[Flow, EnergyByHour]:
    return {
        flow: {
            row.start: HourlyEnergy(row.energy, row.day)
            for row in (energy_row(each, zone) for each in found)
        }
        for flow, found in rows.items()
    }


def _figures(known: Known) -> Mapping[str, Figure]:
    return {key: row.of(known) for key, row in FIGURES.items()}
