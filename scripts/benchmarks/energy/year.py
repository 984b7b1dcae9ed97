"""A year of a system with all kinds of faults, in a real recorder.

The integration's own importer chooses the requests. The simulated cloud replaces the
network, and a fixed number of calls per night replaces the budget.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import batched
import json
from typing import Final

from homeassistant.core import HomeAssistant

from custom_components.enphase_cloud.coordinator.recorded import statistic_id
from custom_components.enphase_cloud.coordinator.statistics import StatisticsImporter
from custom_components.enphase_cloud.energy.flows import ENERGY_SOURCES
from custom_components.enphase_cloud.energy.import_plan import ImportPlan
from custom_components.enphase_cloud.energy.import_progress import (
    WEEK,
    Days,
    ImportProgress,
)
from custom_components.enphase_cloud.energy.importer import Importer
from custom_components.enphase_cloud.energy.parsing import system_day
from custom_components.enphase_cloud.measurements.catalog import Flow
from custom_components.enphase_cloud.measurements.system import SystemInfo
from simulator import Truth

from ..home_assistant import configuration
from .cloud import CloudData, Site, build
from .faults import FIRST, NIGHTS, RESTART_EVERY, RandomFaults, silence
from .recorder import Sums, recording, sums
from .rival import Rival, compile_statistics
from .truth import Comparison

SITES: Final = (
    Site("Hilltop", "Europe/Berlin", 48),
    # Its summer time shifts by half an hour; microinverters report 5 minute intervals.
    Site("Lagoon", "Australia/Lord_Howe", -31.5, measured_by="microinverters"),
)
# The time between the system's midnight and a night's calls.
_FIRST_AT: Final = timedelta(hours=4, minutes=30)
_HISTORY: Final = 8 * WEEK
# One old week of each document.
_HISTORY_PER_NIGHT: Final = len(ENERGY_SOURCES)
_SEED: Final = 5
# The cloud corrects hours for some time; a fault of one night is repaired in the next.
_SETTLING: Final = timedelta(days=2)
_LOOK_BACK: Final = timedelta(days=9)
_LONG_AGO: Final = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Year:
    """How a year's statistics differ from the truth."""

    site: Site
    ours: Comparison
    history: Comparison
    rival: Comparison
    calls: int


async def play(site: Site) -> Year:
    """Simulate a year at a site."""
    faults = RandomFaults(_SEED)
    days = (
        system_day(FIRST + timedelta(number), site.zone) for number in range(NIGHTS)
    )
    nights = [day.start + _FIRST_AT + faults.delay() for day in days]
    home = _Home(site, installed_at=nights[0])
    with configuration() as folder:
        for some in batched(nights, RESTART_EVERY, strict=False):
            async with recording(folder) as hass:
                await home.live(hass, some)
        async with recording(folder) as hass:
            return await home.year(hass, until=nights[-1] - _SETTLING)


class _Home:
    """A system with its integration and its rival, and what went wrong."""

    def __init__(self, site: Site, *, installed_at: datetime) -> None:
        """Begin the year."""
        self._site = site
        self._begin = begin = system_day(FIRST, site.zone).start
        self._system = build(site, FIRST - _HISTORY - WEEK, begin)
        silence(self._system, begin)
        self._wrongs = self._comparison()
        self._cloud = CloudData(site, self._system)
        self._rival = Rival(self._cloud, RandomFaults(_SEED + 1))
        self._faults = RandomFaults(_SEED)
        required = (
            ImportProgress()
            .request_days(Days())
            .request_hours(begin - _HISTORY, installed_at, now=installed_at)
        )
        self._stored = dict.fromkeys(ENERGY_SOURCES, json.dumps(required.as_dict()))

    async def live(self, hass: HomeAssistant, nights: Iterable[datetime]) -> None:
        """Simulate the nights between two starts of Home Assistant."""
        plan = ImportPlan(first_at=_FIRST_AT, time_zone=self._site.zone)
        progress = {
            source: ImportProgress.from_dict(json.loads(stored))
            for source, stored in self._stored.items()
        }
        importer = Importer(plan, progress)
        importer.use(dict.fromkeys(ENERGY_SOURCES, 1))
        info = SystemInfo(
            system_id=self._system.system_id,
            name=self._site.name,
            time_zone=self._site.zone,
        )
        statistics = StatisticsImporter(hass, info)
        for now in nights:
            await self._import_night(importer, statistics, now)
            self._rival.poll(hass, now)
            await compile_statistics(hass, now)
            self._wrongs.note_wrongs(await self._sums(hass, now - _LOOK_BACK))
        self._stored = {
            source: json.dumps(progress.as_dict())
            for source, progress in importer.progress.items()
        }

    async def year(self, hass: HomeAssistant, *, until: datetime) -> Year:
        """Compare all statistics with the truth."""
        recorded = await self._sums(hass)
        ours = self._comparison().compare(recorded, until)
        # Errors of a single night count, even if they were corrected later.
        ours.phantoms |= self._wrongs.phantoms
        ours.falls |= self._wrongs.falls
        rivals = await sums(hass, self._rival.entity_ids, _LONG_AGO)
        return Year(
            site=self._site,
            ours=ours,
            history=self._comparison(_HISTORY).compare(recorded, self._begin),
            rival=self._comparison().compare(rivals, until),
            calls=self._cloud.calls,
        )

    async def _import_night(
        self, importer: Importer, statistics: StatisticsImporter, now: datetime
    ) -> None:
        """Make all calls of a night."""
        for step, found in self._cloud.of_a_night(
            importer, now, self._faults, history=_HISTORY_PER_NIGHT
        ):
            changed = [
                (await statistics.async_import(flow, readings)).changed
                for flow, readings in found.items()
            ]
            first = min(filter(None, changed), default=None)
            importer.imported(step, found, changed=first, now=now)

    async def _sums(
        self, hass: HomeAssistant, since: datetime = _LONG_AGO
    ) -> dict[Flow, Sums]:
        ids = {flow: statistic_id(self._system.system_id, flow) for flow in Flow}
        return await sums(hass, ids, since)

    def _comparison(self, earlier: timedelta = timedelta()) -> Comparison:
        return Comparison(Truth(self._system), self._begin - earlier)
