"""The age of what is known, weighted by how much it matters."""

import numpy as np

from .world import END, Moments


class WeightedTime:
    """Integrals over time of the weight of one document."""

    def __init__(
        self, days: tuple[tuple[float, float], ...], day: float, night: float
    ) -> None:
        """Know by day and by night how much a document's freshness matters."""
        bounds = np.array(days).clip(0, END)
        self._edges = np.concatenate(([0.0], bounds.ravel(), [END]))
        # From edge to edge it is night, day, night, … night.
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
        """Return ∫w dt and ∫w·t dt from the start of the year to some moments."""
        index = np.searchsorted(self._edges, moments, side="right") - 1
        index = index.clip(0, self._edges.size - 2)
        step = self._weights[index] * (moments - self._edges[index])
        middle = (moments + self._edges[index]) / 2
        weight = self._weight[index] + step
        return weight, self._moment[index] + step * middle

    def age(self, polls: Moments, known: Moments) -> float:
        """Return ∫w·age dt if data up to `known` are known from each poll on."""
        known = np.maximum.accumulate(known)
        weight, moment = self.totals(np.append(polls, END))
        return float(np.sum(np.diff(moment) - known * np.diff(weight)))
