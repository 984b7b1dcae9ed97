"""The efficiency and usable capacity of a battery, from its intervals, by month."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from statistics import median
from typing import Any, Final, NamedTuple, Self

from ..api.models import BatteryTelemetry
from ..energy.readings import SETTLES_AFTER
from ..energy.time_ranges import Ranges, union, within, without
from ..json_values import day, moment, number, optional, record, rows
from .battery_chain import Chain, Step
from .periods import MONTHS, month_of, months_before

_QUARTER: Final = timedelta(minutes=15)
_KEPT: Final = timedelta(days=31 * MONTHS)
# Falls of the charge that are kept per month.
_MOST_FALLS: Final = 40
# The capacity requires at least this number of falls, in at most this many months.
_LEAST_FALLS: Final = 5
_MONTHS_OF_CAPACITY: Final = 3
# Plausible values, relative to the rated capacity and to 1.
_CREDIBLE_CAPACITY: Final = (0.3, 1.3)
_CREDIBLE_EFFICIENCY: Final = (0.3, 1.02)


@dataclass(slots=True)
class Month:
    """The energy between equal charges [Wh], and the capacity by each fall [Wh]."""

    charged: float = 0.0
    discharged: float = 0.0
    capacities: list[float] = field(default_factory=list)


class Efficiency(NamedTuple):
    """The round-trip efficiency [%], with the energy charged and discharged [Wh]."""

    percent: float
    charged: float
    discharged: float


class Capacity(NamedTuple):
    """The usable capacity [Wh], and the number of falls of the charge behind it."""

    energy: float
    falls: int


class BatteryHistory:
    """Collects final intervals, each once, in any order of the responses."""

    def __init__(self) -> None:
        """Start empty."""
        self.months: dict[date, Month] = {}
        self._seen: Ranges = ()
        self._newest: Chain | None = None
        self._plate: float | None = None
        self._zone: tzinfo = UTC

    def take(
        self,
        telemetry: BatteryTelemetry,
        *,
        fetched_at: datetime,
        limit: float,
        plate: float | None,
        zone: tzinfo,
    ) -> bool:
        """Take the intervals of a response; return whether any is new.

        Intervals above `limit` [W] or without energy are gaps. A response with only
        zeros is skipped: it may be a fault. `plate` is the rated capacity [Wh] or None.
        """
        self._zone = zone
        self._set_plate(plate)
        steps = _settled(telemetry, fetched_at, limit)
        if not any(step.charged or step.discharged for step in steps):
            return False
        reported = union((step.end_at - _QUARTER, step.end_at) for step in steps)
        new = without(reported, self._seen)
        for start, end in new:
            self._extend(
                start, [step for step in steps if start < step.end_at <= end], zone
            )
        seen = union([*self._seen, *reported])
        # The newest interval, as our own clock may be wrong.
        _, newest = seen[-1]
        self._seen = within(seen, newest - _KEPT, newest)
        self._forget(month_of(newest, zone))
        return bool(new)

    def efficiency(self) -> Efficiency | None:
        """Return the round-trip efficiency between equal charges, of all months."""
        charged = sum(month.charged for month in self.months.values())
        discharged = sum(month.discharged for month in self.months.values())
        if self._newest is not None and self._newest.equal is not None:
            _, flow = self._newest.equal
            charged, discharged = charged + flow.charged, discharged + flow.discharged
        least, most = _CREDIBLE_EFFICIENCY
        if not charged or not least <= discharged / charged <= most:
            return None
        percent = min(100.0, 100 * discharged / charged)
        return Efficiency(percent, charged, discharged)

    def capacity(self) -> Capacity | None:
        """Return the usable capacity: the median of the last three months with falls.

        None with too few falls.
        """
        known = [each for each in sorted(self.months) if self.months[each].capacities]
        found = [
            capacity
            for month in known[-_MONTHS_OF_CAPACITY:]
            for capacity in self.months[month].capacities
        ]
        if len(found) < _LEAST_FALLS:
            return None
        return Capacity(median(found), len(found))

    def book_flow(self, at: datetime, charged: float, discharged: float) -> None:
        """Add energy that flowed between equal charges [Wh]."""
        month = self._month(at)
        month.charged += charged
        month.discharged += discharged

    def book_capacity(self, at: datetime, capacity: float) -> None:
        """Add the energy that a full battery would have given [Wh], if plausible."""
        if self._plate is not None:
            least, most = (self._plate * share for share in _CREDIBLE_CAPACITY)
            if not least <= capacity <= most:
                return
        if capacity > 0:
            month = self._month(at)
            month.capacities = [*month.capacities, round(capacity)][-_MOST_FALLS:]

    def _month(self, at: datetime) -> Month:
        return self.months.setdefault(month_of(at, self._zone), Month())

    def _set_plate(self, plate: float | None) -> None:
        """Remove all capacities when batteries were added or removed."""
        if plate is None or plate == self._plate:
            return
        if self._plate is not None:
            self._newest = None
            for month in self.months.values():
                month.capacities.clear()
        self._plate = plate

    def _extend(self, start: datetime, steps: list[Step], zone: tzinfo) -> None:
        """Add steps from `start` on to the newest chain, or to a new one."""
        newest = self._newest
        if newest is not None and newest.until == start:
            chain = newest
        else:
            chain = Chain(until=start)
        for step in steps:
            chain.add(step, self, zone)
        if newest is not None and newest.until > chain.until:
            chain.end(self)
        elif chain is not newest:
            if newest is not None:
                newest.end(self)
            self._newest = chain

    def _forget(self, month: date) -> None:
        first = months_before(month, MONTHS - 1)
        self.months = {at: each for at, each in self.months.items() if at >= first}

    def as_dict(self) -> dict[str, Any]:
        """Return the history in a shape that JSON can hold."""
        newest = self._newest
        return {
            "months": {
                month.isoformat(): [each.charged, each.discharged, each.capacities]
                for month, each in dict(self.months).items()
            },
            "seen": [[start.timestamp(), end.timestamp()] for start, end in self._seen],
            "newest": newest and newest.as_dict(),
            "plate": self._plate,
        }

    @classmethod
    def from_dict(cls, data: object) -> Self:
        """Read what `as_dict` returned; raises ValueError where that is damaged."""
        stored, history = record(data), cls()
        history.months = {
            day(key): _month(value) for key, value in record(stored["months"]).items()
        }
        seen = rows(stored["seen"], width=2)
        history._seen = union((moment(start), moment(end)) for start, end in seen)
        history._newest = optional(Chain.from_dict, stored["newest"])
        history._plate = optional(number, stored["plate"])
        return history


def _month(stored: object) -> Month:
    ((charged, discharged, capacities),) = rows([stored], width=3)
    if not isinstance(capacities, list) or len(capacities) > _MOST_FALLS:
        raise ValueError("Not capacities of ours")
    return Month(number(charged), number(discharged), [*map(number, capacities)])


def _settled(
    telemetry: BatteryTelemetry, fetched_at: datetime, limit: float
) -> list[Step]:
    """Return the intervals that the cloud no longer corrects, in order, each once."""
    most = limit * (_QUARTER / timedelta(hours=1))
    found = {
        each.end_at: Step(
            each.end_at, each.charged, each.discharged, each.state_of_charge
        )
        for each in telemetry.intervals
        if each.charged is not None
        and each.discharged is not None
        and max(each.charged, each.discharged) <= most
        and not each.end_at.timestamp() % _QUARTER.total_seconds()
        and fetched_at - each.end_at >= SETTLES_AFTER
    }
    return list(found.values())
