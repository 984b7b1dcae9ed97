"""What the schedule is held against: the best there could be, and the usual."""

from collections.abc import Callable, Sequence

import numpy as np

from .weights import LikelyTime, WeightedTime
from .world import END, Moments, Publications, months

type Weighted = WeightedTime | LikelyTime
type Feed = tuple[Publications, Weighted]
type TrueFeed = tuple[Publications, WeightedTime]

# No optimum of these scenarios leaves out as many publications in a row: 25 h.
_LONGEST_GAP = 100
_PRICES = 12
_FIRST_PRICE = 1e6
# From there on calls cost nothing, or the price is as good as exact.
_FREE = 1.0
_EXACT = 1.1


def least_ages(feeds: Sequence[Feed], calls: Moments) -> Moments:
    """Return a lower bound of the weighted age, integrated over each month.

    No schedule with so many calls a month can do better, not even one that
    knows beforehand when everything is published: whoever asks does best to ask at the
    very moment of a publication, so a schedule is a choice of publications. The best
    choice at a price per call is a shortest path; its cost less the price of all calls
    bounds the age from below whatever the price is (weak duality), most tightly at the
    best price. Each month begins with a free look at all documents.
    """
    least, price = [], _FIRST_PRICE
    for (begin, end), allowed in zip(months(), calls, strict=True):

        def bounds(prices: Moments) -> Moments:
            ages = (_cheapest(*feed, begin, end, prices) for feed in feeds)  # noqa: B023
            return sum(ages, start=-prices * allowed)  # noqa: B023

        bound, price = _highest(bounds, price)
        least.append(bound)
    return np.array(least)


def unforeseen(published: Publications) -> Publications:
    """Return publications as they look to who cannot foresee their delays.

    Who asks so long after the moment of data that the answer is youngest on average
    gets an answer of that age, and no other wait does better.
    """
    ages = []
    for wait in np.arange(30.0, 900.0, 5.0):
        asked = published.data_at[1:] + wait
        newest = published.at.searchsorted(asked, side="right") - 1
        known = newest >= 0
        ages.append((np.mean(asked[known] - published.data_at[newest[known]]), wait))
    age, wait = min(ages)
    asked = published.data_at + wait
    return Publications(asked, asked - age)


def age_at_fixed_intervals(feeds: Sequence[TrueFeed], calls: int) -> float:
    """Return the weighted age if each document is polled at one interval all year."""
    interval = END * len(feeds) / calls
    total = 0.0
    for number, (published, weighted) in enumerate(feeds):
        phase = interval * (number + 0.5) / len(feeds)
        polls = np.concatenate(([0.0], np.arange(phase, END, interval)))
        newest = published.at.searchsorted(polls, side="right") - 1
        known = published.data_at[newest]
        total += float(weighted.ages(polls, known, np.array([0.0, END])).sum())
    return total


def _highest(bounds: Callable[[Moments], Moments], price: float) -> tuple[float, float]:
    """Return the highest bound, and at which price it is found, near a guess."""
    spread = 1.6
    while True:
        prices = price * np.geomspace(1 / spread, spread, _PRICES)
        values = bounds(prices)
        top = int(values.argmax())
        price = float(prices[top])
        if price < _FREE or (spread < _EXACT and 0 < top < _PRICES - 1):
            return float(values[top]), price
        if 0 < top < _PRICES - 1:
            spread **= 2 / (_PRICES - 1)


def _cheapest(
    published: Publications,
    weighted: Weighted,
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
    weight, moment = weighted.totals(at)
    # From the last to the first: what is to pay if a publication is asked for.
    cost = np.zeros((at.size, prices.size))
    for index in range(at.size - 2, -1, -1):
        until = slice(index + 1, index + 1 + _LONGEST_GAP)
        age = moment[until] - moment[index]
        age -= data_at[index] * (weight[until] - weight[index])
        cost[index] = (age[:, None] + cost[until]).min(axis=0) + prices
    cheapest: Moments = cost[0] - prices
    return cheapest
