"""A year of a system with all that goes wrong, in a real recorder."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from homeassistant.core import HomeAssistant

from custom_components.enphase_cloud.history import StatisticsImporter, statistic_id
from custom_components.enphase_cloud.site.energy import Flow
from simulator import System

from .asking import WEEK, Asking
from .cloud import Answers, Site, build
from .mishaps import FIRST, NIGHTS, Luck, restarts, silence
from .recorder import Sums, home_assistant, sums
from .rival import Rival, compile_statistics
from .truth import Comparison, TrueHours, compare, note_wrongs

SITES: Final = (
    Site("Hilltop", "Europe/Berlin", 48),
    # Its summer time is half an hour, and microinverters tell 5 minutes.
    Site("Lagoon", "Australia/Lord_Howe", -31.5, measured_by="microinverters"),
)
HISTORY_WEEKS: Final = 8
_PLANNED: Final = time(4, 30)
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
    plain: Comparison
    spared: Comparison
    calls: int
    restarts: int


async def play(site: Site) -> Year:
    """Let a year pass at a site."""
    begin = datetime.combine(FIRST, time(), site.zone).astimezone(UTC)
    system = build(site, FIRST - (HISTORY_WEEKS + 1) * WEEK, begin)
    silence(system, begin)
    answers = Answers(site, system)
    nights = list(_nights(site))
    asking = Asking(answers, Luck(_SEED), installed_at=nights[0], weeks=HISTORY_WEEKS)
    rivals = [
        Rival(answers, Luck(_SEED + 1), is_spared=is_spared)
        for is_spared in (False, True)
    ]
    wrongs, truth = Comparison(), TrueHours(system)
    with TemporaryDirectory() as folder:
        database = Path(folder, "home-assistant_v2.db")
        waiting = list(enumerate(nights))
        sessions = 0
        while waiting:
            sessions += 1
            async with home_assistant(database) as hass:
                importer = _importer(hass, system, site)
                if sessions == 1:
                    await asking.days(importer, nights[0])
                while waiting:
                    number, now = waiting.pop(0)
                    await asking.night(importer, now)
                    for rival in rivals:
                        rival.poll(hass, now)
                    await compile_statistics(hass, now)
                    recent = await _ours(hass, system, now - _LOOK_BACK)
                    note_wrongs(wrongs, recent, truth, begin=begin)
                    if restarts(number):
                        break
        async with home_assistant(database) as hass:
            told = await _ours(hass, system, _LONG_AGO)
            plain, spared = [await _of_rival(hass, rival) for rival in rivals]
    end = nights[-1] - _SETTLING
    ours = compare(told, truth, begin=begin, end=end, zone=site.zone)
    ours.phantoms |= wrongs.phantoms
    ours.falls |= wrongs.falls
    note_wrongs(ours, told, truth, begin=begin)
    return Year(
        site=site,
        ours=ours,
        history=compare(
            told, truth, begin=begin - HISTORY_WEEKS * WEEK, end=begin, zone=site.zone
        ),
        plain=compare(plain, truth, begin=begin, end=end, zone=site.zone),
        spared=compare(spared, truth, begin=begin, end=end, zone=site.zone),
        calls=asking.calls,
        restarts=sessions - 1,
    )


def _nights(site: Site) -> Iterable[datetime]:
    luck = Luck(_SEED)
    for number in range(NIGHTS):
        planned = datetime.combine(FIRST + timedelta(days=number), _PLANNED, site.zone)
        yield planned.astimezone(UTC) + luck.delay()


def _importer(hass: HomeAssistant, system: System, site: Site) -> StatisticsImporter:
    return StatisticsImporter(
        hass,
        system_id=system.system_id,
        system_name=site.name,
        time_zone=site.zone,
    )


async def _ours(
    hass: HomeAssistant, system: System, since: datetime
) -> dict[Flow, Sums]:
    ids = {flow: statistic_id(system.system_id, flow) for flow in Flow}
    told = await sums(hass, set(ids.values()), since)
    return {flow: told[statistic] for flow, statistic in ids.items()}


async def _of_rival(hass: HomeAssistant, rival: Rival) -> dict[Flow, Sums]:
    ids = {flow: rival.entity_id(flow) for flow in Flow}
    told = await sums(hass, set(ids.values()), _LONG_AGO)
    return {flow: told[statistic] for flow, statistic in ids.items()}
