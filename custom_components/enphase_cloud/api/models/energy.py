"""Energy in intervals and by day: telemetry and lifetime series of a system."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from functools import partial
from operator import attrgetter
from typing import Any, Final, NamedTuple, Protocol, Self

from ..exceptions import MalformedResponseError
from .convert import (
    to_count,
    to_date,
    to_datetime,
    to_energy,
    to_identifier,
    to_inflow,
    to_object,
    to_objects,
    to_outflow,
    to_power,
    to_word,
)

type EnergyReader = Callable[[object], float | None]

# Half a century.
_MOST_DAYS: Final = 18_263
_DURATIONS: Final = {"5mins": 5, "15mins": 15}


class _Interval(Protocol):
    @property
    def end_at(self) -> datetime: ...


def in_order[IntervalT: _Interval](
    intervals: Iterable[IntervalT], energy: Callable[[IntervalT], float | None]
) -> tuple[IntervalT, ...]:
    """Return intervals in order; of repeated ones that with the greatest energy."""

    def rank(interval: IntervalT) -> tuple[datetime, float]:
        known = energy(interval)
        return interval.end_at, -1 if known is None else known

    return tuple({each.end_at: each for each in sorted(intervals, key=rank)}.values())


class EnergyInterval(NamedTuple):
    """The energy of one flow in the interval up to `end_at` [Wh].

    While `devices_reporting` is less than the number of devices, the interval may
    still be corrected. Documents of the grid and of single devices lack that count.
    `power` is the average [W], available in documents of single devices.
    """

    end_at: datetime
    energy: float | None
    devices_reporting: int | None
    power: int | None = None


class EnergyIntervals(NamedTuple):
    """The intervals of one flow, in order and each once, as long as `length`.

    `total_devices` and `start_at`, the start of the period, are None if the document
    lacks them.
    """

    system_id: int
    intervals: tuple[EnergyInterval, ...]
    total_devices: int | None
    length: timedelta
    start_at: datetime | None = None

    @classmethod
    def from_api(
        cls,
        data: Mapping[str, Any],
        *,
        member: str,
        minutes: int = 15,
        items: str = "intervals",
        power: str | None = None,
        energy: EnergyReader = to_energy,
    ) -> Self:
        """Read intervals; skip those without an end.

        `items` is the name of their list, `member` that of their energy, which `energy`
        reads, and `power` that of their power. `minutes` is their length unless the
        document has one. Raises MalformedResponseError if it has no system id.
        """
        data = to_object(data)
        intervals = (
            EnergyInterval(
                end_at=end_at,
                energy=energy(item.get(member)),
                devices_reporting=to_count(item.get("devices_reporting")),
                power=None if power is None else to_power(item.get(power)),
            )
            for item in to_objects(data.get(items))
            if (end_at := to_datetime(item.get("end_at"))) is not None
        )
        duration = _DURATIONS.get(to_word(data.get("interval_duration")), minutes)
        return cls(
            system_id=to_identifier(data.get("system_id")),
            intervals=in_order(intervals, attrgetter("energy")),
            # Documents of the grid always have 0.
            total_devices=to_count(data.get("total_devices")) or None,
            length=timedelta(minutes=duration),
            start_at=to_datetime(data.get("start_at")),
        )


class BatteryEnergyIntervals(NamedTuple):
    """Charged and discharged energy in intervals, of a battery or of a car."""

    charged: EnergyIntervals
    discharged: EnergyIntervals

    @classmethod
    def from_balance(cls, data: Mapping[str, Any], *, member: str) -> Self:
        """Read energy that is negative for discharge.

        Raises MalformedResponseError if the document has no system id.
        """
        read = partial(EnergyIntervals.from_api, data, member=member)
        return cls(charged=read(energy=to_inflow), discharged=read(energy=to_outflow))


class DailyEnergy(NamedTuple):
    """The energy of one flow on each day from `start_date` on [Wh].

    Days are in the time zone of the system. Zeros at the end are days that are not
    reported yet, or without use of a device. A system that never produced may have no
    `start_date`, and then no values.
    """

    start_date: date | None
    values: tuple[float | None, ...]

    @classmethod
    def from_api(
        cls,
        data: Mapping[str, Any],
        *,
        member: str,
        energy: EnergyReader = to_energy,
    ) -> Self:
        """Read the list `member`, each value with `energy`.

        Raises MalformedResponseError if values have no first day, or an unreadable one.
        """
        data = to_object(data)
        listed = data.get(member)
        values = listed[:_MOST_DAYS] if isinstance(listed, list) else []
        start_date = to_date(data.get("start_date"))
        if start_date is None and (values or data.get("start_date", "") is not None):
            raise MalformedResponseError("The response has no first day")
        return cls(start_date=start_date, values=tuple(map(energy, values)))


class DailyBatteryEnergy(NamedTuple):
    """Charged and discharged energy by day, of batteries or of a car."""

    charged: DailyEnergy
    discharged: DailyEnergy

    @classmethod
    def from_api(cls, data: Mapping[str, Any]) -> Self:
        """Read both series; raises MalformedResponseError as DailyEnergy does."""
        return cls(
            charged=DailyEnergy.from_api(data, member="charge"),
            discharged=DailyEnergy.from_api(data, member="discharge"),
        )

    @classmethod
    def from_balance(cls, data: Mapping[str, Any], *, member: str) -> Self:
        """Read energy that is negative for discharge.

        Raises MalformedResponseError as DailyEnergy does.
        """
        read = partial(DailyEnergy.from_api, data, member=member)
        return cls(charged=read(energy=to_inflow), discharged=read(energy=to_outflow))


def interval_query(start_at: datetime | None, *, week: bool = False) -> dict[str, Any]:
    """Return the query of telemetry in intervals.

    It requests the day or week from `start_at` on, an aware time at most two years ago;
    without it, the current day of the system. The length of intervals is the same.
    """
    if start_at is None:
        return {}
    start = {"start_at": int(start_at.timestamp())}
    return start | {"granularity": "week"} if week else start


def day_query(first: date | None, last: date | None) -> dict[str, str]:
    """Return the query of a lifetime series.

    Both are days of the system and included; without them the response has all days up
    to yesterday.
    """
    dates = {"start_date": first, "end_date": last}
    return {name: day.isoformat() for name, day in dates.items() if day is not None}
