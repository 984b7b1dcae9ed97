"""What statistics tell, beside what really flowed."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import pairwise
from math import fsum

from custom_components.enphase_cloud.energy.readings import HOUR, Flow
from simulator import System, Truth

from .cloud import TRUE_FLOWS
from .recorder import Sums

type Hour = tuple[Flow, datetime]


class TrueHours:
    """The true Wh of each hour."""

    def __init__(self, system: System) -> None:
        """Know a system."""
        self._truth = Truth(system)

    def energy(self, flow: Flow, hour: datetime) -> int:
        """Return the Wh that flowed in an hour."""
        return self._truth.energy(TRUE_FLOWS[flow], hour, hour + HOUR)


@dataclass(slots=True)
class Comparison:
    """How far told energies are from the truth [Wh]."""

    true: float = 0.0
    hourly: float = 0.0
    daily: float = 0.0
    phantoms: set[Hour] = field(default_factory=set)
    falls: set[Hour] = field(default_factory=set)

    @property
    def hourly_error(self) -> float:
        """Return the sum of all absolute differences of hours, over the sum."""
        return self.hourly / self.true

    @property
    def daily_error(self) -> float:
        """Return the same of days."""
        return self.daily / self.true


def compare(
    told: dict[Flow, Sums],
    truth: TrueHours,
    *,
    begin: datetime,
    end: datetime,
    zone: tzinfo,
) -> Comparison:
    """Compare all hours and days of all flows; an hour that is not told is zero."""
    compared = Comparison()
    for flow, sums in told.items():
        energies = changes(sums)
        days: dict[object, float] = {}
        for hour in hours(begin, end):
            true = truth.energy(flow, hour)
            difference = energies.get(hour, 0.0) - true
            compared.true += true
            compared.hourly += abs(difference)
            day = hour.astimezone(zone).date()
            days[day] = days.get(day, 0.0) + difference
        compared.daily += fsum(map(abs, days.values()))
    note_wrongs(compared, told, truth, begin=begin)
    return compared


def note_wrongs(
    compared: Comparison,
    told: dict[Flow, Sums],
    truth: TrueHours,
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
            if hour >= begin and energy > truth.energy(flow, hour)
        )


def changes(sums: Sums) -> Sums:
    """Return the Wh of each hour but the first."""
    return {
        later: sums[later] - sums[sooner] for sooner, later in pairwise(sorted(sums))
    }


def hours(begin: datetime, end: datetime) -> Iterable[datetime]:
    """Yield the hours of UTC from one to another."""
    hour = begin.astimezone(UTC)
    while hour < end:
        yield hour
        hour += timedelta(hours=1)
