"""Chargers and heat pump of a system, and their entries in documents."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from .parts import EvCharger, HeatPump, IqCharger
from .physics import Charger, Heating
from .settings import SettingsOwner


@dataclass(slots=True, kw_only=True, eq=False)
class ApplianceOwner(SettingsOwner):
    """A system with chargers and a heat pump.

    Devices that are listed but not installed take no energy. With
    `five_minute_telemetry` heat pump and chargers of other makers support intervals of
    5 minutes. With `nested_intervals` their intervals are in a nested list, as in the
    schema of the specification; its examples have a flat list.
    """

    ev_chargers: tuple[EvCharger, ...] = ()
    iq_chargers: tuple[IqCharger, ...] = ()
    heat_pump: HeatPump | None = None
    five_minute_telemetry: bool = False
    nested_intervals: bool = False

    def install_charger(
        self, charger: Charger, known_as: IqCharger | None = None
    ) -> None:
        """Install an Enphase charger from the start of operation."""
        self.plant = replace(self.plant, chargers=(*self.plant.chargers, charger))
        self.iq_chargers += (known_as or IqCharger(serial=charger.serial),)

    def remove_charger(self, serial: str) -> None:
        """Remove a charger from documents; its energy remains in the consumption."""
        self.iq_chargers = _without(self.iq_chargers, serial)

    def charger(self, serial: str) -> Charger:
        """Return a listed Enphase charger; raises KeyError if it is not listed."""
        if serial not in {each.serial for each in self.iq_chargers}:
            raise KeyError(serial)
        found = {each.serial: each for each in self.plant.chargers}
        return found[serial]

    def install_ev_charger(
        self, charger: Charger, known_as: EvCharger | None = None
    ) -> None:
        """Install a charger of another maker from the start of operation."""
        self.plant = replace(self.plant, chargers=(*self.plant.chargers, charger))
        known_as = known_as or EvCharger(serial=charger.serial, status=None)
        self.ev_chargers += (known_as,)

    def remove_ev_charger(self, serial: str) -> None:
        """Remove a charger of another maker from documents."""
        self.ev_chargers = _without(self.ev_chargers, serial)

    def ev_charger(self, serial: str) -> Charger | None:
        """Return a charger of another maker, None if it is not installed.

        Raises KeyError if it is not listed.
        """
        if serial not in {each.serial for each in self.ev_chargers}:
            raise KeyError(serial)
        return next(
            (each for each in self.plant.chargers if each.serial == serial), None
        )

    def install_heat_pump(
        self, heating: Heating | None = None, known_as: HeatPump | None = None
    ) -> None:
        """Install a heat pump from the start of operation."""
        self.plant = replace(self.plant, heating=heating or Heating())
        self.heat_pump = known_as or HeatPump()

    def remove_heat_pump(self) -> None:
        """Remove the heat pump from documents."""
        self.heat_pump = None


def _without[T: (EvCharger, IqCharger)](
    chargers: Iterable[T], serial: str
) -> tuple[T, ...]:
    return tuple(each for each in chargers if each.serial != serial)
