"""A year of costs: the cloud corrects energy, and users correct their tariffs."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Any, Final, cast
from unittest.mock import patch

from homeassistant.components.recorder.models import (
    StatisticData,
    StatisticMeanType,
    StatisticMetaData,
)
from homeassistant.components.recorder.statistics import async_import_statistics
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

from custom_components.enphase_cloud.const import DOMAIN
from custom_components.enphase_cloud.coordinator.base import EntryContext, SystemContext
from custom_components.enphase_cloud.coordinator.costs import SystemCosts
from custom_components.enphase_cloud.coordinator.energy import EnergyCoordinator
from custom_components.enphase_cloud.coordinator.recorded import statistic_id
from custom_components.enphase_cloud.coordinator.statistics import StatisticsImporter
from custom_components.enphase_cloud.energy.import_plan import ImportPlan
from custom_components.enphase_cloud.energy.import_progress import Days, ImportProgress
from custom_components.enphase_cloud.energy.importer import Importer
from custom_components.enphase_cloud.energy.parsing import system_day
from custom_components.enphase_cloud.energy.readings import HOUR
from custom_components.enphase_cloud.measurements.catalog import Source
from custom_components.enphase_cloud.measurements.system import SystemInfo
from custom_components.enphase_cloud.money.costs import BILLION
from custom_components.enphase_cloud.money.figures import Amount, Period
from custom_components.enphase_cloud.money.tariff import Direction, Tariff
from custom_components.enphase_cloud.runtime.storage import SystemStore
from simulator import Truth
from tests.energy_helpers import FLOWS

from ..energy.cloud import CloudData, Site, build
from ..energy.faults import FIRST, RandomFaults, silence
from ..energy.recorder import Sums, recording, sums, written
from ..energy.truth import changes
from ..home_assistant import configuration
from .bill import (
    CONTRACTS,
    CORRECTED_ON,
    EXPORT,
    SPOT,
    SPOT_UNIT,
    Contract,
    got,
    hours,
    spot_price,
)

_SITE: Final = Site("Hilltop", "Europe/Berlin", 48)
_SOURCES: Final = (
    Source.CONSUMPTION_INTERVALS,
    Source.IMPORT_INTERVALS,
    Source.EXPORT_INTERVALS,
)
_FIRST_AT: Final = timedelta(hours=4, minutes=30)
_HISTORY: Final = timedelta(weeks=4)
_SETTLING: Final = timedelta(days=2)
_RESTART_EVERY: Final = 45
_PAUSE: Final = timedelta(hours=1)
_LOOK_BACK: Final = timedelta(days=63)
_SEED: Final = 12
_UNLIMITED: Final = 1_000_000
# A billionth of the currency, plus the rounding of a float sum.
_EXACT: Final = 3e-9
_SHOWN: Final = 1e-6
_KEYS: Final = {
    Direction.IMPORT: "grid_import_cost",
    Direction.EXPORT: "grid_export_compensation",
}


@dataclass(slots=True)
class Result:
    """How a year's costs differ from the true bill."""

    errors: dict[str, float] = field(default_factory=dict)
    falls: int = 0
    wrong: int = 0
    differing: int = 0


@dataclass(slots=True)
class _Energy:
    """Notifies costs of imports, as the energy coordinator does."""

    listeners: list[Callable[..., None]] = field(default_factory=list)

    def async_on_imported(self, listener: Callable[..., None]) -> Callable[[], None]:
        self.listeners.append(listener)
        return lambda: self.listeners.remove(listener)

    def async_update_listeners(self) -> None:
        """Do nothing: there are no sensors."""


class _Household:
    """A system with a contract; its store survives restarts."""

    def __init__(self, number: int, contract: Contract) -> None:
        self.contract = contract
        self.info = SystemInfo(
            system_id=9_000_000 + number, name=contract.name, time_zone=_SITE.zone
        )
        self._store = SystemStore(lambda: None)

    def begin(self, hass: HomeAssistant, versions: list[dict[str, Any]]) -> None:
        """Set up, with the prices that the user has entered so far."""
        unknown = cast("Any", None)
        shared = EntryContext(
            hass=hass,
            entry=MockConfigEntry(domain=DOMAIN),
            client=unknown,
            budget=unknown,
            storage=unknown,
        )
        context = SystemContext(shared=shared, info=self.info, store=self._store)
        self.energy = _Energy()
        self.costs = SystemCosts(
            context,
            cast("EnergyCoordinator", self.energy),
            {
                direction: Tariff.from_dict(
                    {"system": 1, "direction": direction, "versions": entered}
                )
                for direction, entered in (
                    (Direction.IMPORT, versions),
                    (Direction.EXPORT, EXPORT),
                )
            },
        )
        self.statistics = StatisticsImporter(hass, self.info)
        self.costs.async_begin()

    def statistic(self, key: str) -> str:
        """Return the id of a statistic."""
        return statistic_id(self.info.system_id, key)


class _Year:
    def __init__(self, nights: int) -> None:
        self._nights = [
            system_day(FIRST + timedelta(days=number), _SITE.zone).start + _FIRST_AT
            for number in range(nights)
        ]
        self.begin = self._nights[0] - _FIRST_AT
        system = build(_SITE, (self.begin - 2 * _HISTORY).date(), self.begin)
        silence(system, self.begin)
        self._truth = Truth(system)
        self._cloud = CloudData(_SITE, system)
        self._faults = RandomFaults(_SEED)
        required = ImportProgress().request_days(Days())
        required = required.request_hours(
            self.begin - _HISTORY, self._nights[0], now=self._nights[0]
        )
        plan = ImportPlan(first_at=_FIRST_AT, time_zone=_SITE.zone)
        self._importer = Importer(plan, dict.fromkeys(_SOURCES, required))
        self.homes = [_Household(*each) for each in enumerate(CONTRACTS)]
        self.result = Result()

    @property
    def until(self) -> datetime:
        """Return the end of the settled hours."""
        return self._nights[-1] - _FIRST_AT - _SETTLING

    def stretches(self) -> Iterator[list[tuple[int, datetime]]]:
        """Yield the nights between two starts of Home Assistant."""
        corrected = min(CORRECTED_ON, len(self._nights) * 3 // 4)
        starts = {*range(0, len(self._nights), _RESTART_EVERY), corrected}
        borders = [*sorted(starts), len(self._nights)]
        self.corrected = corrected
        for first, after in pairwise(borders):
            yield [(number, self._nights[number]) for number in range(first, after)]

    async def live(
        self, hass: HomeAssistant, nights: list[tuple[int, datetime]]
    ) -> None:
        """Simulate nights."""
        self._importer.use(dict.fromkeys(_SOURCES, 1))
        number, now = nights[0]
        with patch.object(dt_util, "utcnow", lambda: now):
            for home in self.homes:
                is_corrected = number >= self.corrected
                contract = home.contract
                home.begin(
                    hass, contract.corrected if is_corrected else contract.entered
                )
            await hass.async_block_till_done(wait_background_tasks=True)
            for number, now in nights:  # the clock
                await self._import_prices(hass, now)
                await self._import_night(now)
                await hass.async_block_till_done(wait_background_tasks=True)
                # Old hours are priced together, after a pause.
                async_fire_time_changed(hass, datetime.now(UTC) + _PAUSE, fire_all=True)
                await hass.async_block_till_done(wait_background_tasks=True)
                if number % 5 == 0:
                    await self._compare_figures(hass, now)

    async def _import_prices(self, hass: HomeAssistant, now: datetime) -> None:
        """Import prices of the last days; in nine nights of eighteen they are late."""
        if now.toordinal() // 9 % 2 and now != self._nights[-1]:
            return
        first = self.begin - 2 * _HISTORY if now == self._nights[0] else now
        start = system_day((first - timedelta(days=14)).date(), _SITE.zone).start
        metadata = StatisticMetaData(
            mean_type=StatisticMeanType.ARITHMETIC,
            has_sum=False,
            name=None,
            source="recorder",
            statistic_id=SPOT,
            unit_class=None,
            unit_of_measurement=SPOT_UNIT,
        )
        rows = [
            StatisticData(start=hour, mean=price, min=price, max=price)
            for hour in hours(start, now)
            for price in [float(spot_price(hour) * 1000)]
        ]
        async_import_statistics(hass, metadata, rows)
        await written(hass)

    async def _import_night(self, now: datetime) -> None:
        """Make all calls of a night, and import their energy for each contract."""
        for step, found in self._cloud.of_a_night(
            self._importer, now, self._faults, history=_UNLIMITED
        ):
            changed = []
            for home in self.homes:
                imported = {
                    flow: await home.statistics.async_import(flow, readings)
                    for flow, readings in found.items()
                }
                changed += [each.changed for each in imported.values()]
                for listener in home.energy.listeners:
                    listener(found, imported)
            first = min(filter(None, changed), default=None)
            self._importer.imported(step, found, changed=first, now=now)

    async def _compare_figures(self, hass: HomeAssistant, now: datetime) -> None:
        """Count the sensor values that differ from the statistics."""
        for home in self.homes:
            recorded = await _sums(hass, home, now - _LOOK_BACK)
            for amount, direction in (
                (Amount.COST, Direction.IMPORT),
                (Amount.COMPENSATION, Direction.EXPORT),
            ):
                costs = changes(recorded[_KEYS[direction]])
                for period in Period:
                    span = period.span(now.astimezone(_SITE.zone).date(), _SITE.zone)
                    end = span.start + span.length
                    within = [
                        cost for at, cost in costs.items() if span.start <= at < end
                    ]
                    shown = home.costs.figures.get((amount, period))
                    total = sum(within) if within else None
                    self.result.differing += not _is_same(shown, total)

    async def settle(self, hass: HomeAssistant) -> None:
        """Compare the year with the true bill."""
        for home in self.homes:
            recorded = await _sums(hass, home, self.begin - timedelta(hours=6))
            for direction, key in _KEYS.items():
                flow = direction.flow
                costs, energy = changes(recorded[key]), changes(recorded[flow])
                true = total = Fraction(0)
                for hour in hours(self.begin, self.until):
                    price = self._price(home.contract, direction, hour)
                    true += price(self._truth.energy(FLOWS[flow], hour, hour + HOUR))
                    cost = costs.get(hour, 0.0)
                    total += Fraction(cost)
                    due = float(price(round(energy.get(hour, 0.0))))
                    self.result.wrong += abs(cost - due) > _EXACT
                    self.result.falls += cost < -_EXACT and due >= 0
                name = f"{home.contract.name}, {direction}"
                self.result.errors[name] = float(abs(total - true) / abs(true))

    @staticmethod
    def _price(
        contract: Contract, direction: Direction, hour: datetime
    ) -> Callable[[float], Fraction]:
        if direction is Direction.EXPORT:
            return got
        return lambda energy: contract.paid(hour, energy)


def _is_same(shown: int | None, recorded: float | None) -> bool:
    if shown is None or recorded is None:
        return shown is recorded
    return abs(shown / BILLION - recorded) < _SHOWN


async def _sums(
    hass: HomeAssistant, home: _Household, since: datetime
) -> Mapping[str, Sums]:
    keys = [*_KEYS.values(), *(direction.flow for direction in _KEYS)]
    return await sums(hass, {key: home.statistic(key) for key in keys}, since)


async def play(nights: int) -> Result:
    """Simulate a number of nights."""
    year = _Year(nights)
    with configuration() as folder:
        for stretch in year.stretches():
            async with recording(folder) as hass:
                hass.config.currency = "EUR"
                await year.live(hass, stretch)
        async with recording(folder) as hass:
            await year.settle(hass)
    return year.result
