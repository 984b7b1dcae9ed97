"""What flowed today and ever, of hours that arrive late and are corrected."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final, Self

from .catalog import Measurement
from .energy import HOUR, Flow, Hours, Readings, Span, hourly
from .ranges import Ranges
from .samples import NOTHING, Sample, Samples, Source
from .stored import count, moment, optional, record, rows

# Before the energies of all days tell a total: hours that these may leave out.
_KEPT: Final = timedelta(days=7)

# Today's and lifetime energy of each flow that no other document tells.
_MEASUREMENTS: Final[Mapping[Flow, tuple[Measurement, Measurement]]] = {
    Flow.CONSUMPTION: (
        Measurement.ENERGY_CONSUMED_TODAY,
        Measurement.ENERGY_CONSUMED_LIFETIME,
    ),
    Flow.GRID_IMPORT: (
        Measurement.ENERGY_IMPORTED_TODAY,
        Measurement.ENERGY_IMPORTED_LIFETIME,
    ),
    Flow.GRID_EXPORT: (
        Measurement.ENERGY_EXPORTED_TODAY,
        Measurement.ENERGY_EXPORTED_LIFETIME,
    ),
    Flow.BATTERY_CHARGE: (
        Measurement.ENERGY_CHARGED_TODAY,
        Measurement.ENERGY_CHARGED_LIFETIME,
    ),
    Flow.BATTERY_DISCHARGE: (
        Measurement.ENERGY_DISCHARGED_TODAY,
        Measurement.ENERGY_DISCHARGED_LIFETIME,
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """The energy of a flow [Wh]: a total up to a moment, and hours since.

    Without the energies of all days, there is no total, only hours.
    """

    total: int | None = None
    total_until: datetime | None = None
    hours: Mapping[datetime, int] = field(default_factory=dict)

    @property
    def read_until(self) -> datetime | None:
        """Return the end of the newest hour that is known."""
        return max(self.hours) + HOUR if self.hours else self.total_until

    @property
    def lifetime(self) -> int | None:
        """Return the energy of the system's whole life."""
        return None if self.total is None else self.total + sum(self.hours.values())

    def as_of(self, now: datetime) -> Self:
        """Return the meter as it is now, without what a clock that was ahead noted."""
        if self.read_until is None or self.read_until <= now:
            return self
        return replace(
            self,
            total_until=self.total_until and min(self.total_until, now),
            hours={hour: wh for hour, wh in self.hours.items() if hour + HOUR <= now},
        )

    def of_day(self, day: Span) -> int | None:
        """Return the energy of a day as far as it is known, None if it is not."""
        hours = [self.hours[hour] for hour in day.hours if hour in self.hours]
        return sum(hours) if hours else None

    def take_days(self, readings: Readings) -> Self:
        """Take the energies of all days as the total up to the last of them.

        A total that there is already stays: it knows what came since.
        """
        if self.total is not None or not readings:
            return self
        until = max(span.start + span.length for span in readings)
        return replace(
            self,
            total=round(sum(reading.energy for reading in readings.values())),
            total_until=until,
            hours=_since(until, self.hours),
        )

    def take(self, readings: Readings) -> Self:
        """Take hours; those of an answer of nothing but zeros correct none."""
        arrived = _energies(hourly(readings))
        if self.total_until is not None:
            arrived = _since(self.total_until, arrived)
        is_certain = any(reading.is_certain for reading in readings.values())
        hours = {**self.hours, **arrived} if is_certain else {**arrived, **self.hours}
        return replace(self, hours=hours)

    def fold(self, settled: Ranges, keep_from: datetime) -> Self:
        """Add hours that will not change any more to the total, but those to keep."""
        if self.total_until is None or self.read_until is None:
            return replace(self, hours=_since(keep_from - _KEPT, self.hours))
        until = min(
            self.read_until,
            next(
                (end for start, end in settled if start <= self.total_until < end),
                self.total_until,
            ),
            keep_from,
        )
        if until <= self.total_until:
            return self
        folded = (energy for hour, energy in self.hours.items() if hour < until)
        return replace(
            self,
            total=(self.total or 0) + sum(folded),
            total_until=until,
            hours=_since(until, self.hours),
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the meter as JSON."""
        return {
            "total": self.total,
            "total_until": self.total_until and self.total_until.timestamp(),
            "hours": [
                [hour.timestamp(), energy] for hour, energy in self.hours.items()
            ],
        }

    @classmethod
    def from_dict(cls, data: object) -> Self:
        """Return what as_dict() told; raises ValueError where that is damaged."""
        stored = record(data)
        total = optional(count, stored["total"])
        return cls(
            total=total,
            total_until=None if total is None else moment(stored["total_until"]),
            hours={
                moment(hour): count(energy)
                for hour, energy in rows(stored["hours"], width=2)
            },
        )


def samples_of_meter(
    meter: Meter, flow: Flow, *, today: Span, source: Source
) -> Samples:
    """Return what a flow's meter shows of today and ever."""
    if flow not in _MEASUREMENTS or (read_until := meter.read_until) is None:
        return NOTHING
    of_today, ever = _MEASUREMENTS[flow]
    energies = {of_today: meter.of_day(today), ever: meter.lifetime}
    return {
        measurement: Sample(energy, read_until, source)
        for measurement, energy in energies.items()
        if energy is not None
    }


def _energies(hours: Hours) -> dict[datetime, int]:
    """Return what is of the hours alone."""
    return {start: told.energy for start, told in hours.items() if told.day is None}


def _since(moment: datetime, hours: Mapping[datetime, int]) -> dict[datetime, int]:
    return {hour: energy for hour, energy in hours.items() if hour >= moment}
