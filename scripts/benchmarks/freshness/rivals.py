"""Rivals of the schedule: the best possible one, and fixed intervals."""

from collections.abc import Callable, Sequence

import numpy as np

from .weights import LikelyTime, WeightedTime
from .world import END, Moments, Publications, months

type Weighted = WeightedTime | LikelyTime
type Feed = tuple[Publications, Weighted]
type TrueFeed = tuple[Publications, WeightedTime]

# No optimum of these scenarios skips as many publications in a row: 25 h.
_LONGEST_GAP = 100
_PRICES = 12
_FIRST_PRICE = 1e6
# Below _FREE calls cost nothing; a spread below _EXACT gives an exact enough price.
_FREE = 1.0
_EXACT = 1.1


def least_ages(feeds: Sequence[Feed], calls: Moments) -> Moments:
    """Return a lower bound of the weighted age, integrated over each month.

    No schedule with this number of calls a month can do better, even one that knows all
    publications beforehand. The best time of a request is exactly that of a
    publication, so a schedule is a selection of publications. The best selection at a
    price per call is a shortest path; its cost less the price of all calls is a lower
    bound of the age at any price (weak duality), and the highest at the best price.
    Each month begins with a free request of all documents.
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
    """Return publications as they look without foresight of their delays.

    There is one best wait after the time of data, at which a response is youngest on
    average. Requests after that wait get data of that mean age.
    """
    ages = []
    for wait in np.arange(30.0, 900.0, 5.0):
        requested = published.data_at[1:] + wait
        newest = published.at.searchsorted(requested, side="right") - 1
        known = newest >= 0
        age = np.mean(requested[known] - published.data_at[newest[known]])
        ages.append((age, wait))
    age, wait = min(ages)
    requested = published.data_at + wait
    return Publications(requested, requested - age)


def age_at_fixed_intervals(feeds: Sequence[TrueFeed], calls: int) -> float:
    """Return the weighted age if each document is polled at one fixed interval."""
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
    """Return the highest bound and its price, found near a guess."""
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
    # From the last to the first: the cost from here on if this publication is
    # requested.
    cost = np.zeros((at.size, prices.size))
    for index in range(at.size - 2, -1, -1):
        until = slice(index + 1, index + 1 + _LONGEST_GAP)
        age = moment[until] - moment[index]
        age -= data_at[index] * (weight[until] - weight[index])
        cost[index] = (age[:, None] + cost[until]).min(axis=0) + prices
    cheapest: Moments = cost[0] - prices
    return cheapest
