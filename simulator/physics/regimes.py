"""Regimes of batteries, and orders to change them."""

from dataclasses import dataclass
from typing import Literal

from simulator.moments import HOUR, STEP

type BatteryMode = Literal["Self-consumption", "Savings Mode", "Full Backup"]
type ActiveMode = BatteryMode | Literal["DR Event Active"]

_PEAK_HOURS = (16, 21)
_MORNING_HOUR = 6
_PEAK_FIRST, _PEAK_LAST, _MORNING = (
    hour * HOUR // STEP for hour in (*_PEAK_HOURS, _MORNING_HOUR)
)


@dataclass(frozen=True, slots=True)
class Regime:
    """The behavior of batteries while there is a grid.

    In `Savings Mode` they discharge in the peak hours only; with `energy_independence`
    from the peak hours until the morning. With `charge_from_grid` they charge from the
    grid up to the reserve. In a `DR Event Active` they discharge to the reserve,
    independent of the consumption.
    """

    mode: ActiveMode
    reserve_percent: int
    energy_independence: bool = False
    charge_from_grid: bool = False

    def may_discharge(self, step: int) -> bool:
        """Return whether batteries may discharge to the home in a step of a day."""
        if self.mode != "Savings Mode":
            return self.mode == "Self-consumption"
        if self.energy_independence:
            return not _MORNING <= step < _PEAK_FIRST
        return _PEAK_FIRST <= step < _PEAK_LAST


@dataclass(frozen=True, slots=True)
class Order:
    """A regime that is in force from a moment on.

    Flows follow it from the next multiple of 5 minutes on.
    """

    at: int
    regime: Regime

    @property
    def mark(self) -> int:
        """Return when flows begin to follow it."""
        return -(-self.at // STEP) * STEP
