"""Parts of a system that report on their own and can stop or be replaced."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from .moments import Window

type Meter = Literal["production", "consumption"]
type Part = str
"""All parts of a kind, such as `battery`, or one, such as `battery 1`."""

BATTERY = "battery"
HEAT_PUMP = "heat pump"


def is_one_of(part: Part, parts: Collection[Part]) -> bool:
    """Return whether `parts` include a part; `battery` includes all batteries."""
    return part in parts or part.partition(" ")[0] in parts


@dataclass(frozen=True, slots=True)
class Silence:
    """A time in which a part does not report."""

    part: Part
    window: Window


@dataclass(frozen=True, slots=True)
class Replaced:
    """A meter that was replaced at a moment and stays listed."""

    meter: Meter
    at: int


@dataclass(frozen=True, slots=True)
class SecondGateway:
    """A second gateway: its parts are read `behind` seconds before those of the first.

    The last `panels` of the roof report to it.
    """

    parts: frozenset[Part]
    behind: int
    panels: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class EvCharger:
    """A charger of another maker; `status` replaces its actual status."""

    serial: str
    name: str = "EV Charger"
    status: Literal["PLUGGED_OUT", "IDLE", "CHARGING", "FAULTED"] | None = "PLUGGED_OUT"

    @property
    def part(self) -> Part:
        """Return its name as a part."""
        return f"charger {self.serial}"


@dataclass(frozen=True, slots=True)
class ChargingTimes:
    """A period in which a charger may charge, in the time zone of the home.

    Days are 1, Monday, to 7, Sunday; `level` is the charging power in % of the maximum.
    """

    days: tuple[int, ...]
    start_time: str
    end_time: str
    level: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class IqCharger:
    """An Enphase charger in documents; the plant has its physical part.

    `energy_unit` is that of the energy of its sessions: Wh in the specification, but
    its example is only plausible in kWh.
    """

    serial: str
    name: str = "IQ EV Charger"
    energy_unit: Literal["Wh", "kWh"] = "Wh"
    times: tuple[ChargingTimes, ...] = (
        ChargingTimes((1, 2, 3, 4, 5), "1:00", "6:30", 80),
        ChargingTimes((6, 7), "23:00", "7:00"),
    )
    uses_times: bool = True

    @property
    def part(self) -> Part:
        """Return its name as a part."""
        return f"charger {self.serial}"


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatPump:
    """A heat pump with its operation mode; MODE_1 blocks it.

    Many heat pumps have no serial number.
    """

    name: str = "Heat pump"
    serial: str = ""
    mode: Literal["MODE_1", "MODE_2", "MODE_3", "MODE_4"] = "MODE_2"
