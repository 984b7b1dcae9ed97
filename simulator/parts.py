"""Single devices: what reports by itself, and may fall silent or be replaced."""

from dataclasses import dataclass
from typing import Literal

from .moments import Window

type Meter = Literal["production", "consumption"]
type Part = str
"""A meter, `battery` for all batteries, or `battery 1` for one."""

BATTERY = "battery"


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
    """A charger for a car, and what it does."""

    serial: str
    name: str = "EV Charger"
    status: Literal["PLUGGED_OUT", "IDLE", "CHARGING", "FAULTED"] = "PLUGGED_OUT"


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatPump:
    """A heat pump, and how it is asked to use power: MODE_1 blocks it.

    Many have no serial number.
    """

    name: str = "Heat pump"
    serial: str = ""
    mode: Literal["MODE_1", "MODE_2", "MODE_3", "MODE_4"] = "MODE_2"
