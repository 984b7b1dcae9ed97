"""When a system produces, learnt from what it reported."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Self

from .stored import moment, optional_moment

_DAY = timedelta(days=1)
_NIGHTS_KEPT = 5
# A shorter pause of production is no night.
_SHORTEST_NIGHT = timedelta(hours=2)
# How far from a reading that differs the change is looked for at most.
_UNCERTAINTY = timedelta(minutes=30)
# The day begins a publication early: at dawn all that is known is a night old.
_LEAD = timedelta(minutes=7.5)
_Q=0.25
_DQ=0.5
_INTERVAL = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Night:
    """A night as the system saw it."""

    dusk: datetime
    dawn: datetime


@dataclass(frozen=True, slots=True)
class Daylight:
    """The recent nights of a system; without any, all is day."""

    nights: tuple[Night, ...] = ()
    # The newest reading, whether it showed production, and since when it does so.
    producing: bool | None = None
    read_at: datetime | None = None
    dusk: datetime | None = None

    def observe(self, data_at: datetime, *, producing: bool) -> Self:
        """Learn whether the system produced at a moment; older moments are ignored."""
        if self.read_at is not None and data_at <= self.read_at:
            return self
        known = replace(self, producing=producing, read_at=data_at)
        if self.read_at is None or producing == self.producing:
            return known
        gap = data_at - self.read_at
        if not producing:
            # Production ended between the readings; each tells of the time before it.
            return replace(
                known, dusk=self.read_at - _INTERVAL + min(gap * _DQ, 2 * _INTERVAL)
            )
        if self.dusk is None or data_at - self.dusk < _SHORTEST_NIGHT:
            return known
        dawn = self.read_at + gap * _Q if gap < _SHORTEST_NIGHT else data_at - 2 * _INTERVAL
        nights = (*self.nights, Night(self.dusk, dawn))[-_NIGHTS_KEPT:]
        return replace(known, nights=nights)

    @property
    def is_known(self) -> bool:
        """Whether a night was seen yet."""
        return bool(self.nights)

    def is_day(self, at: datetime) -> bool:
        """Return whether production is expected at a moment, or soon."""
        return not self.nights or self.next_dusk(at) < self.next_dawn(at)

    def next_change(self, after: datetime) -> datetime:
        """Return when day or night ends next."""
        if not self.nights:
            return after + _DAY
        return min(self.next_dusk(after), self.next_dawn(after))

    def next_dawn(self, after: datetime) -> datetime:
        """Return when the next day begins; needs a night to be known."""
        last = self.nights[-1].dawn
        earliest = min(_from(last, night.dawn) for night in self.nights)
        return _next(last + earliest - _LEAD, after)

    def next_dusk(self, after: datetime) -> datetime:
        """Return when the next night begins; needs a night to be known."""
        last = self.nights[-1].dusk
        latest = max(_from(last, night.dusk) for night in self.nights)
        dusk = _next(last + latest, after)
        if self.read_at is not None and self.producing:
            # Today it may last longer than usual.
            held = self.read_at + timedelta(minutes=15)
            if held > dusk or (held > after and self.next_dawn(dusk - _DAY) > held):
                return held
        return dusk

    def seconds(self, start: datetime, end: datetime) -> tuple[float, float]:
        """Return the seconds of day and of night between two moments."""
        total = max(timedelta(), end - start)
        whole, rest = divmod(total, _DAY)
        day = whole * self._day_length
        at = start
        while at < start + rest:
            until = min(self.next_change(at), start + rest)
            if self.is_day(at):
                day += until - at
            at = until
        return day.total_seconds(), (total - day).total_seconds()

    @property
    def _day_length(self) -> timedelta:
        if not self.nights:
            return _DAY
        dawn = self.next_dawn(self.nights[-1].dawn)
        return self.next_dusk(dawn) - dawn

    def as_dict(self) -> dict[str, Any]:
        """Return what was learnt as JSON."""
        return {
            "nights": [
                [night.dusk.timestamp(), night.dawn.timestamp()]
                for night in self.nights
            ],
            "producing": self.producing,
            "read_at": self.read_at and self.read_at.timestamp(),
            "dusk": self.dusk and self.dusk.timestamp(),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return what was stored; raises ValueError, KeyError or TypeError."""
        producing = data["producing"]
        if producing not in (True, False, None):
            raise ValueError("Not a reading")
        return cls(
            nights=tuple(
                Night(moment(dusk), moment(dawn)) for dusk, dawn in data["nights"]
            ),
            producing=producing,
            read_at=optional_moment(data["read_at"]),
            dusk=optional_moment(data["dusk"]),
        )


def _from(reference: datetime, moment: datetime) -> timedelta:
    """Return how much earlier or later in the day a moment is, within ±12 hours."""
    return (moment - reference + _DAY / 2) % _DAY - _DAY / 2


def _next(moment: datetime, after: datetime) -> datetime:
    """Return the first repetition of a daily moment after another moment."""
    return after + ((moment - after) % _DAY or _DAY)
