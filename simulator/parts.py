"""Single devices: what reports by itself, and may fall silent or be replaced."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from .moments import Window

type Meter = Literal["production", "consumption"]
type Part = str
"""All of a kind, such as `production` or `battery`, or one, such as `battery 1`."""

BATTERY = "battery"
HEAT_PUMP = "heat pump"


def is_one_of(part: Part, parts: Collection[Part]) -> bool:
    """Tell whether a part is meant; `battery` means all batteries."""
    return part in parts or part.partition(" ")[0] in parts


@dataclass(frozen=True, slots=True)
class Silence:
    """A time in which a part does not report."""

    part: Part
    window: Window


@dataclass(frozen=True, slots=True)
class Replaced:
    """A meter that stays listed although another took its place at a moment."""

    meter: Meter
    at: int


@dataclass(frozen=True, slots=True)
class SecondGateway:
    """Another gateway at the site: its parts are read `behind` seconds earlier.

    The last `panels` of the roof report to it.
    """

    parts: frozenset[Part]
    behind: int
    panels: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class EvCharger:
    """A charger of another maker, and what it says that it does.

    Without a status it says what it really does.
    """

    serial: str
    name: str = "EV Charger"
    status: Literal["PLUGGED_OUT", "IDLE", "CHARGING", "FAULTED"] | None = "PLUGGED_OUT"

    @property
    def part(self) -> Part:
        """Return how a silence names it."""
        return f"charger {self.serial}"


@dataclass(frozen=True, slots=True)
class ChargingTimes:
    """Times of a week, by the home's clock, at which a charger may charge.

    Days are numbered from Monday, 1, to Sunday, 7; `level` is a share of its power [%].
    """

    days: tuple[int, ...]
    start_time: str
    end_time: str
    level: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class IqCharger:
    """How the cloud knows a charger of Enphase, which is a part of the plant.

    `energy_unit` is that of the energy of its sessions, which the specification gives
    in Wh, while its example can only be in kWh.
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
        """Return how a silence names it."""
        return f"charger {self.serial}"


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatPump:
    """A heat pump, and how it is asked to use power: MODE_1 blocks it.

    Many have no serial number.
    """

    name: str = "Heat pump"
    serial: str = ""
    mode: Literal["MODE_1", "MODE_2", "MODE_3", "MODE_4"] = "MODE_2"
