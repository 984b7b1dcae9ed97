"""The peers of a panel: the panels that are most similar.

Panels of one orientation share morning fog and the low sun of winter; a loss that all
of them have is not a fault.
"""

from collections.abc import Mapping
from statistics import median
from typing import Final

from .panel_history import PanelHistory, PanelState, Ratios

_ALIKE: Final = 5
_LEAST_ALIKE: Final = 3
# In a large plant a part of the panels is enough: comparing all pairs takes too long.
_CANDIDATES: Final = 50
_FEWEST: Final = 2
_RECENT_DAYS: Final = 20
# A panel whose distance is more than this factor above the nearest few is not similar.
_NEAR: Final = 2
_NOISE: Final = 0.01
# Panels and days with less than this [% of the usual] are not used for comparison.
_LEAST: Final = 5
_FAINT: Final = 15


class Peers:
    """The panels of one gateway, as peers of each other."""

    def __init__(
        self, panels: Mapping[str, PanelHistory], arrays: Mapping[str, str]
    ) -> None:
        """Take panels, whose newest ratios are of the same day, and their arrays."""
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
        """Return the ratio of the peers [% of their usual] for each ratio of a panel.

        100 while too few other panels are known well.
        """
        days = len(self._panels[panel].ratios)
        others = self._others(panel)
        others = others[:: 1 + len(others) // _CANDIDATES]
        if len(others) < _FEWEST:
            return [100.0] * days
        rows = [self._shares(key, days) for key in self._alike(panel, others)]
        return [_median(column) for column in zip(*rows, strict=True)]

    def _others(self, panel: str) -> list[str]:
        """Return the other panels of its array, or of all if that has too few."""
        others = [key for key in self._sound if key != panel]
        array = self._arrays.get(panel)
        same = [key for key in others if self._arrays.get(key) == array]
        return same if len(same) >= _FEWEST else others

    def _alike(self, panel: str, others: list[str]) -> list[str]:
        """Return those whose recent ratios are most similar to the panel's."""
        own = self._curves[panel]
        apart = {key: _distance(own, self._curves[key]) for key in others}
        nearest = sorted(others, key=apart.__getitem__)[:_ALIKE]
        # Fewer peers may all be under the same snow.
        least = nearest[min(_LEAST_ALIKE, len(nearest)) - 1]
        limit = _NEAR * apart[least] + _NOISE
        return [key for key in nearest if apart[key] <= limit]

    def _shares(self, panel: str, days: int) -> Ratios:
        """Return the ratios of the last days [% of the usual one], None if unknown."""
        history = self._panels[panel]
        usual = history.usual
        ratios = [
            100 * each / usual if usual and each is not None else None
            for each in history.ratios[-days:]
        ]
        return [*[None] * (days - len(ratios)), *ratios]


def _is_faint(panel: PanelHistory) -> bool:
    """Return whether a panel gave hardly anything on the newest day, as under snow."""
    now, usual = panel.ratios[-1], panel.usual
    return now is None or (usual is not None and 100 * now <= _FAINT * usual)


def _curve(panel: PanelHistory) -> list[float]:
    """Return the last ratios as shares of the usual one, newest first; 1 if unknown."""
    usual = panel.usual
    last = panel.ratios[:-_RECENT_DAYS:-1]
    return [1.0 if each is None or not usual else each / usual for each in last]


def _distance(one: list[float], other: list[float]) -> float:
    """Return the mean difference of two curves on the days that both have."""
    apart = [abs(a - b) for a, b in zip(one, other, strict=False)]
    return sum(apart) / len(apart) if apart else 0.0


def _median(column: Ratios) -> float | None:
    known = [each for each in column if each is not None]
    usual = median(known) if known else 0.0
    return usual if usual > _LEAST else None
