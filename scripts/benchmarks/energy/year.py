"""A year of a system with all that goes wrong, in a real recorder."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from homeassistant.core import HomeAssistant

from custom_components.enphase_cloud.coordinator.statistics import (
    StatisticsImporter,
    statistic_id,
)
from custom_components.enphase_cloud.energy.import_progress import WEEK
from custom_components.enphase_cloud.energy.parsing import system_day
from custom_components.enphase_cloud.energy.readings import Flow
from custom_components.enphase_cloud.measurements.system import SystemInfo
from simulator import Truth

from .asking import FIRST_AT, Asking
from .cloud import Answers, Site, build
from .mishaps import FIRST, NIGHTS, RESTART_EVERY, Luck, silence
from .recorder import Sums, recording, sums
from .rival import Rival, compile_statistics
from .truth import Comparison, compare, note_wrongs

SITES: Final = (
    Site("Hilltop", "Europe/Berlin", 48),
    # Its summer time is half an hour, and microinverters tell 5 minutes.
    Site("Lagoon", "Australia/Lord_Howe", -31.5, measured_by="microinverters"),
)
HISTORY_WEEKS: Final = 8
_SEED: Final = 5
# The cloud corrects for some hours, and a fault of one night is mended in the next.
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
    restarts: int


async def play(site: Site) -> Year:
    """Let a year pass at a site."""
    nights = list(_nights(site))
    home = _Home(site, installed_at=nights[0])
    with TemporaryDirectory() as folder:
        database = Path(folder, "home-assistant_v2.db")
        for first in range(0, NIGHTS, RESTART_EVERY):
            async with recording(database) as hass:
                await home.live(hass, nights[first : first + RESTART_EVERY])
        async with recording(database) as hass:
            return await home.year(hass, until=nights[-1] - _SETTLING)


def _nights(site: Site) -> Iterator[datetime]:
    """Yield when the cloud is asked."""
    luck = Luck(_SEED)
    for number in range(NIGHTS):
        day = system_day(FIRST + timedelta(days=number), site.zone)
        yield day.start + FIRST_AT + luck.delay()


class _Home:
    """A system, who asks about it, and what went wrong."""

    def __init__(self, site: Site, *, installed_at: datetime) -> None:
        """Let the year begin."""
        self._site = site
        self._begin = system_day(FIRST, site.zone).start
        system = build(site, FIRST - (HISTORY_WEEKS + 1) * WEEK, self._begin)
        silence(system, self._begin)
        answers = Answers(site, system)
        self._system_id = system.system_id
        self._truth = Truth(system)
        self._wrongs = Comparison()
        self._asking = Asking(
            answers,
            Luck(_SEED),
            history_from=self._begin - HISTORY_WEEKS * WEEK,
            installed_at=installed_at,
            time_zone=site.zone,
        )
        self._rival = Rival(answers, Luck(_SEED + 1))
        self._starts = 0

    async def live(self, hass: HomeAssistant, nights: list[datetime]) -> None:
        """Let the nights between two starts of Home Assistant pass."""
        self._starts += 1
        importer = StatisticsImporter(
            hass,
            SystemInfo(
                system_id=self._system_id,
                name=self._site.name,
                time_zone=self._site.zone,
            ),
        )
        self._asking.restart()
        for now in nights:
            await self._asking.night(importer, now)
            self._rival.poll(hass, now)
            await compile_statistics(hass, now)
            recent = await self._ours(hass, now - _LOOK_BACK)
            note_wrongs(self._wrongs, recent, self._truth, begin=self._begin)

    async def year(self, hass: HomeAssistant, *, until: datetime) -> Year:
        """Compare all that the recorder tells with the truth."""
        told = await self._ours(hass)
        ours = compare(told, self._truth, begin=self._begin, end=until)
        # What was wrong on a night counts, though it was mended later.
        ours.phantoms |= self._wrongs.phantoms
        ours.falls |= self._wrongs.falls
        rival_ids = {flow: self._rival.entity_id(flow) for flow in Flow}
        rival = compare(
            await _told(hass, rival_ids), self._truth, begin=self._begin, end=until
        )
        return Year(
            site=self._site,
            ours=ours,
            history=compare(
                told,
                self._truth,
                begin=self._begin - HISTORY_WEEKS * WEEK,
                end=self._begin,
            ),
            rival=rival,
            calls=self._asking.calls,
            restarts=self._starts - 1,
        )

    async def _ours(
        self, hass: HomeAssistant, since: datetime = _LONG_AGO
    ) -> dict[Flow, Sums]:
        ids = {flow: statistic_id(self._system_id, flow) for flow in Flow}
        return await _told(hass, ids, since)


async def _told(
    hass: HomeAssistant, ids: dict[Flow, str], since: datetime = _LONG_AGO
) -> dict[Flow, Sums]:
    found = await sums(hass, set(ids.values()), since)
    return {flow: found[statistic] for flow, statistic in ids.items()}
