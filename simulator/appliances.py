"""What uses energy at a home by itself, and how the cloud knows it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from .parts import EvCharger, HeatPump, IqCharger
from .physics import Charger, Heating
from .settings import SettingsOwner


@dataclass(slots=True, kw_only=True, eq=False)
class ApplianceOwner(SettingsOwner):
    """What a system tells and changes about its chargers and its heat pump.

    Those that are listed without being installed take no energy. With
    `five_minute_telemetry` heat pump and chargers of others may be asked for intervals
    of 5 minutes; with `nested_intervals` these are in a list within a list, as the
    schema of the specification has them, and not as its examples have them.
    """

    ev_chargers: tuple[EvCharger, ...] = ()
    iq_chargers: tuple[IqCharger, ...] = ()
    heat_pump: HeatPump | None = None
    five_minute_telemetry: bool = False
    nested_intervals: bool = False

    def install_charger(
        self, charger: Charger, known_as: IqCharger | None = None
    ) -> None:
        """Let there be a charger of Enphase, since the system began to work."""
        self.plant = replace(self.plant, chargers=(*self.plant.chargers, charger))
        self.iq_chargers += (known_as or IqCharger(serial=charger.serial),)

    def remove_charger(self, serial: str) -> None:
        """Let the cloud list a charger no more; what it gave was used all the same."""
        self.iq_chargers = _without(self.iq_chargers, serial)

    def charger(self, serial: str) -> Charger:
        """Return a charger of Enphase that is listed; raise KeyError where none is."""
        if serial not in {each.serial for each in self.iq_chargers}:
            raise KeyError(serial)
        found = {each.serial: each for each in self.plant.chargers}
        return found[serial]

    def install_ev_charger(
        self, charger: Charger, known_as: EvCharger | None = None
    ) -> None:
        """Let there be a charger of another maker, since the system began to work."""
        self.plant = replace(self.plant, chargers=(*self.plant.chargers, charger))
        known_as = known_as or EvCharger(serial=charger.serial, status=None)
        self.ev_chargers += (known_as,)

    def remove_ev_charger(self, serial: str) -> None:
        """Let the cloud list a charger of another maker no more."""
        self.ev_chargers = _without(self.ev_chargers, serial)

    def ev_charger(self, serial: str) -> Charger | None:
        """Return a charger of another maker, None where it takes nothing.

        Raises KeyError where none is listed.
        """
        if serial not in {each.serial for each in self.ev_chargers}:
            raise KeyError(serial)
        return next(
            (each for each in self.plant.chargers if each.serial == serial), None
        )

    def install_heat_pump(
        self, heating: Heating | None = None, known_as: HeatPump | None = None
    ) -> None:
        """Let there be a heat pump, since the system began to work."""
        self.plant = replace(self.plant, heating=heating or Heating())
        self.heat_pump = known_as or HeatPump()

    def remove_heat_pump(self) -> None:
        """Let the cloud list the heat pump no more."""
        self.heat_pump = None


def _without[T: (EvCharger, IqCharger)](
    chargers: Iterable[T], serial: str
) -> tuple[T, ...]:
    return tuple(each for each in chargers if each.serial != serial)
