"""Distributes API calls by √weight, at most one per publication of new data."""

from collections.abc import Iterable
import math
from typing import NamedTuple


class RatePeriod(NamedTuple):
    """For how long a document has one weight, and how often it has new data [s]."""

    weight: float
    duration: float
    period: float

    @property
    def saturation(self) -> float:
        """Return the level from which each publication is requested."""
        return 1 / (self.period * math.sqrt(self.weight))


def level(stretches: Iterable[RatePeriod], calls: float) -> float:
    """Return the level a at which rates of min(a·√weight, 1/period) use all calls.

    The weighted mean age of the data, Σ weight/(2·rate), is least for a given number of
    calls, Σ rate·duration, if rates are proportional to √weight (Lagrange). A rate
    above one call per publication has no effect (water-filling). Infinite if there are
    calls for each publication.
    """
    weighted = sorted(
        (each for each in stretches if each.weight > 0 and each.duration > 0),
        key=lambda each: each.saturation,
    )
    open_demand = sum(math.sqrt(each.weight) * each.duration for each in weighted)
    left = max(0.0, calls)
    for each in weighted:
        if left <= each.saturation * open_demand:
            return left / open_demand
        left -= each.duration / each.period
        open_demand -= math.sqrt(each.weight) * each.duration
    return math.inf


def rate(level: float, weight: float, period: float) -> float:
    """Return the calls per second of a document at a level."""
    if weight <= 0:
        return 0.0
    return min(level * math.sqrt(weight), 1 / period)


def price(level: float) -> float:
    """Return the weighted age (in seconds²) that a call must save to be worth it.

    At a rate of a·√weight, the age that one more call saves is 1/(2·a²), whatever the
    weight.
    """
    return 1 / (2 * level**2)
