"""When a system produces, learnt from what it reported."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Self

from .stored import moment, optional_moment

_DAY = timedelta(days=1)
_NIGHTS_KEPT = 5
# A shorter pause of production is no night.
_SHORTEST_NIGHT = timedelta(hours=2)
# Readings further apart do not tell when between them production began or ended.
_LONGEST_GAP = timedelta(hours=5)
# A reading tells of the interval that ends with it.
_INTERVAL = timedelta(minutes=15)
# Where between two readings that differ dawn and dusk are taken to be. Rather early and
# late: to be asleep at dawn, when all that is known is a night old, costs most.
_DAWN_WITHIN = 0.25
_DUSK_WITHIN = 0.5
_LEAD = _INTERVAL / 2


@dataclass(frozen=True, slots=True)
class Night:
    """A night as the system saw it."""

    dusk: datetime
    dawn: datetime


@dataclass(frozen=True)  # without slots, for what is computed once
class Daylight:
    """The recent nights of a system; without any, all is day."""

    nights: tuple[Night, ...] = ()
    # The newest reading, and when production ended last.
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
            dusk = self.read_at + gap * _DUSK_WITHIN - _INTERVAL
            return replace(known, dusk=dusk if gap < _LONGEST_GAP else None)
        if self.dusk is None or data_at - self.dusk < _SHORTEST_NIGHT:
            return known
        if gap < _LONGEST_GAP:
            dawn = self.read_at + gap * _DAWN_WITHIN
        else:
            dawn = data_at - 2 * _INTERVAL
        nights = (*self.nights, Night(self.dusk, dawn))[-_NIGHTS_KEPT:]
        return replace(known, nights=nights, dusk=None)

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
        return _next(self._dawn, after)

    def next_dusk(self, after: datetime) -> datetime:
        """Return when the next night begins; needs a night to be known.

        Today it is later than usual if production goes on.
        """
        usual = self._usual_dusk(after)
        if self.read_at is None or not self.producing:
            return usual
        held = self.read_at + _INTERVAL
        if usual < held < self.next_dawn(usual):
            return held
        if after < held < self.next_dawn(usual - _DAY):
            return held
        return usual

    def seconds(self, start: datetime, end: datetime) -> tuple[float, float]:
        """Return the seconds of day and of night between two moments."""
        total = max(timedelta(), end - start)
        whole, rest = divmod(total, _DAY)
        day = whole * self.length
        at = start
        while at < start + rest:
            until = min(self.next_change(at), start + rest)
            if self.is_day(at):
                day += until - at
            at = until
        return day.total_seconds(), (total - day).total_seconds()

    @property
    def length(self) -> timedelta:
        """Return how long a day lasts at present."""
        if not self.nights:
            return _DAY
        dawn = self.next_dawn(self.nights[-1].dawn)
        return self._usual_dusk(dawn) - dawn

    def _usual_dusk(self, after: datetime) -> datetime:
        return _next(self._dusk, after)

    @cached_property
    def _dawn(self) -> datetime:
        """Return a moment at the time of day of the earliest recent dawn."""
        last = self.nights[-1].dawn
        return last + min(_from(last, night.dawn) for night in self.nights) - _LEAD

    @cached_property
    def _dusk(self) -> datetime:
        """Return a moment at the time of day of the latest recent dusk."""
        last = self.nights[-1].dusk
        return last + max(_from(last, night.dusk) for night in self.nights)

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
