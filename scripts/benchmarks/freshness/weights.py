"""The age of data, weighted by importance."""

from collections.abc import Iterable

import numpy as np

from .world import END, Days, Moments


class WeightedTime:
    """Integrals over time of the weight of one document."""

    def __init__(self, days: Days, day: float, night: float) -> None:
        """Take a document's weights by day and by night."""
        bounds = np.array(days).clip(0, END)
        self._edges = np.concatenate(([0.0], bounds.ravel(), [END]))
        # The edges separate night, day, night, … night.
        weights = np.tile([night, day], len(days) + 1)[: self._edges.size - 1]
        self._weights = np.append(weights, 0.0)
        steps = np.diff(self._edges) * weights
        middles = (self._edges[1:] + self._edges[:-1]) / 2
        self._weight = np.concatenate(([0.0], np.cumsum(steps)))
        self._moment = np.concatenate(([0.0], np.cumsum(steps * middles)))

    @property
    def total(self) -> float:
        """Return the weight of the whole year."""
        return float(self._weight[-1])

    def totals(self, moments: Moments) -> tuple[Moments, Moments]:
        """Return ∫w dt and ∫w·t dt from the start of the year to some times."""
        index = np.searchsorted(self._edges, moments, side="right") - 1
        index = index.clip(0, self._edges.size - 2)
        step = self._weights[index] * (moments - self._edges[index])
        middle = (moments + self._edges[index]) / 2
        weight = self._weight[index] + step
        return weight, self._moment[index] + step * middle

    def ages(self, polls: Moments, known: Moments, edges: Moments) -> Moments:
        """Return ∫w·age dt between the edges.

        From each poll on, data up to `known` are known.
        """
        at = np.union1d(polls, edges)
        newest = (polls.searchsorted(at, side="right") - 1).clip(0)
        weight, moment = self.totals(at)
        steps = np.maximum.accumulate(known)[newest][:-1] * np.diff(weight)
        first = at.searchsorted(edges[:-1])
        ages: Moments = np.add.reduceat(np.diff(moment) - steps, first)
        return ages


class LikelyTime:
    """The mean of several equally likely years."""

    def __init__(self, years: Iterable[WeightedTime]) -> None:
        """Take the years."""
        self._years = tuple(years)

    def totals(self, moments: Moments) -> tuple[Moments, Moments]:
        """Return the mean integrals."""
        weights, firsts = zip(*(y.totals(moments) for y in self._years), strict=True)
        return np.mean(weights, axis=0), np.mean(firsts, axis=0)
