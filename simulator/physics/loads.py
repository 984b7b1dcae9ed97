"""Loads on dry contacts, which are parts of the consumption."""

from dataclasses import dataclass
from typing import Literal

from simulator.moments import STEP

type LoadMode = Literal[
    "Scheduled",
    "Basic",
    "Advanced_BatteryPowered",
    "Manual_always_not_powered",
    "Manual_always_powered",
    "Advanced_GeneratorPowered",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """A load on a dry contact; levels in %, times in seconds of the day.

    It is `share_percent` of the consumption.
    """

    name: str
    load_name: str
    owner_can_override: bool = True
    mode: LoadMode = "Basic"
    soc_low: int = 30
    soc_high: int = 50
    status: Literal["enabled", "disabled"] = "enabled"
    essential_start_time: int = 32_400
    essential_end_time: int = 57_600
    share_percent: int = 10

    def is_essential(self, second: int) -> bool:
        """Return whether a second of the day is in the essential time of the load."""
        start, end = self.essential_start_time, self.essential_end_time
        if start <= end:
            return start <= second < end
        return second >= start or second < end


@dataclass(frozen=True, slots=True)
class LoadOrder:
    """The settings of all loads from a moment on."""

    at: int
    loads: tuple[Load, ...]

    @property
    def mark(self) -> int:
        """Return the multiple of 5 minutes at which they take effect."""
        return -(-self.at // STEP) * STEP
