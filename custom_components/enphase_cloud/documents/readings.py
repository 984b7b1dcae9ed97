"""Read the cloud's documents into samples."""

from datetime import UTC, datetime, time, timedelta, tzinfo
from functools import partial
from typing import Final

from ..api.models import (
    BatteryTelemetry,
    LatestTelemetry,
    LiveFrame,
    ProductionSource,
    Summary,
)
from ..measurements import parts
from ..measurements.board import Board
from ..measurements.catalog import Measurement, Source
from ..measurements.evidence import OF_BATTERIES
from ..measurements.parts import measured_together
from ..measurements.samples import Sample, Samples, Value, is_producing
from ..measurements.system import SYSTEM
from .base import Known, Report, dated_samples
from .devices import single_devices

_EPOCH: Final = datetime.fromtimestamp(0, UTC)
_QUARTER: Final = timedelta(minutes=15)
# Measurements that are read without computation.
_OF_SUMMARIES: Final = tuple(
    (each, each.traits.summary) for each in Measurement if each.traits.summary
)
_OF_FRAMES: Final = tuple(
    (each, each.traits.frame) for each in Measurement if each.traits.frame
)


def read_summary(summary: Summary, known: Known) -> Report:
    """Read a summary (API operation `summary`).

    Its lifetime energy ends the day before the summary's date, so that of today is
    added. The moment of energy is the last one at which the system produced.
    """
    fetched_at, time_zone = known.fetched_at, known.info.time_zone
    measured_at = summary.last_interval_end_at or summary.last_report_at or fetched_at
    found: dict[Measurement, tuple[Value | None, datetime]] = {
        measurement: (read(summary), fetched_at) for measurement, read in _OF_SUMMARIES
    }
    found |= {
        Measurement.PRODUCTION_POWER: (
            summary.current_power,
            _power_measured_at(summary, fetched_at),
        ),
        Measurement.ENERGY_PRODUCED_TODAY: (
            summary.energy_today,
            _within_summary_day(summary, measured_at, time_zone),
        ),
        Measurement.ENERGY_PRODUCED_LIFETIME: (_lifetime(summary), measured_at),
    }
    if summary.last_report_at is not None:
        found[Measurement.LAST_REPORT] = (
            int(summary.last_report_at.timestamp()),
            summary.last_report_at,
        )
    return {SYSTEM: dated_samples(found, Source.SUMMARY)}


def read_battery_telemetry(telemetry: BatteryTelemetry, known: Known) -> Report:
    """Read the state of charge of today (API operation `telemetry/battery`).

    The `last_reported_aggregate_soc` has no moment of its own: it gets that of the
    newest interval, or the end of the day before if today has none.
    """
    level: float | None = telemetry.last_reported_state_of_charge
    day = start_of_day(known.fetched_at, known.info.time_zone)
    observed_at = day.astimezone(UTC)
    if telemetry.intervals:
        observed_at = telemetry.intervals[-1].end_at
    for interval in reversed(telemetry.intervals):
        if interval.state_of_charge is not None:
            observed_at = interval.end_at
            level = interval.state_of_charge if level is None else level
            break
    found = {Measurement.BATTERY_LEVEL: (level, observed_at)}
    return {SYSTEM: dated_samples(found, Source.BATTERY)}


def read_latest_telemetry(latest: LatestTelemetry, known: Known) -> Report:
    """Read powers (API operation `latest_telemetry`).

    By its description, the consumption of a system with a battery is production plus
    grid, without the battery. Grid power and load are computed from that.
    """
    total = partial(
        parts.total, fetched_at=known.fetched_at, cellular=known.info.is_cellular
    )
    production, consumption = total(latest.production), total(latest.consumption)
    battery = total(latest.batteries)
    found: dict[Measurement, tuple[Value, datetime]] = {}
    if production is not None:
        found[Measurement.PRODUCTION_POWER] = (production.power, production.measured_at)
    if battery is not None:
        found[Measurement.BATTERY_POWER] = (battery.power, battery.measured_at)
    if consumption is not None:
        if production is not None and (
            at := measured_together(consumption, production)
        ):
            found[Measurement.GRID_POWER] = (consumption.power - production.power, at)
        if not known.board.has_battery():
            found[Measurement.CONSUMPTION_POWER] = (
                consumption.power,
                consumption.measured_at,
            )
        elif battery and (at := measured_together(consumption, battery)):
            load = max(0, consumption.power + battery.power)
            found[Measurement.CONSUMPTION_POWER] = (load, at)
    return single_devices(latest) | {SYSTEM: dated_samples(found, Source.LATEST)}


def read_live_frame(frame: LiveFrame, board: Board) -> Samples:
    """Read a frame of the live stream (API operation `live_data`).

    A system without a battery or a generator streams zeros for them, which are skipped.
    """
    skipped = set() if board.has_battery() else set(OF_BATTERIES)
    if not frame.generator and Measurement.GENERATOR_POWER not in board.newest():
        skipped.add(Measurement.GENERATOR_POWER)
    return {
        measurement: Sample(value, frame.sampled_at, Source.LIVE)
        for measurement, read in _OF_FRAMES
        if measurement not in skipped and (value := read(frame)) is not None
    }


def energy_today(
    known: Samples, measurement: Measurement, *, now: datetime, time_zone: tzinfo
) -> float | None:
    """Return an energy of the system's current day [Wh], None if it is unknown.

    It is unknown between midnight and the first report of the day, except the energy
    produced: that is zero if the system did not produce at its last report.
    """
    sample = known.get(measurement)
    if sample is None or not isinstance(sample.value, int | float):
        return None
    if sample.observed_at >= start_of_day(now, time_zone):
        return float(sample.value)
    if measurement is not Measurement.ENERGY_PRODUCED_TODAY:
        return None
    production = known.get(Measurement.PRODUCTION_POWER)
    if production is None or is_producing(production.value, known):
        return None
    return 0.0


def start_of_day(moment: datetime, time_zone: tzinfo) -> datetime:
    """Return the local midnight at which the day of a moment began."""
    return datetime.combine(moment.astimezone(time_zone).date(), time(), time_zone)


def _power_measured_at(summary: Summary, fetched_at: datetime) -> datetime:
    """Return when a summary's power was measured.

    A meter is read at each quarter of an hour, and reported minutes later.
    Microinverters report the mean of their last interval; a power of zero is valid up
    to the report.
    """
    reported_at = summary.last_report_at or summary.last_interval_end_at or fetched_at
    if (
        summary.source is ProductionSource.MICROINVERTERS
        and summary.current_power
        and summary.last_interval_end_at is not None
    ):
        return min(summary.last_interval_end_at, reported_at)
    return reported_at - (reported_at - _EPOCH) % _QUARTER


def _lifetime(summary: Summary) -> float | None:
    if summary.energy_lifetime is None or summary.energy_today is None:
        return None
    return summary.energy_lifetime + summary.energy_today


def _within_summary_day(
    summary: Summary, measured_at: datetime, time_zone: tzinfo
) -> datetime:
    """Return a moment within the day of the summary.

    A day's energy is known from midnight on, even before its first interval.
    """
    if summary.summary_date is None:
        return measured_at
    midnight = datetime.combine(summary.summary_date, time(), time_zone)
    return max(measured_at, midnight.astimezone(measured_at.tzinfo))
