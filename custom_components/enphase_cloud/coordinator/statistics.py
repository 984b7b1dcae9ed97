"""Imports energy as external statistics of the recorder.

The recorder is the only storage: its rows are read back and merged with new readings,
and only the hours that differ are written.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from functools import partial
import logging
from typing import Final, NamedTuple

from homeassistant.components.recorder.models import (
    StatisticData,
    StatisticMeanType,
    StatisticMetaData,
)
from homeassistant.components.recorder.statistics import (
    StatisticsRow as RecorderRow,
    get_metadata,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import get_instance
from homeassistant.helpers.translation import async_get_translations
from homeassistant.util.unit_conversion import EnergyConverter

from ..const import DOMAIN
from ..energy.parsing import system_day
from ..energy.readings import (
    HOUR,
    HourlyEnergy,
    Readings,
    Span,
    StatisticsRow,
    hourly,
    merge_readings,
    readings_of_rows,
    statistics_rows,
    top_of_hour,
)
from ..measurements.catalog import Flow
from ..measurements.system import SystemInfo
from .recorded import (
    UNIT,
    WH_PER_UNIT,
    async_last_hour,
    async_recorded_hours,
    async_write_hours,
    energy_row,
    statistic_id,
)

_LOGGER = logging.getLogger(__name__)

_LONG_AGO: Final = datetime.fromtimestamp(0, UTC)


class Series(NamedTuple):
    """A statistic that is of no flow; `key` is the end of its id.

    `label` is for logs, which show no serial number. Users read `name`, after that of
    the system.
    """

    key: str
    label: str
    name: str | None = None


class Imported(NamedTuple):
    """The rows of a statistic that an import read or wrote, in order.

    `changed` is the first hour that changed, None if none did.
    """

    rows: tuple[StatisticsRow, ...] = ()
    changed: datetime | None = None


async def async_series_name(
    hass: HomeAssistant, info: SystemInfo, series: Series
) -> str:
    """Return the name of a series; flows are in the language of Home Assistant."""
    if (name := series.name) is None:
        names = await async_get_translations(
            hass, hass.config.language, "selector", [DOMAIN]
        )
        key = f"component.{DOMAIN}.selector.flow.options.{series.key}"
        name = names.get(key, series.key.replace("_", " "))
    return f"{info.name} {name}"


class StatisticsImporter:
    """Writes the statistics of one system."""

    def __init__(self, hass: HomeAssistant, info: SystemInfo) -> None:
        """Import for one system, in its time zone."""
        self._hass = hass
        self._info = info
        self._lock = asyncio.Lock()
        self.foreign: set[str] = set()
        """Our statistic ids that have rows of something other than energy."""

    async def async_import(self, of: Flow | Series, arrived: Readings) -> Imported:
        """Update a statistic with readings.

        Returns its rows of the days that arrived; up to the newest where sums changed.
        Readings replace recorded rows, except that a response of zeros does not erase
        energy; so import responses in the order in which they were fetched. Returns
        after the recorder has written.
        """
        if not arrived:
            return Imported()
        series = of if isinstance(of, Series) else Series(of, of)
        async with self._lock:
            statistic = statistic_id(self._info.system_id, series.key)
            if not await self._async_in_our_unit(series, statistic):
                return Imported()
            days = self._whole_days(arrived)
            recorded, sum_before = await self._async_recorded(statistic, days)
            # Rows cannot be deleted: those without energy are set to zero.
            hours = dict.fromkeys((row.start for row in recorded), HourlyEnergy(0))
            hours |= hourly(merge_readings(readings_of_rows(recorded), arrived))
            rows = statistics_rows(hours, sum_before=sum_before)
            if recorded and rows[-1].sum != recorded[-1].sum:
                later = await self._async_rows(statistic, recorded[-1].start + HOUR)
                hours = {row.start: HourlyEnergy(row.energy, row.day) for row in later}
                rows += statistics_rows(hours, sum_before=rows[-1].sum)
                recorded += later
            known = set(recorded)
            changed = [row for row in rows if row not in known]
            if changed:
                await self._async_write(series, changed)
        return Imported(tuple(rows), changed[0].start if changed else None)

    async def _async_in_our_unit(self, series: Series, statistic: str) -> bool:
        """Convert rows of another unit of energy; return False for any other unit.

        Writing in our unit sets the unit of all rows, but leaves their values.
        """
        found = await get_instance(self._hass).async_add_executor_job(
            partial(get_metadata, self._hass, statistic_ids={statistic})
        )
        unit = (
            found[statistic][1]["unit_of_measurement"] if statistic in found else UNIT
        )
        if unit not in EnergyConverter.VALID_UNITS:
            if statistic not in self.foreign:
                _LOGGER.warning(
                    "Energy of %s is not imported: rows in %s have its statistic id",
                    series.label,
                    unit,
                )
            self.foreign.add(statistic)
            return False
        self.foreign.discard(statistic)
        if unit != UNIT and (rows := await self._async_rows(statistic, _LONG_AGO)):
            _LOGGER.info("Converting the statistic of %s from %s", series.label, unit)
            hours = {row.start: HourlyEnergy(row.energy, row.day) for row in rows}
            before = rows[0].sum - rows[0].energy
            await self._async_write(series, statistics_rows(hours, sum_before=before))
        return True

    def _whole_days(self, arrived: Readings) -> Span:
        """Return the system's days that contain hours of the readings."""
        first = self._day(top_of_hour(min(arrived).start))
        last_end = max(span.start + span.length for span in arrived)
        last = self._day(last_end - timedelta.resolution)
        return Span(first.start, last.start + last.length - first.start)

    async def _async_recorded(
        self, statistic: str, days: Span
    ) -> tuple[list[StatisticsRow], int]:
        """Return the rows of some days, and the sum before them.

        Where the days have no row, returns all later rows instead.
        """
        if rows := (
            await self._async_rows(statistic, days.start, days.start + days.length)
            or await self._async_rows(statistic, days.start)
        ):
            return rows, rows[0].sum - rows[0].energy
        last = await async_last_hour(self._hass, statistic)
        return [], 0 if last is None else round((last.get("sum") or 0) * WH_PER_UNIT)

    async def _async_rows(
        self, statistic: str, start: datetime, end: datetime | None = None
    ) -> list[StatisticsRow]:
        """Return the rows from `start` to `end` or the newest."""
        found = await async_recorded_hours(self._hass, {statistic}, start, end)
        return [self._row(row) for row in found[statistic]]

    def _row(self, row: RecorderRow) -> StatisticsRow:
        return energy_row(row, self._info.time_zone)

    def _day(self, moment: datetime) -> Span:
        """Return the system's day that contains a moment."""
        return system_day(
            moment.astimezone(self._info.time_zone).date(), self._info.time_zone
        )

    async def _async_write(self, series: Series, rows: list[StatisticsRow]) -> None:
        """Write rows, and wait until the recorder has done so."""
        await async_write_hours(
            self._hass,
            StatisticMetaData(
                mean_type=StatisticMeanType.NONE,
                has_sum=True,
                name=await async_series_name(self._hass, self._info, series),
                source=DOMAIN,
                statistic_id=statistic_id(self._info.system_id, series.key),
                unit_class=EnergyConverter.UNIT_CLASS,
                unit_of_measurement=UNIT,
            ),
            [
                StatisticData(
                    start=row.start,
                    state=row.energy / WH_PER_UNIT,
                    sum=row.sum / WH_PER_UNIT,
                    last_reset=None if row.day is None else row.day.start,
                )
                for row in rows
            ],
        )
