"""The faults and failures of a simulated year."""

from datetime import date, datetime, timedelta
from random import Random
from typing import Final, Literal

from simulator import System, Window
from simulator.faults import DataFault
from simulator.moments import epoch

FIRST: Final = date(2027, 1, 1)
NIGHTS: Final = 365
RESTART_EVERY: Final = 30
NO_RESPONSE: Final = "no response"
# First and last day of each silence of the gateway, as days of the year.
_SILENCES: Final = ((40.3, 43.3), (130.6, 130.9), (220.9, 230.4), (310.2, 313.4))
_FAILURE: Final = 0.03
_FAULT: Final = 0.08
_FAULTS: Final[tuple[DataFault, ...]] = (
    *("zero", "null", "dip", "gap"),
    *("repeat", "absurd", "strings", "negative"),
)
# Halved energy ("dip") can only be found in a second response, and an old week is
# requested once.
_FAULTS_OF_HISTORY: Final = tuple(fault for fault in _FAULTS if fault != "dip")


class RandomFaults:
    """Decides at random which calls fail."""

    def __init__(self, seed: int) -> None:
        """Use a seed; the same seed gives the same faults."""
        self._random = Random(seed)

    def of_next_call(
        self, *, is_old_week: bool = False
    ) -> DataFault | Literal["no response"] | None:
        """Return the fault of the next call: no response, distorted numbers or None."""
        draw = self._random.random()
        if draw < _FAILURE:
            return NO_RESPONSE
        if draw < _FAILURE + _FAULT:
            return self._random.choice(_FAULTS_OF_HISTORY if is_old_week else _FAULTS)
        return None

    def delay(self) -> timedelta:
        """Return how much later than planned a night's calls are made."""
        return timedelta(seconds=self._random.randrange(1_800))


def silence(system: System, began: datetime) -> None:
    """Let the gateway be offline at times; its next report contains what it missed."""
    system.offline.extend(
        Window(*(epoch(began + timedelta(days=day)) for day in silent))
        for silent in _SILENCES
    )
