"""Merges energy data of any age and resolution into one value for each hour.

A reading is the energy of a span of time in a response. Of two readings of the same
span the greater is accepted (certain before uncertain, then newer before older); so
their order, repetitions and windows have no effect.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from math import fsum
from typing import Final, NamedTuple

type EnergyByHour = Mapping[datetime, HourlyEnergy]
type Readings = Mapping[Span, Reading]

HOUR: Final = timedelta(hours=1)
SETTLES_AFTER: Final = timedelta(hours=4)
"""How long the cloud corrects an interval: three hours, plus one for a late report."""
NO_READINGS: Final[Readings] = {}

_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)


class Span(NamedTuple):
    """A span of time from `start` (aware, UTC) on."""

    start: datetime
    length: timedelta

    @property
    def end(self) -> datetime:
        """Return when it ends."""
        return self.start + self.length

    @property
    def hours(self) -> Iterator[datetime]:
        """Yield the hours of UTC that begin within.

        Home Assistant counts these as a day's hours, also where midnight is at half
        past or a quarter to an hour of UTC.
        """
        hour = top_of_hour(self.start + HOUR - timedelta.resolution)
        while hour < self.start + self.length:
            yield hour
            hour += HOUR


class Reading(NamedTuple):
    """The energy [Wh] of a span in a response; the greater reading is accepted.

    A zero in a response with only zeros is not certain, because a fault looks the same.
    It is accepted if nothing else is known, and replaces no other reading.
    """

    is_certain: bool
    fetched_at: datetime
    energy: float


class HourlyEnergy(NamedTuple):
    """Whole Wh of an hour.

    With `day`, they are not of this hour alone, but the energy of that day without its
    known hours.
    """

    energy: int
    day: Span | None = None


class StatisticsRow(NamedTuple):
    """An hour's energy, and the sum of all energy up to its end, in whole Wh.

    For `day` see HourlyEnergy.
    """

    start: datetime
    energy: int
    sum: int
    day: Span | None = None

    @property
    def end(self) -> datetime:
        """Return until when the sum includes all energy."""
        return self.start + HOUR if self.day is None else self.day.end


def merge_readings(*parts: Readings) -> Readings:
    """Return the accepted readings of all parts, whose order has no effect."""
    merged: dict[Span, Reading] = {}
    for part in parts:
        for span, reading in part.items():
            merged[span] = max(reading, merged.get(span, reading))
    return merged


def hourly(readings: Readings) -> EnergyByHour:
    """Return the energy of each hour that is known entirely, in order.

    An hour that lacks an interval is not known. If it is known in several resolutions
    (microinverters have 5 minutes, meters 15), the later response counts. The energy of
    a day without its known hours is put at the first hour that is not known.
    """
    known = {
        hour: round(reading.energy) for hour, reading in _whole_hours(readings).items()
    }
    days = sorted(span for span in readings if span.length > HOUR)
    rests = (_rest(day, readings[day].energy, known) for day in days)
    hours = {hour: HourlyEnergy(energy) for hour, energy in known.items()}
    hours |= dict(filter(None, rests))
    return dict(sorted(hours.items()))


def statistics_rows(hours: EnergyByHour, *, sum_before: int) -> list[StatisticsRow]:
    """Return the hours in order, each with the sum of all up to its end [Wh].

    `sum_before` is the sum up to the first. As no hour is negative, the sum never
    falls; as all are whole, it is exact.
    """
    rows = []
    total = sum_before
    for start in sorted(hours):
        hour = hours[start]
        total += hour.energy
        rows.append(
            StatisticsRow(start=start, energy=hour.energy, sum=total, day=hour.day)
        )
    return rows


def readings_of_rows(rows: Iterable[StatisticsRow]) -> Readings:
    """Return the readings of stored rows, to be merged with those of responses.

    Any response outranks them. All rows of a day must be given together.
    """
    stored = {row.start: row for row in rows}
    readings: dict[Span, Reading] = {}
    for row in stored.values():
        if row.day is None:
            span, energy = Span(row.start, HOUR), row.energy
        else:
            span = row.day
            energy = sum(stored[hour].energy for hour in span.hours if hour in stored)
        readings[span] = Reading(is_certain=True, fetched_at=_LONG_AGO, energy=energy)
    return readings


def top_of_hour(moment: datetime) -> datetime:
    """Return the beginning of an UTC moment's hour."""
    return moment.replace(minute=0, second=0, microsecond=0)


def _whole_hours(readings: Readings) -> dict[datetime, Reading]:
    """Return readings of whole hours, without those that lack a part."""
    parts: defaultdict[Span, list[Reading]] = defaultdict(list)
    for span, reading in readings.items():
        if span.length <= HOUR:
            parts[Span(top_of_hour(span.start), span.length)].append(reading)
    known: dict[datetime, Reading] = {}
    for part, found in parts.items():
        if len(found) * part.length == HOUR:
            whole = Reading(
                is_certain=all(reading.is_certain for reading in found),
                fetched_at=min(reading.fetched_at for reading in found),
                energy=fsum(reading.energy for reading in found),
            )
            known[part.start] = max(whole, known.get(part.start, whole))
    return known


def _rest(
    day: Span, energy: float, known: Mapping[datetime, int]
) -> tuple[datetime, HourlyEnergy] | None:
    """Return the energy of a day without its known hours, and the hour to put it at.

    If a day had energy, hours with only zeros are not accepted as complete.
    """
    hours = list(day.hours)
    unknown = [hour for hour in hours if hour not in known]
    total = sum(known.get(hour, 0) for hour in hours)
    if not unknown and (total or not energy):
        return None
    return (unknown or hours)[0], HourlyEnergy(max(0, round(energy) - total), day)
