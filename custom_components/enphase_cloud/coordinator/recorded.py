"""Reads and writes hours of statistics in the recorder."""

from collections.abc import Collection, Iterable
from datetime import datetime, tzinfo
from functools import partial
import math
from typing import Any, Final, Literal

from homeassistant.components.recorder.models import StatisticData, StatisticMetaData
from homeassistant.components.recorder.statistics import (
    StatisticsRow as RecorderRow,
    async_add_external_statistics,
    get_last_statistics,
    statistics_during_period,
)
from homeassistant.components.recorder.tasks import SynchronizeTask
from homeassistant.const import UnitOfEnergy
from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import get_instance
from homeassistant.util import dt as dt_util
from homeassistant.util.unit_conversion import EnergyConverter

from ..const import DOMAIN
from ..energy.parsing import system_day
from ..energy.readings import HOUR, StatisticsRow

type Column = Literal["change", "last_reset", "max", "mean", "min", "state", "sum"]

# Users see this unit. Rounding restores each whole watt-hour of a database's doubles.
UNIT: Final = UnitOfEnergy.KILO_WATT_HOUR
WH_PER_UNIT: Final = 1000
# Attempts to write hours that the recorder drops.
_TRIES: Final = 3
_WATT_HOURS: Final[dict[str, str]] = {
    EnergyConverter.UNIT_CLASS: UnitOfEnergy.WATT_HOUR
}


def statistic_id(system_id: int, key: str) -> str:
    """Return the id of a statistic by its flow or key; it stays without the entry."""
    return f"{DOMAIN}:{system_id}_{key}"


async def async_recorded_hours(
    hass: HomeAssistant,
    statistic_ids: Collection[str],
    start: datetime,
    end: datetime | None = None,
    *,
    columns: tuple[Column, ...] = ("change", "last_reset", "sum"),
    units: dict[str, str] | None = _WATT_HOURS,
) -> dict[str, list[RecorderRow]]:
    """Return the hours of statistics from `start` to `end` or the newest.

    Each row has `start` (a timestamp) and the columns; energy is in Wh, or in the unit
    in which it is recorded without `units`. A statistic without rows has an empty list.
    """
    wanted: Any = set(columns)
    found = await get_instance(hass).async_add_executor_job(
        statistics_during_period,
        hass,
        start,
        end,
        set(statistic_ids),
        "hour",
        units,
        wanted,
    )
    return {each: found.get(each, []) for each in statistic_ids}


def energy_row(row: RecorderRow, time_zone: tzinfo) -> StatisticsRow:
    """Read a row of energy; one with a `last_reset` has the energy of its day."""
    start = dt_util.utc_from_timestamp(row["start"])
    is_of_day = row.get("last_reset") is not None
    day = start.astimezone(time_zone).date()
    return StatisticsRow(
        start=start,
        energy=max(0, round(row.get("change") or 0)),
        sum=round(row.get("sum") or 0),
        day=system_day(day, time_zone) if is_of_day else None,
    )


async def async_last_hour(hass: HomeAssistant, statistic: str) -> RecorderRow | None:
    """Return the newest row of a statistic, in its unit: `start`, `state` and `sum`."""
    read = partial(
        get_last_statistics,
        hass,
        1,
        statistic,
        convert_units=False,
        types={"state", "sum"},
    )
    found = await get_instance(hass).async_add_executor_job(read)
    return next(iter(found.get(statistic, [])), None)


async def async_write_hours(
    hass: HomeAssistant, metadata: StatisticMetaData, rows: Iterable[StatisticData]
) -> None:
    """Write hours, and wait until the recorder has done so.

    Raises RuntimeError if they are missing after some attempts: the recorder only logs
    a write that its database refuses, and drops it.
    """
    rows = list(rows)
    for _ in range(_TRIES):
        async_add_external_statistics(hass, metadata, rows)
        written = hass.loop.create_future()
        get_instance(hass).queue_task(SynchronizeTask(written))
        await written
        if not rows or await _async_is_written(hass, metadata, rows[0]):
            return
    raise RuntimeError("The recorder did not write statistics")


async def _async_is_written(
    hass: HomeAssistant, metadata: StatisticMetaData, row: StatisticData
) -> bool:
    """Return whether a row is recorded, and with it all rows of the same write."""
    statistic, start = metadata["statistic_id"], row["start"]
    found = await async_recorded_hours(
        hass,
        {statistic},
        start,
        start + HOUR,
        columns=("last_reset", "state", "sum"),
        units=None,
    )
    recorded, reset = found[statistic], row.get("last_reset")
    return bool(recorded) and (
        _is_same(recorded[0].get("state"), row.get("state"))
        and _is_same(recorded[0].get("sum"), row.get("sum"))
        and recorded[0].get("last_reset") == (reset and reset.timestamp())
    )


def _is_same(recorded: float | None, written: float | None) -> bool:
    """Compare numbers with the precision of any database."""
    return math.isclose(recorded or 0, written or 0, rel_tol=1e-12, abs_tol=1e-9)
