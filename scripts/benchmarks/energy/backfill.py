"""How long two years of history take, beside the recorder alone."""

from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager
import ctypes
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
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

from custom_components.enphase_cloud.const import DOMAIN
from custom_components.enphase_cloud.coordinator.statistics import StatisticsImporter
from custom_components.enphase_cloud.energy.flows import ENERGY_SOURCES
from custom_components.enphase_cloud.energy.readings import Readings, hourly
from custom_components.enphase_cloud.measurements.catalog import Flow, Source
from custom_components.enphase_cloud.measurements.system import SystemInfo

from ..home_assistant import configuration
from .cloud import Answers, Site, build
from .recorder import recording, sums, written

NOW: Final = datetime(2027, 1, 1, 3, 30, tzinfo=UTC)
_WEEK: Final = timedelta(days=7)
_WEEKS: Final = 104
# Midnight at the site.
_BEGIN: Final = datetime(2027, 1, 1, 23, tzinfo=UTC) - _WEEKS * _WEEK
HOURS_OF_TWO_YEARS: Final = 17_000
_SITE: Final = Site("Hilltop", "Europe/Berlin", 48)
_SYSTEM_ID: Final = 4_711_001
_RIVAL: Final = "recorder"
_MIB: Final = 1024 * 1024


@dataclass(slots=True)
class Backfill:
    """What importing the hours of two years came to, in seconds and rows."""

    ours: float = 0.0
    alone: float = 0.0
    rows: int = 0

    @property
    def ratio(self) -> float:
        """Return how many times as long it takes as the recorder alone."""
        return self.ours / self.alone


async def measure_time() -> Backfill:
    """Import days and then weeks, and hand the recorder the same hours directly.

    Both take turns on one database, window by window, so that whatever else the
    machine does befalls both. Our time begins with the cloud's answer as JSON. The
    recorder alone gets each hour once, ready-made, and no days before.
    """
    measured = Backfill()
    async with _home() as home:
        for asked in ENERGY_SOURCES:
            measured.ours += await home.import_days(asked)
        rival = _Direct(home.hass)
        for number, start in enumerate(_weeks()):
            for asked in ENERGY_SOURCES:
                week = home.answers.week(asked, start, NOW)
                rows = {
                    flow: rival.rows(flow, readings) for flow, readings in week.items()
                }
                measured.rows += sum(map(len, rows.values()))
                for is_ours in (number % 2 == 0, number % 2 == 1):
                    if is_ours:
                        measured.ours += await home.import_week(asked, start)
                    else:
                        measured.alone += await rival.write(rows)
        await _check(home.hass)
    return measured


async def measure_growth() -> float:
    """Import the same, alone in a process; return the MiB that it takes meanwhile."""
    async with _home() as home:
        for asked in ENERGY_SOURCES:
            # Simulated days are kept, once they are known.
            home.answers.days(asked, NOW)
        await home.import_week(Source.PRODUCTION_INTERVALS, next(_weeks()))
        peak_growth = _watched_memory()
        for asked in ENERGY_SOURCES:
            await home.import_days(asked)
        for start in _weeks():
            for asked in ENERGY_SOURCES:
                await home.import_week(asked, start)
        return peak_growth() / _MIB


@dataclass(frozen=True, slots=True)
class _Home:
    """A system, and the importer of its history."""

    hass: HomeAssistant
    answers: Answers
    importer: StatisticsImporter

    async def import_days(self, asked: Source) -> float:
        """Import the days that a document tells; return the seconds it took."""
        return await self._import(partial(self.answers.days, asked, NOW))

    async def import_week(self, asked: Source, start: datetime) -> float:
        """Import the hours that a document tells; return the seconds it took."""
        return await self._import(partial(self.answers.week, asked, start, NOW))

    async def _import(self, read: Callable[[], dict[Flow, Readings]]) -> float:
        """Read what the cloud has answered, and import it."""
        read()  # The cloud answers.
        began = perf_counter()
        for flow, readings in read().items():
            await self.importer.async_import(flow, readings)
        return perf_counter() - began


@asynccontextmanager
async def _home() -> AsyncGenerator[_Home]:
    with configuration() as folder:
        system = build(_SITE, _BEGIN.astimezone(_SITE.zone).date(), NOW)
        async with recording(folder) as hass:
            importer = StatisticsImporter(
                hass,
                SystemInfo(system_id=_SYSTEM_ID, name=_SITE.name, time_zone=_SITE.zone),
            )
            yield _Home(hass, Answers(_SITE, system), importer)


class _Direct:
    """Hands the recorder rows, as whoever knows them beforehand would."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Begin with empty statistics."""
        self._hass = hass
        self._sums = dict.fromkeys(Flow, 0)

    def rows(self, flow: Flow, readings: Readings) -> list[StatisticData]:
        """Return the hours of a window, which follows the one before."""
        rows = []
        for start, told in hourly(readings).items():
            self._sums[flow] += told.energy
            rows.append(
                StatisticData(start=start, state=told.energy, sum=self._sums[flow])
            )
        return rows

    async def write(self, rows: dict[Flow, list[StatisticData]]) -> float:
        """Write the rows of flows, one after the other; return the seconds it took."""
        began = perf_counter()
        for flow, data in rows.items():
            metadata = StatisticMetaData(
                mean_type=StatisticMeanType.NONE,
                has_sum=True,
                name=flow,
                source=_RIVAL,
                statistic_id=f"{_RIVAL}:{_SYSTEM_ID}_{flow}",
                unit_class="energy",
                unit_of_measurement="Wh",
            )
            async_add_external_statistics(self._hass, metadata, data)
            await written(self._hass)
        return perf_counter() - began


async def _check(hass: HomeAssistant) -> None:
    """Make sure that both wrote the same."""
    told = await sums(hass, _ids(DOMAIN) | _ids(_RIVAL), _BEGIN)
    for flow in Flow:
        ours, alone = (
            told[f"{source}:{_SYSTEM_ID}_{flow}"] for source in (DOMAIN, _RIVAL)
        )
        assert len(alone) > HOURS_OF_TWO_YEARS
        assert {hour: ours[hour] for hour in alone} == alone, flow


def _weeks() -> Iterator[datetime]:
    """Yield where the windows of two years begin, the oldest first."""
    return (_BEGIN + number * _WEEK for number in range(_WEEKS))


def _ids(source: str) -> set[str]:
    return {f"{source}:{_SYSTEM_ID}_{flow}" for flow in Flow}


def _watched_memory() -> Callable[[], int]:
    """Return what tells the most bytes that the process held since, beyond now's."""
    gc.collect()
    # What is free already would hide what grows into it.
    ctypes.CDLL(None).malloc_trim(0)
    resident = _status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # resets the peak
    return lambda: _status("VmHWM") - resident


def _status(field: str) -> int:
    """Return a size that Linux tells of this process, in bytes."""
    (line,) = re.findall(
        rf"^{field}:\s+(\d+)", Path("/proc/self/status").read_text(), re.MULTILINE
    )
    return int(line) * 1024
