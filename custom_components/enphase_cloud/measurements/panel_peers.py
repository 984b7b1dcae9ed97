"""The panels that a panel is compared with: those that are most alike.

Panels that look in one direction share mornings in the fog and the low sun of the
winter; what all of them have is no fault.
"""

from collections.abc import Mapping
from statistics import median
from typing import Final

from .panel_history import PanelHistory, PanelState, Ratios

_ALIKE: Final = 5
_LEAST_ALIKE: Final = 3
# Of a large plant a part shows enough; to compare all with all takes too long.
_CANDIDATES: Final = 50
_FEWEST: Final = 2
_RECENT_DAYS: Final = 20
# Those that differ more than so many times as much as the nearest few are not alike.
_NEAR: Final = 2
_NOISE: Final = 0.01
# What gives nothing, or hardly anything [% of its usual], is no measure.
_LEAST: Final = 5
_FAINT: Final = 15


class Peers:
    """The panels of one gateway, as peers of each other."""

    def __init__(
        self, panels: Mapping[str, PanelHistory], arrays: Mapping[str, str]
    ) -> None:
        """Take the panels, with the ratios of the same sunny days, and their arrays."""
        self._panels = panels
        self._arrays = arrays
        self._curves = {key: _curve(each) for key, each in panels.items()}
        self._sound = [
            key
            for key, each in panels.items()
            if each.state is PanelState.SOUND
            and each.is_experienced
            and not _is_faint(each)
        ]

    def beside(self, panel: str) -> Ratios:
        """Return for each ratio of a panel what those alike gave [% of their usual].

        While too few are known well it is 100.
        """
        days = len(self._panels[panel].ratios)
        others = self._others(panel)
        others = others[:: 1 + len(others) // _CANDIDATES]
        if len(others) < _FEWEST:
            return [100.0] * days
        rows = [self._shares(key, days) for key in self._alike(panel, others)]
        return [_median(column) for column in zip(*rows, strict=True)]

    def _others(self, panel: str) -> list[str]:
        """Return those of its array; of all where that has too few."""
        others = [key for key in self._sound if key != panel]
        array = self._arrays.get(panel)
        same = [key for key in others if self._arrays.get(key) == array]
        return same if len(same) >= _FEWEST else others

    def _alike(self, panel: str, others: list[str]) -> list[str]:
        """Return those that took the last days as the panel did."""
        own = self._curves[panel]
        apart = {key: _distance(own, self._curves[key]) for key in others}
        nearest = sorted(others, key=apart.__getitem__)[:_ALIKE]
        # Fewer may all lie under the same snow.
        least = nearest[min(_LEAST_ALIKE, len(nearest)) - 1]
        limit = _NEAR * apart[least] + _NOISE
        return [key for key in nearest if apart[key] <= limit]

    def _shares(self, panel: str, days: int) -> Ratios:
        """Return the ratios [%] of its usual one, None before the first."""
        history = self._panels[panel]
        usual = history.usual
        ratios = [
            100 * each / usual if usual and each is not None else None
            for each in history.ratios[-days:]
        ]
        return [*[None] * (days - len(ratios)), *ratios]


def _is_faint(panel: PanelHistory) -> bool:
    """Tell whether a panel lacks nearly all on the newest day, as under snow."""
    now, usual = panel.ratios[-1], panel.usual
    return now is None or (usual is not None and 100 * now <= _FAINT * usual)


def _curve(panel: PanelHistory) -> list[float]:
    """Return the last ratios as shares of the usual one, the newest first."""
    usual = panel.usual
    last = panel.ratios[:-_RECENT_DAYS:-1]
    return [1.0 if each is None or not usual else each / usual for each in last]


def _distance(one: list[float], other: list[float]) -> float:
    """Return how differently two panels took the days that both know."""
    apart = [abs(a - b) for a, b in zip(one, other, strict=False)]
    return sum(apart) / len(apart) if apart else 0.0


def _median(column: Ratios) -> float | None:
    known = [each for each in column if each is not None]
    usual = median(known) if known else 0.0
    return usual if usual > _LEAST else None
