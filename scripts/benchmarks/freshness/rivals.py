"""What the schedule is held against: the best there could be, and the usual."""

from collections.abc import Callable

import numpy as np

from .measure import Clockwork
from .world import END, Moments, Publications, months

_LONGEST_GAP = 160
_PRICES = 12
_FIRST_PRICE = 1e6
_FINE = 1.06
_FREE = 1.0


def least_age(feeds: list[tuple[Publications, Clockwork]], calls: Moments) -> float:
    """Return a lower bound of the weighted age, integrated over the year.

    No schedule that makes as many calls in each month can do better, not even one that
    knows beforehand when everything is published: whoever asks does best to ask at the
    very moment of a publication, so a schedule is a choice of publications. The best
    choice at a price per call is a shortest path; its cost less the price of all calls
    bounds the age from below whatever the price is (weak duality), most tightly at the
    best price. Each month begins with a free look at all documents.
    """
    total, price = 0.0, _FIRST_PRICE
    for begin, end in months():
        allowed = np.count_nonzero((calls >= begin) & (calls < end))

        def bounds(
            prices: Moments,
            begin: float = begin,
            end: float = end,
            leaving: int = allowed,
        ) -> Moments:
            return sum(
                (_cheapest(*feed, begin, end, prices) for feed in feeds),
                start=-prices * leaving,
            )

        bound, price = _highest(bounds, price)
        total += bound
    return total


def _highest(bounds: Callable[[Moments], Moments], price: float) -> tuple[float, float]:
    """Return the highest bound, and at which price it is found."""
    spread = 4.0
    while True:
        prices = price * np.geomspace(1 / spread, spread, _PRICES)
        values = bounds(prices)
        top = int(values.argmax())
        price = float(prices[top])
        if price < _FREE:
            return float(values[top]), price
        if 0 < top < _PRICES - 1:
            if spread < _FINE:
                return float(values[top]), price
            spread **= 2 / (_PRICES - 1)


def _cheapest(
    published: Publications,
    clock: Clockwork,
    begin: float,
    end: float,
    prices: Moments,
) -> Moments:
    """Return the least cost of age and calls in a month, for each price."""
    first = max(0, published.newest(begin))
    last = published.newest(end - 1e-6) + 1
    at = np.append(published.at[first:last], end)
    at[0] = begin
    data_at = published.data_at[first:last]
    weight, moment = clock.totals(at)
    # From the last to the first: what is still to pay if publication i is asked for.
    cost = np.zeros((at.size, prices.size))
    for index in range(at.size - 2, -1, -1):
        until = slice(index + 1, min(at.size, index + 1 + _LONGEST_GAP))
        age = (
            moment[until]
            - moment[index]
            - data_at[index] * (weight[until] - weight[index])
        )
        cost[index] = (age[:, None] + cost[until]).min(axis=0) + prices
    return cost[0] - prices


def age_at_fixed_intervals(
    feeds: list[tuple[Publications, Clockwork]], calls: int
) -> float:
    """Return the weighted age if each document is polled at one interval all year."""
    interval = END * len(feeds) / calls
    total = 0.0
    for number, (published, clock) in enumerate(feeds):
        phase = interval * (number + 0.5) / len(feeds)
        polls = np.concatenate(([0.0], np.arange(phase, END, interval)))
        known = published.data_at[
            np.searchsorted(published.at, polls, side="right") - 1
        ]
        total += clock.age(polls, known)
    return total
