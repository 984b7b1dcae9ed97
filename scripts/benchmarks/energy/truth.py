"""Statistics compared with the simulation's truth."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise

from custom_components.enphase_cloud.energy.readings import HOUR
from custom_components.enphase_cloud.measurements.catalog import Flow
from simulator import Truth
from tests.energy_helpers import FLOWS

from .recorder import Sums

type Hour = tuple[Flow, datetime]


@dataclass(slots=True)
class Comparison:
    """The difference between statistics and the true energy [Wh], from `begin` on.

    `phantoms` are hours with more energy than really flowed, `falls` those at which a
    sum decreases.
    """

    truth: Truth
    begin: datetime
    true: float = 0.0
    hourly: float = 0.0
    phantoms: set[Hour] = field(default_factory=set)
    falls: set[Hour] = field(default_factory=set)

    @property
    def hourly_error(self) -> float:
        """Return the sum of all absolute differences of hours, over the true sum."""
        return self.hourly / self.true

    def compare(self, statistics: dict[Flow, Sums], end: datetime) -> Comparison:
        """Compare all hours of all flows; a missing hour counts as zero."""
        first = self.begin.astimezone(UTC)
        for flow, sums in statistics.items():
            hourly_energy = changes(sums)
            for number in range(-((self.begin - end) // HOUR)):
                hour = first + number * HOUR
                true = self._true(flow, hour)
                self.true += true
                self.hourly += abs(hourly_energy.get(hour, 0.0) - true)
        self.note_wrongs(statistics)
        return self

    def note_wrongs(self, statistics: dict[Flow, Sums]) -> None:
        """Note hours that are wrong now, even if they are corrected later."""
        for flow, sums in statistics.items():
            for hour, energy in changes(sums).items():
                if energy < 0:
                    self.falls.add((flow, hour))
                if hour >= self.begin and energy > self._true(flow, hour):
                    self.phantoms.add((flow, hour))

    def _true(self, flow: Flow, hour: datetime) -> int:
        return self.truth.energy(FLOWS[flow], hour, hour + HOUR)


def changes(sums: Sums) -> Sums:
    """Return the energy [Wh] of each hour except the first."""
    return {
        later: sums[later] - sums[sooner] for sooner, later in pairwise(sorted(sums))
    }
