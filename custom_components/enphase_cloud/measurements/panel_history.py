"""The history of one panel, and the finding of a sunny day.

A ratio is the energy of the panel relative to the median of its gateway [%]. Shading is
constant and faults are steps, so a ratio is compared with the panel's own usual one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from statistics import median
from typing import Any, Final, NamedTuple, Self

from ..json_values import count, optional, record

SUNNY_DAYS: Final = 60
LEAST_HISTORY: Final = 7
"""The known sunny days that a panel needs before it can be weak."""

# The season and a growing tree change more in 60 sunny days than in these.
_RECENT_DAYS: Final = 12
_NOTHING: Final = 0.05
_FAINTLY: Final = 3
# Ratios are whole percents, so those below this are too coarse.
_FAINT: Final = 10
WEAK_BELOW: Final = 0.8
SOUND_AGAIN: Final = 0.9
# Sunny days in a row until a panel counts as dead or weak; excused: with a common cause
# that is mostly temporary.
DAYS_TO_DEAD: Final = 1
DAYS_TO_WEAK: Final = 3
EXCUSED_DAYS_TO_DEAD: Final = 8
EXCUSED_DAYS_TO_WEAK: Final = 7
# A low ratio for more sunny days than this is a new shade, and usual from then on.
NEW_USUAL: Final = 50
_MOST: Final = 999

type Ratios = Sequence[float | None]
"""The ratio of each sunny day, newest last; None where unknown."""


class PanelState(StrEnum):
    """The state of a panel."""

    SOUND = "sound"
    WEAK = "weak"
    DEAD = "dead"


class Finding(NamedTuple):
    """The finding of a sunny day for a panel.

    Dead: it gives next to nothing. Silent: it gives nothing, not even what snow lets
    through. Faint: it gives hardly more than a dead one, as under melting snow. Low:
    less than usual, or dead. Apart: its ratio is far from usual, without regard to its
    peers. Back: usual again. `performance`: its ratio [% of the usual one] or None.
    """

    is_dead: bool
    is_silent: bool
    is_faint: bool
    is_low: bool
    is_apart: bool
    is_back: bool
    performance: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelHistory:
    """A panel's ratios [%], newest last, and its state.

    `run` counts the latest sunny days in a row on which it was low. It is excused if
    other panels fell at the same time, so that the cause is common.
    """

    ratios: tuple[int | None, ...] = ()
    run: int = 0
    is_excused: bool = False
    state: PanelState = PanelState.SOUND
    performance: int | None = None

    @property
    def before(self) -> tuple[int | None, ...]:
        """Return the ratios before the current run and before the newest."""
        return self.ratios[: max(0, len(self.ratios) - 1 - self.run)]

    @property
    def is_known(self) -> bool:
        """Return whether any ratio is known."""
        return any(each is not None for each in self.ratios)

    @property
    def usual(self) -> float | None:
        """Return the usual ratio [%]: the median before the current run."""
        known = [each for each in self.before if each is not None]
        return median(known) if known else None

    @property
    def is_experienced(self) -> bool:
        """Return whether there are enough ratios to compare with."""
        known = sum(each is not None for each in self.before)
        return known >= LEAST_HISTORY

    @property
    def was_dead(self) -> bool:
        """Return whether it was low and dead on the sunny day before the newest."""
        return self._was_nothing()

    def with_ratio(self, ratio: int | None) -> Self:
        """Return the history with the ratio of one more sunny day."""
        newest = None if ratio is None else min(ratio, _MOST)
        return replace(self, ratios=(*self.ratios, newest)[-SUNNY_DAYS:])

    def finding(self, peers: Ratios) -> Finding | None:
        """Return the finding of the newest sunny day; None if its ratio is unknown.

        `peers` are the ratios [% of the usual ones] of the peers on the same days.
        """
        if not self.ratios or (now := self.ratios[-1]) is None:
            return None
        is_dead = self._is_nothing(now)
        alone, share = self._share([100.0] * len(self.ratios)), self._share(peers)
        is_low = (share or 1.0) < WEAK_BELOW and (alone or 1.0) < SOUND_AGAIN
        return Finding(
            is_dead=is_dead,
            is_silent=is_dead and not now,
            is_faint=self._is_nothing(now, times=_FAINTLY),
            is_low=is_dead or is_low,
            is_apart=is_dead
            or (alone is not None and not WEAK_BELOW <= alone <= 1 / WEAK_BELOW),
            is_back=not is_dead and (share is None or share >= SOUND_AGAIN),
            performance=None if share is None else min(round(100 * share), _MOST),
        )

    def judged(self, finding: Finding, *, is_excused: bool) -> Self:
        """Return the history with the state that follows from a finding."""
        is_ill = self.state is not PanelState.SOUND
        if not finding.is_low and (finding.is_back or not is_ill):
            was_low = is_ill or self.is_excused
            return self._sound(finding, self._without_run() if was_low else self.ratios)
        run = min(self.run + 1, SUNNY_DAYS)
        if run > NEW_USUAL and not finding.is_dead:
            return self._sound(finding, self.ratios)
        excused = self._is_excused(finding, is_excused=is_excused)
        return replace(
            self,
            run=run,
            is_excused=excused,
            state=self._state(finding, run, is_excused=excused),
            performance=finding.performance,
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the history in a shape that JSON can hold."""
        stored: dict[str, Any] = {"ratios": list(self.ratios)}
        if self.run:
            stored |= {"run": self.run, "is_excused": self.is_excused}
        if self.state is not PanelState.SOUND:
            stored["state"] = self.state
        if self.performance is not None:
            stored["performance"] = self.performance
        return stored

    @classmethod
    def from_dict(cls, data: object) -> Self:
        """Read what `as_dict` returned; raises ValueError where that is damaged."""
        stored = record(data)
        if not isinstance(ratios := stored["ratios"], list):
            raise ValueError("Not a list of ours")  # noqa: TRY004  # one error
        return cls(
            ratios=tuple(optional(_ratio, each) for each in ratios[-SUNNY_DAYS:]),
            run=count(stored.get("run", 0), most=SUNNY_DAYS),
            is_excused=stored.get("is_excused") is True,
            state=PanelState(stored.get("state", PanelState.SOUND)),
            performance=optional(_ratio, stored.get("performance")),
        )

    def _without_run(self) -> tuple[int | None, ...]:
        """Return the ratios without those of the run, which are not usual."""
        before = self.before
        return (
            *before,
            *[None] * (len(self.ratios) - 1 - len(before)),
            self.ratios[-1],
        )

    def _sound(self, finding: Finding, ratios: tuple[int | None, ...]) -> Self:
        return replace(
            self,
            ratios=ratios,
            run=0,
            is_excused=False,
            state=PanelState.SOUND,
            performance=finding.performance,
        )

    def _is_excused(self, finding: Finding, *, is_excused: bool) -> bool:
        """Return whether other panels fell at the start of the run, too.

        The first day may be partly cloudy, so the second day decides as well, unless
        the panel was dead on both days, or faint on both as under snow.
        """
        was_faint = self._was_nothing(times=_FAINTLY)
        is_covered = was_faint and finding.is_faint and not finding.is_silent
        if self.run == 1 and not (is_covered or (finding.is_dead and self.was_dead)):
            return self.is_excused and is_excused
        return self.is_excused if self.run else is_excused

    def _state(self, finding: Finding, run: int, *, is_excused: bool) -> PanelState:
        """Return the state after `run` sunny days in a row."""
        state = PanelState.DEAD if finding.is_dead else PanelState.WEAK
        if finding.is_dead and is_excused:
            needed = EXCUSED_DAYS_TO_DEAD
        elif is_excused:
            needed = EXCUSED_DAYS_TO_WEAK
        elif finding.is_dead and self.usual is not None:
            needed = DAYS_TO_DEAD
        else:
            # A panel that never gave anything may not be connected yet.
            needed = DAYS_TO_WEAK
        return state if run >= needed or self.state is state else self._held(state)

    def _held(self, state: PanelState) -> PanelState:
        """Return the state while the run is too short for a worse one."""
        return PanelState.SOUND if state is PanelState.WEAK else self.state

    def _was_nothing(self, *, times: float = 1) -> bool:
        last = self.ratios[-2] if self.run and len(self.ratios) > 1 else None
        return last is not None and self._is_nothing(last, times=times)

    def _is_nothing(self, ratio: int, *, times: float = 1) -> bool:
        usual = self.usual
        if usual is None:
            return ratio <= 100 * _NOTHING * times
        return usual >= _FAINT and ratio <= _NOTHING * usual * times

    def _share(self, peers: Ratios) -> float | None:
        """Return the newest ratio as a share of the usual one, relative to the peers.

        None if the history or the ratios of the peers are not sufficient.
        """
        usual = self.usual
        if usual is None or usual < _FAINT or not peers or not peers[-1]:
            return None
        (now,) = _relative(self.ratios[-1:], peers[-1:])
        before = self.before
        past = _relative(before, peers[: len(before)])
        if len(past) < LEAST_HISTORY:
            return None
        least = min(median(past), median(past[-_RECENT_DAYS:]))
        return now / least if least else None


def _relative(ratios: Ratios, peers: Ratios) -> list[float]:
    return [
        ratio / peer
        for ratio, peer in zip(ratios, peers, strict=True)
        if ratio is not None and peer
    ]


def _ratio(value: object) -> int:
    return count(value, most=_MOST)
