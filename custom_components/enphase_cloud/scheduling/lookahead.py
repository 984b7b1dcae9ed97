"""Which publications of a document are worth a call."""

from collections.abc import Sequence
from itertools import pairwise
import math
from typing import NamedTuple

# From a moment on, the weight of each second's age.
type Step = tuple[float, float]


class PlanningWindow(NamedTuple):
    """The publications to choose from. Moments and durations are in seconds, 0 is now.

    At each of the `stops`, a call returns data of `lag` seconds before; the present
    data is of the moment `known`, which is older. The first of the `steps` is at 0 or
    before. The first data of `duty` or later must not be skipped. The last stop is not
    a call, but the end; from there on each second weighs `after`.
    """

    stops: Sequence[float]
    lag: float
    known: float
    steps: Sequence[Step]
    after: float
    duty: float = math.inf


def first_stop(outlook: PlanningWindow, price: float) -> int:
    """Return the index of the stop to request first.

    A selection of stops costs the weighted age of the data, ∫weight·age dt, plus the
    price of each stop. The cheapest one is a shortest path from now to the end,
    computed from the last stop to the first.
    """
    stops = [0.0, *(max(0.0, stop) for stop in outlook.stops)]
    data = [outlook.known, *(stop - outlook.lag for stop in outlook.stops)]
    weights, moments = _integrals(outlook.steps, stops)
    last = len(stops) - 1
    duty = next((at for at in range(1, last) if data[at] >= outlook.duty), last)
    cheapest = [0.0] * last
    # After newer data the next call is later, so no stop continues beyond the choice of
    # its successor.
    following = last
    for at in range(last - 1, -1, -1):
        least = math.inf
        best = last
        farthest = min(following, duty) if at < duty else following
        for to in range(at + 1, farthest + 1):
            cost = moments[to] - moments[at] - data[at] * (weights[to] - weights[at])
            if to == last:
                cost += _rest(stops[last] - data[at], outlook.after, price)
            else:
                cost += cheapest[to] + price
            if cost <= least:
                least, best = cost, to
        cheapest[at], following = least, best
    return following - 1


def _rest(age: float, weight: float, price: float) -> float:
    """Return the cost of an age after the end, compared with an age of 0.

    At a constant weight, a request is worth its price from an age of
    √(2·price/weight).
    """
    if weight <= 0:
        return 0.0
    age = min(age, math.sqrt(2 * price / weight))
    return age * math.sqrt(2 * price * weight) - weight * age**2 / 2


def _integrals(
    steps: Sequence[Step], moments: Sequence[float]
) -> tuple[list[float], list[float]]:
    """Return ∫weight dt and ∫weight·t dt from 0 to some ascending moments."""
    changes = [*steps[1:], (math.inf, 0.0)]
    ahead = iter(changes)
    weight = steps[0][1]
    until, then = next(ahead)
    total = moment = 0.0
    totals, firsts = [0.0], [0.0]
    for begin, end in pairwise(moments):
        at = begin
        while until < end:
            step = max(0.0, until - at)
            total += weight * step
            moment += weight * step * (at + step / 2)
            at, weight = at + step, then
            until, then = next(ahead)
        total += weight * (end - at)
        moment += weight * (end - at) * (end + at) / 2
        totals.append(total)
        firsts.append(moment)
    return totals, firsts
