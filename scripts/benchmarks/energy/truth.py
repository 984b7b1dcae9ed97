"""What statistics tell, beside what really flowed."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise

from custom_components.enphase_cloud.energy.readings import HOUR
from custom_components.enphase_cloud.measurements.catalog import Flow
from simulator import Flow as TrueFlow, Truth

from .recorder import Sums

type Hour = tuple[Flow, datetime]


def true_energy(truth: Truth, flow: Flow, hour: datetime) -> int:
    """Return the Wh that really flowed in an hour."""
    # The simulation names flows by their last word.
    return truth.energy(TrueFlow(flow.rpartition("_")[2]), hour, hour + HOUR)


@dataclass(slots=True)
class Comparison:
    """How far told energies are from the truth [Wh]."""

    true: float = 0.0
    hourly: float = 0.0
    phantoms: set[Hour] = field(default_factory=set)
    falls: set[Hour] = field(default_factory=set)

    @property
    def hourly_error(self) -> float:
        """Return the sum of all absolute differences of hours, over the sum."""
        return self.hourly / self.true


def compare(
    told: dict[Flow, Sums],
    truth: Truth,
    *,
    begin: datetime,
    end: datetime,
) -> Comparison:
    """Compare all hours of all flows; an hour that is not told is zero."""
    compared = Comparison()
    for flow, sums in told.items():
        energies = changes(sums)
        for number in range(-((begin - end) // HOUR)):
            hour = begin.astimezone(UTC) + number * HOUR
            true = true_energy(truth, flow, hour)
            compared.true += true
            compared.hourly += abs(energies.get(hour, 0.0) - true)
    note_wrongs(compared, told, truth, begin=begin)
    return compared


def note_wrongs(
    compared: Comparison,
    told: dict[Flow, Sums],
    truth: Truth,
    *,
    begin: datetime,
) -> None:
    """Note hours with more energy than flowed, and those at which a sum falls."""
    for flow, sums in told.items():
        in_order = sorted(sums)
        compared.falls.update(
            (flow, later)
            for sooner, later in pairwise(in_order)
            if sums[later] < sums[sooner]
        )
        compared.phantoms.update(
            (flow, hour)
            for hour, energy in changes(sums).items()
            if hour >= begin and energy > true_energy(truth, flow, hour)
        )


def changes(sums: Sums) -> Sums:
    """Return the Wh of each hour but the first."""
    return {
        later: sums[later] - sums[sooner] for sooner, later in pairwise(sorted(sums))
    }
