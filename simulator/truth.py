"""The actual power and energy of a system."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from .documents.devices import encharge_serial
from .documents.meters import meters_of
from .moments import STEP, day_of, epoch, midnight
from .physics import (
    Charger,
    Flow,
    Power,
    charging,
    energy,
    heating,
    panels,
    power,
    units,
)
from .physics.charging import Charged
from .world import System


@dataclass(frozen=True, slots=True)
class Truth:
    """The actual values of a system, independent of documents.

    All energy is in Wh.
    """

    system: System

    def power(self, at: datetime) -> Power:
        """Return the power of all flows at an instant."""
        return power(self.system.plant, at.timestamp())

    def energy(self, flow: Flow | str, start: datetime, end: datetime) -> int:
        """Return the Wh of a flow in [start, end), both multiples of 5 minutes."""
        return energy(self.system.plant, Flow(flow), epoch(start), epoch(end))

    def day(self, flow: Flow | str, day: date) -> int:
        """Return the Wh of a flow on a local day."""
        zone = self.system.time_zone
        end = date.fromordinal(day.toordinal() + 1)
        start, stop = midnight(day, zone), midnight(end, zone)
        return energy(self.system.plant, Flow(flow), start, stop)

    def panels(self, day: date) -> dict[str, int]:
        """Return the Wh of each panel on a local day, by its microinverter's serial."""
        zone = self.system.time_zone
        end = date.fromordinal(day.toordinal() + 1)
        plant = self.system.plant
        wh = panels.energy_by_panel(plant, midnight(day, zone), midnight(end, zone))
        found = self.system.microinverters
        return {micro.serial: wh[micro.position - 1] for micro in found}

    def panel(self, serial: str, start: datetime, end: datetime) -> int:
        """Return the Wh that a panel gave in [start, end), on marks of 5 minutes."""
        position = self.system.microinverter(serial).position
        wh = panels.energy_by_panel(self.system.plant, epoch(start), epoch(end))
        return wh[position - 1]

    def battery(
        self, serial: str, flow: Flow | str, start: datetime, end: datetime
    ) -> int:
        """Return the Wh of a battery in [start, end), both multiples of 15 minutes.

        The flow is `charge` or `discharge`.
        """
        plant = self.system.plant
        wh = units.energy_by_unit(plant, Flow(flow), epoch(start), epoch(end))
        return wh.get(self._unit(serial), 0)

    def level(self, serial: str, at: datetime) -> float:
        """Return the state of charge of an installed battery [%]."""
        return units.levels(self.system.plant, epoch(at))[self._unit(serial)]

    def metered(self, serial: str, start: datetime, end: datetime) -> int:
        """Return the Wh of a production meter, on multiples of 15 minutes."""
        meters = meters_of(self.system, "production")
        meter = {each.serial: each for each in meters}[serial]
        return meter.energy(epoch(start), epoch(end))

    def heated(self, start: datetime, end: datetime) -> int:
        """Return the Wh of the heat pump, on multiples of 5 minutes."""
        return heating.energy(self.system.plant, epoch(start), epoch(end))

    def charged(self, serial: str, start: datetime, end: datetime) -> int:
        """Return the Wh of a charger in [start, end), on multiples of 5 minutes.

        They are negative if the car discharges more than it charges.
        """
        charger = self._charger(serial)
        return charging.energy(self.system.plant, charger, epoch(start), epoch(end))

    def sessions(self, serial: str, first: date, last: date) -> list[Charged]:
        """Return the sessions of a charger that start on local days."""
        plant, charger = self.system.plant, self._charger(serial)
        return [
            charging.charged(plant, charger, session)
            for session in charging.sessions(plant, charger, first, last)
        ]

    def charging_power(self, serial: str, at: datetime) -> int:
        """Return the W of a charger in the 5 minutes around a moment."""
        start = datetime.fromtimestamp(epoch(at) // STEP * STEP, UTC)
        step = timedelta(seconds=STEP)
        return self.charged(serial, start, start + step) * (timedelta(hours=1) // step)

    def car(self, serial: str, at: datetime) -> Charged | None:
        """Return the session of the car that is plugged in at a moment, if any."""
        today = day_of(epoch(at), self.system.plant.time_zone)
        days = self.system.charger(serial).longest_days
        first = date.fromordinal(today.toordinal() - days)
        for each in self.sessions(serial, first, today):
            if each.session.start <= epoch(at) < each.session.end:
                return each
        return None

    def lifetime(self, flow: Flow | str, until: datetime) -> int:
        """Return the Wh of a flow since the start of operation."""
        start = self.system.operational_at
        return energy(self.system.plant, Flow(flow), start, epoch(until))

    def _charger(self, serial: str) -> Charger:
        return {each.serial: each for each in self.system.plant.chargers}[serial]

    def _unit(self, serial: str) -> int:
        storage = self.system.plant.storage
        numbers = range(1, 1 + (storage.units if storage else 0))
        return {encharge_serial(self.system, unit): unit for unit in numbers}[serial]
