"""How long the import of two years of history takes, against the recorder alone."""

from collections.abc import Callable
import ctypes
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
import gc
from pathlib import Path
import re
from time import perf_counter
from typing import Final

from homeassistant.components.recorder.models import (
    StatisticData,
    StatisticMeanType,
    StatisticMetaData,
)
from homeassistant.components.recorder.statistics import async_add_external_statistics
from homeassistant.core import HomeAssistant

from custom_components.enphase_cloud.coordinator.recorded import statistic_id
from custom_components.enphase_cloud.coordinator.statistics import StatisticsImporter
from custom_components.enphase_cloud.energy.flows import ENERGY_SOURCES
from custom_components.enphase_cloud.energy.import_progress import WEEK
from custom_components.enphase_cloud.energy.readings import (
    HOUR,
    SETTLES_AFTER,
    Readings,
    hourly,
)
from custom_components.enphase_cloud.measurements.catalog import Flow
from custom_components.enphase_cloud.measurements.system import SystemInfo

from ..home_assistant import configuration
from .cloud import CloudData, Site, build
from .recorder import recording, sums, written

WEEKS: Final = 104
_NOW: Final = datetime(2027, 1, 1, 3, 30, tzinfo=UTC)
# Midnight at the site.
_END: Final = datetime(2027, 1, 1, 23, tzinfo=UTC)
_SITE: Final = Site("Hilltop", "Europe/Berlin", 48)
_SYSTEM_ID: Final = 4_711_001
_RIVAL: Final = "recorder"
_MIB: Final = 1024 * 1024


@dataclass(slots=True)
class Backfill:
    """The import of the hours of two years: times in seconds, and rows."""

    ours: float = 0.0
    alone: float = 0.0
    rows: int = 0
    growth_mib: float = 0.0
    """The most growth of the process's memory; only valid without the rival."""


async def import_two_years(*, beside_rival: bool) -> Backfill:
    """Import days and then weeks; optionally also write the same hours directly.

    Both take turns on one database, window by window, so that the machine's load
    affects both. Our time begins with the cloud's document as JSON. The recorder alone
    gets each hour once, as finished rows, and no days before.
    """
    measured = Backfill()
    weeks = [_END - number * WEEK for number in range(WEEKS, 0, -1)]
    system = build(_SITE, weeks[0].astimezone(_SITE.zone).date(), _NOW)
    info = SystemInfo(system_id=_SYSTEM_ID, name=_SITE.name, time_zone=_SITE.zone)
    cloud = CloudData(_SITE, system)
    with configuration() as folder:
        async with recording(folder) as hass:
            importer, rival = StatisticsImporter(hass, info), _Direct(hass)
            for source in ENERGY_SOURCES:
                # Fill the simulator's cache of days before the measurement.
                cloud.days(source, _NOW)
            if not beside_rival:
                first = partial(cloud.week, next(iter(ENERGY_SOURCES)), weeks[0], _NOW)
                await _import(importer, first)
            peak_growth = _watched_memory()
            for source in ENERGY_SOURCES:
                days = partial(cloud.days, source, _NOW)
                measured.ours += await _import(importer, days)
            for number, start in enumerate(weeks):
                for source in ENERGY_SOURCES:
                    week = partial(cloud.week, source, start, _NOW)
                    rows = rival.rows(week()) if beside_rival else {}
                    measured.rows += sum(map(len, rows.values()))
                    if number % 2:
                        measured.alone += await rival.write(rows)
                    measured.ours += await _import(importer, week)
                    if not number % 2:
                        measured.alone += await rival.write(rows)
            measured.growth_mib = peak_growth() / _MIB
            if beside_rival:
                await _check(hass)
    return measured


async def _import(
    importer: StatisticsImporter, read: Callable[[], dict[Flow, Readings]]
) -> float:
    """Read the cloud's document, and import it; return the duration in seconds."""
    read()  # Fills the cache of documents.
    began = perf_counter()
    for flow, readings in read().items():
        await importer.async_import(flow, readings)
    return perf_counter() - began


class _Direct:
    """Writes rows to the recorder without any work of an importer."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Begin with empty statistics."""
        self._hass = hass
        self._sums = dict.fromkeys(Flow, 0)

    def rows(self, window: dict[Flow, Readings]) -> dict[Flow, list[StatisticData]]:
        """Return the rows of a window that follows the one before."""
        rows: dict[Flow, list[StatisticData]] = {flow: [] for flow in window}
        for flow, readings in window.items():
            for start, hour in hourly(readings).items():
                self._sums[flow] = total = self._sums[flow] + hour.energy
                row = StatisticData(start=start, state=hour.energy, sum=total)
                rows[flow].append(row)
        return rows

    async def write(self, rows: dict[Flow, list[StatisticData]]) -> float:
        """Write the rows of each flow; return the duration in seconds."""
        began = perf_counter()
        for flow, data in rows.items():
            metadata = StatisticMetaData(
                mean_type=StatisticMeanType.NONE,
                has_sum=True,
                name=flow,
                source=_RIVAL,
                statistic_id=_id_of_rival(flow),
                unit_class="energy",
                unit_of_measurement="Wh",
            )
            async_add_external_statistics(self._hass, metadata, data)
            await written(self._hass)
        return perf_counter() - began


async def _check(hass: HomeAssistant) -> None:
    """Check that both wrote the same statistics."""
    begin = _END - WEEKS * WEEK
    ids = {flow: statistic_id(_SYSTEM_ID, flow) for flow in Flow}
    ours = await sums(hass, ids, begin)
    alone = await sums(hass, {flow: _id_of_rival(flow) for flow in Flow}, begin)
    settled = (_NOW - SETTLES_AFTER - begin) // HOUR
    for flow in Flow:
        assert len(alone[flow]) >= settled, flow
        assert alone[flow].items() <= ours[flow].items(), flow


def _id_of_rival(flow: Flow) -> str:
    return f"{_RIVAL}:{_SYSTEM_ID}_{flow}"


def _watched_memory() -> Callable[[], int]:
    """Return a function that returns the growth of peak memory since now [bytes]."""
    gc.collect()
    # Return free memory to the system; otherwise growth into it would not be seen.
    ctypes.CDLL(None).malloc_trim(0)
    resident = _status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # resets the peak
    return lambda: _status("VmHWM") - resident


def _status(field: str) -> int:
    """Return a size from this process's status in Linux, in bytes."""
    status = Path("/proc/self/status").read_text()
    (line,) = re.findall(rf"^{field}:\s+(\d+)", status, re.MULTILINE)
    return int(line) * 1024
