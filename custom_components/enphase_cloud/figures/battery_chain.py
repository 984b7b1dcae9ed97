"""Consecutive intervals of a battery: their energy between equal charges."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta, tzinfo
from functools import partial
from typing import Any, Final, NamedTuple, Protocol, Self

from ..json_values import moment, number, optional, record, rows
from .periods import month_of

# States of charge [%] that count as equal.
_EQUAL: Final = 1.0
# The total rise of the charge in between [%], at which the energy is so great that the
# remaining difference of "equal" charges hardly matters.
_TRAVEL: Final = 100.0
# After this time without an equal charge, the comparison starts again.
_LONGEST: Final = timedelta(days=35)
# The least fall of the charge [%] from which the capacity is computed.
_LEAST_FALL: Final = 30.0
# Charging up to this energy [Wh] per interval does not end a fall.
_TRICKLE: Final = 5.0


class Step(NamedTuple):
    """The energy of an interval [Wh], and the charge at its end [%] or None."""

    end_at: datetime
    charged: float
    discharged: float
    level: float | None


class Book(Protocol):
    """Receives the results of chains."""

    def book_flow(self, at: datetime, charged: float, discharged: float) -> None:
        """Add energy that flowed between equal charges [Wh]."""

    def book_capacity(self, at: datetime, capacity: float) -> None:
        """Add the energy that a full battery would have given [Wh]."""


@dataclass(frozen=True, slots=True)
class Throughput:
    """Energy charged and discharged [Wh], and the total rise of the charge [%]."""

    charged: float = 0.0
    discharged: float = 0.0
    travel: float = 0.0

    def after(self, step: Step, rise: float) -> Throughput:
        """Return the throughput after a step with a rise of the charge [%]."""
        return Throughput(
            self.charged + step.charged,
            self.discharged + step.discharged,
            self.travel + rise,
        )

    def without(self, earlier: Throughput) -> Throughput:
        """Return the throughput since an earlier one."""
        return Throughput(
            self.charged - earlier.charged,
            self.discharged - earlier.discharged,
            self.travel - earlier.travel,
        )


@dataclass(slots=True)
class Fall:
    """A discharge: its `first` and `lowest` charge [%], and the energy given [Wh].

    `given` is the energy up to now, `told` that up to the `lowest` charge.
    """

    first: float
    lowest: float
    given: float = 0.0
    told: float = 0.0


@dataclass(slots=True, kw_only=True)
class Chain:
    """Consecutive intervals up to `until`, with the charge `level` [%] at the end.

    `anchor` is a moment and its charge, which later ones are compared with; `flow` is
    the throughput since. `equal` is the last moment of equal charge, and the throughput
    up to it.
    """

    until: datetime
    level: float | None = None
    anchor: tuple[datetime, float] | None = None
    flow: Throughput = field(default_factory=Throughput)
    equal: tuple[datetime, Throughput] | None = None
    fall: Fall | None = None

    def add(self, step: Step, book: Book, zone: tzinfo) -> None:
        """Add an interval; the energy of a month is booked when the next one begins."""
        if self.equal and month_of(self.equal[0], zone) != month_of(step.end_at, zone):
            self._book_flow(book)
        self._add_to_fall(step, book)
        before, self.level, self.until = self.level, step.level, step.end_at
        rise = 0.0 if before is None or step.level is None else step.level - before
        self.flow = self.flow.after(step, max(0.0, rise))
        if step.level is not None:
            self._compare(step.end_at, step.level)

    def end(self, book: Book) -> None:
        """Book the results of the chain."""
        self._book_flow(book)
        self._book_fall(book)

    def _compare(self, at: datetime, level: float) -> None:
        anchor = self.anchor
        if anchor is None or (self.equal is None and at - anchor[0] > _LONGEST):
            self.anchor, self.flow = (at, level), Throughput()
        elif abs(level - anchor[1]) <= _EQUAL and self.flow.travel >= _TRAVEL:
            self.equal = at, self.flow

    def _book_flow(self, book: Book) -> None:
        if self.equal is None or self.anchor is None:
            return
        at, flow = self.equal
        book.book_flow(at, flow.charged, flow.discharged)
        self.anchor, self.flow, self.equal = (
            (at, self.anchor[1]),
            self.flow.without(flow),
            None,
        )

    def _add_to_fall(self, step: Step, book: Book) -> None:
        if step.charged > _TRICKLE:
            self._book_fall(book)
            return
        if self.fall is None:
            if self.level is None:
                return
            self.fall = Fall(self.level, self.level)
        fall = self.fall
        fall.given += step.discharged
        if step.level is None:
            return
        if step.level > fall.lowest + _EQUAL:
            # A rise without charging: the gateway corrected its estimate of the charge,
            # so this fall cannot be used.
            self.fall = Fall(0.0, 0.0)
        elif step.discharged:
            fall.lowest, fall.told = min(step.level, fall.lowest), fall.given

    def _book_fall(self, book: Book) -> None:
        fall, self.fall = self.fall, None
        if fall is not None and (drop := fall.first - fall.lowest) >= _LEAST_FALL:
            book.book_capacity(self.until, 100 * fall.told / drop)

    def as_dict(self) -> dict[str, Any]:
        """Return the chain in a shape that JSON can hold."""
        anchor, equal = self.anchor, self.equal
        return {
            "until": self.until.timestamp(),
            "level": self.level,
            "anchor": anchor and [anchor[0].timestamp(), anchor[1]],
            "flow": asdict(self.flow),
            "equal": equal and [equal[0].timestamp(), asdict(equal[1])],
            "fall": self.fall and asdict(self.fall),
        }

    @classmethod
    def from_dict(cls, data: object) -> Self:
        """Read what `as_dict` returned; raises ValueError where that is damaged."""
        stored = record(data)
        return cls(
            until=moment(stored["until"]),
            level=optional(number, stored["level"]),
            anchor=optional(partial(_dated, number), stored["anchor"]),
            flow=_flow(stored["flow"]),
            equal=optional(partial(_dated, _flow), stored["equal"]),
            fall=optional(_fall, stored["fall"]),
        )


def _dated[ValueT](
    read: Callable[[object], ValueT], data: object
) -> tuple[datetime, ValueT]:
    ((at, value),) = rows([data], width=2)
    return moment(at), read(value)


def _flow(data: object) -> Throughput:
    stored = record(data)
    return Throughput(
        *(number(stored[key]) for key in ("charged", "discharged", "travel"))
    )


def _fall(data: object) -> Fall:
    stored = record(data)
    return Fall(*(number(stored[key]) for key in ("first", "lowest", "given", "told")))
