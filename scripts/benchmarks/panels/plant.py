"""A simulated plant with its events, day by day."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Final
from zoneinfo import ZoneInfo

from simulator import Cloud
from simulator.moments import midnight
from simulator.physics import panels
from simulator.world import System

from .faults import DAYS, FIRST_DAY, Event, Kind, Scenario, draw

_MODULE_W: Final = 425
_SITES: Final = (
    ("Europe/Berlin", 50.0),
    ("Europe/Stockholm", 59.0),
    ("America/Los_Angeles", 34.0),
    ("America/New_York", 42.0),
    ("Europe/Madrid", 38.0),
)
_STEP_S: Final = 300
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Day:
    """The energy [Wh] of each panel by serial number, and the serials by position."""

    date: date
    energy: dict[str, float]
    serials: dict[int, str]


class Plant:
    """A plant, its events, and the energy of its panels."""

    def __init__(self, number: int, seed: int) -> None:
        """Build a plant, and draw its events."""
        random = Random(f"{seed} {number}")
        zone, latitude = _SITES[number % len(_SITES)]
        self.modules = random.randint(12, 30)
        self.name = f"{number} {zone}"
        cloud = Cloud(lambda: datetime(2026, 6, 1, tzinfo=UTC), seed=seed)
        self._system: System = cloud.add_system(
            cloud.add_account(email="owner@example.com", password="sunshine"),
            system_id=4_300_000 + number,
            time_zone=zone,
            latitude=latitude,
            size_w=self.modules * _MODULE_W,
            commissioned=FIRST_DAY - timedelta(days=400),
        )
        self._truth = cloud.truth(self._system.system_id)
        self._zone = ZoneInfo(zone)
        self.scenario: Scenario = draw(random, self.modules, latitude)
        self._swaps = [self.scenario.swap]
        for event in self.scenario.events:
            if event.kind is not Kind.SNOW:
                self._break(event)
        for first, last in self.scenario.snow:
            self._system.let_it_snow(self._begin(first), self._begin(last + _DAY))

    def days(self) -> Iterator[Day]:
        """Yield day after day."""
        for number in range(DAYS):
            day = FIRST_DAY + number * _DAY
            for position, swapped in self._swaps:
                if swapped == day:
                    serial = self._serials()[position]
                    self._system.replace_panel(serial, self._begin(day))
            energy: dict[str, float] = dict(self._truth.panels(day))
            serials = self._serials()
            self._shade(day, energy, serials)
            yield Day(day, energy, serials)

    def _begin(self, day: date) -> datetime:
        return datetime.combine(day, time(), self._zone)

    def _serials(self) -> dict[int, str]:
        return {each.position: each.serial for each in self._system.microinverters}

    def _break(self, fault: Event) -> None:
        """Add a fault and its end: a weak panel is repaired, a dead one replaced."""
        serial, end = self._serials()[fault.position], fault.last + _DAY
        start = fault.start.replace(tzinfo=self._zone)
        self._system.break_panel(serial, start, fault.ratio)
        if fault.kind is Kind.DEAD:
            self._swaps.append((fault.position, end))
        else:
            self._system.repair_panel(serial, self._begin(end))

    def _shade(
        self, day: date, energy: dict[str, float], serials: dict[int, str]
    ) -> None:
        """Reduce panels by shades and snow, as shares of their usual energy."""
        start = midnight(day, self._system.time_zone)
        for shade in self.scenario.shades:
            serial = serials[shade.position]
            within = energy[serial]
            if shade.until_hour is not None:
                steps = round(shade.until_hour * 3_600 / _STEP_S)
                until = start + steps * _STEP_S
                given = panels.energy_by_panel(self._system.plant, start, until)
                within = given[shade.position - 1]
            energy[serial] -= shade.share(day) * within
        for event in self.scenario.events:
            if event.kind is Kind.SNOW and event.start.date() <= day <= event.last:
                energy[serials[event.position]] *= event.ratio
