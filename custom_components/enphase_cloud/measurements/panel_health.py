"""Which panels are dead or weak, by the daily energy of each.

Shading is constant and faults are steps, so a panel is compared with its own past,
relative to its peers: panels of the same gateway, and of the same array if the user
defined arrays. Peers that weather and season affect in the same way are preferred.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import Enum, auto
from statistics import median
from typing import Any, Final, NamedTuple, Self

from ..json_values import count, day, optional, record, rows, text
from .panel_history import Finding, PanelHistory, PanelState
from .panel_peers import Peers

# A day is sunny if the median of the panels is this share of a recent good day, and at
# least this energy [Wh], below which single panels cannot be assessed.
SUNNY: Final = 0.4
_DARK_DAY: Final = 100
RECENT: Final = timedelta(days=30)
# Below this share of a good day the cause is snow, even under the darkest clouds. Snow
# slides off panel by panel, for up to this time.
_SNOW: Final = 0.02
_THAW: Final = timedelta(days=10)
# At least this number and share of panels that fall on the same day have a common
# cause, which is mostly temporary.
_TOGETHER: Final = 2
_TOGETHER_SHARE: Final = 0.05
# With fewer panels, a fault cannot be attributed to one of them.
_FEWEST: Final = 3
_FEW_DAYS: Final = 4
_MOST: Final = 10**6


class Thaw(Enum):
    """Whether snow may be why panels lack energy."""

    NONE = auto()
    BEGINS = auto()
    """The first sunny day after snow."""
    ON = auto()


class CommonCauses(NamedTuple):
    """Whether several panels fell on the same day, and so for a common cause.

    `end`: they gave nothing. `die`: hardly anything. `fall`: an unusual energy.
    """

    end: bool
    die: bool
    fall: bool

    @classmethod
    def of(cls, seen: Iterable[tuple[Finding, PanelHistory]], panels: int) -> Self:
        """Count the findings of a day for panels that were sound before."""
        fallen = tuple(seen)
        many = max(_TOGETHER, _TOGETHER_SHARE * panels)
        new = [finding for finding, it in fallen if not it.was_dead]
        return cls(
            end=sum(finding.is_silent for finding in new) >= many,
            die=sum(finding.is_faint for finding in new) >= many,
            fall=sum(finding.is_apart and it.run <= 1 for finding, it in fallen)
            >= many,
        )

    def excuse(self, finding: Finding, history: PanelHistory, thaw: Thaw) -> bool:
        """Return whether weather may be why a panel lacks energy.

        Under snow nearly every panel still gives a little, so a single panel that gives
        nothing has a fault even in a thaw. A panel that was sound after the snow is not
        covered by it.
        """
        if finding.is_silent:
            return self.end
        if thaw is Thaw.BEGINS or (thaw is Thaw.ON and history.run > 0):
            return True
        return self.die if finding.is_dead else self.fall


class PanelDay(NamedTuple):
    """The energy of a panel in a day [Wh] or None, its gateway and array, if any."""

    energy: float | None
    gateway: str | None = None
    array: str | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """The panels of one gateway.

    `days` has the median energy [Wh] of each of the last 30 days; `snow` is the last
    day with snow.
    """

    days: tuple[tuple[date, int], ...] = ()
    snow: date | None = None
    panels: Mapping[str, PanelHistory] = field(default_factory=dict)

    def after(
        self, today: date, energy: Mapping[str, float], arrays: Mapping[str, str]
    ) -> Self:
        """Return the group after a day; `energy` [Wh] and `arrays` by panel."""
        last = self.days[-1][0] if self.days else date.min
        # Days further ahead are from a time when the clock was wrong.
        if len(energy) < _FEWEST or today <= last < today + RECENT:
            return self
        usual = self._median(energy)
        recent = tuple(each for each in self.days if today - RECENT < each[0] < today)
        days = (*recent, (today, min(round(usual), _MOST)))
        best = _best(days)
        is_snow = usual < min(_DARK_DAY, max(1, _SNOW * best))
        snow = today if is_snow and best >= _DARK_DAY else self.snow
        if usual < (limit := max(_DARK_DAY, SUNNY * best)):
            return type(self)(days, snow, self.panels)
        scale = self._scale(energy, usual)
        # A ratio of 0 means silent, so any energy gives at least 1.
        ratios = {
            key: max(round(100 * each / scale), 1 if each else 0)
            for key, each in energy.items()
        }
        thaw = Thaw.NONE
        if snow is not None and timedelta() <= today - snow <= _THAW:
            was_sunny = any(at > snow and wh >= limit for at, wh in recent)
            thaw = Thaw.ON if was_sunny else Thaw.BEGINS
        return type(self)(days, snow, self._judged(ratios, thaw, arrays))

    def without(self, gone: Collection[str]) -> Self:
        """Return the group without some panels."""
        if self.panels.keys().isdisjoint(gone):
            return self
        kept = {key: each for key, each in self.panels.items() if key not in gone}
        return replace(self, panels=kept)

    def as_dict(self) -> dict[str, Any]:
        """Return the group in a shape that JSON can hold."""
        return {
            "days": [[each.isoformat(), energy] for each, energy in self.days],
            "snow": self.snow and self.snow.isoformat(),
            "panels": {key: each.as_dict() for key, each in self.panels.items()},
        }

    @classmethod
    def from_dict(cls, data: object) -> Self:
        """Read what `as_dict` returned; raises ValueError where that is damaged."""
        stored = record(data)
        panels = record(stored["panels"])
        return cls(
            tuple((day(at), count(wh)) for at, wh in rows(stored["days"], width=2)),
            optional(day, stored.get("snow")),
            {text(key): PanelHistory.from_dict(each) for key, each in panels.items()},
        )

    def _median(self, energy: Mapping[str, float]) -> float:
        """Return the median energy [Wh] of the panels that are not known to be dead."""
        alive = [
            each
            for key, each in energy.items()
            if key not in self.panels or self.panels[key].state is not PanelState.DEAD
        ]
        return median(alive or energy.values())

    def _scale(self, energy: Mapping[str, float], usual: float) -> float:
        """Return the energy [Wh] that ratios refer to.

        If panels differ much, the median of all jumps when a single panel falls. The
        median relative to the usual ratio of each panel does not.
        """
        shares = [
            100 * each / ratio
            for key, each in energy.items()
            if key in self.panels and (ratio := self.panels[key].usual)
        ]
        return (median(shares) if len(shares) >= _FEWEST else 0.0) or usual

    def _judged(
        self, ratios: Mapping[str, int], thaw: Thaw, arrays: Mapping[str, str]
    ) -> Mapping[str, PanelHistory]:
        """Return the panels after a sunny day, with their ratios [%] to the median."""
        histories = {
            key: self.panels.get(key, PanelHistory()).with_ratio(ratios.get(key))
            for key in self.panels.keys() | ratios.keys()
        }
        kept = {key: each for key, each in histories.items() if each.is_known}
        peers = Peers(kept, arrays)
        findings = {key: kept[key].finding(peers.beside(key)) for key in ratios}
        seen = [
            (finding, kept[key])
            for key, finding in findings.items()
            if finding is not None and kept[key].state is PanelState.SOUND
        ]
        causes = CommonCauses.of(seen, len(ratios))
        for key, finding in findings.items():
            if finding is not None:
                is_excused = causes.excuse(finding, kept[key], thaw)
                kept[key] = kept[key].judged(finding, is_excused=is_excused)
        return kept


def _best(days: Collection[tuple[date, int]]) -> int:
    """Return the energy [Wh] of a good day: the second best if there are enough days.

    The best may include energy of earlier days, if the gateway was silent before.
    """
    ordered = sorted(energy for _, energy in days)
    return ordered[-2] if len(ordered) > _FEW_DAYS else ordered[-1]


@dataclass(frozen=True, slots=True)
class PanelHealth:
    """The health of all panels of a system, in a group for each gateway."""

    groups: Mapping[str, Group] = field(default_factory=dict)

    def after(self, today: date, panels: Mapping[str, PanelDay]) -> Self:
        """Return the health after a day of the panels; a day counts only once."""
        by_gateway: dict[str, dict[str, float]] = {}
        for key, each in panels.items():
            if each.energy is not None:
                by_gateway.setdefault(each.gateway or "", {})[key] = each.energy
        groups = {
            gateway: group.without(
                [key for key, each in panels.items() if (each.gateway or "") != gateway]
            )
            for gateway, group in self.groups.items()
        }
        arrays = {key: each.array for key, each in panels.items() if each.array}
        changed = {
            gateway: groups.get(gateway, Group()).after(today, energy, arrays)
            for gateway, energy in by_gateway.items()
        }
        return type(self)({**groups, **changed})

    def state(self, panel: str) -> PanelState:
        """Return the state of a panel; an unknown panel is sound."""
        known = self._history(panel)
        return PanelState.SOUND if known is None else known.state

    def performance(self, panel: str) -> int | None:
        """Return the energy of a panel on the last sunny day [% of its usual one]."""
        known = self._history(panel)
        return None if known is None else known.performance

    def without(self, gone: Collection[str]) -> Self:
        """Return the health without some panels."""
        groups = {key: group.without(gone) for key, group in self.groups.items()}
        return type(self)({key: group for key, group in groups.items() if group.panels})

    def as_dict(self) -> dict[str, Any]:
        """Return the health in a shape that JSON can hold."""
        return {gateway: group.as_dict() for gateway, group in self.groups.items()}

    @classmethod
    def from_dict(cls, data: object) -> Self:
        """Read what `as_dict` returned; raises ValueError where that is damaged."""
        stored = record(data)
        return cls({text(key): Group.from_dict(each) for key, each in stored.items()})

    def _history(self, panel: str) -> PanelHistory | None:
        return next(
            (
                group.panels[panel]
                for group in self.groups.values()
                if panel in group.panels
            ),
            None,
        )
