"""Which panels are dead or weak, from the energy that each gives in a day.

Shading is constant and faults are steps, so a panel is compared with its own past, and
always beside its peers: the panels of the same gateway, and of the same array where the
user defined some. Those count most that the weather and the season treat alike.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import Enum, auto
from statistics import median
from typing import Any, Final, NamedTuple, Self

from ..json_values import count, day, optional, record, rows, text
from .panel_history import Look, PanelHistory, PanelState
from .panel_peers import Peers

# A day is sunny when the panels give this share of what they did on a good one lately,
# and more than a panel's median [Wh] tells nothing below.
SUNNY: Final = 0.4
_DARK_DAY: Final = 100
LATELY: Final = timedelta(days=30)
# Less than this share is not the darkest cloud but snow; it slides off panel by panel.
_SNOW: Final = 0.02
_THAW: Final = timedelta(days=10)
# So many panels that fall together have a cause in common, which mostly passes.
_TOGETHER: Final = 2
_TOGETHER_SHARE: Final = 0.05
# With fewer, nobody knows which one is right.
_FEWEST: Final = 3
_FEW_DAYS: Final = 4
_MOST: Final = 10**6


class Thaw(Enum):
    """Whether snow may be the cause of what panels lack."""

    NONE = auto()
    BEGINS = auto()
    """This is the first sunny day after it."""
    ON = auto()


class CommonCauses(NamedTuple):
    """Whether several panels fell together on a day, and so for a cause in common."""

    end: bool
    die: bool
    fall: bool

    @classmethod
    def of(cls, seen: Iterable[tuple[Look, PanelHistory]], panels: int) -> Self:
        """Count what a day says of panels that were sound before."""
        fallen = tuple(seen)
        many = max(_TOGETHER, _TOGETHER_SHARE * panels)
        new = [look for look, it in fallen if not it.was_dead]
        return cls(
            end=sum(look.is_silent for look in new) >= many,
            die=sum(look.is_faint for look in new) >= many,
            fall=sum(look.is_apart and it.run <= 1 for look, it in fallen) >= many,
        )

    def excuse(self, look: Look, history: PanelHistory, thaw: Thaw) -> bool:
        """Tell whether weather may be why a panel lacks energy.

        Snow lets a little through to nearly every panel: one that gives nothing at
        all, alone, is a fault even in a thaw. One that was sound after the snow is
        under no snow.
        """
        if look.is_silent:
            return self.end
        if thaw is Thaw.BEGINS or (thaw is Thaw.ON and history.run > 0):
            return True
        return self.die if look.is_dead else self.fall


class PanelDay(NamedTuple):
    """What a panel gave in a day [Wh], None where that is unknown, and its gateway.

    `array` is the one that the user put it in, None where it is in none.
    """

    energy: float | None
    gateway: str | None = None
    array: str | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """The panels of one gateway.

    `days` are the median energies [Wh] of the last 30 days; `snow` is the last day on
    which snow lay.
    """

    days: tuple[tuple[date, int], ...] = ()
    snow: date | None = None
    panels: Mapping[str, PanelHistory] = field(default_factory=dict)

    def after(
        self, today: date, energies: Mapping[str, float], arrays: Mapping[str, str]
    ) -> Self:
        """Return the group after a day [Wh of each panel], with the array of each."""
        last = self.days[-1][0] if self.days else date.min
        # What is further ahead comes from a clock that was wrong.
        if len(energies) < _FEWEST or today <= last < today + LATELY:
            return self
        usual = self._median(energies)
        lately = tuple(each for each in self.days if today - LATELY < each[0] < today)
        days = (*lately, (today, min(round(usual), _MOST)))
        best = _best(days)
        is_snow = usual < min(_DARK_DAY, max(1, _SNOW * best))
        snow = today if is_snow and best >= _DARK_DAY else self.snow
        if usual < (limit := max(_DARK_DAY, SUNNY * best)):
            return type(self)(days, snow, self.panels)
        scale = self._scale(energies, usual)
        # However little a panel gives, it is not silent.
        ratios = {
            key: max(round(100 * each / scale), 1 if each else 0)
            for key, each in energies.items()
        }
        thaw = Thaw.NONE
        if snow is not None and timedelta() <= today - snow <= _THAW:
            was_sunny = any(at > snow and wh >= limit for at, wh in lately)
            thaw = Thaw.ON if was_sunny else Thaw.BEGINS
        return type(self)(days, snow, self._judged(ratios, thaw, arrays))

    def without(self, gone: Collection[str]) -> Self:
        """Return what is known of all panels but some."""
        if self.panels.keys().isdisjoint(gone):
            return self
        kept = {key: each for key, each in self.panels.items() if key not in gone}
        return replace(self, panels=kept)

    def as_dict(self) -> dict[str, Any]:
        """Return what is known in a shape that JSON can hold."""
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

    def _median(self, energies: Mapping[str, float]) -> float:
        """Return the median of what the panels give that are not known to be dead."""
        alive = [
            energy
            for key, energy in energies.items()
            if key not in self.panels or self.panels[key].state is not PanelState.DEAD
        ]
        return median(alive or energies.values())

    def _scale(self, energies: Mapping[str, float], usual: float) -> float:
        """Return the energy [Wh] of which a ratio is a share.

        Where panels differ much, the median of all jumps when a single one falls. That
        of what each gives beside its own usual ratio does not.
        """
        shares = [
            100 * energy / ratio
            for key, energy in energies.items()
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
        looks = {key: kept[key].look(peers.beside(key)) for key in ratios}
        seen = [
            (look, kept[key])
            for key, look in looks.items()
            if look is not None and kept[key].state is PanelState.SOUND
        ]
        causes = CommonCauses.of(seen, len(ratios))
        for key, look in looks.items():
            if look is not None:
                is_excused = causes.excuse(look, kept[key], thaw)
                kept[key] = kept[key].judged(look, is_excused=is_excused)
        return kept


def _best(days: Collection[tuple[date, int]]) -> int:
    """Return the energy [Wh] of a good day.

    The very best may be of a gateway that was silent before.
    """
    energies = sorted(energy for _, energy in days)
    return energies[-2] if len(energies) > _FEW_DAYS else energies[-1]


@dataclass(frozen=True, slots=True)
class PanelHealth:
    """What is known of all panels of a system; each day makes a new one."""

    groups: Mapping[str, Group] = field(default_factory=dict)

    def after(self, today: date, panels: Mapping[str, PanelDay]) -> Self:
        """Return what is known after a day of the panels; a day counts but once."""
        told: dict[str, dict[str, float]] = {}
        for key, each in panels.items():
            if each.energy is not None:
                told.setdefault(each.gateway or "", {})[key] = each.energy
        groups = {
            gateway: group.without(
                [key for key, each in panels.items() if (each.gateway or "") != gateway]
            )
            for gateway, group in self.groups.items()
        }
        arrays = {key: each.array for key, each in panels.items() if each.array}
        changed = {
            gateway: groups.get(gateway, Group()).after(today, energies, arrays)
            for gateway, energies in told.items()
        }
        return type(self)({**groups, **changed})

    def state(self, panel: str) -> PanelState:
        """Return how a panel is; one of which nothing is known is sound."""
        known = self._history(panel)
        return PanelState.SOUND if known is None else known.state

    def performance(self, panel: str) -> int | None:
        """Return what a panel gave on the last sunny day [% of its usual share]."""
        known = self._history(panel)
        return None if known is None else known.performance

    def without(self, gone: Collection[str]) -> Self:
        """Return what is known of all panels but some."""
        groups = {key: group.without(gone) for key, group in self.groups.items()}
        return type(self)({key: group for key, group in groups.items() if group.panels})

    def as_dict(self) -> dict[str, Any]:
        """Return what is known in a shape that JSON can hold."""
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
