"""A plant of the simulator that lives through its fate, day by day."""

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

from .faults import DAYS, FIRST_DAY, Fate, Kind, draw

_MODULE_W: Final = 425
_SITES: Final = (
    ("Europe/Berlin", 50.0),
    ("Europe/Stockholm", 59.0),
    ("America/Los_Angeles", 34.0),
    ("America/New_York", 42.0),
    ("Europe/Madrid", 38.0),
)
_STEP_S: Final = 300


@dataclass(frozen=True, slots=True)
class Day:
    """What each panel gave [Wh] by its serial number, and which position it has."""

    date: date
    energies: dict[str, float]
    positions: dict[str, int]


class Plant:
    """A plant, what befalls it, and what its panels give."""

    def __init__(self, number: int, seed: int) -> None:
        """Build a plant and draw its fate."""
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
        self.fate: Fate = draw(random, self.modules, latitude)
        self._snow()

    def days(self) -> Iterator[Day]:
        """Yield day after day."""
        for number in range(DAYS):
            day = FIRST_DAY + timedelta(number)
            self._befall(day)
            energies: dict[str, float] = dict(self._truth.panels(day))
            positions = {
                each.serial: each.position for each in self._system.microinverters
            }
            self._shade(day, energies)
            yield Day(day, energies, positions)

    def _befall(self, day: date) -> None:
        """Let begin what begins in a day, and end what ended the day before."""
        begin = datetime.combine(day, time(), self._zone)
        for event in self.fate.events:
            if event.kind is Kind.SNOW:
                continue
            serial = self._serial(event.position)
            if event.last == day - timedelta(days=1):
                if event.kind is Kind.DEAD:
                    self._system.replace_panel(serial, begin)
                else:
                    self._system.repair_panel(serial, begin)
            if event.start.date() == day:
                start = event.start.replace(tzinfo=self._zone)
                self._system.break_panel(serial, start, event.ratio)
        for position, at in self.fate.replaced:
            if at == day:
                self._system.replace_panel(self._serial(position), begin)

    def _serial(self, position: int) -> str:
        return next(
            each.serial
            for each in self._system.microinverters
            if each.position == position
        )

    def _snow(self) -> None:
        for first, last in self.fate.snow:
            begin = datetime.combine(first, time(), self._zone)
            end = datetime.combine(last + timedelta(days=1), time(), self._zone)
            self._system.let_it_snow(begin, end)

    def _shade(self, day: date, energies: dict[str, float]) -> None:
        """Take what shades and snow hold from panels, by what these give otherwise."""
        start = midnight(day, self._system.time_zone)
        for shade in self.fate.shades:
            serial = self._serial(shade.position)
            within = energies[serial]
            if shade.until_hour is not None:
                steps = round(shade.until_hour * 3_600 / _STEP_S)
                until = start + steps * _STEP_S
                given = panels.energies(self._system.plant, start, until)
                within = given[shade.position - 1]
            energies[serial] -= shade.share(day) * within
        for event in self.fate.events:
            if event.kind is Kind.SNOW and event.start.date() <= day <= event.last:
                energies[self._serial(event.position)] *= event.ratio
