"""Read the cloud's energy documents, without values that are not plausible."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

from ..api.models import BatteryTelemetry, DailyEnergy, EnergyInterval, EnergyIntervals
from ..measurements.catalog import Flow
from .readings import HOUR, NO_READINGS, SETTLES_AFTER, Reading, Readings, Span

# The length of nights that a document omits: if production fades out and in, and if it
# ends and begins abruptly. In a shorter gap an interval may be lost.
_FADED_NIGHT: Final = (timedelta(hours=1), timedelta(days=7))
_NIGHT: Final = (timedelta(hours=4), timedelta(hours=20))
# The share of the greatest interval of a response up to which production is fading.
_FADED: Final = 0.1

_DAY_HOURS: Final = 23

_BATTERY_INTERVAL: Final = timedelta(minutes=15)
_FIRST_DAY: Final = date(2000, 1, 1)

# Panels yield more than their rated power when cold, or beside a bright cloud.
_TOLERANCE: Final = 1.3
# The power of a home is unknown; this is more than three phases of 100 A allow.
_CONNECTION_W: Final = 100_000
_CONNECTION_SIZES: Final = 10


def power_limit(
    flow: Flow,
    *,
    size: int | None,
    charge_limit: int | None,
    discharge_limit: int | None,
) -> float:
    """Return the power [W] above which a flow of a system is a fault of the cloud.

    The arguments [W] are from the summary of the system; without them, the limit is
    that of a connection to the grid.
    """
    connection = max(_CONNECTION_W, _CONNECTION_SIZES * (size or 0))
    plates = {
        Flow.PRODUCTION: size,
        Flow.BATTERY_CHARGE: charge_limit,
        Flow.BATTERY_DISCHARGE: discharge_limit,
    }
    plate = plates.get(flow)
    return plate * _TOLERANCE if plate else connection


def system_day(day: date, time_zone: tzinfo) -> Span:
    """Return a system's day, which may have 23 to 25 hours."""
    start, end = (
        datetime.combine(each, time(), time_zone).astimezone(UTC)
        for each in (day, day + timedelta(days=1))
    )
    return Span(start, end - start)


def readings_of_intervals(
    document: EnergyIntervals,
    *,
    fetched_at: datetime,
    power_limit: float,
    may_lack_nights: bool = False,
) -> Readings:
    """Read one flow's intervals.

    An interval is skipped if its energy is unknown or above the limit [W], or if it
    ends in the future or not on a multiple of its length. A recent one that lacks
    devices is skipped until it is final. With `may_lack_nights` the document may omit
    times without production.
    """
    devices = max(
        (interval.devices_reporting or 0 for interval in document.intervals), default=0
    )
    found: dict[Span, float] = {}
    for interval in document.intervals:
        is_young = fetched_at - interval.end_at < SETTLES_AFTER
        if (
            interval.energy is not None
            and interval.energy <= power_limit * (document.length / HOUR)
            and _is_on_mark(interval, document.length)
            and interval.end_at <= fetched_at
            and not (is_young and _lacks_devices(interval, devices))
        ):
            span = Span(interval.end_at - document.length, document.length)
            found[span] = interval.energy
    is_certain = any(found.values())
    readings = {
        span: Reading(is_certain=is_certain, fetched_at=fetched_at, energy=energy)
        for span, energy in found.items()
    }
    if not (may_lack_nights and is_certain):
        return readings
    return {**_nights(document, fetched_at, greatest=max(found.values())), **readings}


def battery_intervals(telemetry: BatteryTelemetry) -> Mapping[Flow, EnergyIntervals]:
    """Return both flows of the batteries' document."""
    energy_of = {
        Flow.BATTERY_CHARGE: [interval.charged for interval in telemetry.intervals],
        Flow.BATTERY_DISCHARGE: [
            interval.discharged for interval in telemetry.intervals
        ],
    }
    return {
        flow: EnergyIntervals(
            system_id=telemetry.system_id,
            intervals=tuple(
                EnergyInterval(
                    end_at=interval.end_at,
                    energy=energy,
                    devices_reporting=interval.devices_reporting,
                )
                for interval, energy in zip(telemetry.intervals, values, strict=True)
            ),
            total_devices=None,
            length=_BATTERY_INTERVAL,
        )
        for flow, values in energy_of.items()
    }


def readings_of_days(
    daily: DailyEnergy,
    *,
    fetched_at: datetime,
    time_zone: tzinfo,
    power_limit: float,
) -> Readings:
    """Read one flow's days, which begin and end in the system's `time_zone`.

    A day is skipped if its energy is unknown or above the limit [W], or if it may still
    be corrected. Zeros at the end are days that are not reported yet.
    """
    if daily.start_date is None or daily.start_date < _FIRST_DAY:
        return NO_READINGS
    values = list(daily.values)
    while values and not values[-1]:
        values.pop()
    settled_until = fetched_at - SETTLES_AFTER
    past = (settled_until.astimezone(time_zone).date() - daily.start_date).days
    readings = {}
    for number, energy in enumerate(values[: max(0, past)]):
        span = system_day(daily.start_date + timedelta(days=number), time_zone)
        if energy is not None and energy <= power_limit * (span.length / HOUR):
            readings[span] = Reading(
                is_certain=True, fetched_at=fetched_at, energy=energy
            )
    return readings


def skips_days(daily: DailyEnergy, power_limit: float) -> bool:
    """Return whether a day is skipped because its energy is above the limit [W]."""
    return any(
        energy is not None and energy > power_limit * _DAY_HOURS
        for energy in daily.values
    )


def _nights(
    document: EnergyIntervals, fetched_at: datetime, *, greatest: float
) -> Readings:
    """Return zeros for nights that a document of production omits.

    They are certain if production fades out and in again: then a gap is not a fault.
    """
    intervals = [
        interval
        for interval in document.intervals
        if _is_on_mark(interval, document.length) and interval.end_at <= fetched_at
    ]
    nights: dict[Span, Reading] = {}
    before = [_beginning(document), *intervals]
    for earlier, later in zip(before, intervals, strict=False):
        if earlier is None:
            continue
        gap = later.end_at - document.length - earlier.end_at
        fades = all(
            edge.energy is not None and edge.energy <= _FADED * greatest
            for edge in (earlier, later)
        )
        shortest, longest = _FADED_NIGHT if fades else _NIGHT
        # Any gap before the first interval may be a night, however short.
        if fades and earlier is before[0]:
            shortest = document.length
        if not shortest <= gap <= longest:
            continue
        zero = Reading(is_certain=fades, fetched_at=fetched_at, energy=0)
        for number in range(gap // document.length):
            start = earlier.end_at + number * document.length
            nights[Span(start, document.length)] = zero
    return nights


def _beginning(document: EnergyIntervals) -> EnergyInterval | None:
    """Return the start of a document as an interval that ends there."""
    if document.start_at is None:
        return None
    seconds = document.length.total_seconds()
    mark = -(-document.start_at.timestamp() // seconds) * seconds
    return EnergyInterval(
        end_at=datetime.fromtimestamp(mark, UTC), energy=0, devices_reporting=None
    )


def _is_on_mark(interval: EnergyInterval, length: timedelta) -> bool:
    return interval.end_at.timestamp() % length.total_seconds() == 0


def _lacks_devices(interval: EnergyInterval, devices: int) -> bool:
    """Return whether fewer devices reported than at another time of the document.

    The count of all devices is not usable: some never report.
    """
    reporting = interval.devices_reporting
    return reporting is not None and reporting < devices
