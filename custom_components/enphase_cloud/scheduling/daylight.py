"""When a system produces, learnt from its reports."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, NamedTuple, Self

from ..json_values import moment, optional, record, rows

_DAY = timedelta(days=1)
_NIGHTS_KEPT = 7
# A shorter pause of production is not a night.
_SHORTEST_NIGHT = timedelta(hours=2)
# Readings further apart are too imprecise for when production began or ended.
_LONGEST_GAP = timedelta(hours=5)
# A reading covers the interval that ends with it.
_INTERVAL = timedelta(minutes=15)
# Possible times of dawn between two readings that differ; all are equally likely.
_DAWNS_WITHIN = (0.25, 0.5, 0.75)
_LEAD = _INTERVAL / 2


class Night(NamedTuple):
    """A night: its dusk, the last reading in the dark, the first with production."""

    dusk: datetime
    dark: datetime
    light: datetime

    @property
    def dawns(self) -> Iterator[datetime]:
        """Return when production may have begun."""
        for part in _DAWNS_WITHIN:
            yield self.dark + (self.light - self.dark) * part


@dataclass(frozen=True)  # without slots, for what is computed once
class Daylight:
    """The recent nights of a system; without any, all time counts as day."""

    nights: tuple[Night, ...] = ()
    # The newest reading; `dusk`: when production ended before the present night;
    # `dark`: the first reading without production after that.
    producing: bool | None = None
    read_at: datetime | None = None
    dusk: datetime | None = None
    dark: datetime | None = None

    def observe(
        self,
        data_at: datetime,
        *,
        producing: bool,
        produced_until: datetime | None = None,
    ) -> Self:
        """Learn whether the system produced at a moment; older moments are ignored.

        `produced_until` is the end of the last production, if known. At night it is
        used in any order of arrival, because only one of two documents may have it.
        """
        known = self._read(data_at, producing=producing)
        if known.producing or producing or produced_until is None:
            return known
        # With meters, production may seem to continue up to each report.
        if produced_until >= data_at - _INTERVAL:
            return known
        return replace(known, dusk=_end(known.dusk, known.dark, produced_until))

    def not_after(self, now: datetime) -> Self:
        """Return the daylight without times in the future, after a clock was set back.

        Nights stay, because only their time of day matters.
        """
        if self.read_at is None or self.read_at <= now:
            return self
        return replace(
            self,
            read_at=now,
            dusk=self.dusk and min(self.dusk, now),
            dark=self.dark and min(self.dark, now),
        )

    def _read(self, data_at: datetime, *, producing: bool) -> Self:
        if self.read_at is not None and data_at <= self.read_at:
            return self
        known = replace(self, producing=producing, read_at=data_at)
        if self.read_at is None:
            return known
        if not producing:
            if not self.producing:
                return known
            return replace(known, dusk=_between(self.read_at, data_at), dark=data_at)
        if self.producing or self.dusk is None or data_at - self.dusk < _SHORTEST_NIGHT:
            return known
        is_near = data_at - self.read_at < _LONGEST_GAP
        dark = self.read_at if is_near else data_at - 4 * _INTERVAL
        nights = (*self.nights, Night(self.dusk, dark, data_at))[-_NIGHTS_KEPT:]
        return replace(known, nights=nights, dusk=None)

    @property
    def is_known(self) -> bool:
        """Whether a night was observed yet."""
        return bool(self.nights)

    def is_day(self, at: datetime) -> bool:
        """Return whether production is expected at a moment, or soon."""
        return not self.nights or self.next_dusk(at) < self.next_dawn(at)

    def next_change(self, after: datetime) -> datetime:
        """Return the next dusk or dawn; a day later if no night is known."""
        if not self.nights:
            return after + _DAY
        return min(self.next_dusk(after), self.next_dawn(after))

    def next_dawn(self, after: datetime) -> datetime:
        """Return the next dawn; requires `is_known`."""
        return _next(self._dawn, after)

    def next_dusk(self, after: datetime) -> datetime:
        """Return the next dusk; requires `is_known`.

        Today it is later than usual if production continues.
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

    def chances(self, start: datetime, end: datetime) -> list[tuple[datetime, float]]:
        """Return the probability of day between two moments, as (from, probability).

        The next night is equally likely to be like each of the recent ones.
        """
        if not self.nights:
            return [(start, 1.0)]
        daily = sorted((_next(change, start), chance) for change, chance in self._steps)
        steps = [
            (start, daily[-1][1]),
            *(
                (at + day * _DAY, chance)
                for day in range((end - start) // _DAY + 1)
                for at, chance in daily
            ),
        ]
        if self.producing and self.read_at is not None:
            bright = self.read_at + _INTERVAL
            steps = [(at, 1.0 if at < bright else chance) for at, chance in steps]
        return [(at, chance) for at, chance in steps if at < end]

    @cached_property
    def _steps(self) -> list[tuple[datetime, float]]:
        """Return when in a day the probability of day changes, and to what."""
        return [
            (change, self._chance(change))
            for night in self.nights
            for change in (night.dusk, *night.dawns)
        ]

    def _chance(self, at: datetime) -> float:
        """Return the probability of day from a moment on."""
        days = [
            (at - dawn) % _DAY < (night.dusk - dawn) % _DAY
            for night in self.nights
            for dawn in night.dawns
        ]
        return sum(days) / len(days)

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
        """Return the present length of a day."""
        if not self.nights:
            return _DAY
        dawn = self.next_dawn(self.nights[-1].light)
        return self._usual_dusk(dawn) - dawn

    def _usual_dusk(self, after: datetime) -> datetime:
        return _next(self._dusk, after)

    @cached_property
    def _dawn(self) -> datetime:
        """Return a moment at the time of day of the earliest recent dawn."""
        last = self.nights[-1].dark
        first = min(_from(last, next(night.dawns)) for night in self.nights)
        return last + first - _LEAD

    @cached_property
    def _dusk(self) -> datetime:
        """Return a moment at the time of day of the latest recent dusk."""
        last = self.nights[-1].dusk
        return last + max(_from(last, night.dusk) for night in self.nights)

    def as_dict(self) -> dict[str, Any]:
        """Return the daylight as JSON."""
        return {
            "nights": [
                [each.timestamp() for each in (night.dusk, night.dark, night.light)]
                for night in self.nights
            ],
            "producing": self.producing,
            "read_at": self.read_at and self.read_at.timestamp(),
            "dusk": self.dusk and self.dusk.timestamp(),
            "dark": self.dark and self.dark.timestamp(),
        }

    @classmethod
    def from_dict(cls, data: object) -> Self:
        """Return stored daylight; raises ValueError where it is damaged."""
        stored = record(data)
        producing = stored["producing"]
        if not (producing is None or isinstance(producing, bool)):
            raise ValueError("Not a reading")
        nights = rows(stored["nights"], width=3)[-_NIGHTS_KEPT:]
        return cls(
            nights=tuple(Night(*map(moment, night)) for night in nights),
            producing=producing,
            read_at=optional(moment, stored["read_at"]),
            dusk=optional(moment, stored["dusk"]),
            dark=optional(moment, stored["dark"]),
        )


def _between(light: datetime, dark: datetime) -> datetime | None:
    """Return about when production ended between two readings; None if far apart."""
    gap = dark - light
    return light + gap / 2 - _INTERVAL if gap < _LONGEST_GAP else None


def _end(
    dusk: datetime | None, dark: datetime | None, reported: datetime
) -> datetime | None:
    """Return when production ended: the reported time, if it is plausible."""
    if dusk is None or dark is None:
        return dusk
    return reported if dusk - _LONGEST_GAP / 2 < reported <= dark else dusk


def _from(reference: datetime, moment: datetime) -> timedelta:
    """Return the difference in time of day between two moments, within ±12 hours."""
    return (moment - reference + _DAY / 2) % _DAY - _DAY / 2


def _next(moment: datetime, after: datetime) -> datetime:
    """Return the first repetition of a daily moment after another moment."""
    return after + ((moment - after) % _DAY or _DAY)
