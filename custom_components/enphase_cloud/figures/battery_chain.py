"""Intervals of a battery without a gap: what they come to between equal charges."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta, tzinfo
from functools import partial
from typing import Any, Final, NamedTuple, Protocol, Self

from ..json_values import moment, number, optional, record, rows
from .periods import month_of

# States of charge [%] that count as equal.
_EQUAL: Final = 1.0
# By how much the charge has to rise on the way [%]: so much energy that the difference
# of equal charges is next to nothing.
_TRAVEL: Final = 100.0
# After so long without an equal charge another one is compared with.
_LONGEST: Final = timedelta(days=35)
# The least fall of the charge [%] that tells the capacity.
_LEAST_FALL: Final = 30.0
# What a battery takes while it discharges counts as nothing [Wh].
_TRICKLE: Final = 5.0


class Step(NamedTuple):
    """What the batteries took and gave up to a moment [Wh], and their charge then [%].

    The charge is None where it was not told.
    """

    end_at: datetime
    charged: float
    discharged: float
    level: float | None


class Book(Protocol):
    """Takes what chains tell."""

    def book_flow(self, at: datetime, charged: float, discharged: float) -> None:
        """Take what flowed between equal charges [Wh]."""

    def book_capacity(self, at: datetime, capacity: float) -> None:
        """Take what a full battery would have given [Wh]."""


@dataclass(frozen=True, slots=True)
class Throughput:
    """What was charged and discharged [Wh] up to a moment, and the rise on the way."""

    charged: float = 0.0
    discharged: float = 0.0
    travel: float = 0.0

    def after(self, step: Step, rise: float) -> Throughput:
        """Return the flow up to the end of a step."""
        return Throughput(
            self.charged + step.charged,
            self.discharged + step.discharged,
            self.travel + rise,
        )

    def without(self, earlier: Throughput) -> Throughput:
        """Return what flowed since an earlier moment."""
        return Throughput(
            self.charged - earlier.charged,
            self.discharged - earlier.discharged,
            self.travel - earlier.travel,
        )


@dataclass(slots=True)
class Fall:
    """A stretch without charging: its first charge, what it gave, and what it came to.

    `given` is all up to now, `told` what had been given at the `lowest` charge.
    """

    first: float
    lowest: float
    given: float = 0.0
    told: float = 0.0


@dataclass(slots=True, kw_only=True)
class Chain:
    """Intervals one after the other up to `until`, and the charge at its end.

    `anchor` is the charge that others are compared with, since a moment, and `flow`
    what flowed since. `equal` is the last moment of equal charge, and the flow then.
    """

    until: datetime
    level: float | None = None
    anchor: tuple[datetime, float] | None = None
    flow: Throughput = field(default_factory=Throughput)
    equal: tuple[datetime, Throughput] | None = None
    fall: Fall | None = None

    def add(self, step: Step, book: Book, zone: tzinfo) -> None:
        """Go on by an interval; what a month came to is booked as the next begins."""
        if self.equal and month_of(self.equal[0], zone) != month_of(step.end_at, zone):
            self._book_flow(book)
        self._fall_on(step, book)
        before, self.level, self.until = self.level, step.level, step.end_at
        rise = 0.0 if before is None or step.level is None else step.level - before
        self.flow = self.flow.after(step, max(0.0, rise))
        if step.level is not None:
            self._compare(step.end_at, step.level)

    def end(self, book: Book) -> None:
        """Book what the chain came to."""
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

    def _fall_on(self, step: Step, book: Book) -> None:
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
            # It was not charged: the gateway corrected its estimate. Nothing is known
            # of the rest.
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
