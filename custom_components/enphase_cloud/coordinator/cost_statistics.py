"""Hourly costs of energy in the recorder; only rows that differ are written.

They are computed from the recorder's own hours of energy, so history, corrections of
the cloud and corrected tariffs take one path.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Final

from homeassistant.components.recorder.models import (
    StatisticData,
    StatisticMeanType,
    StatisticMetaData,
)
from homeassistant.components.recorder.statistics import StatisticsRow as RecorderRow
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from ..const import DOMAIN
from ..energy.parsing import system_day
from ..energy.recorded import EXPORT_COMPENSATION, IMPORT_COST
from ..measurements.catalog import Flow
from ..measurements.system import SystemInfo
from ..money.costs import BILLION, CostRow, Pricer, cost_rows, is_same
from ..money.tariff import Direction, Tariff
from .price_entities import async_entity_prices
from .recorded import (
    async_last_hour,
    async_recorded_hours,
    async_write_hours,
    energy_row,
    statistic_id,
)
from .statistics import Series, async_series_name

COST_SERIES: Final[Mapping[Direction, Series]] = {
    Direction.IMPORT: Series(IMPORT_COST, "import costs"),
    Direction.EXPORT: Series(EXPORT_COMPENSATION, "export compensation"),
}
# No Enphase system is older.
_FIRST_DAY: Final = date(2006, 1, 1)
_YEAR: Final = timedelta(days=365)


class CostStatistics:
    """Reads and writes the costs of one direction (import or export) of a system."""

    def __init__(self, hass: HomeAssistant, info: SystemInfo, tariff: Tariff) -> None:
        """Use the prices of a tariff."""
        self._hass = hass
        self._info = info
        self._tariff = tariff
        self._series = COST_SERIES[tariff.direction]
        self._statistic = statistic_id(info.system_id, self._series.key)

    async def async_price(
        self, first: datetime, until: datetime | None, *, is_repriced: bool
    ) -> None:
        """Price hours, a month at a time, and all later ones whose sum changes.

        The hours begin with the day of `first` and end at `until` or with the newest.
        Returns after the recorder has written.
        """
        flow, total, recorded_total = self._tariff.direction.flow, 0, 0
        is_first = True
        for start, end in self._months(first):
            recorded = await self.async_costs(start, end)
            costs = await self.async_priced(flow, start, end)
            if costs or recorded:
                if is_first:
                    total = recorded_total = await self._async_sum_before(start)
                    is_first = False
                rows = cost_rows(
                    costs,
                    recorded,
                    zone=self._info.time_zone,
                    sum_before=total,
                    is_repriced=is_repriced,
                )
                await self.async_write(
                    row for row in rows if not row.is_like(recorded.get(row.start))
                )
                total = rows[-1].sum
                if recorded:
                    recorded_total = recorded[max(recorded)].sum
            if until is not None and end >= until and is_same(total, recorded_total):
                return

    async def async_first(self, day: date) -> datetime:
        """Return the start of the first row of energy or costs since a day."""
        flow = statistic_id(self._info.system_id, self._tariff.direction.flow)
        day, now = max(day, _FIRST_DAY), dt_util.utcnow()
        while (begin := self._day_start(day)) < now:
            end = self._day_start(day + _YEAR)
            found = await async_recorded_hours(
                self._hass, {flow, self._statistic}, begin, end, columns=("sum",)
            )
            if starts := [rows[0]["start"] for rows in found.values() if rows]:
                return dt_util.utc_from_timestamp(min(starts))
            day += _YEAR
        return begin

    async def async_priced(
        self, flow: Flow, start: datetime, end: datetime
    ) -> dict[datetime, int]:
        """Return what the hours of a flow cost, leaving out those without a price."""
        statistic, zone = statistic_id(self._info.system_id, flow), self._info.time_zone
        found = await async_recorded_hours(self._hass, {statistic}, start, end)
        if not found[statistic]:
            return {}
        entities = self._tariff.entities
        prices = await async_entity_prices(self._hass, entities, start, end)
        energy = [energy_row(row, zone) for row in found[statistic]]
        return await self._hass.async_add_executor_job(
            Pricer(self._tariff, zone, prices).costs, energy
        )

    async def async_costs(
        self, start: datetime, end: datetime | None = None
    ) -> dict[datetime, CostRow]:
        """Return the recorded costs of hours."""
        found = await async_recorded_hours(
            self._hass, {self._statistic}, start, end, columns=("state", "sum")
        )
        return {row.start: row for row in map(_cost_row, found[self._statistic])}

    async def async_last(self) -> CostRow | None:
        """Return the newest row."""
        row = await async_last_hour(self._hass, self._statistic)
        return None if row is None else _cost_row(row)

    async def _async_sum_before(self, start: datetime) -> int:
        """Return the recorded sum of the hours before a moment."""
        last = await self.async_last()
        if last is None or last.start < start:
            return 0 if last is None else last.sum
        for begin, end in self._months(start):
            if recorded := await self.async_costs(begin, end):
                first = recorded[min(recorded)]
                return first.sum - first.cost
        return 0

    def _months(self, start: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Yield start and end of months; the first begins with the day of `start`."""
        now = dt_util.utcnow()
        day = max(start.astimezone(self._info.time_zone).date(), _FIRST_DAY)
        while (begin := self._day_start(day)) <= now:
            day = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
            yield begin, self._day_start(day)

    def _day_start(self, day: date) -> datetime:
        return system_day(day, self._info.time_zone).start

    async def async_write(self, rows: Iterable[CostRow]) -> None:
        """Write rows, and wait until the recorder has done so."""
        data = [
            StatisticData(
                start=row.start, state=row.cost / BILLION, sum=row.sum / BILLION
            )
            for row in rows
        ]
        if not data:
            return
        metadata = StatisticMetaData(
            mean_type=StatisticMeanType.NONE,
            has_sum=True,
            name=await async_series_name(self._hass, self._info, self._series),
            source=DOMAIN,
            statistic_id=self._statistic,
            unit_class=None,
            unit_of_measurement=self._hass.config.currency,
        )
        await async_write_hours(self._hass, metadata, data)


def _cost_row(row: RecorderRow) -> CostRow:
    return CostRow(
        start=dt_util.utc_from_timestamp(row["start"]),
        cost=round((row.get("state") or 0) * BILLION),
        sum=round((row.get("sum") or 0) * BILLION),
    )
