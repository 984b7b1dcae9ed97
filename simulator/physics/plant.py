"""What stands at a site: panels, batteries, generator, and how much is used."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from simulator.moments import Window

type BatteryMode = Literal["Self-consumption", "Savings Mode", "Full Backup"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """A battery made of equal units.

    In daily operation the charge stays between the reserve and full; without the
    grid it may fall to the shutdown level. All losses are taken when charging.
    `installed` and `removed` are the moments, on marks of 5 minutes, between which the
    units are there; each None where there is none.
    """

    units: int = 2
    unit_capacity_wh: int = 5_000
    unit_power_w: int = 3_840
    reserve_percent: int = 20
    shutdown_percent: int = 5
    efficiency_percent: int = 90
    mode: BatteryMode = "Self-consumption"
    installed: int | None = None
    removed: int | None = None

    def is_there(self, moment: int) -> bool:
        """Tell whether the units are installed at a moment."""
        since = self.installed is None or self.installed <= moment
        return since and (self.removed is None or moment < self.removed)

    @property
    def capacity_wh(self) -> int:
        """Return the energy that all units hold together."""
        return self.units * self.unit_capacity_wh

    @property
    def power_w(self) -> int:
        """Return the power at which all units together charge or discharge."""
        return self.units * self.unit_power_w


@dataclass(frozen=True, slots=True, kw_only=True)
class Plant:
    """Everything on which the flows of energy at a site depend."""

    seed: int
    time_zone: str
    latitude: float
    longitude: float
    commissioned: date
    size_w: int
    load_scale: float = 1.0
    storage: Storage | None = None
    generator_w: int = 0
    outages: tuple[Window, ...] = ()
